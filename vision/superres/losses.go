package superres

import (
	"fmt"
	"strings"

	"pixelgrad/autograd"
	"pixelgrad/nn"
	"pixelgrad/tensor"
)

// Loss returns nn.PSNRLoss of each enlargement. It panics if the shapes differ.
func Loss(prediction, target Output) []*autograd.Value {
	return eachSize(nn.PSNRLoss)(prediction, target)
}

// eachSize returns the function that compares each enlargement with its target by loss. Training
// minimises the sum.
func eachSize(loss func(pred, target *autograd.Value) *autograd.Value) func(prediction, target Output) []*autograd.Value {
	return func(prediction, target Output) []*autograd.Value {
		losses := []*autograd.Value{loss(prediction.Mid, target.Mid)}
		if prediction.Large != nil {
			losses = append(losses, loss(prediction.Large, target.Large))
		}
		return losses
	}
}

// A LossKind is a way to compare enlargements with the truth.
type LossKind struct {
	Name string // on the command line
	Does string // in a line
	Unit string // of the numbers; "" if they have none
	Side int    // the smallest side of an enlargement that it can compare, in pixels

	// Loss returns a number for each enlargement. It panics if the shapes differ, or if they are
	// smaller than Side.
	Loss func(prediction, target Output) []*autograd.Value
}

// Losses lists the losses that have names. Pixels are in [0,1].
var Losses = []LossKind{
	{"psnr", "the inverse of the peak signal-to-noise ratio", "1/dB", 1, Loss},
	{"mse", "the mean squared error", "", 1, eachSize(autograd.MSE)},
	{"l1", "the mean absolute error", "", 1, eachSize(nn.L1Loss)},
	{"charbonnier", "the mean absolute error, smooth at 0", "", 1, eachSize(nn.CharbonnierLoss)},
	{"ssim", "1 - the mean structural similarity", "", tensor.SSIMWindow, eachSize(nn.SSIMLoss)},
}

// FindLoss returns the loss called name; the error lists those there are.
func FindLoss(name string) (LossKind, error) {
	var names []string
	for _, k := range Losses {
		if k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return LossKind{}, fmt.Errorf("unknown loss %q: there is %s", name, strings.Join(names, ", "))
}
