package optim

import (
	"fmt"
	"math"
	"slices"

	"pixelgrad/nn"
	"pixelgrad/tensor"
)

// clipEps keeps the division of ClipNorm defined where all gradients are 0: PyTorch's number.
const clipEps = 1e-6

// ClipNorm makes the gradients of the parameters shorter where, taken together as one vector g,
// they are longer than most, and returns how long they were:
//
//	g ← g·min(1, most/(|g|+1e-6)),  |g| = √(Σ gᵢ²)
//
// They are changed where they are. Parameters without a gradient count as 0. One NaN makes all
// gradients NaN, and one infinity makes the others 0 and itself NaN: a training that diverges
// is not kept from showing it. The sums are computed in float64, and added in the order of the
// parameters, so that the result does not depend on the number of threads. ClipNorm panics
// unless most is positive.
//
// It matches torch.nn.utils.clip_grad_norm_.
//
// Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural
// networks", 2013, algorithm 1.
func ClipNorm(parameters []nn.Parameter, most float64) (norm float64) {
	if !(most > 0) {
		panic(fmt.Sprintf("optim: ClipNorm: norm %v: want a positive number", most))
	}
	squares := make([]float64, len(parameters))
	tensor.Parallel(len(parameters), func(i int) {
		if g := parameters[i].Grad(); g != nil {
			squares[i] = sumSquares(g.Data())
		}
	})
	for _, s := range squares {
		norm += s
	}
	norm = math.Sqrt(norm)
	by := most / (norm + clipEps)
	if by >= 1 {
		return norm
	}
	var done []*tensor.Tensor // two parameters that were added have the same gradient
	for _, p := range parameters {
		if g := p.Grad(); g != nil && !slices.Contains(done, g) {
			tensor.ScaleTo(g, float32(by), g)
			done = append(done, g)
		}
	}
	return norm
}

// sumSquares returns Σ x². It keeps four sums, because a processor can add to four numbers
// while it waits for one.
func sumSquares(x []float32) float64 {
	var s [4]float64
	for ; len(x) >= 4; x = x[4:] {
		a, b, c, d := float64(x[0]), float64(x[1]), float64(x[2]), float64(x[3])
		s[0] += a * a
		s[1] += b * b
		s[2] += c * c
		s[3] += d * d
	}
	for _, v := range x {
		s[0] += float64(v) * float64(v)
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}
