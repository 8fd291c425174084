package compile

import (
	"fmt"
	"strings"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// A Kernel is what a step computes.
type Kernel interface {
	// String names it in pictures.
	String() string

	// prepare plans the kernel for the shapes, once.
	prepare(s *Step) *prepared

	// gradient adds the backward steps, and returns the gradient of each s.In[i] for which
	// want[i] is true. dy is the gradient of s.Out[0].
	gradient(b *differentiation, s *Step, dy *Tensor, want []bool) []*Tensor

	// overwrites returns the indices of the operands that Out[0] may overwrite.
	overwrites(s *Step) []int
}

// A prepared kernel knows the shapes that it works on.
type prepared struct {
	scratch int // how many numbers of temporary memory run takes
	run     func(out, in []*tensor.Tensor, scratch []float32)
	pack    *packing // see packWeights; nil for a kernel without packed weights

	// What a convolution does, counted: without what packs its weights, and that alone.
	work, packWork func() []tensor.ConvWork
}

// prepare returns the step's kernel, prepared.
func (s *Step) prepare() *prepared {
	if s.ready == nil {
		s.ready = s.Kernel.prepare(s)
	}
	return s.ready
}

// change gives the step another kernel.
func (s *Step) change(k Kernel) { s.Kernel, s.ready = k, nil }

// newKernel returns the kernel of an operation.
func newKernel(op autograd.Operation) Kernel {
	if c, ok := op.(autograd.Conv2dOp); ok {
		return conv{dilation: c.Dilation, forms: []tensor.InputForm{tensor.Plain}}
	}
	return apply{op}
}

// apply is the forward pass of any operation but a convolution.
type apply struct{ op autograd.Operation }

func (k apply) String() string { return operationName(k.op) }

// is says whether the step applies an operation of op's type.
func is[Op autograd.Operation](s *Step) bool {
	if s == nil {
		return false
	}
	k, ok := s.Kernel.(apply)
	if !ok {
		return false
	}
	_, ok = k.op.(Op)
	return ok
}

func (k apply) prepare(s *Step) *prepared {
	var run func(out, in []*tensor.Tensor)
	switch op := k.op.(type) {
	case autograd.AddOp:
		run = func(out, in []*tensor.Tensor) { tensor.AddTo(out[0], in[0], in[1]) }
	case autograd.ScaleOp:
		run = func(out, in []*tensor.Tensor) { tensor.ScaleTo(out[0], op.Alpha, in[0]) }
	case autograd.ReLUOp:
		run = func(out, in []*tensor.Tensor) { tensor.ReLUTo(out[0], in[0]) }
	case autograd.SigmoidOp:
		run = func(out, in []*tensor.Tensor) { tensor.SigmoidTo(out[0], in[0]) }
	case autograd.Upsample2Op:
		run = func(out, in []*tensor.Tensor) { tensor.Upsample2To(out[0], in[0]) }
	case autograd.ConcatChannelsOp:
		run = func(out, in []*tensor.Tensor) { tensor.ConcatChannelsTo(out[0], in...) }
	case autograd.ExpandOp:
		run = func(out, in []*tensor.Tensor) { tensor.ExpandTo(out[0], in[0]) }
	case autograd.LeakyReLUOp:
		run = func(out, in []*tensor.Tensor) { tensor.LeakyReLUTo(out[0], op.Slope, in[0]) }
	case autograd.PReLUOp:
		run = func(out, in []*tensor.Tensor) { tensor.PReLUTo(out[0], in[0], in[1]) }
	case autograd.UpsampleNearestOp:
		run = func(out, in []*tensor.Tensor) { tensor.UpsampleNearestTo(out[0], in[0], op.Factor) }
	case autograd.UpsampleBicubicOp:
		run = func(out, in []*tensor.Tensor) { tensor.UpsampleBicubicTo(out[0], in[0], op.Factor) }
	case autograd.PixelShuffleOp:
		run = func(out, in []*tensor.Tensor) { tensor.PixelShuffleTo(out[0], in[0], op.Factor) }
	case autograd.PixelUnshuffleOp:
		run = func(out, in []*tensor.Tensor) { tensor.PixelUnshuffleTo(out[0], in[0], op.Factor) }
	case autograd.PadReflectOp:
		run = func(out, in []*tensor.Tensor) { tensor.PadReflectTo(out[0], in[0]) }
	case autograd.CropOp:
		run = func(out, in []*tensor.Tensor) { tensor.CropTo(out[0], in[0]) }
	default: // an operation that is not known here runs as written, and its result is copied
		run = func(out, in []*tensor.Tensor) { copy(out[0].Data(), op.Forward(in...).Data()) }
	}
	return &prepared{run: func(out, in []*tensor.Tensor, _ []float32) { run(out, in) }}
}

func (k apply) gradient(b *differentiation, s *Step, dy *Tensor, want []bool) []*Tensor {
	if is[autograd.AddOp](s) {
		return []*Tensor{dy, dy}
	}
	back := &Step{In: []*Tensor{dy}, Phase: Backward}
	kernel := applyBackward{op: k.op, want: want}
	operands, result := k.op.Reads()
	for _, t := range s.In {
		kernel.shapes = append(kernel.shapes, t.Shape)
		if operands {
			back.In = append(back.In, t)
		}
	}
	kernel.result = s.Out[0].Shape
	if result {
		back.In = append(back.In, s.Out[0])
	}
	gradients := make([]*Tensor, len(s.In))
	for i, w := range want {
		if w {
			gradients[i] = &Tensor{Shape: s.In[i].Shape}
			back.Out = append(back.Out, gradients[i])
		}
	}
	back.Kernel = kernel
	b.add(back)
	return gradients
}

func (k apply) overwrites(s *Step) []int {
	switch k.op.(type) {
	case autograd.AddOp:
		return []int{0, 1}
	case autograd.ScaleOp, autograd.ReLUOp, autograd.SigmoidOp, autograd.LeakyReLUOp, autograd.PReLUOp:
		return []int{0}
	}
	return nil
}

// applyBackward is the backward pass of any operation but a convolution. It reads dy and
// then, if the operation says so, the operands or the result.
type applyBackward struct {
	op     autograd.Operation
	want   []bool
	shapes [][]int // of the operands
	result []int   // shape
}

func (k applyBackward) String() string { return "∂ " + operationName(k.op) }

func (k applyBackward) prepare(s *Step) *prepared {
	var run func(out, in []*tensor.Tensor)
	switch op := k.op.(type) {
	case autograd.ScaleOp:
		run = func(out, in []*tensor.Tensor) { tensor.ScaleTo(out[0], op.Alpha, in[0]) }
	case autograd.ReLUOp:
		run = func(out, in []*tensor.Tensor) { tensor.ReLUBackwardTo(out[0], in[0], in[1]) }
	case autograd.SigmoidOp:
		run = func(out, in []*tensor.Tensor) { tensor.SigmoidBackwardTo(out[0], in[0], in[1]) }
	case autograd.Upsample2Op:
		run = func(out, in []*tensor.Tensor) { tensor.Upsample2BackwardTo(out[0], in[0]) }
	case autograd.ExpandOp:
		run = func(out, in []*tensor.Tensor) { tensor.SumPixelsTo(out[0], in[0]) }
	case autograd.LeakyReLUOp:
		run = func(out, in []*tensor.Tensor) { tensor.LeakyReLUBackwardTo(out[0], op.Slope, in[0], in[1]) }
	case autograd.PReLUOp:
		run = func(out, in []*tensor.Tensor) {
			var dx, dslope *tensor.Tensor
			if k.want[1] {
				dslope = out[len(out)-1]
			}
			if k.want[0] {
				dx = out[0]
			}
			tensor.PReLUBackwardTo(dx, dslope, in[0], in[1], in[2])
		}
	case autograd.UpsampleNearestOp:
		run = func(out, in []*tensor.Tensor) { tensor.UpsampleNearestBackwardTo(out[0], in[0], op.Factor) }
	case autograd.UpsampleBicubicOp:
		run = func(out, in []*tensor.Tensor) { tensor.UpsampleBicubicBackwardTo(out[0], in[0], op.Factor) }
	case autograd.PixelShuffleOp:
		run = func(out, in []*tensor.Tensor) { tensor.PixelUnshuffleTo(out[0], in[0], op.Factor) }
	case autograd.PixelUnshuffleOp:
		run = func(out, in []*tensor.Tensor) { tensor.PixelShuffleTo(out[0], in[0], op.Factor) }
	case autograd.PadReflectOp:
		run = func(out, in []*tensor.Tensor) { tensor.PadReflectBackwardTo(out[0], in[0]) }
	case autograd.CropOp:
		run = func(out, in []*tensor.Tensor) { tensor.CropBackwardTo(out[0], in[0]) }
	case autograd.MeanOp:
		run = func(out, in []*tensor.Tensor) {
			tensor.Fill(out[0], float32(float64(in[0].Data()[0])/float64(out[0].Len())))
		}
	case autograd.ConcatChannelsOp:
		run = func(out, in []*tensor.Tensor) {
			first, next := 0, 0
			for i, shape := range k.shapes {
				if k.want[i] {
					tensor.SliceChannelsTo(out[next], in[0], first)
					next++
				}
				first += shape[1]
			}
		}
	case PairLoss:
		run = func(out, in []*tensor.Tensor) {
			a, b := in[1], in[2]
			slope, next := op.Slope(a.Len(), in[0]), 0
			if k.want[0] {
				slope.To(out[next], a, b)
				next++
			}
			if k.want[1] {
				slope.To(out[next], b, a)
			}
		}
	case GradientWriter:
		run = func(out, in []*tensor.Tensor) { k.intoMemory(op, out, in) }
	case autograd.MSEOp:
		run = func(out, in []*tensor.Tensor) {
			a, b := in[1], in[2]
			alpha, next := op.Alpha(a.Len(), in[0]), 0
			if k.want[0] {
				tensor.ScaledDiffTo(out[next], alpha, a, b)
				next++
			}
			if k.want[1] {
				tensor.ScaledDiffTo(out[next], alpha, b, a)
			}
		}
	default:
		run = k.asWritten
	}
	return &prepared{run: func(out, in []*tensor.Tensor, _ []float32) { run(out, in) }}
}

// asWritten calls the operation's Backward and copies the results.
func (k applyBackward) asWritten(out, in []*tensor.Tensor) {
	y, x := k.operands(in)
	next := 0
	for i, dx := range k.op.Backward(in[0], y, x, k.want) {
		if k.want[i] {
			copy(out[next].Data(), dx.Data())
			next++
		}
	}
}

// intoMemory has the operation write its gradients where they belong.
func (k applyBackward) intoMemory(op GradientWriter, out, in []*tensor.Tensor) {
	y, x := k.operands(in)
	dx := make([]*tensor.Tensor, len(x))
	for i, next := 0, 0; i < len(x); i++ {
		if k.want[i] {
			dx[i] = out[next]
			next++
		}
	}
	op.BackwardTo(dx, in[0], y, x)
}

// operands returns what Backward is given beside dy. What it does not read has a shape alone.
func (k applyBackward) operands(in []*tensor.Tensor) (y *tensor.Tensor, x []*tensor.Tensor) {
	rest := in[1:]
	operands, result := k.op.Reads()
	x = make([]*tensor.Tensor, len(k.shapes))
	for i, shape := range k.shapes {
		x[i] = tensor.ShapeOnly(shape...)
	}
	y = tensor.ShapeOnly(k.result...)
	if operands {
		rest = rest[copy(x, rest):]
	}
	if result {
		y = rest[0]
	}
	return y, x
}

func (k applyBackward) gradient(*differentiation, *Step, *Tensor, []bool) []*Tensor {
	panic("compile: a gradient of a gradient")
}

func (k applyBackward) overwrites(s *Step) []int {
	switch k.op.(type) {
	case autograd.ScaleOp, autograd.ReLUOp, autograd.SigmoidOp, autograd.LeakyReLUOp:
		return []int{0}
	case autograd.PReLUOp:
		if len(s.Out) == 1 && k.want[0] {
			return []int{0}
		}
	case autograd.MSEOp, PairLoss:
		if len(s.Out) == 1 {
			return []int{1, 2}
		}
	}
	return nil
}

// operationName returns the name of an operation's type without "Op".
func operationName(op autograd.Operation) string {
	name := fmt.Sprintf("%T", op)
	return strings.TrimSuffix(name[strings.LastIndex(name, ".")+1:], "Op")
}
