package compile

import "slices"

// resultsInPlace writes the result of a step over an operand that is not read again.
//
//	before:  x ──▶ sigmoid ──▶ y          after:  x ──▶ sigmoid ──▶ y (in the memory of x)
//
// An elementwise step reads each element before it writes it, so both tensors can share memory.
// Results are the same bit by bit.
//
// Condition: the kernel says that it can; the operand has the shape of the result and lies in
// the arena; the step is the last one that reads it, and the result is not the gradient of a
// parameter. A prediction is overwritten only in the backward phase.
//
// Source: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016, section 3
// (in-place operation).
func resultsInPlace(g *Graph) {
	for i, s := range g.Steps {
		if s.Over != nil {
			continue
		}
		for _, j := range s.Kernel.overwrites(s) {
			x := s.In[j]
			if x.stored() && g.lastRead(x) == i && !g.isGradient(s.Out[0]) &&
				slices.Equal(x.Shape, s.Out[0].Shape) && (!slices.Contains(g.Outputs, x) || s.Phase == Backward) {
				s.Over = []*Tensor{x}
				break
			}
		}
	}
}
