package nn

import (
	"strconv"

	"pixelgrad/autograd"
)

// A Layer is a module with one input and one output.
type Layer interface {
	Module
	Forward(x *autograd.Value) *autograd.Value
}

// Sequential applies layers one after the other. Their parameters are named by
// their position, as in "0.weight". It matches torch.nn.Sequential.
type Sequential []Layer

// Forward returns the last layer's output.
func (s Sequential) Forward(x *autograd.Value) *autograd.Value {
	for _, l := range s {
		x = l.Forward(x)
	}
	return x
}

// Parameters returns those of all layers.
func (s Sequential) Parameters() []Parameter {
	children := make([]Child, len(s))
	for i, l := range s {
		children[i] = Child{strconv.Itoa(i), l}
	}
	return Join(children...)
}

// Func is a layer without parameters: a function such as autograd.ReLU.
type Func func(x *autograd.Value) *autograd.Value

// Forward returns f(x).
func (f Func) Forward(x *autograd.Value) *autograd.Value { return f(x) }

// Parameters returns none.
func (f Func) Parameters() []Parameter { return nil }
