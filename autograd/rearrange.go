package autograd

import (
	"fmt"

	"pixelgrad/tensor"
)

// UpsampleNearest enlarges images k times in both directions: each pixel becomes k×k of its
// colour. Backward: dx is the sum of dy over these. Shapes: (n,c,h,w) → (n,c,k·h,k·w). It panics
// for another rank and for k < 1.
func UpsampleNearest(x *Value, k int) *Value { return Apply(UpsampleNearestOp{Factor: k}, x) }

// UpsampleNearestOp is the operation of UpsampleNearest.
type UpsampleNearestOp struct {
	Factor int
	readsNeither
}

func (op UpsampleNearestOp) Forward(x ...*tensor.Tensor) *tensor.Tensor {
	return tensor.UpsampleNearest(x[0], op.Factor)
}

func (op UpsampleNearestOp) Backward(dy, _ *tensor.Tensor, _ []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	return []*tensor.Tensor{tensor.UpsampleNearestBackward(dy, op.Factor)}
}

func (op UpsampleNearestOp) Shape(x ...[]int) []int {
	s := rank("UpsampleNearest", x[0], 4, "(n,c,h,w)")
	divisible("UpsampleNearest", s, op.Factor)
	return []int{s[0], s[1], op.Factor * s[2], op.Factor * s[3]}
}

// UpsampleBicubic enlarges images k times in both directions by bicubic interpolation, as MATLAB
// does. tensor.UpsampleBicubic has the formula. Backward: dx is the transpose of that linear map,
// applied to dy. Shapes: (n,c,h,w) → (n,c,k·h,k·w). It panics for another rank and for k < 1.
func UpsampleBicubic(x *Value, k int) *Value { return Apply(UpsampleBicubicOp{Factor: k}, x) }

// UpsampleBicubicOp is the operation of UpsampleBicubic.
type UpsampleBicubicOp struct {
	Factor int
	readsNeither
}

func (op UpsampleBicubicOp) Forward(x ...*tensor.Tensor) *tensor.Tensor {
	return tensor.UpsampleBicubic(x[0], op.Factor)
}

func (op UpsampleBicubicOp) Backward(dy, _ *tensor.Tensor, _ []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	return []*tensor.Tensor{tensor.UpsampleBicubicBackward(dy, op.Factor)}
}

func (op UpsampleBicubicOp) Shape(x ...[]int) []int {
	s := rank("UpsampleBicubic", x[0], 4, "(n,c,h,w)")
	divisible("UpsampleBicubic", s, op.Factor)
	return []int{s[0], s[1], op.Factor * s[2], op.Factor * s[3]}
}

// PixelShuffle makes larger images of channels: r² channels of a pixel become the r×r pixels in
// its place. Backward is PixelUnshuffle. tensor.PixelShuffle has the formula. Shapes:
// (n,r²·c,h,w) → (n,c,r·h,r·w). It panics if the channels are not a multiple of r².
func PixelShuffle(x *Value, r int) *Value { return Apply(PixelShuffleOp{Factor: r}, x) }

// PixelShuffleOp is the operation of PixelShuffle.
type PixelShuffleOp struct {
	Factor int
	readsNeither
}

func (op PixelShuffleOp) Forward(x ...*tensor.Tensor) *tensor.Tensor {
	return tensor.PixelShuffle(x[0], op.Factor)
}

func (op PixelShuffleOp) Backward(dy, _ *tensor.Tensor, _ []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	return []*tensor.Tensor{tensor.PixelUnshuffle(dy, op.Factor)}
}

func (op PixelShuffleOp) Shape(x ...[]int) []int {
	s, r := rank("PixelShuffle", x[0], 4, "(n,c,h,w)"), op.Factor
	divisible("PixelShuffle", s, r, 1)
	return []int{s[0], s[1] / (r * r), r * s[2], r * s[3]}
}

// PixelUnshuffle makes channels of large images: the inverse of PixelShuffle, which is its
// backward. Shapes: (n,c,r·h,r·w) → (n,r²·c,h,w). It panics if the sizes are not multiples of r:
// see PadReflect.
func PixelUnshuffle(x *Value, r int) *Value { return Apply(PixelUnshuffleOp{Factor: r}, x) }

