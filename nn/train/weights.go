package train

import (
	"pixelgrad/nn"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/tensor/weightfile"
)

// SaveWeights writes a module's parameters to a safetensors file, under the names
// that PyTorch's state dict gives them. The file appears whole or not at all.
func SaveWeights(path string, m nn.Module, metadata map[string]string) error {
	var named []safetensors.Named
	for _, t := range nn.StateDict(m) {
		named = append(named, safetensors.Named{Name: t.Name, Tensor: t.Tensor})
	}
	return safetensors.WriteFile(path, named, metadata)
}

// LoadWeights reads a module's parameters from a safetensors file or from one that
// torch.save wrote: its content tells which. The error names the file, and the
// tensor that is missing or has another shape; the module is then unchanged. Tensors
// that the module does not have are left alone.
func LoadWeights(path string, m nn.Module) error {
	f, err := weightfile.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return nn.LoadStateDict(m, path, f.Names(), f.Tensor)
}
