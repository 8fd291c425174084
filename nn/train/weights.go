package train

import (
	"fmt"
	"io"
	"os"

	"pixelgrad/nn"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/tensor/torchfile"
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

// weightFile is what both readers of weight files have.
type weightFile interface {
	Names() []string
	Tensor(name string) (*tensor.Tensor, error)
	Close() error
}

// LoadWeights reads a module's parameters from a safetensors file or from one that
// torch.save wrote: the first bytes tell which. The error names the file, and the
// tensor that is missing or has another shape; the module is then unchanged. Tensors
// that the module does not have are left alone.
func LoadWeights(path string, m nn.Module) error {
	f, err := openWeights(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return nn.LoadStateDict(m, path, f.Names(), f.Tensor)
}

// openWeights opens a weight file by what it begins with: a zip archive or a pickle
// is PyTorch's, anything else is for the reader of safetensors to judge.
func openWeights(path string) (weightFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("expected a file of weights: %w", err)
	}
	defer f.Close()
	var head [9]byte
	if _, err := io.ReadFull(f, head[:]); err == nil && head[8] != '{' && (string(head[:4]) == "PK\x03\x04" || head[0] == 0x80) {
		return torchfile.Open(path)
	}
	return safetensors.Open(path)
}
