package compile

import (
	"slices"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// differentiate adds the backward phase to a graph. For each forward step, in reverse order, it
// appends the steps that compute its gradients. It is what autograd's Backward does, with
// tensors that have no data yet.
//
//	x ──▶ [f] ──▶ y ──▶ loss        becomes        x ──▶ [f] ──▶ y ──▶ loss
//	                                               │             │      │
//	                                         dx ◀──┴── [∂f] ◀────┴──────┘ 1
//
// Training minimises the sum of the losses, so the gradient of each loss is 1.
func (g *Graph) differentiate() {
	b := &differentiation{Graph: g, gradients: map[*Tensor]*Tensor{}}
	trained := map[*Tensor]bool{}
	is := func(t *Tensor) bool { return trained[t] || t.Value != nil && t.Value.Trained() }
	for _, s := range g.Steps {
		trained[s.Out[0]] = slices.ContainsFunc(s.In, is)
	}
	one := autograd.Constant(tensor.FromSlice([]float32{1}, 1))
	for _, t := range g.Losses {
		if is(t) {
			b.accumulate(t, g.hold(one))
		}
	}
	forward := slices.Clone(g.Steps)
	for _, s := range slices.Backward(forward) {
		dy := b.gradients[s.Out[0]]
		if dy == nil || !trained[s.Out[0]] {
			continue
		}
		want := make([]bool, len(s.In))
		for i, t := range s.In {
			want[i] = is(t)
		}
		for i, dx := range s.Kernel.gradient(b, s, dy, want) {
			if want[i] {
				b.accumulate(s.In[i], dx)
			}
		}
	}
	for _, v := range b.parameters {
		g.Gradients = append(g.Gradients, Gradient{v, b.gradients[g.held[v]]})
	}
}

// differentiation is a graph to which the backward phase is being added.
type differentiation struct {
	*Graph
	gradients  map[*Tensor]*Tensor
	parameters []*autograd.Value // those that have a gradient
}

// add appends a step.
func (b *differentiation) add(s *Step) { b.Steps = append(b.Steps, s) }

// accumulate adds dx to the gradient of t.
func (b *differentiation) accumulate(t, dx *Tensor) {
	sum := b.gradients[t]
	switch {
	case sum == nil && t.Value != nil:
		b.parameters = append(b.parameters, t.Value)
		fallthrough
	case sum == nil:
		b.gradients[t] = dx
	default:
		total := &Tensor{Shape: t.Shape}
		b.add(&Step{Kernel: apply{autograd.AddOp{}}, In: []*Tensor{sum, dx}, Out: []*Tensor{total}, Phase: Backward})
		b.gradients[t] = total
	}
}
