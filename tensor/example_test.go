package tensor_test

import (
	"fmt"

	"pixelgrad/tensor"
)

// A tensor is a shape and one slice. Element (n,c,y,x) of a batch of images is at
// ((n·C+c)·H+y)·W+x.
func Example() {
	x := tensor.New(2, 3, 4, 5) // two images of three channels, 4 rows by 5 columns
	n, c, row, column := 1, 2, 3, 4
	x.Data()[((n*3+c)*4+row)*5+column] = 7
	fmt.Println(x.Shape(), x.Len(), x.Data()[x.Len()-1])

	matrix := x.Reshape(2, 60) // the same memory
	fmt.Println(matrix.Shape(), tensor.Sum(matrix))
	// Output:
	// [2 3 4 5] 120 7
	// [2 60] 7
}

func ExampleConv2d() {
	// A 3×3 box blur of an image with a single bright pixel in a corner.
	image := tensor.FromSlice([]float32{
		9, 0, 0,
		0, 0, 0,
		0, 0, 0}, 1, 1, 3, 3)
	box := tensor.New(1, 1, 3, 3)
	for i := range box.Data() {
		box.Data()[i] = 1. / 9
	}
	blurred := tensor.Conv2d(image, box, nil, tensor.ConvOptions{})
	for y := range 3 {
		fmt.Printf("%.0f\n", blurred.Data()[3*y:3*y+3])
	}
	// Output:
	// [1 1 0]
	// [1 1 0]
	// [0 0 0]
}

// The gradients of a convolution, given the gradient of its result.
func ExampleConv2dInputGrad() {
	x := tensor.FromSlice([]float32{
		1, 2,
		3, 4}, 1, 1, 2, 2)
	w := tensor.FromSlice([]float32{10}, 1, 1, 1, 1)
	y := tensor.Conv2d(x, w, nil, tensor.ConvOptions{})
	dy := tensor.FromSlice([]float32{1, 1, 1, 1}, 1, 1, 2, 2)
	fmt.Println("y ", y.Data())
	fmt.Println("dx", tensor.Conv2dInputGrad(w, dy, 1).Data())
	fmt.Println("dw", tensor.Conv2dWeightGrad(x, dy, 1, 1, 1).Data())
	fmt.Println("db", tensor.Conv2dBiasGrad(dy).Data())
	// Output:
	// y  [10 20 30 40]
	// dx [10 10 10 10]
	// dw [10]
	// db [4]
}

// The channels of two tensors are convolved where they are. One of them is an image of half
// the size, which is enlarged while it is read.
func ExamplePlanConv2d() {
	large, small := tensor.New(1, 1, 2, 4), tensor.FromSlice([]float32{1, 2}, 1, 1, 1, 2)
	weights := tensor.FromSlice([]float32{1, 10}, 1, 2, 1, 1)
	p := tensor.PlanConv2d([]tensor.ConvInput{
		{Shape: large.Shape()},
		{Shape: small.Shape(), Form: tensor.Enlarged},
	}, weights.Shape(), tensor.ConvOptions{})
	y := tensor.New(p.OutputShape()...)
	packed, scratch := make([]float32, p.PackedLen()), make([]float32, p.ScratchLen())
	p.PackWeights(packed, weights)
	p.Run(y, []*tensor.Tensor{large, small}, weights, nil, nil, packed, scratch)
	fmt.Println(y.Data())
	// Output: [10 12.5 17.5 20 10 12.5 17.5 20]
}

func ExampleUpsample2() {
	row := tensor.FromSlice([]float32{0, 4, 8}, 1, 1, 1, 3)
	fmt.Println(tensor.Upsample2(row).Data()[:6])
	// Output: [0 1 3 5 7 8]
}

func ExampleMaxPool2() {
	image := tensor.FromSlice([]float32{
		1, 2, 5, 0,
		3, 4, 1, 1}, 1, 1, 2, 4)
	y := tensor.MaxPool2(image)
	fmt.Println(y.Shape(), y.Data())
	// Output: [1 1 1 2] [4 5]
}

func ExampleMatMul() {
	a := tensor.FromSlice([]float32{
		1, 2, 3,
		4, 5, 6}, 2, 3)
	b := tensor.FromSlice([]float32{
		1, 0,
		0, 1,
		1, 1}, 3, 2)
	c := tensor.MatMul(a, b)
	fmt.Println(c.Shape(), c.Data())
	// Output: [2 2] [4 5 10 11]
}

// A linear layer of PyTorch has a row of weights for each output. They are packed once
// and used many times.
func ExamplePacked_Linear() {
	weight := tensor.FromSlice([]float32{
		1, 2, 3,
		0, 0, -1}, 2, 3)
	bias := tensor.FromSlice([]float32{0.5, 0}, 2)
	layer := tensor.PackTransposed(weight)

	x := tensor.FromSlice([]float32{1, 1, 1}, 1, 3)
	y := layer.Linear(x, tensor.LinearOptions{Bias: bias})
	fmt.Println(y.Shape(), y.Data())
	// Output: [1 2] [6.5 -1]
}

// Parallel calls a function for 0 to n−1, on all threads.
func ExampleParallel() {
	squares := make([]int, 5)
	tensor.Parallel(len(squares), func(i int) { squares[i] = i * i })
	fmt.Println(squares)
	// Output: [0 1 4 9 16]
}
