package vision

import (
	"fmt"
	"math"
	"slices"

	"pixelgrad/tensor"
)

// MSE returns the mean squared error over all elements, pictures and colours:
//
//	mean((pred − target)²)
//
// Any two equal shapes. The sum is kept in float64, in order. It matches
// torch.nn.functional.mse_loss. It panics if the shapes differ or hold nothing.
func MSE(pred, target *tensor.Tensor) float64 {
	p, t := pred.Data(), target.Data()
	if !slices.Equal(pred.Shape(), target.Shape()) || len(p) == 0 {
		panic(fmt.Sprintf("vision: MSE %v, %v: want two equal shapes that are not empty", pred.Shape(), target.Shape()))
	}
	return squaredError(p, t) / float64(len(p))
}

// squaredError returns Σ(p−t)².
func squaredError(p, t []float32) float64 {
	sum := 0.0
	for i, v := range p {
		d := float64(v) - float64(t[i])
		sum += d * d
	}
	return sum
}

// PSNR returns the peak signal-to-noise ratio, in dB, of pixels in [0,1] over
// the whole batch:
//
//	−10·log10(MSE)
//
// More is better; equal tensors give +Inf, NaN anywhere gives NaN. A batch's
// PSNR is not the mean of its pictures', see [PicturePSNR]. It panics as [MSE]
// does.
func PSNR(pred, target *tensor.Tensor) float64 { return Decibels(MSE(pred, target)) }

// Decibels converts a mean squared error of pixels in [0,1] to a PSNR in dB. To
// score a whole set, average the batches' MSE, weighted by their number of
// pictures, and convert once: the mean of the batches' PSNR would depend on
// their size.
func Decibels(mse float64) float64 { return 10 * math.Log10(1/mse) }

// PicturePSNR returns the PSNR of each picture of a batch by itself, in dB.
// Shapes: (N,…), result N. It panics as [MSE] does.
func PicturePSNR(pred, target *tensor.Tensor) []float64 {
	p, t := pred.Data(), target.Data()
	if !slices.Equal(pred.Shape(), target.Shape()) || len(p) == 0 {
		panic(fmt.Sprintf("vision: PicturePSNR %v, %v: want two equal shapes that are not empty", pred.Shape(), target.Shape()))
	}
	out := make([]float64, pred.Dim(0))
	n := len(p) / len(out)
	for i := range out {
		out[i] = Decibels(squaredError(p[i*n:][:n], t[i*n:][:n]) / float64(n))
	}
	return out
}
