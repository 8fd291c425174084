// Package autograd records what is computed from parameters, and walks back over
// it to find the gradients: how a small change of each would change the result.
//
// An operation such as Sigmoid computes its result and records a function that,
// given the gradient of the result, passes on the gradient of its operands. Backward
// calls these functions in the reverse order. Each operation has both directions on
// one screen; the mathematics is in package tensor.
package autograd

import (
	"fmt"

	"pixelgrad/tensor"
)

// A Value is a tensor with the record of how it was computed. Values that share
// operands must not be used by several goroutines at once; those of separate
// computations may, also with the same parameters if these are not being trained.
type Value struct {
	data  *tensor.Tensor
	shape []int
	grad  *tensor.Tensor

	op       string   // the operation that it is the result of; "" if none
	operands []*Value // its operands
	backward func(dy *tensor.Tensor)

	trained   bool // a gradient is wanted, for it or for what it is computed from
	inference bool // nothing that is computed from it is recorded
	keep      bool // Backward and Free leave its tensor alone

	uses    int  // of how many operations it is an operand
	relu    bool // it is the result of ReLU, and its backward can do without its tensor
	sigmoid bool // the same of Sigmoid
	inner   bool // its gradient is already that of what ReLU or Sigmoid was applied to

	// compute is set while the tensor has not been computed, because it may not be
	// needed: see Upsample2, ConcatChannels and Expand, whose operands are kept in
	// operands. A convolution does without.
	compute func() *tensor.Tensor

	// again computes the tensor once more, if Recompute allows it to be dropped.
	again     func() *tensor.Tensor
	recompute bool
}

// Parameter returns a value that gradients are computed for.
func Parameter(t *tensor.Tensor) *Value {
	return &Value{data: t, shape: t.Shape(), trained: true, keep: true}
}

// Constant returns a value that needs no gradient: data, or a frozen weight.
func Constant(t *tensor.Tensor) *Value {
	return &Value{data: t, shape: t.Shape(), keep: true}
}

// Inference returns a constant which makes sure that nothing is recorded of what
// is computed from it, even with parameters: to use a network without training it.
func Inference(t *tensor.Tensor) *Value {
	return &Value{data: t, shape: t.Shape(), keep: true, inference: true}
}

// Data returns the value's tensor. It panics if Backward or Free has given the
// memory of this intermediate result back; Keep prevents that.
func (v *Value) Data() *tensor.Tensor {
	if v.compute != nil {
		v.data = v.compute()
		v.compute = nil
		v.useOperands()
	}
	if v.data == nil && v.recompute && v.again != nil {
		v.data = v.again()
	}
	if v.data == nil {
		panic(fmt.Sprintf("autograd: the result of %s is gone: Backward or Free has given its memory back; call Keep before", v.op))
	}
	return v.data
}

// Shape returns the dimensions. The caller must not change them.
func (v *Value) Shape() []int { return v.shape }

// Grad returns the gradient that Backward has computed for a parameter, or nil.
func (v *Value) Grad() *tensor.Tensor { return v.grad }

// ZeroGrad forgets the gradient. Without it the next one is added.
func (v *Value) ZeroGrad() {
	tensor.Release(v.grad)
	v.grad = nil
}

// Keep makes Backward and Free leave the value's tensor alone. It returns v.
func (v *Value) Keep() *Value {
	v.Data()
	v.keep = true
	return v
}

// Recompute lets the result of a convolution be forgotten as soon as the convolution that
// it is the input of has read it; Backward computes it again when it is needed. Training
// takes less memory then, and the time of one more forward computation. Results are the
// same bit by bit, provided that parameters and inputs do not change until then. It returns
// v, and does nothing for the results of other operations.
// Source: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
func (v *Value) Recompute() *Value {
	v.recompute = true
	return v
}

// drop gives the memory of a result back that can be computed again, once its only
// reader has read it.
func (v *Value) drop() {
	if v.recompute && v.again != nil && !v.keep && v.uses == 1 {
		tensor.Release(v.data)
		v.data = nil
	}
}

// spare returns the tensor of a value that has not been computed, for the caller to write
// over. The value remains as it is. It returns nil if the value has been computed.
func (v *Value) spare() *tensor.Tensor {
	if v.compute == nil {
		return nil
	}
	v.useOperands()
	return v.compute()
}

// spent says whether the tensor of v has served, once the operation that asks has used
// it in Backward: its gradient may be written over it then.
func (v *Value) spent() bool { return v.uses == 1 && !v.keep && v.grad == nil }

