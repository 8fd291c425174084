// Package tensor holds dense float32 arrays and the mathematics on them that
// needs to know a shape: convolution, upsampling, matrix multiplication.
//
// A Tensor is a shape and one contiguous row-major slice. Images are NCHW:
// batch, channel, row, column. There are no strides and no views, so a reader
// always knows where element (n,c,y,x) is: ((n·C+c)·H+y)·W+x.
package tensor

import (
	"fmt"
	"slices"
)

// Tensor is a dense, contiguous, row-major array of float32.
type Tensor struct {
	shape []int
	data  []float32
}

// New returns a tensor of zeros. Its memory may have been used before, see
// Release. It panics if a dimension is negative or if the number of elements
// overflows an int.
func New(shape ...int) *Tensor {
	t := NewUninitialized(shape...)
	clear(t.data)
	return t
}

// NewUninitialized returns a tensor whose elements have arbitrary values: for a
// result that is about to be written as a whole. It panics as New does.
func NewUninitialized(shape ...int) *Tensor {
	return &Tensor{shape: slices.Clone(shape), data: takeBuffer(numel(shape))}
}

// FromSlice returns a tensor that uses data itself, without a copy. It panics
// if data does not have exactly the number of elements that shape asks for.
func FromSlice(data []float32, shape ...int) *Tensor {
	if n := numel(shape); n != len(data) {
		panic(fmt.Sprintf("tensor: FromSlice: shape %v wants %d elements, the slice has %d", shape, n, len(data)))
	}
	return &Tensor{shape: slices.Clone(shape), data: data}
}

// ShapeOnly returns a tensor that has a shape and no numbers: for what asks for the shape
// alone. Data returns nil.
func ShapeOnly(shape ...int) *Tensor { return &Tensor{shape: slices.Clone(shape)} }

// Shape returns the dimensions. The caller must not change them.
func (t *Tensor) Shape() []int { return t.shape }

// Dim returns the size of one dimension.
func (t *Tensor) Dim(axis int) int { return t.shape[axis] }

// Len returns the number of elements.
func (t *Tensor) Len() int { return numel(t.shape) }

// Data returns the elements in row-major order: the memory itself, not a copy.
func (t *Tensor) Data() []float32 { return t.data }

// Clone returns a copy in memory of its own.
func (t *Tensor) Clone() *Tensor {
	c := NewUninitialized(t.shape...)
	copy(c.data, t.data)
	return c
}

// Reshape returns a tensor of another shape on the same memory. It panics if
// the numbers of elements differ.
func (t *Tensor) Reshape(shape ...int) *Tensor {
	return FromSlice(t.data, shape...)
}

// numel returns the product of the dimensions.
func numel(shape []int) int {
	n := 1
	for _, d := range shape {
		if d < 0 {
			panic(fmt.Sprintf("tensor: shape %v has a negative dimension", shape))
		}
		if d > 0 && n > maxElements/d {
			panic(fmt.Sprintf("tensor: shape %v is too large", shape))
		}
		n *= d
	}
	return n
}

// maxElements keeps 4·n, the size in bytes, within an int on every platform.
const maxElements = int(^uint(0)>>1) / 4
