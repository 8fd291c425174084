package compile

import (
	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// The compiler runs every operation as it is written, and copies what Backward returns. An
// operation of another package that does one of the following takes no memory for it.

// A PairLoss is the mean over pairs of numbers, Σ φ(aᵢ-bᵢ)/N, with φ(-d) = φ(d). Its Backward
// reads both operands.
type PairLoss interface {
	autograd.Operation

	// Slope returns the function that computes the gradient with respect to a from a and b: with
	// a and b exchanged it is that with respect to b. n is how many pairs there are, dy the
	// gradient of the loss.
	Slope(n int, dy *tensor.Tensor) tensor.Pairwise
}

// A GradientWriter writes its gradients into tensors that there are.
type GradientWriter interface {
	autograd.Operation

	// BackwardTo writes what Backward returns to dx. dx[i] is nil for a gradient that is not
	// wanted. None of them shares memory with dy, y or x.
	BackwardTo(dx []*tensor.Tensor, dy, y *tensor.Tensor, x []*tensor.Tensor)
}
