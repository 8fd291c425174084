package nn

import (
	"fmt"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// SSIMLoss returns 1 - SSIM of a batch of pictures with pixels in [0,1]: 0 for equal ones.
// tensor.SSIM has the formula, and tensor.SSIMGradTo its gradient. Shapes: both (n,c,h,w), at
// least 11×11 pixels → (1). It panics for others.
func SSIMLoss(pred, target *autograd.Value) *autograd.Value {
	return autograd.Apply(SSIMOp{}, pred, target)
}

// SSIMOp is the operation of SSIMLoss.
type SSIMOp struct{ pair }

func (SSIMOp) Shape(x ...[]int) []int {
	s := pairShape("SSIMLoss", x)
	if len(x[0]) != 4 || min(x[0][2], x[0][3]) < tensor.SSIMWindow {
		panic(fmt.Sprintf("nn: SSIMLoss: shape %v: want (n,c,h,w) of at least %d×%d pixels", x[0], tensor.SSIMWindow, tensor.SSIMWindow))
	}
	return s
}

func (SSIMOp) Forward(x ...*tensor.Tensor) *tensor.Tensor {
	return number(1 - tensor.SSIM(x[0], x[1]))
}

func (op SSIMOp) Backward(dy, y *tensor.Tensor, x []*tensor.Tensor, want []bool) []*tensor.Tensor {
	dx := make([]*tensor.Tensor, len(x))
	for i := range x {
		if want[i] {
			dx[i] = tensor.NewUninitialized(x[i].Shape()...)
		}
	}
	op.BackwardTo(dx, dy, y, x)
	return dx
}

// BackwardTo writes the gradients into memory that there is: see compile.GradientWriter.
func (SSIMOp) BackwardTo(dx []*tensor.Tensor, dy, _ *tensor.Tensor, x []*tensor.Tensor) {
	for i := range dx {
		if dx[i] != nil {
			tensor.SSIMGradTo(dx[i], -dy.Data()[0], x[i], x[1-i])
		}
	}
}
