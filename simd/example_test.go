package simd_test

import (
	"fmt"

	"pixelgrad/simd"
)

// The levels are listed slowest first, and the first one runs on every machine. The
// environment variable PIXELGRAD_SIMD chooses another level than the fastest.
func Example() {
	fmt.Println("first level:", simd.Available()[0])

	dst := make([]float32, 4)
	simd.Add(dst, []float32{1, 2, 3, 4}, []float32{10, 20, 30, 40})
	fmt.Println(dst)
	// Output:
	// first level: generic
	// [11 22 33 44]
}

// A destination may be one of the slices that are read.
func ExampleMul() {
	x := []float32{1, 2, 3, 4}
	simd.Mul(x, x, x)
	fmt.Println(x)
	// Output: [1 4 9 16]
}

func ExampleAxpy() {
	sum := []float32{1, 1, 1}
	simd.Axpy(sum, 0.5, []float32{2, 4, 8})
	fmt.Println(sum)
	// Output: [2 3 5]
}

func ExampleSum() {
	x := make([]float32, 1_000_000)
	for i := range x {
		x[i] = 0.5
	}
	fmt.Println(simd.Sum(x))
	// Output: 500000
}

// The mean squared error of two pictures whose pixels are slices of float32.
func ExampleSumSquaredDiff() {
	a := []float32{0, 1, 2, 3}
	b := []float32{0, 1, 4, 7}
	fmt.Println(simd.SumSquaredDiff(a, b) / float64(len(a)))
	// Output: 5
}

func ExampleSigmoid() {
	x := []float32{-2, 0, 2}
	y := make([]float32, len(x))
	simd.Sigmoid(y, x)
	fmt.Printf("%.4f\n", y)
	// Output: [0.1192 0.5000 0.8808]
}

func ExampleAddBiasReLU() {
	y := []float32{-3, -1, 0, 2}
	simd.AddBiasReLU(y, y, 1)
	fmt.Println(y)
	// Output: [0 0 1 3]
}

// A product of two small matrices, in one tile. The tile is larger than the result at
// every level, and the rest of it is zero.
func ExampleGemmTile() {
	a := [][]float32{
		{1, 2, 3},
		{4, 5, 6}}
	b := [][]float32{
		{1, 0},
		{0, 1},
		{1, 1}}
	mr, nr := simd.Tile()

	// Column k of a is a group of mr numbers, and row k of b begins at off[k].
	packed := make([]float32, len(b)*mr)
	rows := make([]float32, len(b)*nr)
	off := make([]int32, len(b))
	for k := range b {
		for i := range a {
			packed[k*mr+i] = a[i][k]
		}
		off[k] = int32(k * nr)
		copy(rows[k*nr:], b[k])
	}
	c := make([]float32, mr*nr)
	simd.GemmTile(c, nr, packed, 0, rows, off, 1, false)
	for i := range a {
		fmt.Println(c[i*nr:][:len(b[0])])
	}
	// Output:
	// [4 5]
	// [10 11]
}

// Adam's first step moves each weight by the learning rate, against its gradient.
func ExampleAdam() {
	w := []float32{1, 1, 1}
	grad := []float32{0.5, 0, -20}
	m, v := make([]float32, 3), make([]float32, 3)
	simd.Adam(w, grad, m, v, simd.NewAdamStep(0.1, 0.9, 0.999, 1e-8, 1))
	fmt.Printf("%.3f\n", w)
	// Output: [0.900 1.000 1.100]
}
