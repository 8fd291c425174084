// Package compile makes programs of networks: record, compile, run.
//
//	record    a network and its loss are applied to values that have a shape and no numbers;
//	          what package autograd records is a graph
//	compile   passes rewrite the graph; the backward phase is added; memory is planned
//	run       the program is a list of instructions that works in one block of memory, and
//	          allocates nothing large
//
// A program computes the same numbers as autograd. Where a pass changes the rounding, its
// comment says so. Every pass has a file of its own, with a picture, its condition and its
// source, and a name by which Options.Without leaves it out: Passes lists them. Read
// graph.go, gradients.go and fuse.go first, then the other passes, then program.go.
package compile

import (
	"fmt"
	"slices"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// A Tree is a value or a struct of values: the input or the output of a network. Map returns the
// same struct with f applied to each value, also to those that are nil; f returns nil for nil.
// *autograd.Value is a Tree with one leaf.
type Tree[T any] interface {
	Map(f func(*autograd.Value) *autograd.Value) T
}

// leaves returns the values of a tree that are not nil.
func leaves[T Tree[T]](tree T) []*autograd.Value {
	var vs []*autograd.Value
	tree.Map(func(v *autograd.Value) *autograd.Value {
		if v != nil {
			vs = append(vs, v)
		}
		return v
	})
	return vs
}

// placeholders returns a tree of the same shapes without numbers.
func placeholders[T Tree[T]](tree T) T {
	return tree.Map(func(v *autograd.Value) *autograd.Value {
		if v == nil {
			return nil
		}
		return autograd.Placeholder(v.Shape()...)
	})
}

// fill replaces the leaves of a tree by vs, in order.
func fill[T Tree[T]](tree T, vs []*autograd.Value) T {
	return tree.Map(func(v *autograd.Value) *autograd.Value {
		if v == nil {
			return nil
		}
		next := vs[0]
		vs = vs[1:]
		return next
	})
}

// tensors returns the numbers of values.
func tensors(vs []*autograd.Value) []*tensor.Tensor {
	ts := make([]*tensor.Tensor, len(vs))
	for i, v := range vs {
		ts[i] = v.Data()
	}
	return ts
}

// A Training is a compiled training step of a network.
type Training[In Tree[In], Out Tree[Out]] struct {
	*Program
	out    Out
	inputs int // how many of the program's inputs are the network's; the others are its target
}

// Train compiles a training step. Only the shapes of in and target are used. forward is the
// network. loss compares its output with the target, and returns one number for each output;
// training minimises their sum. Both are called once.
//
// It panics where forward or loss would, and returns an error for an unknown name in
// o.Without.
func Train[In Tree[In], Out Tree[Out]](forward func(In) Out, loss func(prediction, target Out) []*autograd.Value, in In, target Out, o Options) (*Training[In, Out], error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	x, t := placeholders(in), placeholders(target)
	y := forward(x)
	losses := loss(y, t)
	for _, l := range losses {
		if len(l.Shape()) != 1 || l.Shape()[0] != 1 {
			panic(fmt.Sprintf("compile: Train: a loss of shape %v: want one number", l.Shape()))
		}
	}
	if !slices.ContainsFunc(losses, (*autograd.Value).Trained) {
		panic("compile: Train: no loss is computed from parameters")
	}
	inputs := leaves(x)
	g := newGraph(slices.Concat(inputs, leaves(t)), leaves(y), losses, o)
	g.optimize(o, true)
	return &Training[In, Out]{Program: newProgram(g, o), out: y, inputs: len(inputs)}, nil
}

// Forward computes the network's predictions. They are valid until Backward or until another
// program uses the Arena, whichever is first. It panics if the shapes are not those that the
// step was compiled for.
func (s *Training[In, Out]) Forward(in In) Out {
	s.begin(Forward)
	s.bind(0, tensors(leaves(in)), s.inputs)
	s.run(Forward)
	return fill(s.out, s.values(s.Graph.Outputs))
}

// Loss computes the losses of the predictions. It panics if Forward has not run before.
func (s *Training[In, Out]) Loss(target Out) []float64 {
	s.begin(Loss)
	s.bind(s.inputs, tensors(leaves(target)), len(s.Graph.Inputs))
	s.run(Loss)
	losses := make([]float64, len(s.Graph.Losses))
	for i, t := range s.Graph.Losses {
		losses[i] = float64(s.header(t).Data()[0])
	}
	return losses
}

// Backward computes the gradients of the sum of the losses and adds them to those of the
// parameters. It panics if Loss has not run before. Call Forward, Loss and Backward once each
// for a step: Backward overwrites the activations.
func (s *Training[In, Out]) Backward() {
	s.begin(Backward)
	s.backward()
}

// A Prediction is a compiled network without gradients.
type Prediction[In Tree[In], Out Tree[Out]] struct {
	*Program
	out Out
}

// Predict compiles a network. Only the shapes of in are used.
// forward is called once. It panics where forward would, and returns an error for an unknown
// name in o.Without.
func Predict[In Tree[In], Out Tree[Out]](forward func(In) Out, in In, o Options) (*Prediction[In, Out], error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	x := placeholders(in)
	y := forward(x)
	g := newGraph(leaves(x), leaves(y), nil, o)
	g.optimize(o, false)
	return &Prediction[In, Out]{Program: newProgram(g, o), out: y}, nil
}

// Run returns the network's predictions. They are valid until the next run of a program with
// the same Arena. It panics if the shapes are not those that it was compiled for.
func (p *Prediction[In, Out]) Run(in In) Out {
	p.begin(Forward)
	p.bind(0, tensors(leaves(in)), len(p.Graph.Inputs))
	p.run(Forward)
	return fill(p.out, p.values(p.Graph.Outputs))
}
