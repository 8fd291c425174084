package autograd

import (
	"fmt"
	"math"
	"math/rand/v2"

	"pixelgrad/tensor"
)

// CheckGradients compares the gradients that f's operations compute with finite
// differences: every element of every parameter is moved by h to either side, and
// the change of a fixed random combination L = Σ cᵢ·yᵢ of the result's elements is
// measured:
//
//	∂L/∂p ≈ (L(p+h) - L(p-h)) / 2h
//
// f computes its result anew from the parameters at each call. It returns an error
// that names the first element for which the two differ by more than tol times
// the largest gradient of that parameter. L is added up in float64, but the result is
// float32: choose h around 1e-2 for smooth operations, where both the rounding of
// L, about 1e-7/h, and the curvature, about h², are small. Parameters keep their
// values, and lose the gradients that they had. Convolutions are computed directly:
// Winograd's rounding errors would be taken for changes.
func CheckGradients(f func() *Value, h, tol float64, parameters ...*Value) error {
	defer func(was bool) { tensor.UseWinograd = was }(tensor.UseWinograd)
	tensor.UseWinograd = false
	y := f()
	rng := rand.New(rand.NewPCG(17, 23))
	c := tensor.New(y.shape...)
	for i := range c.Data() {
		c.Data()[i] = rng.Float32()*2 - 1
	}
	for _, p := range parameters {
		p.ZeroGrad()
	}
	y.backwardFrom(c.Clone())
	combined := func() float64 {
		y := f()
		sum := 0.0
		for i, v := range y.Data().Data() {
			sum += float64(v) * float64(c.Data()[i])
		}
		y.keep = false
		y.Free()
		return sum
	}
	for k, p := range parameters {
		if p.grad == nil {
			return fmt.Errorf("autograd: parameter %d of shape %v got no gradient", k, p.shape)
		}
		data := p.data.Data()
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
			if got := float64(p.grad.Data()[i]); !(math.Abs(got-want) <= tol*largest) {
				return fmt.Errorf("autograd: gradient of parameter %d, shape %v, element %d: got %v, finite differences give %v", k, p.shape, i, got, want)
			}
		}
		p.ZeroGrad()
	}
	return nil
}
