// Package recipe makes inputs and weights for comparisons with PyTorch: numbers from one
// integer recipe that testdata/golden/goldens.py has, too, so that only results need be
// stored.
package recipe

import (
	"math"

	"pixelgrad/nn"
	"pixelgrad/tensor"
)

// Numbers returns numbers in [-1,1] that look irregular: the i-th is
// ((i·7919 + salt·104729) mod 2003) / 1001 - 1. It matches recipe in goldens.py.
func Numbers(salt int, shape ...int) *tensor.Tensor {
	t := tensor.New(shape...)
	for i := range t.Data() {
		t.Data()[i] = float32(float64((i*7919+salt*104729)%2003)/1001 - 1)
	}
	return t
}

// Pixels returns numbers in [0,1]: (Numbers+1)/2.
func Pixels(salt int, shape ...int) *tensor.Tensor {
	t := Numbers(salt, shape...)
	for i, v := range t.Data() {
		t.Data()[i] = (v + 1) / 2
	}
	return t
}

// FillWeights gives parameter number i of a module Numbers(salt+i)/√fan-in. It
// matches fill_weights in goldens.py.
func FillWeights(m nn.Module, salt int) {
	for i, p := range m.Parameters() {
		fanIn := p.Data().Len()
		if len(p.Shape()) > 1 {
			fanIn /= p.Shape()[0]
		}
		root := float32(math.Sqrt(float64(fanIn)))
		for j, v := range Numbers(salt+i, p.Shape()...).Data() {
			p.Data().Data()[j] = v / root
		}
	}
}
