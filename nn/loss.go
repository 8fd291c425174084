package nn

import "pixelgrad/autograd"

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
