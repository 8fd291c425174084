package superres

import (
	"bytes"
	"embed"
	"fmt"
	"math/rand/v2"

	"pixelgrad/nn"
	"pixelgrad/tensor/safetensors"
)

// The weights of Fast for each scale. docs/fast.md has how they were trained, and docs/photographs.md
// from which photographs.
//
//go:embed weights/fast_x2.safetensors weights/fast_x3.safetensors weights/fast_x4.safetensors
var fastWeights embed.FS

// LoadFast returns Fast with the weights that are part of the program, for a scale of 2, 3 or 4.
func LoadFast(scale int) (*Fast, error) {
	if scale < 2 || scale > 4 {
		return nil, &ScaleError{FastName, scale, []int{2, 3, 4}}
	}
	name := fmt.Sprintf("weights/fast_x%d.safetensors", scale)
	data, err := fastWeights.ReadFile(name)
	if err != nil {
		return nil, err
	}
	f, err := safetensors.NewFile(name, bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	m := NewFast(rand.New(rand.NewPCG(0, 0)), scale)
	return m, nn.LoadStateDict(m, name, f.Names(), f.Tensor)
}
