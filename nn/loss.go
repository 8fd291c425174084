package nn

import (
	"fmt"
	"slices"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// PSNRLoss returns 1/PSNR of a batch of pictures with pixels in [0,1], in 1/dB:
//
//	1 / (-10·log₁₀(mean((pred-target)²)))
//
// The mean goes over all pixels of the batch. A loss of 0.04 is 25 dB. What happens
// where the formula has no value is said at autograd.InversePSNR. Shapes: both the
// same → (1). It panics if they differ.
func PSNRLoss(pred, target *autograd.Value) *autograd.Value {
	return autograd.InversePSNR(autograd.MSE(pred, target))
}

// L1Loss returns the mean absolute error of N elements, Σ |pred-target| / N. Backward:
// dpred = sign(pred-target)·dy/N, dtarget = -dpred; the sign of 0 is 0. Shapes: both the same →
// (1). It panics if they differ. It matches torch.nn.functional.l1_loss.
func L1Loss(pred, target *autograd.Value) *autograd.Value {
	return autograd.Apply(L1Op{}, pred, target)
}

// L1Op is the operation of L1Loss.
type L1Op struct{ pair }

func (L1Op) Shape(x ...[]int) []int { return pairShape("L1Loss", x) }

func (L1Op) Forward(x ...*tensor.Tensor) *tensor.Tensor {
	return number(tensor.SumAbsDiff(x[0], x[1]) / float64(x[0].Len()))
}

func (op L1Op) Backward(dy, _ *tensor.Tensor, x []*tensor.Tensor, want []bool) []*tensor.Tensor {
	return pairBackward(op.Slope(x[0].Len(), dy), x, want)
}

// Slope returns the function that computes the gradient: see compile.PairLoss.
func (L1Op) Slope(n int, dy *tensor.Tensor) tensor.Pairwise {
	return tensor.SignDiff(dy.Data()[0] / float32(n))
}

// CharbonnierEps is the ε of CharbonnierLoss: a quarter of a level of 8 bits.
const CharbonnierEps = 1e-3

// CharbonnierLoss returns the mean of √((pred-target)²+ε²) over N elements, with ε = 1e-3. It is
// the mean absolute error with the corner at 0 rounded off, and never falls below ε. Backward:
// dpred = (pred-target)/√((pred-target)²+ε²)·dy/N, dtarget = -dpred. Shapes: both the same →
// (1). It panics if they differ.
//
// Source: Lai et al., "Deep Laplacian Pyramid Networks for Fast and Accurate Super-Resolution",
// 2017, section 3.2, which sums over the pixels; the mean is that of the super-resolution
// toolbox MMSR, whose eps = 1e-6 is ε².
func CharbonnierLoss(pred, target *autograd.Value) *autograd.Value {
	return autograd.Apply(CharbonnierOp{}, pred, target)
}

// CharbonnierOp is the operation of CharbonnierLoss.
type CharbonnierOp struct{ pair }

func (CharbonnierOp) Shape(x ...[]int) []int { return pairShape("CharbonnierLoss", x) }

func (CharbonnierOp) Forward(x ...*tensor.Tensor) *tensor.Tensor {
	return number(tensor.SumRootDiff(CharbonnierEps, x[0], x[1]) / float64(x[0].Len()))
}

func (op CharbonnierOp) Backward(dy, _ *tensor.Tensor, x []*tensor.Tensor, want []bool) []*tensor.Tensor {
	return pairBackward(op.Slope(x[0].Len(), dy), x, want)
}

// Slope returns the function that computes the gradient: see compile.PairLoss.
func (CharbonnierOp) Slope(n int, dy *tensor.Tensor) tensor.Pairwise {
	return tensor.RootDiff(dy.Data()[0]/float32(n), CharbonnierEps)
}

// pair is embedded in losses of two tensors.
type pair struct{}

// Reads says that Backward needs the operands.
func (pair) Reads() (operands, result bool) { return true, false }

// pairShape returns the shape of a loss. It panics if the operands' shapes differ.
func pairShape(loss string, x [][]int) []int {
	if !slices.Equal(x[0], x[1]) {
		panic(fmt.Sprintf("nn: %s: shapes %v and %v differ", loss, x[0], x[1]))
	}
	return []int{1}
}

// pairBackward returns the gradients of a loss that depends on differences alone.
func pairBackward(slope tensor.Pairwise, x []*tensor.Tensor, want []bool) []*tensor.Tensor {
	dx := make([]*tensor.Tensor, 2)
	for i := range dx {
		if want[i] {
			dx[i] = tensor.NewUninitialized(x[i].Shape()...)
			slope.To(dx[i], x[i], x[1-i])
		}
	}
	return dx
}

// number returns a tensor of one element.
func number(v float64) *tensor.Tensor { return tensor.FromSlice([]float32{float32(v)}, 1) }
