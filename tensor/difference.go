package tensor

import "pixelgrad/simd"

// SumAbsDiff returns Σ |a-b|. It panics if the shapes of a and b differ.
func SumAbsDiff(a, b *Tensor) float64 {
	checkSameShape("SumAbsDiff", a, b)
	return sumChunks(len(a.data), func(lo, hi int) float64 { return simd.SumAbsDiff(a.data[lo:hi], b.data[lo:hi]) })
}

// SumRootDiff returns Σ √((a-b)²+eps²). It panics if the shapes of a and b differ.
func SumRootDiff(eps float32, a, b *Tensor) float64 {
	checkSameShape("SumRootDiff", a, b)
	return sumChunks(len(a.data), func(lo, hi int) float64 { return simd.SumRootDiff(eps, a.data[lo:hi], b.data[lo:hi]) })
}

// A Pairwise function computes each element of dst from the elements of a and b at the same
// place. The slices have one length, and dst may be one of the others.
type Pairwise func(dst, a, b []float32)

// SignDiff returns alpha·sign(a-b): alpha times the gradient of SumAbsDiff with respect to a. The
// sign of 0 is 0, as in PyTorch, and NaN stays.
func SignDiff(alpha float32) Pairwise {
	return func(dst, a, b []float32) { simd.SignDiff(dst, alpha, a, b) }
}

// RootDiff returns alpha·(a-b)/√((a-b)²+eps²): alpha times the gradient of SumRootDiff with
// respect to a.
func RootDiff(alpha, eps float32) Pairwise {
	return func(dst, a, b []float32) { simd.RootDiff(dst, alpha, eps, a, b) }
}

// To writes f(a, b) to dst, on all threads. It panics if the shapes differ.
func (f Pairwise) To(dst, a, b *Tensor) {
	checkSameShape("Pairwise", a, b, dst)
	parallelChunks(len(dst.data), func(lo, hi int) { f(dst.data[lo:hi], a.data[lo:hi], b.data[lo:hi]) })
}

// SigmoidBackwardTo writes SigmoidBackward(f(y, t), y) to dst, without a tensor for what is
// between the two: the gradient with respect to x of a loss of y = σ(x) and t whose gradient
// with respect to y is f. It panics if the shapes differ.
func (f Pairwise) SigmoidBackwardTo(dst, y, t *Tensor) {
	checkSameShape("Pairwise", y, t, dst)
	parallelChunks(len(dst.data), func(lo, hi int) {
		dy := takeBuffer(hi - lo)
		defer giveBuffer(dy)
		f(dy, y.data[lo:hi], t.data[lo:hi])
		simd.SigmoidBackward(dst.data[lo:hi], dy, y.data[lo:hi])
	})
}
