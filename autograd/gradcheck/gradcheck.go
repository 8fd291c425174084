// Package gradcheck compares gradients with finite differences.
package gradcheck

import (
	"fmt"
	"math"
	"math/rand/v2"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// Check compares the gradients of f's operations with finite differences. It moves
// every element of every parameter by h to either side, and measures the change of
// L = Σ cᵢ·yᵢ, a fixed random combination of the result's elements:
//
//	∂L/∂p ≈ (L(p+h) - L(p-h)) / 2h
//
// f computes its result anew from the parameters at each call. The error names the first
// element for which the two differ by more than tol times the largest gradient of that
// parameter. L is added up in float64, but the result is float32: an h around 1e-2 suits
// smooth operations, because both the rounding of L, about 1e-7/h, and the curvature,
// about h², are small there. Parameters keep their values and lose their gradients.
// Winograd's convolution is off meanwhile, because its rounding errors would look like
// changes of L.
func Check(f func() *autograd.Value, h, tol float64, parameters ...*autograd.Value) error {
	defer func(was bool) { tensor.UseWinograd = was }(tensor.UseWinograd)
	tensor.UseWinograd = false
	y := f()
	rng := rand.New(rand.NewPCG(17, 23))
	c := tensor.New(y.Shape()...)
	for i := range c.Data() {
		c.Data()[i] = rng.Float32()*2 - 1
	}
	for _, p := range parameters {
		p.SetGrad(nil)
	}
	y.BackwardFrom(c)
	combined := func() float64 {
		y := f()
		sum := 0.0
		for i, v := range y.Data().Data() {
			sum += float64(v) * float64(c.Data()[i])
		}
		return sum
	}
	for k, p := range parameters {
		if p.Grad() == nil {
			return fmt.Errorf("gradcheck: parameter %d of shape %v got no gradient", k, p.Shape())
		}
		data := p.Data().Data()
		numeric := make([]float64, len(data))
		largest := 0.0
		for i, old := range data {
			lo, hi := old-float32(h), old+float32(h)
			data[i] = hi
			up := combined()
			data[i] = lo
			down := combined()
			data[i] = old
			numeric[i] = (up - down) / (float64(hi) - float64(lo))
			largest = max(largest, math.Abs(numeric[i]))
		}
		for i, want := range numeric {
			if got := float64(p.Grad().Data()[i]); !(math.Abs(got-want) <= tol*largest) {
				return fmt.Errorf("gradcheck: gradient of parameter %d, shape %v, element %d: got %v, finite differences give %v", k, p.Shape(), i, got, want)
			}
		}
		p.SetGrad(nil)
	}
	return nil
}
