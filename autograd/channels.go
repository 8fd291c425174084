package autograd

import (
	"fmt"

	"pixelgrad/tensor"
)

// ConcatChannels returns the channels of several values one after the other. Backward:
// each value gets its own channels of dy. Shapes: (n,cᵢ,h,w) → (n,Σcᵢ,h,w). It panics if
// they differ in n, h or w, or if there are none.
func ConcatChannels(xs ...*Value) *Value { return Apply(ConcatChannelsOp{}, xs...) }

// ConcatChannelsOp is the operation of ConcatChannels.
type ConcatChannelsOp struct{ readsNeither }

func (ConcatChannelsOp) Forward(xs ...*tensor.Tensor) *tensor.Tensor {
	return tensor.ConcatChannels(xs...)
}

func (ConcatChannelsOp) Backward(dy, _ *tensor.Tensor, xs []*tensor.Tensor, want []bool) []*tensor.Tensor {
	dxs, first := make([]*tensor.Tensor, len(xs)), 0
	for i, x := range xs {
		if want[i] {
			dxs[i] = tensor.SliceChannels(dy, first, first+x.Dim(1))
		}
		first += x.Dim(1)
	}
	return dxs
}

func (ConcatChannelsOp) Shape(xs ...[]int) []int {
	if len(xs) == 0 {
		panic("autograd: ConcatChannels: no values")
	}
	s := rank("ConcatChannels", xs[0], 4, "(n,c,h,w)")
	n, h, w, channels := s[0], s[2], s[3], 0
	for _, x := range xs {
		if len(x) != 4 || x[0] != n || x[2] != h || x[3] != w {
			panic(fmt.Sprintf("autograd: ConcatChannels: shapes %v and %v: want (n,c,h,w) that differ in c alone", s, x))
		}
		channels += x[1]
	}
	return []int{n, channels, h, w}
}

// Expand broadcasts one number for each image and channel to all pixels. Backward: dx is the
// sum of dy over the pixels. Shapes: (n,c) → (n,c,h,w). It panics for another rank.
func Expand(x *Value, h, w int) *Value { return Apply(ExpandOp{H: h, W: w}, x) }

// ExpandOp is the operation of Expand.
type ExpandOp struct {
	H, W int
	readsNeither
}

func (op ExpandOp) Forward(x ...*tensor.Tensor) *tensor.Tensor {
	return tensor.Expand(x[0], op.H, op.W)
}

func (ExpandOp) Backward(dy, _ *tensor.Tensor, _ []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	return []*tensor.Tensor{tensor.SumPixels(dy)}
}

func (op ExpandOp) Shape(x ...[]int) []int {
	s := rank("Expand", x[0], 2, "(n,c)")
	return []int{s[0], s[1], op.H, op.W}
}
