package compile

import (
	"cmp"
	"slices"
)

// The pass "memory" lets tensors that are never needed at the same time share memory.
//
//	step      0   1   2   3   4   5           offset
//	a         ████████████                    0 … 10
//	b             ████████                    10 … 14
//	c                     ████████            10 … 18     after b
//	d                         ████            0 … 10      after a
//
// The program owns one arena, and each tensor has an offset in it. The lifetime of a tensor
// goes from the step that computes it to the last step that reads it. Tensors are placed largest
// first, each at the lowest offset where it overlaps no tensor with an intersecting lifetime.
// Temporary memory of a step is planned like a tensor that lives for that step alone. Without
// the pass every tensor has a place of its own.
//
// Source: Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference",
// 2020, algorithm "greedy by size for offset calculation".

// A block is one piece of the arena: for a tensor, for tensors that overwrite each other, or for
// the temporary memory of a step.
type block struct {
	tensors     []*Tensor
	step        *Step // whose temporary memory it is, or nil
	first, last int   // the steps between which it is needed
	size        int   // in numbers
	offset      int
}

// align keeps offsets at whole lines of the cache: 64 bytes.
const align = 16

// alignLen makes a piece of memory so long that the next one begins at a whole line.
func alignLen(n int) int { return (n + align - 1) / align * align }

// blocks returns what the program has to find room for, with lifetimes. Gradients of
// parameters are left out: they have memory of their own.
func (g *Graph) blocks() []*block {
	of := map[*Tensor]*block{}
	var all []*block
	for i, s := range g.Steps {
		for j, t := range s.Out {
			b := (*block)(nil)
			if s.Over != nil && s.Over[j] != nil {
				if g.isGradient(t) {
					panic("compile: the gradient of a parameter is written over a tensor of the arena")
				}
				b = of[s.Over[j]]
			}
			if b == nil {
				b = &block{first: i, size: t.Len()}
				if !g.isGradient(t) {
					all = append(all, b)
				}
			}
			b.tensors = append(b.tensors, t)
			b.last = i
			of[t] = b
		}
		for _, t := range s.In {
			if b := of[t]; b != nil {
				b.last = i
			}
		}
	}
	for i, s := range g.Steps {
		if s.Phase < Backward {
			for _, t := range g.Outputs {
				if b := of[t]; b != nil {
					b.last = max(b.last, i)
				}
			}
		}
	}
	for _, t := range g.Losses {
		if b := of[t]; b != nil {
			b.last = len(g.Steps)
		}
	}
	return all
}

// scratch returns blocks for the temporary memory of the steps.
func (g *Graph) scratch() []*block {
	var all []*block
	for i, s := range g.Steps {
		n := s.prepare().scratch
		if s.packs {
			n = s.prepare().pack.scratch
		}
		if n > 0 {
			all = append(all, &block{step: s, first: i, last: i, size: n})
		}
	}
	return all
}

// place gives blocks their offsets, and returns how many numbers they take together.
func place(blocks []*block, share bool) int {
	order := slices.Clone(blocks)
	if share {
		slices.SortStableFunc(order, func(a, b *block) int { return cmp.Compare(b.size, a.size) })
	}
	total := 0
	var placed []*block // by offset
	for _, b := range order {
		offset := 0
		if !share {
			offset = total
		}
		for _, p := range placed {
			if share && p.first <= b.last && b.first <= p.last && p.offset < offset+b.size {
				offset = max(offset, alignLen(p.offset+p.size))
			}
		}
		b.offset = offset
		total = max(total, alignLen(offset+b.size))
		i, _ := slices.BinarySearchFunc(placed, offset, func(p *block, at int) int { return cmp.Compare(p.offset, at) })
		placed = slices.Insert(placed, i, b)
	}
	return total
}

// peak returns the most numbers that are needed at a time, and the step.
func peak(blocks []*block, steps int) (numbers, at int) {
	change := make([]int, steps+2)
	for _, b := range blocks {
		change[b.first] += b.size
		change[b.last+1] -= b.size
	}
	now := 0
	for i, c := range change {
		if now += c; now > numbers {
			numbers, at = now, i
		}
	}
	return numbers, at
}
