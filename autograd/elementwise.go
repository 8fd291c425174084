package autograd

import (
	"fmt"
	"slices"

	"pixelgrad/tensor"
)

// Add returns a + b, element by element. Backward: da = dy, db = dy.
// Shapes: both the same. It panics if they differ.
func Add(a, b *Value) *Value { return Apply(AddOp{}, a, b) }

// AddOp is the operation of Add.
type AddOp struct{ readsNeither }

func (AddOp) Forward(x ...*tensor.Tensor) *tensor.Tensor { return tensor.Add(x[0], x[1]) }

func (AddOp) Backward(dy, _ *tensor.Tensor, _ []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	return []*tensor.Tensor{dy, dy}
}

func (AddOp) Shape(x ...[]int) []int { return same("Add", x[0], x[1]) }

// Scale returns alpha·x. Backward: dx = alpha·dy.
func Scale(alpha float32, x *Value) *Value { return Apply(ScaleOp{Alpha: alpha}, x) }

// ScaleOp is the operation of Scale.
type ScaleOp struct {
	Alpha float32
	unary
	readsNeither
}

func (op ScaleOp) Forward(x ...*tensor.Tensor) *tensor.Tensor { return tensor.Scale(op.Alpha, x[0]) }

func (op ScaleOp) Backward(dy, _ *tensor.Tensor, _ []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	return []*tensor.Tensor{tensor.Scale(op.Alpha, dy)}
}

// ReLU returns y = max(x, 0). Backward: dx = dy where y > 0, and 0 elsewhere. The
// derivative at 0 is 0, as in PyTorch.
func ReLU(x *Value) *Value { return Apply(ReLUOp{}, x) }

// ReLUOp is the operation of ReLU.
type ReLUOp struct {
	unary
	readsResult
}

func (ReLUOp) Forward(x ...*tensor.Tensor) *tensor.Tensor { return tensor.ReLU(x[0]) }

func (ReLUOp) Backward(dy, y *tensor.Tensor, _ []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	return []*tensor.Tensor{tensor.ReLUBackward(dy, y)}
}

// Sigmoid returns y = σ(x) = 1 / (1 + exp(-x)). Backward: dx = dy·y·(1-y).
func Sigmoid(x *Value) *Value { return Apply(SigmoidOp{}, x) }

// SigmoidOp is the operation of Sigmoid.
type SigmoidOp struct {
	unary
	readsResult
}

func (SigmoidOp) Forward(x ...*tensor.Tensor) *tensor.Tensor { return tensor.Sigmoid(x[0]) }

func (SigmoidOp) Backward(dy, y *tensor.Tensor, _ []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	return []*tensor.Tensor{tensor.SigmoidBackward(dy, y)}
}

// unary is embedded in operations on one operand. The result has the operand's shape.
type unary struct{}

func (unary) Shape(x ...[]int) []int { return x[0] }

// same returns the common shape of a and b. It panics if they differ.
func same(op string, a, b []int) []int {
	if !slices.Equal(a, b) {
		panic(fmt.Sprintf("autograd: %s: shapes %v and %v differ", op, a, b))
	}
	return a
}

// rank returns the shape. It panics if that does not have n dimensions.
func rank(op string, shape []int, n int, want string) []int {
	if len(shape) != n {
		panic(fmt.Sprintf("autograd: %s: shape %v, want %s", op, shape, want))
	}
	return shape
}
