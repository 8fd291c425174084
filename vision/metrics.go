package vision

import (
	"fmt"
	"math"
	"slices"

	"pixelgrad/tensor"
)

// MSE returns the mean squared error over all elements:
//
//	mean((pred − target)²)
//
// Shapes: any, but equal. MSE panics if the shapes differ or have no elements. The sum is
// computed in float64, in the order of the elements. MSE matches
// torch.nn.functional.mse_loss.
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

// PSNR returns the peak signal-to-noise ratio of a whole batch, in dB, for pixels in
// [0,1]:
//
//	−10·log10(MSE)
//
// A greater PSNR is better. Equal tensors give +Inf, and NaN in any element gives NaN. The
// PSNR of a batch is not the mean of its pictures' PSNR; see [PicturePSNR]. PSNR panics
// like [MSE].
func PSNR(pred, target *tensor.Tensor) float64 { return Decibels(MSE(pred, target)) }

// Decibels converts a mean squared error of pixels in [0,1] to a PSNR in dB. To score a
// whole set, take the mean of the batches' MSE, weighted by their number of pictures, and
// convert once. The mean of the batches' PSNR would depend on the batch size.
func Decibels(mse float64) float64 { return 10 * math.Log10(1/mse) }

// PicturePSNR returns the PSNR of each picture of a batch, in dB. Shapes: (N,…) → N.
// PicturePSNR panics like [MSE].
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

// SSIM returns the mean structural similarity of a batch, for pixels in [0,1]: 1 for equal
// tensors, smaller for all others. See [tensor.SSIM] for the formula. Every colour is compared by
// itself, so that the SSIM of a batch is the mean of its pictures' SSIM. SSIM panics unless the
// shapes are the same (n,c,h,w) of at least 11×11 pixels.
func SSIM(pred, target *tensor.Tensor) float64 { return tensor.SSIM(pred, target) }
