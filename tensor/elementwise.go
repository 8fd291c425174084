package tensor

import (
	"fmt"
	"slices"

	"pixelgrad/simd"
)

// checkSameShape panics unless all tensors have the shape of the first.
func checkSameShape(op string, first *Tensor, others ...*Tensor) {
	for _, t := range others {
		if !slices.Equal(first.shape, t.shape) {
			panic(fmt.Sprintf("tensor: %s: shapes %v and %v differ", op, first.shape, t.shape))
		}
	}
}

// Every function here exists twice: Add returns a new tensor, and AddTo writes into one
// that there is. A destination may be one of the operands.

// Add returns a + b, element by element. Shapes: all the same. It panics if they
// differ. It matches torch.add without broadcasting.
func Add(a, b *Tensor) *Tensor { return into(a, func(y *Tensor) { AddTo(y, a, b) }) }

// AddTo writes Add(a, b) to dst.
func AddTo(dst, a, b *Tensor) {
	checkSameShape("Add", a, b, dst)
	parallelChunks(len(dst.data), func(lo, hi int) { simd.Add(dst.data[lo:hi], a.data[lo:hi], b.data[lo:hi]) })
}

// Scale returns alpha·x.
func Scale(alpha float32, x *Tensor) *Tensor {
	return into(x, func(y *Tensor) { ScaleTo(y, alpha, x) })
}

// ScaleTo writes Scale(alpha, x) to dst. It panics if their shapes differ.
func ScaleTo(dst *Tensor, alpha float32, x *Tensor) {
	checkSameShape("Scale", x, dst)
	parallelChunks(len(dst.data), func(lo, hi int) { simd.Scale(dst.data[lo:hi], alpha, x.data[lo:hi]) })
}

// ScaledDiff returns alpha·(a-b). It panics if the shapes of a and b differ.
func ScaledDiff(alpha float32, a, b *Tensor) *Tensor {
	return into(a, func(y *Tensor) { ScaledDiffTo(y, alpha, a, b) })
}

// ScaledDiffTo writes ScaledDiff(alpha, a, b) to dst.
func ScaledDiffTo(dst *Tensor, alpha float32, a, b *Tensor) {
	checkSameShape("ScaledDiff", a, b, dst)
	parallelChunks(len(dst.data), func(lo, hi int) { simd.ScaledDiff(dst.data[lo:hi], alpha, a.data[lo:hi], b.data[lo:hi]) })
}

// ReLU returns max(x, 0); NaN stays. It matches torch.relu.
func ReLU(x *Tensor) *Tensor { return into(x, func(y *Tensor) { ReLUTo(y, x) }) }

// ReLUTo writes ReLU(x) to dst. It panics if their shapes differ.
func ReLUTo(dst, x *Tensor) {
	checkSameShape("ReLU", x, dst)
	parallelChunks(len(dst.data), func(lo, hi int) { simd.AddBiasReLU(dst.data[lo:hi], x.data[lo:hi], 0) })
}

// ReLUBackward returns the gradient of y = max(x, 0) with respect to x: dy where y > 0, and
// 0 elsewhere. It panics if the shapes of dy and y differ.
func ReLUBackward(dy, y *Tensor) *Tensor {
	return into(y, func(dx *Tensor) { ReLUBackwardTo(dx, dy, y) })
}

// ReLUBackwardTo writes ReLUBackward(dy, y) to dst.
func ReLUBackwardTo(dst, dy, y *Tensor) {
	checkSameShape("ReLUBackward", dy, y, dst)
	parallelChunks(len(dst.data), func(lo, hi int) { simd.ReLUBackward(dst.data[lo:hi], dy.data[lo:hi], y.data[lo:hi]) })
}

// Sigmoid returns σ(x) = 1 / (1 + exp(-x)). It matches torch.sigmoid.
func Sigmoid(x *Tensor) *Tensor { return into(x, func(y *Tensor) { SigmoidTo(y, x) }) }

// SigmoidTo writes Sigmoid(x) to dst. It panics if their shapes differ.
func SigmoidTo(dst, x *Tensor) {
	checkSameShape("Sigmoid", x, dst)
	parallelChunks(len(dst.data), func(lo, hi int) { simd.Sigmoid(dst.data[lo:hi], x.data[lo:hi]) })
}

// SigmoidBackward returns the gradient of y = σ(x) with respect to x: dy·y·(1-y). It
// panics if the shapes of dy and y differ.
func SigmoidBackward(dy, y *Tensor) *Tensor {
	return into(y, func(dx *Tensor) { SigmoidBackwardTo(dx, dy, y) })
}

// SigmoidBackwardTo writes SigmoidBackward(dy, y) to dst.
func SigmoidBackwardTo(dst, dy, y *Tensor) {
	checkSameShape("SigmoidBackward", dy, y, dst)
	parallelChunks(len(dst.data), func(lo, hi int) { simd.SigmoidBackward(dst.data[lo:hi], dy.data[lo:hi], y.data[lo:hi]) })
}

// SigmoidBackwardMSETo writes to dst the gradient of alpha/2·Σ (y-t)² with respect to x,
// with y = σ(x): SigmoidBackward(ScaledDiff(alpha, y, t), y), without a tensor for what is
// between the two. It panics if the shapes differ.
func SigmoidBackwardMSETo(dst *Tensor, alpha float32, y, t *Tensor) {
	Pairwise(func(dst, a, b []float32) { simd.ScaledDiff(dst, alpha, a, b) }).SigmoidBackwardTo(dst, y, t)
}

// Fill sets all elements.
func Fill(dst *Tensor, v float32) {
	parallelChunks(len(dst.data), func(lo, hi int) {
		for i := range dst.data[lo:hi] {
			dst.data[lo+i] = v
		}
	})
}

// into returns a tensor of x's shape, once f has written it.
func into(x *Tensor, f func(y *Tensor)) *Tensor {
	y := NewUninitialized(x.shape...)
	f(y)
	return y
}

// Sum returns the sum of all elements.
func Sum(x *Tensor) float64 {
	return sumChunks(len(x.data), func(lo, hi int) float64 { return simd.Sum(x.data[lo:hi]) })
}

// SumSquaredDiff returns Σ (a-b)². It panics if the shapes of a and b differ.
func SumSquaredDiff(a, b *Tensor) float64 {
	checkSameShape("SumSquaredDiff", a, b)
	return sumChunks(len(a.data), func(lo, hi int) float64 { return simd.SumSquaredDiff(a.data[lo:hi], b.data[lo:hi]) })
}

// sumChunks adds what f returns for consecutive pieces of n elements, in order.
func sumChunks(n int, f func(lo, hi int) float64) float64 {
	parts := make([]float64, (n+chunk-1)/chunk)
	parallelChunks(n, func(lo, hi int) { parts[lo/chunk] = f(lo, hi) })
	sum := 0.0
	for _, p := range parts {
		sum += p
	}
	return sum
}
