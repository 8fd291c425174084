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

// Add returns a + b, element by element. Shapes: all the same. It panics if they
// differ. It matches torch.add without broadcasting.
func Add(a, b *Tensor) *Tensor {
	checkSameShape("Add", a, b)
	y := NewUninitialized(a.shape...)
	parallelChunks(len(y.data), func(lo, hi int) { simd.Add(y.data[lo:hi], a.data[lo:hi], b.data[lo:hi]) })
	return y
}

// AddTo adds x to dst. It panics if their shapes differ.
func AddTo(dst, x *Tensor) {
	checkSameShape("AddTo", dst, x)
	parallelChunks(len(x.data), func(lo, hi int) { simd.Add(dst.data[lo:hi], dst.data[lo:hi], x.data[lo:hi]) })
}

// Scale returns alpha·x.
func Scale(alpha float32, x *Tensor) *Tensor {
	y := NewUninitialized(x.shape...)
	parallelChunks(len(y.data), func(lo, hi int) { simd.Scale(y.data[lo:hi], alpha, x.data[lo:hi]) })
	return y
}

// ScaledDiff returns alpha·(a-b). It panics if the shapes of a and b differ.
func ScaledDiff(alpha float32, a, b *Tensor) *Tensor {
	checkSameShape("ScaledDiff", a, b)
	y := NewUninitialized(a.shape...)
	parallelChunks(len(y.data), func(lo, hi int) { simd.ScaledDiff(y.data[lo:hi], alpha, a.data[lo:hi], b.data[lo:hi]) })
	return y
}

// ReLU returns max(x, 0); NaN stays. It matches torch.relu.
func ReLU(x *Tensor) *Tensor {
	y := NewUninitialized(x.shape...)
	parallelChunks(len(y.data), func(lo, hi int) { simd.AddBiasReLU(y.data[lo:hi], x.data[lo:hi], 0) })
	return y
}

// ReLUBackward writes the gradient of y = max(x, 0) with respect to x over dy, and returns
// it: dy where y > 0, and 0 elsewhere. It panics if the shapes of dy and y differ.
func ReLUBackward(dy, y *Tensor) *Tensor {
	checkSameShape("ReLUBackward", dy, y)
	parallelChunks(len(y.data), func(lo, hi int) { simd.ReLUBackward(dy.data[lo:hi], dy.data[lo:hi], y.data[lo:hi]) })
	return dy
}

// Sigmoid returns σ(x) = 1 / (1 + exp(-x)). It matches torch.sigmoid.
func Sigmoid(x *Tensor) *Tensor {
	y := NewUninitialized(x.shape...)
	SigmoidTo(y, x)
	return y
}

// SigmoidTo writes Sigmoid(x) to dst, which may be x. It panics if their shapes differ.
func SigmoidTo(dst, x *Tensor) {
	checkSameShape("SigmoidTo", dst, x)
	parallelChunks(len(x.data), func(lo, hi int) { simd.Sigmoid(dst.data[lo:hi], x.data[lo:hi]) })
}

// SigmoidBackward writes the gradient of y = σ(x) with respect to x over dy, and returns
// it: dy·y·(1-y). It panics if the shapes of dy and y differ.
func SigmoidBackward(dy, y *Tensor) *Tensor {
	checkSameShape("SigmoidBackward", dy, y)
	parallelChunks(len(y.data), func(lo, hi int) { simd.SigmoidBackward(dy.data[lo:hi], dy.data[lo:hi], y.data[lo:hi]) })
	return dy
}

// SigmoidBackwardMSE writes over y = σ(x) the gradient of alpha/2·Σ (y-t)² with respect to
// x: alpha·(y-t)·y·(1-y). It panics if the shapes of y and t differ.
func SigmoidBackwardMSE(y, t *Tensor, alpha float32) {
	checkSameShape("SigmoidBackwardMSE", y, t)
	parallelChunks(len(y.data), func(lo, hi int) {
		dy := takeBuffer(hi - lo)
		defer giveBuffer(dy)
		simd.ScaledDiff(dy, alpha, y.data[lo:hi], t.data[lo:hi])
		simd.SigmoidBackward(y.data[lo:hi], dy, y.data[lo:hi])
	})
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
