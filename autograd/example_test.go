package autograd_test

import (
	"fmt"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// The slope of mean(σ(2x)) at x = 0 is 2·σ'(0) = 2·¼.
func Example() {
	x := autograd.Parameter(tensor.FromSlice([]float32{0}, 1))
	y := autograd.Mean(autograd.Sigmoid(autograd.Scale(2, x)))
	y.Backward()
	fmt.Println(y.Data().Data(), x.Grad().Data())
	// Output: [0.5] [0.5]
}

// A convolution learns: its weights move against their gradients, and the loss falls.
func ExampleConv2d() {
	x := autograd.Constant(tensor.FromSlice([]float32{0, 0, 0, 0, 9, 0, 0, 0, 0}, 1, 1, 3, 3))
	target := autograd.Constant(tensor.FromSlice([]float32{1, 1, 1, 1, 1, 1, 1, 1, 1}, 1, 1, 3, 3))
	w, b := autograd.Parameter(tensor.New(1, 1, 3, 3)), autograd.Parameter(tensor.New(1))
	for step := range 4 {
		loss := autograd.MSE(autograd.Conv2d(x, w, b, 1), target)
		loss.Backward()
		fmt.Printf("step %d: loss %.4f\n", step, loss.Data().Data()[0])
		for _, p := range []*autograd.Value{w, b} {
			for i, g := range p.Grad().Data() {
				p.Data().Data()[i] -= 0.05 * g
			}
			p.SetGrad(nil)
		}
	}
	// Output:
	// step 0: loss 1.0000
	// step 1: loss 0.0000
	// step 2: loss 0.0000
	// step 3: loss 0.0000
}

// square is an operation that a reader adds: y = x², dx = 2x·dy.
type square struct{}

func (square) Shape(x ...[]int) []int         { return x[0] }
func (square) Reads() (operands, result bool) { return true, false }
func (square) Forward(x ...*tensor.Tensor) *tensor.Tensor {
	y := tensor.New(x[0].Shape()...)
	for i, v := range x[0].Data() {
		y.Data()[i] = v * v
	}
	return y
}
func (square) Backward(dy, _ *tensor.Tensor, x []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	dx := tensor.New(dy.Shape()...)
	for i, v := range x[0].Data() {
		dx.Data()[i] = 2 * v * dy.Data()[i]
	}
	return []*tensor.Tensor{dx}
}

// An operation of one's own is a small type.
func ExampleApply() {
	x := autograd.Parameter(tensor.FromSlice([]float32{3}, 1))
	y := autograd.Apply(square{}, x)
	y.Backward()
	fmt.Println(y.Data().Data(), x.Grad().Data())
	// Output: [9] [6]
}
