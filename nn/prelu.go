package nn

import (
	"fmt"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// PReLU is an activation that learns a slope for what is negative, one for each channel. Its
// parameter is called weight, of shape (channels). It matches torch.nn.PReLU(channels).
type PReLU struct{ Weight *autograd.Value }

// NewPReLU returns a layer with PyTorch's initial slopes, 0.25. It panics if there are no
// channels.
func NewPReLU(channels int) *PReLU {
	if channels <= 0 {
		panic(fmt.Sprintf("nn: NewPReLU: %d channels, want a positive number", channels))
	}
	slope := tensor.New(channels)
	tensor.Fill(slope, 0.25)
	return &PReLU{autograd.Parameter(slope)}
}

// Forward returns the activations of x. Shapes: (n,channels,h,w) → the same.
func (p *PReLU) Forward(x *autograd.Value) *autograd.Value { return autograd.PReLU(x, p.Weight) }

// Parameters returns weight.
func (p *PReLU) Parameters() []Parameter { return []Parameter{{"weight", p.Weight}} }
