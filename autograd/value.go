// Package autograd records how a result is computed from parameters, and walks back over the
// record to find the gradients: how a small change of each parameter changes the result.
//
// An Operation is one formula with its derivative. Applying it computes a Value, and the
// Value remembers the operation and the operands. Backward visits the values in reverse
// order, and each operation turns the gradient of its result into the gradients of its
// operands. This record is the tape. Every operation runs immediately, as written.
//
// Read value.go first, then conv.go. The mathematics of an operation is in package tensor.
package autograd

import (
	"fmt"
	"slices"

	"pixelgrad/tensor"
)

// A Value is a tensor with the record of how it was computed.
type Value struct {
	data     *tensor.Tensor // nil for a Placeholder and for what is computed from one
	shape    []int
	grad     *tensor.Tensor
	op       Operation // nil for a parameter, a constant and a placeholder
	operands []*Value
	trained  bool // a parameter, or computed from one
}

// An Operation is a formula with its derivative.
type Operation interface {
	// Shape returns the shape of the result. It panics if the shapes of the operands do
	// not fit, and names the operation and the shapes.
	Shape(operands ...[]int) []int

	// Forward returns the result.
	Forward(x ...*tensor.Tensor) *tensor.Tensor

	// Backward returns the gradient of each operand x[i] for which want[i] is true, given
	// the result y and its gradient dy. It changes none of them, and may return dy itself.
	Backward(dy, y *tensor.Tensor, x []*tensor.Tensor, want []bool) []*tensor.Tensor

	// Reads says whose numbers Backward needs beside dy: the operands', the result's, or
	// neither. It may use the shapes of all of them.
	Reads() (operands, result bool)
}

// An operation embeds one of these to say what its Backward reads.
type readsOperands struct{}
type readsResult struct{}
type readsNeither struct{}

func (readsOperands) Reads() (operands, result bool) { return true, false }
func (readsResult) Reads() (operands, result bool)   { return false, true }
func (readsNeither) Reads() (operands, result bool)  { return false, false }

// Parameter returns a value that Backward computes a gradient for.
func Parameter(t *tensor.Tensor) *Value { return &Value{data: t, shape: t.Shape(), trained: true} }

// Constant returns a value without a gradient: data, or a frozen weight.
func Constant(t *tensor.Tensor) *Value { return &Value{data: t, shape: t.Shape()} }

// Placeholder returns a value with a shape but no data: to record a network. Values that are
// computed from it have no data either. A wrong shape panics at the line that is wrong.
func Placeholder(shape ...int) *Value { return &Value{shape: shape} }

// Apply returns op(operands). It panics if their shapes do not fit.
func Apply(op Operation, operands ...*Value) *Value {
	v := &Value{op: op, operands: operands}
	shapes, data, known := make([][]int, len(operands)), make([]*tensor.Tensor, len(operands)), true
	for i, o := range operands {
		shapes[i], data[i] = o.shape, o.data
		v.trained = v.trained || o.trained
		known = known && o.data != nil
	}
	v.shape = op.Shape(shapes...)
	if known {
		v.data = op.Forward(data...)
	}
	return v
}

// Map returns f(v). It makes *Value a compile.Tree with one leaf.
func (v *Value) Map(f func(*Value) *Value) *Value { return f(v) }

// Data returns the tensor, or nil for a Placeholder and for values computed from one.
func (v *Value) Data() *tensor.Tensor { return v.data }

// Shape returns the dimensions. The caller must not change them.
func (v *Value) Shape() []int { return v.shape }

// Source returns the operation that v is the result of, or nil, and the operands.
func (v *Value) Source() (Operation, []*Value) { return v.op, v.operands }

// Trained says whether v is a parameter or was computed from one.
func (v *Value) Trained() bool { return v.trained }

// Grad returns the gradient of a parameter, or nil if there is none.
func (v *Value) Grad() *tensor.Tensor { return v.grad }

// SetGrad sets the gradient; nil clears it. Backward adds to a gradient that is not cleared.
func (v *Value) SetGrad(g *tensor.Tensor) { v.grad = g }

// Backward computes the gradients of v, a single number, and adds them to those of the
// parameters that v was computed from. It panics if v has more than one element, or if no
// parameter was used.
func (v *Value) Backward() {
	if v.data == nil || v.data.Len() != 1 || !v.trained {
		panic(fmt.Sprintf("autograd: Backward of shape %v: want one known number that was computed from parameters", v.shape))
	}
	v.BackwardFrom(tensor.FromSlice([]float32{1}, v.shape...))
}

// BackwardFrom is Backward for a result of any shape, whose gradient is dy.
func (v *Value) BackwardFrom(dy *tensor.Tensor) {
	v.accumulate(dy)
	order := Sorted(v)
	for i := len(order) - 1; i >= 0; i-- {
		y := order[i]
		if y.op == nil || y.grad == nil {
			continue
		}
		data, want := make([]*tensor.Tensor, len(y.operands)), make([]bool, len(y.operands))
		for j, x := range y.operands {
			data[j], want[j] = x.data, x.trained
		}
		for j, dx := range y.op.Backward(y.grad, y.data, data, want) {
			if want[j] {
				y.operands[j].accumulate(dx)
			}
		}
		y.grad = nil // it has served: only leaves keep their gradients
	}
}

// accumulate adds g to the gradient. The sum is a new tensor, because g may be the
// gradient of other values too.
func (v *Value) accumulate(g *tensor.Tensor) {
	if v.grad != nil {
		g = tensor.Add(v.grad, g)
	}
	v.grad = g
}

// Sorted returns the roots and all values that they were computed from, operands before
// results. It uses a stack of its own, because recursion could become as deep as the network.
func Sorted(roots ...*Value) []*Value {
	var order []*Value
	visited, placed := map[*Value]bool{}, map[*Value]bool{}
	stack := slices.Clone(roots)
	for slices.Reverse(stack); len(stack) > 0; {
		v := stack[len(stack)-1]
		if !visited[v] { // its operands come first
			visited[v] = true
			for _, o := range slices.Backward(v.operands) {
				stack = append(stack, o)
			}
			continue
		}
		stack = stack[:len(stack)-1]
		if !placed[v] {
			placed[v] = true
			order = append(order, v)
		}
	}
	return order
}
