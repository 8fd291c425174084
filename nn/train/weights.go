package train

import (
	"strconv"

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
// torch.save wrote: its content tells which. If the file has more than one network, or
// names with prefixes, weightfile.Open finds the module's. The error names the file, and
// the tensor that is missing or has another shape; the module is then unchanged. Tensors
// that the module does not have are left alone.
func LoadWeights(path string, m nn.Module) error {
	return LoadWeightsFrom(path, m, weightfile.Options{Mapped: true})
}

// LoadWeightsFrom is LoadWeights with options, such as the key of the dictionary in the
// file, or who is told what was chosen there. Wanted is the list of the module's names.
func LoadWeightsFrom(path string, m nn.Module, o weightfile.Options) error {
	o.Wanted = [][]string{nil}
	for _, t := range nn.StateDict(m) {
		o.Wanted[0] = append(o.Wanted[0], t.Name)
	}
	f, err := weightfile.Open(path, o)
	if err != nil {
		return err
	}
	defer f.Close()
	source := path
	if f.Key() != "" {
		source += ", in " + strconv.Quote(f.Key())
	}
	// A tensor that cannot be read is there; get's error will say what it is.
	return nn.LoadStateDict(m, source, append(f.Names(), f.Unreadable()...), f.Tensor)
}
