package autograd

import (
	"fmt"
	"math"
	"slices"

	"pixelgrad/tensor"
)

// Add returns a + b, element by element. Backward: da = dy, db = dy.
// Shapes: both the same. It panics if they differ.
func Add(a, b *Value) *Value {
	var v *Value
	v = record("Add", tensor.Add(a.Data(), b.Data()), func(dy *tensor.Tensor) {
		a.accumulate(dy.Clone())
		v.pass(b, dy)
	}, a, b)
	return v
}

// Scale returns alpha·x. Backward: dx = alpha·dy.
func Scale(alpha float32, x *Value) *Value {
	return record("Scale", tensor.Scale(alpha, x.Data()), func(dy *tensor.Tensor) {
		x.accumulate(tensor.Scale(alpha, dy))
	}, x)
}

// ReLU returns max(x, 0). Backward: dx = dy where y > 0, else 0; the derivative
// at 0 is 0, as in PyTorch.
func ReLU(x *Value) *Value {
	y := tensor.ReLU(x.Data())
	var v *Value
	v = record("ReLU", y, func(dy *tensor.Tensor) { v.pass(x, v.unclipped(dy)) }, x)
	v.relu = true
	return v
}

// unclipped returns the gradient dy of the result v of ReLU where that was not clipped,
// and 0 elsewhere. It writes over dy.
func (v *Value) unclipped(dy *tensor.Tensor) *tensor.Tensor {
	if v.inner {
		return dy
	}
	return tensor.ReLUBackward(dy, v.data)
}

// Sigmoid returns σ(x) = 1 / (1 + exp(-x)). Backward: dx = dy·y·(1-y).
func Sigmoid(x *Value) *Value {
	y := x.spare() // an enlarged image need not be stored beside its sigmoid
	if y == nil {
		y = tensor.Sigmoid(x.Data())
	} else {
		tensor.SigmoidTo(y, y)
	}
	var v *Value
	v = record("Sigmoid", y, func(dy *tensor.Tensor) {
		if !v.inner {
			dy = tensor.SigmoidBackward(dy, y)
		}
		v.pass(x, dy)
	}, x)
	v.sigmoid = true
	return v
}

// ConcatChannels returns the channels of several values one after the other.
// Backward: each gets its own channels of dy. Shapes: (n,cᵢ,h,w) → (n,Σcᵢ,h,w). It
// panics if they differ in n, h or w. A convolution of the result reads the operands
// where they are: see StoreInputs.
func ConcatChannels(xs ...*Value) *Value {
	if len(xs) == 0 {
		panic("autograd: ConcatChannels: no values")
	}
	shape, channels := slices.Clone(xs[0].shape), 0
	for _, x := range xs {
		s := x.shape
		if len(s) != 4 || len(shape) != 4 || s[0] != shape[0] || s[2] != shape[2] || s[3] != shape[3] {
			panic(fmt.Sprintf("autograd: ConcatChannels: shapes %v and %v: want (n,c,h,w) that differ in c alone", xs[0].shape, s))
		}
		channels += s[1]
	}
	shape[1] = channels
	return later("ConcatChannels", shape, func() *tensor.Tensor {
		data := make([]*tensor.Tensor, len(xs))
		for i, x := range xs {
			data[i] = x.Data()
		}
		return tensor.ConcatChannels(data...)
	}, func(dy *tensor.Tensor) {
		at := 0
		for _, x := range xs {
			c := x.shape[1]
			if x.trained {
				x.accumulate(tensor.SliceChannels(dy, at, at+c))
			}
			at += c
		}
	}, xs...)
}

// Expand lays one number for each image and channel over all pixels. Backward: dx
// is the sum of dy over the pixels. Shapes: (n,c) → (n,c,h,w). It panics for another
// rank. A convolution of the result does without it: see ConstantChannels.
func Expand(x *Value, h, w int) *Value {
	if len(x.shape) != 2 {
		panic(fmt.Sprintf("autograd: Expand: shape %v, want (n,c)", x.shape))
	}
	return later("Expand", []int{x.shape[0], x.shape[1], h, w}, func() *tensor.Tensor {
		return tensor.Expand(x.Data(), h, w)
	}, func(dy *tensor.Tensor) {
		x.accumulate(tensor.SumPixels(dy))
	}, x)
}

// Mean returns the mean of all N elements. Backward: dx = dy/N everywhere.
// Shapes: any → (1).
func Mean(x *Value) *Value {
	n := float64(x.Data().Len())
	y := tensor.FromSlice([]float32{float32(tensor.Sum(x.Data()) / n)}, 1)
	return record("Mean", y, func(dy *tensor.Tensor) {
		dx := tensor.NewUninitialized(x.shape...)
		g := float32(float64(dy.Data()[0]) / n)
		for i := range dx.Data() {
			dx.Data()[i] = g
		}
		x.accumulate(dx)
	}, x)
}

// MSE returns the mean of the squared differences of N elements, Σ (a-b)² / N.
// Backward: da = 2/N·(a-b)·dy, db = -da. A backward of its own saves two tensors of
// the size of a, and another one if a is the result of Sigmoid and b needs no gradient: that
// of what Sigmoid was applied to is written over a. Shapes: both the same → (1). It panics if they differ. It matches
// torch.nn.functional.mse_loss.
func MSE(a, b *Value) *Value {
	n := float64(a.Data().Len())
	y := tensor.FromSlice([]float32{float32(tensor.SumSquaredDiff(a.Data(), b.Data()) / n)}, 1)
	return record("MSE", y, func(dy *tensor.Tensor) {
		alpha := float32(2 / n * float64(dy.Data()[0]))
		switch {
		case a.trained && a.sigmoid && a.spent() && !b.trained:
			tensor.SigmoidBackwardMSE(a.Data(), b.Data(), alpha)
			a.overwrite()
		case a.trained:
			a.accumulate(tensor.ScaledDiff(alpha, a.Data(), b.Data()))
		}
		if b.trained {
			b.accumulate(tensor.ScaledDiff(alpha, b.Data(), a.Data()))
		}
	}, a, b)
}

// The mean squared errors between which 1/PSNR is what its formula says.
const (
	minMSE = 1e-10 // 100 dB
	maxMSE = 0.9   // 0.46 dB
)

// InversePSNR turns a mean squared error m of pixels in [0,1] into the loss that
// all models here are trained with, the inverse of the peak signal-to-noise ratio,
// in 1/dB:
//
//	y = 1 / PSNR,  PSNR = -10·log₁₀ m
//
// Backward: dm = dy · 10/(ln 10 · m · PSNR²).
//
// The formula ends at m = 1, where PSNR is 0, and its slope is infinite at m = 0. So
// below 1e-10 (100 dB) and above 0.9 (0.46 dB) the loss goes on along the tangent:
// it stays finite, smooth and rising, and its gradient with it. NaN stays NaN.
// Shapes: (1) → (1). It panics for more than one element.
func InversePSNR(m *Value) *Value {
	if m.Data().Len() != 1 {
		panic(fmt.Sprintf("autograd: InversePSNR of shape %v: want one number", m.shape))
	}
	mse := float64(m.Data().Data()[0])
	at := max(minMSE, min(mse, maxMSE)) // NaN stays
	psnr := -10 * math.Log10(at)
	slope := 10 / (math.Ln10 * at * psnr * psnr)
	y := tensor.FromSlice([]float32{float32(1/psnr + slope*(mse-at))}, 1)
	return record("InversePSNR", y, func(dy *tensor.Tensor) {
		m.accumulate(tensor.FromSlice([]float32{float32(float64(dy.Data()[0]) * slope)}, 1))
	}, m)
}
