package autograd

import (
	"fmt"
	"math"

	"pixelgrad/tensor"
)

// Mean returns the mean of all N elements. Backward: dx = dy/N everywhere.
// Shapes: any → (1).
func Mean(x *Value) *Value { return Apply(MeanOp{}, x) }

// MeanOp is the operation of Mean.
type MeanOp struct{ readsNeither }

func (MeanOp) Forward(x ...*tensor.Tensor) *tensor.Tensor {
	return number(tensor.Sum(x[0]) / float64(x[0].Len()))
}

func (MeanOp) Backward(dy, _ *tensor.Tensor, x []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	dx := tensor.New(x[0].Shape()...)
	tensor.Fill(dx, float32(float64(dy.Data()[0])/float64(dx.Len())))
	return []*tensor.Tensor{dx}
}

func (MeanOp) Shape(x ...[]int) []int { return []int{1} }

// MSE returns the mean of the squared differences of N elements, Σ (a-b)² / N.
// Backward: da = 2/N·(a-b)·dy, db = -da. Shapes: both the same → (1). It panics if they
// differ. It matches torch.nn.functional.mse_loss.
func MSE(a, b *Value) *Value { return Apply(MSEOp{}, a, b) }

// MSEOp is the operation of MSE.
type MSEOp struct{ readsOperands }

func (MSEOp) Forward(x ...*tensor.Tensor) *tensor.Tensor {
	return number(tensor.SumSquaredDiff(x[0], x[1]) / float64(x[0].Len()))
}

func (op MSEOp) Backward(dy, _ *tensor.Tensor, x []*tensor.Tensor, want []bool) []*tensor.Tensor {
	a, b := x[0], x[1]
	alpha := op.Alpha(a.Len(), dy)
	var da, db *tensor.Tensor
	if want[0] {
		da = tensor.ScaledDiff(alpha, a, b)
	}
	if want[1] {
		db = tensor.ScaledDiff(alpha, b, a)
	}
	return []*tensor.Tensor{da, db}
}

// Alpha returns the factor 2/N·dy of the gradient.
func (MSEOp) Alpha(n int, dy *tensor.Tensor) float32 {
	return float32(2 / float64(n) * float64(dy.Data()[0]))
}

func (MSEOp) Shape(x ...[]int) []int { same("MSE", x[0], x[1]); return []int{1} }

// The formula of InversePSNR applies between these two errors.
const minMSE, maxMSE = 1e-10, 0.9

// InversePSNR turns a mean squared error m of pixels in [0,1] into the inverse of the peak
// signal-to-noise ratio, in 1/dB: the loss that all models here are trained with.
//
//	y = 1 / PSNR,  PSNR = -10·log₁₀ m
//
// Backward: dm = dy · 10/(ln 10 · m · PSNR²).
//
// PSNR is 0 at m = 1, and the slope is infinite at m = 0. So the loss continues as its tangent
// below 1e-10 (100 dB) and above 0.9 (0.46 dB). It stays finite, smooth and increasing, and
// its gradient stays finite. NaN stays NaN. Shapes: (1) → (1). It panics for more than one element.
func InversePSNR(m *Value) *Value { return Apply(InversePSNROp{}, m) }

// InversePSNROp is the operation of InversePSNR.
type InversePSNROp struct{ readsOperands }

func (InversePSNROp) Forward(m ...*tensor.Tensor) *tensor.Tensor {
	mse, edge, psnr, slope := tangent(m[0])
	return number(1/psnr + slope*(mse-edge))
}

func (InversePSNROp) Backward(dy, _ *tensor.Tensor, m []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	_, _, _, slope := tangent(m[0])
	return []*tensor.Tensor{number(float64(dy.Data()[0]) * slope)}
}

func (InversePSNROp) Shape(m ...[]int) []int {
	if len(m[0]) != 1 || m[0][0] != 1 {
		panic(fmt.Sprintf("autograd: InversePSNR: shape %v, want (1)", m[0]))
	}
	return m[0]
}

// tangent returns the error, the nearest error for which the formula holds, and the PSNR
// and the slope of the loss there.
func tangent(m *tensor.Tensor) (mse, edge, psnr, slope float64) {
	mse = float64(m.Data()[0])
	edge = max(minMSE, min(mse, maxMSE)) // NaN stays
	psnr = -10 * math.Log10(edge)
	return mse, edge, psnr, 10 / (math.Ln10 * edge * psnr * psnr)
}

// number returns a tensor of one element.
func number(v float64) *tensor.Tensor { return tensor.FromSlice([]float32{float32(v)}, 1) }
