package compile

import (
	"fmt"
	"slices"

	"pixelgrad/autograd"
)

// A Graph is what a network computes: a list of steps in the order in which they run.
type Graph struct {
	Inputs    []*Tensor  // given anew for every run
	Steps     []*Step    // every tensor is computed before it is read
	Outputs   []*Tensor  // predictions: read by the caller before the backward phase
	Losses    []*Tensor  // read by the caller after any phase
	Gradients []Gradient // of the parameters

	names map[*autograd.Value]string
	held  map[*autograd.Value]*Tensor
}

// A Tensor is an edge of the graph: it has a shape, and data once the program runs.
type Tensor struct {
	Shape []int
	Name  string          // of inputs and parameters
	Value *autograd.Value // the parameter or constant that it is, or nil
	input bool
}

// Len returns the number of elements.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// stored says whether the program keeps the tensor in its own memory: it is neither an
// input nor a parameter or constant.
func (t *Tensor) stored() bool { return !t.input && t.Value == nil }

// A Step computes tensors from others.
type Step struct {
	Kernel  Kernel
	In, Out []*Tensor
	Phase   Phase

	// Over[i] is the operand that Out[i] overwrites, or nil. This step is its last reader.
	Over []*Tensor

	packs bool // whether its weights are packed once: see packWeights
	ready *prepared
}

// A Phase is a part of a training step.
type Phase int

// The phases.
const (
	Forward Phase = iota
	Loss
	Backward
)

func (p Phase) String() string { return [...]string{"forward", "loss", "backward"}[p] }

// A Gradient is the gradient of a parameter.
type Gradient struct {
	Of *autograd.Value
	At *Tensor
}

// newGraph turns a record into a graph. Values without an operation are its leaves: inputs,
// parameters and constants.
func newGraph(inputs, outputs, losses []*autograd.Value, o Options) *Graph {
	g := &Graph{names: o.Names, held: map[*autograd.Value]*Tensor{}}
	at := map[*autograd.Value]*Tensor{}
	for i, v := range inputs {
		at[v] = &Tensor{Shape: v.Shape(), Name: fmt.Sprintf("input %d", i), input: true}
		if i < len(o.Inputs) {
			at[v].Name = o.Inputs[i]
		}
		g.Inputs = append(g.Inputs, at[v])
	}
	predicts := map[*autograd.Value]bool{}
	for _, v := range autograd.Sorted(outputs...) {
		predicts[v] = true
	}
	sorted := autograd.Sorted(slices.Concat(losses, outputs)...)
	slices.SortStableFunc(sorted, func(a, b *autograd.Value) int { // predictions before losses
		switch {
		case predicts[a] == predicts[b]:
			return 0
		case predicts[a]:
			return -1
		}
		return 1
	})
	for _, v := range sorted {
		op, operands := v.Source()
		if op == nil {
			if at[v] == nil {
				at[v] = g.hold(v)
			}
			continue
		}
		s := &Step{Kernel: newKernel(op), Out: []*Tensor{{Shape: v.Shape()}}}
		if !predicts[v] {
			s.Phase = Loss
		}
		for _, o := range operands {
			s.In = append(s.In, at[o])
		}
		at[v] = s.Out[0]
		g.Steps = append(g.Steps, s)
	}
	for _, v := range outputs {
		g.Outputs = append(g.Outputs, at[v])
	}
	for _, v := range losses {
		g.Losses = append(g.Losses, at[v])
	}
	return g
}

// hold returns the tensor of a parameter or constant.
func (g *Graph) hold(v *autograd.Value) *Tensor {
	if g.held[v] == nil {
		if v.Data() == nil {
			panic(fmt.Sprintf("compile: a placeholder of shape %v is not among the inputs", v.Shape()))
		}
		g.held[v] = &Tensor{Shape: v.Shape(), Name: g.names[v], Value: v}
	}
	return g.held[v]
}

// producer returns the step that computes t, or nil.
func (g *Graph) producer(t *Tensor) *Step {
	for _, s := range g.Steps {
		if slices.Contains(s.Out, t) {
			return s
		}
	}
	return nil
}

// readers returns the steps that read t, in the order in which they run.
func (g *Graph) readers(t *Tensor) []*Step {
	var readers []*Step
	for _, s := range g.Steps {
		if slices.Contains(s.In, t) {
			readers = append(readers, s)
		}
	}
	return readers
}

// reader returns the only step that reads t. It is nil if there are several or none, or if
// the caller reads t.
func (g *Graph) reader(t *Tensor) *Step {
	if readers := g.readers(t); len(readers) == 1 && !g.kept(t) {
		return readers[0]
	}
	return nil
}

// kept says whether the caller reads t.
func (g *Graph) kept(t *Tensor) bool {
	return slices.Contains(g.Outputs, t) || slices.Contains(g.Losses, t) || g.isGradient(t)
}

// isGradient says whether t is the gradient of a parameter. These have memory of their own,
// which remains when the program has run.
func (g *Graph) isGradient(t *Tensor) bool {
	return slices.ContainsFunc(g.Gradients, func(d Gradient) bool { return d.At == t })
}

// lastRead returns the index of the last step that reads t, len(g.Steps) if the caller reads t
// after the run, or -1 if nothing reads it.
func (g *Graph) lastRead(t *Tensor) int {
	last := -1
	for i, s := range g.Steps {
		if slices.Contains(s.In, t) || slices.Contains(g.Outputs, t) && s.Phase < Backward {
			last = i
		}
	}
	if slices.Contains(g.Losses, t) || g.isGradient(t) {
		last = len(g.Steps)
	}
	return last
}

// remove takes a step out.
func (g *Graph) remove(s *Step) {
	g.Steps = slices.DeleteFunc(g.Steps, func(o *Step) bool { return o == s })
}

// replace puts steps where s was.
func (g *Graph) replace(s *Step, by ...*Step) {
	i := slices.Index(g.Steps, s)
	g.Steps = slices.Replace(g.Steps, i, i+1, by...)
}

// prune takes out the steps whose results nothing reads.
func (g *Graph) prune() {
	needed := map[*Tensor]bool{}
	for _, t := range slices.Concat(g.Outputs, g.Losses) {
		needed[t] = true
	}
	for _, d := range g.Gradients {
		needed[d.At] = true
	}
	for i := len(g.Steps) - 1; i >= 0; i-- {
		s := g.Steps[i]
		if !slices.ContainsFunc(s.Out, func(t *Tensor) bool { return needed[t] }) {
			g.Steps = slices.Delete(g.Steps, i, i+1)
			continue
		}
		for _, t := range s.In {
			needed[t] = true
		}
	}
}
