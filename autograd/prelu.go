package autograd

import (
	"fmt"

	"pixelgrad/tensor"
)

// LeakyReLU returns y = x where x > 0, and slope·x elsewhere. Backward: dx = dy where y > 0, and
// slope·dy elsewhere. It panics if slope is negative. It matches
// torch.nn.functional.leaky_relu(x, slope).
func LeakyReLU(x *Value, slope float32) *Value { return Apply(LeakyReLUOp{Slope: slope}, x) }

// LeakyReLUOp is the operation of LeakyReLU. y > 0 where x > 0 because the slope is not negative,
// so Backward reads y, which what follows needs anyway.
type LeakyReLUOp struct {
	Slope float32
	readsResult
}

func (op LeakyReLUOp) Forward(x ...*tensor.Tensor) *tensor.Tensor {
	return tensor.LeakyReLU(op.Slope, x[0])
}

func (op LeakyReLUOp) Backward(dy, y *tensor.Tensor, _ []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	return []*tensor.Tensor{tensor.LeakyReLUBackward(op.Slope, dy, y)}
}

func (op LeakyReLUOp) Shape(x ...[]int) []int {
	if !(op.Slope >= 0) {
		panic(fmt.Sprintf("autograd: LeakyReLU: shape %v, slope %v: want no negative slope", x[0], op.Slope))
	}
	return x[0]
}

// PReLU is LeakyReLU with a slope for each channel, which is learnt. Backward:
//
//	dx[n,c,i,j] = dy[n,c,i,j]·(1 where x[n,c,i,j] > 0, slope[c] elsewhere)
//	dslope[c]   = Σ_n,i,j dy[n,c,i,j]·min(x[n,c,i,j], 0)
//
// Shapes: x (n,c,h,w), slope (c) → (n,c,h,w). It panics if they do not fit. It matches
// torch.nn.functional.prelu(x, slope).
func PReLU(x, slope *Value) *Value { return Apply(PReLUOp{}, x, slope) }

// PReLUOp is the operation of PReLU. It reads x: a slope may become negative, and then y does not
// tell where x was.
type PReLUOp struct{ readsOperands }

func (PReLUOp) Forward(x ...*tensor.Tensor) *tensor.Tensor { return tensor.PReLU(x[0], x[1]) }

func (PReLUOp) Backward(dy, _ *tensor.Tensor, x []*tensor.Tensor, want []bool) []*tensor.Tensor {
	grads := make([]*tensor.Tensor, 2)
	for i, w := range want {
		if w {
			grads[i] = tensor.NewUninitialized(x[i].Shape()...)
		}
	}
	tensor.PReLUBackwardTo(grads[0], grads[1], dy, x[0], x[1])
	return grads
}

func (PReLUOp) Shape(x ...[]int) []int {
	s := rank("PReLU", x[0], 4, "(n,c,h,w)")
	if len(x[1]) != 1 || x[1][0] != s[1] {
		panic(fmt.Sprintf("autograd: PReLU: shapes %v and %v: want (n,c,h,w) and (c)", s, x[1]))
	}
	return s
}
