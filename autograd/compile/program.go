package compile

import (
	"fmt"
	"runtime/debug"
	"slices"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// A Program runs a graph as often as asked, in memory that is planned in advance. It is not
// safe for use by several goroutines at once.
type Program struct {
	Graph *Graph

	instructions []instruction
	offsets      map[*Tensor]int
	length       int // of the arena, in numbers
	fixed        int // numbers of the gradients and packed weights
	arena        *Arena
	placed       bool // whether the instructions point into the arena
	headers      map[*Tensor]*tensor.Tensor
	given        []*tensor.Tensor // the inputs of this run
	gradients    []*tensor.Tensor
	weights      map[*Step][]float32 // that are packed once
	packed       bool                // whether they have been
	next         Phase               // that may run
}

// An instruction is a step with the memory that it works on.
type instruction struct {
	step    *Step
	run     func(out, in []*tensor.Tensor, scratch []float32)
	out, in []*tensor.Tensor
	inputs  []int // in[i] is input inputs[i] of the program, or −1
	scratch []float32
	at, n   int // of the temporary memory in the arena
}

// An Arena is memory for several programs that never run at the same time: training and
// validation, or batches of several sizes. What a program has computed is lost when the next
// one runs, except for gradients.
type Arena struct {
	data     []float32
	programs []*Program // that point into it
	current  *Program   // the one that ran last
}

// Bytes returns the size.
func (a *Arena) Bytes() int { return 4 * len(a.data) }

// grow makes room for so many numbers. It first frees the old arena and the garbage of planning,
// so that the peak stays within the plan.
func (a *Arena) grow(length int) {
	if len(a.data) >= length {
		return
	}
	for _, p := range a.programs {
		p.leave()
	}
	a.data, a.programs = nil, nil
	debug.FreeOSMemory()
	a.data = make([]float32, length)
	tensor.HugePages(a.data)
}

// newProgram plans the memory of a graph.
func newProgram(g *Graph, o Options) *Program {
	p := &Program{Graph: g, arena: o.Arena, offsets: map[*Tensor]int{}, headers: map[*Tensor]*tensor.Tensor{}, given: make([]*tensor.Tensor, len(g.Inputs))}
	if p.arena == nil {
		p.arena = &Arena{}
	}
	blocks := append(g.blocks(), g.scratch()...)
	p.length = place(blocks, !o.without("memory"))
	temporary := map[*Step]*block{}
	for _, b := range blocks {
		for _, t := range b.tensors {
			p.offsets[t] = b.offset
		}
		if b.step != nil {
			temporary[b.step] = b
		}
	}
	for _, s := range g.Steps {
		ready := s.prepare()
		in := instruction{step: s, run: ready.run, out: make([]*tensor.Tensor, len(s.Out)), in: make([]*tensor.Tensor, len(s.In))}
		if s.packs {
			p.fixed += ready.pack.length
			in.run = func(out, in []*tensor.Tensor, scratch []float32) { ready.pack.run(out, in, p.weights[s], scratch) }
		}
		if b := temporary[s]; b != nil {
			in.at, in.n = b.offset, b.size
		}
		for _, t := range s.In {
			in.inputs = append(in.inputs, slices.Index(g.Inputs, t))
		}
		p.instructions = append(p.instructions, in)
	}
	counted := map[*Tensor]bool{} // two parameters that are added have the same gradient
	for _, d := range g.Gradients {
		if d.At.stored() && !counted[d.At] {
			counted[d.At] = true
			p.fixed += d.At.Len()
		}
	}
	return p
}

// Bytes returns the memory that the program takes, beside its inputs and parameters: the
// arena, the gradients of the parameters, and weights that are packed once. It is known
// before the first run, which allocates it.
func (p *Program) Bytes() int { return 4 * (p.length + p.fixed) }

// ArenaBytes returns the part of Bytes that programs with the same Arena share.
func (p *Program) ArenaBytes() int { return 4 * p.length }

// enter points all instructions to the arena, if they do not yet.
func (p *Program) enter() {
	p.arena.grow(p.length)
	if p.placed {
		return
	}
	p.placed = true
	p.arena.programs = append(p.arena.programs, p)
	p.weights = map[*Step][]float32{}
	for _, s := range p.Graph.Steps {
		if s.packs {
			p.weights[s] = make([]float32, s.prepare().pack.length)
		}
	}
	if p.gradients == nil {
		for _, d := range p.Graph.Gradients {
			if d.At.stored() && p.headers[d.At] == nil {
				p.headers[d.At] = tensor.FromSlice(make([]float32, d.At.Len()), d.At.Shape...)
			}
			p.gradients = append(p.gradients, p.header(d.At))
		}
	}
	for i := range p.instructions {
		in := &p.instructions[i]
		for j, t := range in.step.In {
			if in.inputs[j] < 0 {
				in.in[j] = p.header(t)
			}
		}
		for j, t := range in.step.Out {
			in.out[j] = p.header(t)
		}
		in.scratch = p.arena.data[in.at:][:in.n:in.n]
	}
}

// leave lets go of the arena, which is about to be replaced, and of packed weights.
func (p *Program) leave() {
	p.placed, p.packed, p.weights = false, false, nil
	for t := range p.offsets {
		delete(p.headers, t)
	}
	for i := range p.instructions {
		in := &p.instructions[i]
		clear(in.in)
		clear(in.out)
		in.scratch = nil
	}
}

// header returns a tensor of the program with its memory.
func (p *Program) header(t *Tensor) *tensor.Tensor {
	if t.Value != nil {
		return t.Value.Data()
	}
	if t.input {
		return p.given[slices.Index(p.Graph.Inputs, t)]
	}
	if p.headers[t] == nil {
		offset := p.offsets[t]
		p.headers[t] = tensor.FromSlice(p.arena.data[offset:][:t.Len():t.Len()], t.Shape...)
	}
	return p.headers[t]
}

// begin notes that a phase is about to run. It panics if the phase before it has not run,
// or if another program has used the arena since.
func (p *Program) begin(phase Phase) {
	if phase == Forward {
		p.enter()
	} else if p.next != phase || p.arena.current != p {
		panic(fmt.Sprintf("compile: the %v phase: want the %v phase right before it", phase, phase-1))
	}
	p.arena.current, p.next = p, phase+1
}

// bind sets the inputs from number first to last-1. It panics if their number or shapes are
// not those that the program was compiled for.
func (p *Program) bind(first int, inputs []*tensor.Tensor, last int) {
	wrong := len(inputs) != last-first
	for i, t := range inputs {
		wrong = wrong || t == nil || !slices.Equal(t.Shape(), p.Graph.Inputs[first+i].Shape)
	}
	if wrong {
		var got, want [][]int
		for _, t := range inputs {
			if t == nil {
				panic("compile: an input has no numbers: it was computed from a placeholder")
			}
			got = append(got, t.Shape())
		}
		for _, t := range p.Graph.Inputs[first:last] {
			want = append(want, t.Shape)
		}
		panic(fmt.Sprintf("compile: inputs of shapes %v, the program was compiled for %v", got, want))
	}
	copy(p.given[first:], inputs)
	for i := range p.instructions {
		in := &p.instructions[i]
		for j, k := range in.inputs {
			if k >= first && k < last {
				in.in[j] = inputs[k-first]
			}
		}
	}
}

// run runs the instructions of a phase.
func (p *Program) run(phase Phase) {
	if !p.packed {
		for _, in := range p.instructions {
			if in.step.packs {
				in.step.prepare().pack.fill(p.weights[in.step], in.in)
			}
		}
		p.packed = true
	}
	for i := range p.instructions {
		if in := &p.instructions[i]; in.step.Phase == phase {
			in.run(in.out, in.in, in.scratch)
		}
	}
}

// WeightsChanged tells a prediction that parameters have changed since its last run.
func (p *Program) WeightsChanged() { p.packed = false }

// backward runs the backward phase and adds the gradients to those of the parameters.
func (p *Program) backward() {
	earlier := make([]*tensor.Tensor, 0, 8)
	for i, d := range p.Graph.Gradients {
		g := d.Of.Grad()
		if g == p.gradients[i] && g != nil { // its memory is about to be written over
			g = g.Clone()
		}
		earlier = append(earlier, g)
	}
	p.run(Backward)
	for i, d := range p.Graph.Gradients {
		g := p.gradients[i]
		if !d.At.stored() { // the gradient 1 of a parameter that is a loss: who changes it must not change the constant
			g = g.Clone()
		}
		if earlier[i] == nil {
			d.Of.SetGrad(g)
		} else {
			d.Of.SetGrad(tensor.Add(earlier[i], g))
		}
	}
}

// values wraps tensors of the program.
func (p *Program) values(ts []*Tensor) []*autograd.Value {
	vs := make([]*autograd.Value, len(ts))
	for i, t := range ts {
		vs[i] = autograd.Constant(p.header(t))
	}
	return vs
}