// PixelUnshuffleOp is the operation of PixelUnshuffle.
type PixelUnshuffleOp struct {
	Factor int
	readsNeither
}

func (op PixelUnshuffleOp) Forward(x ...*tensor.Tensor) *tensor.Tensor {
	return tensor.PixelUnshuffle(x[0], op.Factor)
}

func (op PixelUnshuffleOp) Backward(dy, _ *tensor.Tensor, _ []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	return []*tensor.Tensor{tensor.PixelShuffle(dy, op.Factor)}
}

func (op PixelUnshuffleOp) Shape(x ...[]int) []int {
	s, r := rank("PixelUnshuffle", x[0], 4, "(n,c,h,w)"), op.Factor
	divisible("PixelUnshuffle", s, r, 2, 3)
	return []int{s[0], r * r * s[1], s[2] / r, s[3] / r}
}

// PadReflect adds rows below images and columns to the right of them, which mirror the pixels
// before the last one. Backward: each pixel sums the gradients of its images. tensor.PadReflect
// says more. Shapes: (n,c,h,w) → (n,c,h+bottom,w+right). It panics for another rank, for an image
// without pixels and for negative numbers.
func PadReflect(x *Value, bottom, right int) *Value {
	return Apply(PadReflectOp{Bottom: bottom, Right: right}, x)
}

// PadReflectOp is the operation of PadReflect.
type PadReflectOp struct {
	Bottom, Right int
	readsNeither
}

func (op PadReflectOp) Forward(x ...*tensor.Tensor) *tensor.Tensor {
	return tensor.PadReflect(x[0], op.Bottom, op.Right)
}

func (op PadReflectOp) Backward(dy, _ *tensor.Tensor, _ []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	return []*tensor.Tensor{tensor.PadReflectBackward(dy, dy.Dim(2)-op.Bottom, dy.Dim(3)-op.Right)}
}

func (op PadReflectOp) Shape(x ...[]int) []int {
	s := rank("PadReflect", x[0], 4, "(n,c,h,w)")
	if op.Bottom < 0 || op.Right < 0 || s[2] == 0 || s[3] == 0 {
		panic(fmt.Sprintf("autograd: PadReflect: shape %v, %d rows and %d columns more: want pixels, and no negative numbers", s, op.Bottom, op.Right))
	}
	return []int{s[0], s[1], s[2] + op.Bottom, s[3] + op.Right}
}

// Crop returns the upper left part of images. Backward: dx is dy, and 0 where x was cut off.
// Shapes: (n,c,·,·) → (n,c,h,w). It panics if the images are smaller.
func Crop(x *Value, h, w int) *Value { return Apply(CropOp{H: h, W: w}, x) }

// CropOp is the operation of Crop.
type CropOp struct {
	H, W int
	readsNeither
}

func (op CropOp) Forward(x ...*tensor.Tensor) *tensor.Tensor { return tensor.Crop(x[0], op.H, op.W) }

func (op CropOp) Backward(dy, _ *tensor.Tensor, x []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	return []*tensor.Tensor{tensor.CropBackward(dy, x[0].Dim(2), x[0].Dim(3))}
}

func (op CropOp) Shape(x ...[]int) []int {
	s := rank("Crop", x[0], 4, "(n,c,h,w)")
	if op.H < 0 || op.W < 0 || op.H > s[2] || op.W > s[3] {
		panic(fmt.Sprintf("autograd: Crop: %d×%d is no part of %v", op.H, op.W, s))
	}
	return []int{s[0], s[1], op.H, op.W}
}

// divisible panics unless a factor is at least 1, and dimension 1 a multiple of its square,
// dimensions 2 and 3 of itself, if they are listed.
func divisible(op string, s []int, factor int, dimensions ...int) {
	wrong := factor < 1
	for _, d := range dimensions {
		by := factor
		if d == 1 {
			by *= factor
		}
		wrong = wrong || s[d]%by != 0
	}
	if wrong {
		panic(fmt.Sprintf("autograd: %s: shape %v, factor %d: want a factor of at least 1 that divides the shape", op, s, factor))
	}
}
