package compile

import (
	"maps"
	"slices"
)

// recompute forgets the result of a convolution after the forward phase, and computes it
// again before the backward phase reads it.
//
//	before:  x ──▶ conv ──▶ y ──▶ … the peak of memory … ──▶ y is read by ∂
//	after:   x ──▶ conv ──▶ y ──▶ … the peak of memory … ──▶ conv ──▶ y' is read by ∂
//
// Memory is bought with time. Results are the same bit by bit: the parameters do not change
// before the backward phase has ended.
//
// Condition: y is needed before and after the step at which memory peaks, but not by that
// step; y is no prediction; nothing is written over x in between. Convolutions are chosen
// greedily by the memory that they save for their work. Each 1% of extra work must save at least
// worthPercent % of the peak. All together may add at most mostWork of the work.
//
// Source: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
func recompute(g *Graph) {
	if len(g.Gradients) == 0 {
		return
	}
	total, spent := 0.0, 0.0
	for _, s := range g.Steps {
		total += work(s)
	}
	measure := func(steps []*Step) (numbers, at int) {
		h := *g
		h.Steps = steps
		return peak(append(h.blocks(), h.scratch()...), len(steps))
	}
	again := map[*Tensor]*Tensor{} // from a result to its recomputed copy
	for {
		before, at := measure(g.Steps)
		var best *trial
		for i, s := range g.Steps[:at] {
			if _, ok := s.Kernel.(conv); !ok || s.Phase != Forward || again[s.Out[0]] != nil {
				continue
			}
			t := g.again(i, at, again)
			if t == nil || readsOverwritten(t.steps) {
				continue
			}
			after, _ := measure(t.steps)
			saved, cost := float64(before-after)/float64(before), work(s)/total
			if saved < worthPercent*cost || spent+cost > mostWork {
				continue
			}
			if t.value = saved / cost; best == nil || t.value > best.value {
				t.cost, best = cost, t
			}
		}
		if best == nil {
			return
		}
		spent += best.cost
		g.Steps, again = best.steps, best.again
	}
}

// Tests choose other limits, so that small networks recompute as well.
var (
	worthPercent = 3.0
	mostWork     = 0.07
)

// A trial is what the graph would become if one more result were computed twice.
type trial struct {
	steps       []*Step
	again       map[*Tensor]*Tensor
	value, cost float64
}

// again computes the result of step i once more before the first step of the backward phase
// that reads it. Recomputed operands must be ready before that step. It returns
// nil if that step does not come after the peak, or if the peak needs the result.
func (g *Graph) again(i, peak int, before map[*Tensor]*Tensor) *trial {
	y := g.Steps[i].Out[0]
	first := slices.IndexFunc(g.Steps, func(r *Step) bool { return r.Phase == Backward && slices.Contains(r.In, y) })
	if first <= peak || slices.Contains(g.Outputs, y) {
		return nil
	}
	for _, r := range g.Steps[peak:first] {
		if slices.Contains(r.In, y) {
			return nil
		}
	}
	var head []*Step // what is computed before that step
	moved := map[*Step]bool{}
	var add func(s *Step, out *Tensor)
	add = func(s *Step, out *Tensor) {
		c := *s
		c.In, c.Out, c.Phase = slices.Clone(s.In), []*Tensor{out}, Backward
		for j, x := range c.In {
			if fresh := before[x]; fresh != nil {
				x, c.In[j] = fresh, fresh
			}
			if p := g.producer(x); p != nil && slices.Index(g.Steps, p) >= first && !moved[p] {
				moved[p] = true
				add(p, x)
			}
		}
		head = append(head, &c)
	}
	fresh := &Tensor{Shape: y.Shape, Name: y.Name}
	add(g.Steps[i], fresh)
	t := &trial{again: maps.Clone(before)}
	t.again[y] = fresh
	for k, r := range g.Steps {
		if k == first {
			t.steps = append(t.steps, head...)
		}
		if !moved[r] {
			if k >= first {
				r = r.reading(y, fresh)
			}
			t.steps = append(t.steps, r)
		}
	}
	return t
}

// readsOverwritten says whether a step reads a tensor that an earlier one has written over.
func readsOverwritten(steps []*Step) bool {
	gone := map[*Tensor]bool{}
	for _, s := range steps {
		if slices.ContainsFunc(s.In, func(t *Tensor) bool { return gone[t] }) {
			return true
		}
		for _, t := range s.Over {
			if t != nil {
				gone[t] = true
			}
		}
	}
	return false
}

// reading returns the step with another tensor in the place of one that it reads.
func (s *Step) reading(old, fresh *Tensor) *Step {
	if !slices.Contains(s.In, old) {
		return s
	}
	c := *s
	swap := func(ts []*Tensor) []*Tensor {
		ts = slices.Clone(ts)
		for i, t := range ts {
			if t == old {
				ts[i] = fresh
			}
		}
		return ts
	}
	c.In, c.Over = swap(s.In), swap(s.Over)
	return &c
}