// overwrite makes the tensor of v, which has been written over, the gradient of what ReLU or
// Sigmoid was applied to.
func (v *Value) overwrite() {
	g := v.data
	v.data, v.inner = nil, true
	v.accumulate(g)
}

// useOperands counts the computation of a value as a use of its operands.
func (v *Value) useOperands() {
	for _, o := range v.operands {
		o.use()
	}
}

// use counts a use of a result. Parameters and constants, which separate computations may
// share, are kept anyway.
func (v *Value) use() {
	if v.op != "" {
		v.uses++
	}
}

// record returns y = op(operands) as a value. backward is called with the gradient
// of y, once; it calls accumulate on those operands that are trained.
func record(op string, y *tensor.Tensor, backward func(dy *tensor.Tensor), operands ...*Value) *Value {
	v := &Value{data: y, op: op, operands: operands}
	if y != nil {
		v.shape = y.Shape()
	}
	for _, o := range operands {
		if y != nil {
			o.use()
		}
		v.trained = v.trained || o.trained
		v.inference = v.inference || o.inference
	}
	v.trained = v.trained && !v.inference
	if v.trained {
		v.backward = backward
	}
	return v
}

// later returns a value of some shape that compute makes of the operands when something
// asks for it.
func later(op string, shape []int, compute func() *tensor.Tensor, backward func(dy *tensor.Tensor), operands ...*Value) *Value {
	v := record(op, nil, backward, operands...)
	v.shape, v.compute = shape, compute
	return v
}

// lazy says whether v is the result of op and has not been computed.
func (v *Value) lazy(op string) bool { return v.compute != nil && v.op == op }

// pass hands the memory of v's gradient on to an operand: g lies in it.
func (v *Value) pass(to *Value, g *tensor.Tensor) {
	v.grad = nil
	to.accumulate(g)
}

// accumulate adds g to the gradient of v, if v is trained. g belongs to v then.
func (v *Value) accumulate(g *tensor.Tensor) {
	switch {
	case !v.trained:
		tensor.Release(g)
	case v.grad == nil:
		v.grad = g
	default:
		tensor.AddTo(v.grad, g)
		tensor.Release(g)
	}
}

// Backward computes the gradients of v, a single number, with respect to all
// parameters that it was computed from, and adds them to what Grad returns.
//
// It gives the memory of intermediate results back as soon as they have served, so
// that it can be called once. v itself and what Keep was called for remain. It
// panics if v has more than one element, was not computed from a parameter, or shares
// an intermediate result with a value whose Backward has been called.
func (v *Value) Backward() {
	if v.Data().Len() != 1 || !v.trained {
		panic(fmt.Sprintf("autograd: Backward of shape %v: want one number that was computed from parameters", v.shape))
	}
	one := tensor.New(v.shape...)
	one.Data()[0] = 1
	v.backwardFrom(one)
}

// backwardFrom is Backward for a result of any shape, whose gradient is dy.
func (v *Value) backwardFrom(dy *tensor.Tensor) {
	order := v.sorted()
	for _, u := range order {
		if u.trained && u.op != "" && u.backward == nil {
			panic(fmt.Sprintf("autograd: Backward has gone through the result of %s before: add the losses up, and call it once", u.op))
		}
	}
	v.accumulate(dy)
	for i := len(order) - 1; i >= 0; i-- {
		u := order[i]
		if u.backward != nil {
			u.backward(u.grad)
			u.backward = nil
			u.ZeroGrad()
		}
		if u != v {
			u.free()
		}
	}
}

// Free gives back the memory of v and of all intermediate results that it was
// computed from: for results that are used without Backward. What Keep was called
// for remains.
func (v *Value) Free() {
	for _, u := range v.sorted() {
		u.free()
	}
}

// free gives the value's own memory back, unless it is to be kept or never was an
// intermediate result.
func (v *Value) free() {
	if v.op == "" || v.keep {
		return
	}
	tensor.Release(v.data)
	v.data, v.operands, v.backward, v.compute, v.again = nil, nil, nil, nil, nil
}

// sorted returns v and all results that it was computed from, operands before results. It
// keeps its own stack: recursion would need one that is as deep as the network.
func (v *Value) sorted() []*Value {
	var order []*Value
	seen := map[*Value]bool{v: true}
	type frame struct {
		v    *Value
		next int // the operand to visit next
	}
	stack := []frame{{v, 0}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.next == len(top.v.operands) {
			order = append(order, top.v)
			stack = stack[:len(stack)-1]
			continue
		}
		o := top.v.operands[top.next]
		top.next++
		if o.op != "" && !seen[o] { // parameters and constants have nothing to pass on
			seen[o] = true
			stack = append(stack, frame{o, 0})
		}
	}
	return order
}
