package compile

import (
	"fmt"
	"math"
	"slices"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// A RowProgram computes a network for a large image from its top to its bottom, a few rows at a
// time, so that memory grows with the width of the image and not with its height:
//
//	image  ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒      read
//	conv   ▒▒▒▒▒▒▒▒▒▒▒▒▒        each convolution lags behind what it reads by the rows that its
//	conv   ▒▒▒▒▒▒▒▒▒▒▒          weights see below; rows that nothing reads any more are dropped
//	result ▒▒▒▒▒▒▒▒▒            written
//
// Nothing is computed twice, as it would be if the image were cut into tiles that overlap, and no
// tile has an edge: the result has the bits of autograd's for the whole image. Source: Alwani et al.,
// "Fused-Layer CNN Accelerators", 2016, with whole rows in the place of tiles.
//
// It is used by one goroutine at a time.
type RowProgram struct {
	g      *Graph
	steps  []*rowStep
	images []*rowImage // that are computed or read; the network's input is the first
	result *rowImage
	chunk  int // rows of the input in a round
	bytes  int

	// The memory of Run, in numbers: for the rows, for what a step needs beside them, and for weights.
	arena, scratch, packed int
	memory                 []float32 // for all three; taken by the first run, and kept for the next
}

// RowOptions are how a RowProgram is made. The zero value lets it choose.
type RowOptions struct {
	Rows   int // of the image that are read at a time; rounded up to a multiple of rowsMultiple
	Memory int // bytes that are not to be exceeded; 0 for no limit
}

// rowsMultiple is what the rows of a round are a multiple of: a picture that is made four times
// smaller still has whole tiles of Winograd's.
const rowsMultiple = 16

// A rowImage is an image of which some rows are held at a time.
type rowImage struct {
	channels, height, width int
	num, den                int // its rows to those of the input
	readers                 []rowReader
	flows                   bool           // it depends on the input
	constant                *tensor.Tensor // if not nil, all rows are there from the beginning

	done     int // rows that were computed
	capacity int
	buffer   *tensor.RowBuffer
}

// A rowReader is a step that reads an image, and how.
type rowReader struct {
	step *rowStep
	view rowView
}

// A rowView tells which rows of an operand belong to rows of a result: row i of the result is
// computed from those that are at most reach away from i·den/num.
type rowView struct {
	num, den, reach int
	mirrored        int // rows at the end that are a mirror image: see autograd.PadReflect
}

// first returns the first row of an operand that row a of the result needs, and those behind it.
func (v rowView) first(a, height int) int {
	from := a*v.den/v.num - v.reach
	if v.mirrored > 0 {
		from = min(from, height-1-v.mirrored)
	}
	return max(from, 0)
}

// last returns behind which row of an operand the rows before b of the result end.
func (v rowView) last(b, height int) int {
	return min((b*v.den+v.num-1)/v.num+v.reach, height)
}

// computable returns how many rows of the result can be computed from so many of an operand.
func (v rowView) computable(rows, height, result int) int {
	if rows >= height {
		return result
	}
	return max((rows-v.reach)*v.num/v.den, 0)
}

// A rowStep computes rows of an image from those of others.
type rowStep struct {
	*Step
	out      *rowImage
	in       []*rowImage // by operand; nil for those that are no images
	views    []rowView
	multiple int // rows are computed in multiples of it
	most     int // how many can be computed at once
	piece    int // how many are

	// Of a convolution.
	kernel  conv
	packing *tensor.ConvPlan // that knows how its weights are packed
	packed  []float32
	plans   map[[3]int]*tensor.ConvPlan // by rows, and rows above and below
}

// PredictRows compiles a network for images of channels×height×width. network is called once. It
// panics where network would. Errors: the network has an operation that needs more than some rows
// at a time, or it takes more memory than o allows.
func PredictRows(network func(x *autograd.Value) *autograd.Value, channels, height, width int, o RowOptions) (*RowProgram, error) {
	x := autograd.Placeholder(1, channels, height, width)
	y := network(x)
	g := newGraph([]*autograd.Value{x}, []*autograd.Value{y}, nil, Options{})
	for _, pass := range []func(*Graph){(*Graph).prune, fuse, func(g *Graph) { readInPlace(g, false) }, fuseSlopes, (*Graph).prune} {
		pass(g)
	}
	p := &RowProgram{g: g}
	if err := p.connect(); err != nil {
		return nil, err
	}
	return p, p.plan(o)
}

// connect makes the images and the steps.
func (p *RowProgram) connect() error {
	at := map[*Tensor]*rowImage{}
	image := func(t *Tensor) *rowImage {
		if at[t] == nil && len(t.Shape) == 4 {
			at[t] = &rowImage{channels: t.Shape[1], height: t.Shape[2], width: t.Shape[3], num: t.Shape[2], den: p.g.Inputs[0].Shape[2]}
			if t.Value != nil {
				at[t].constant = t.Value.Data()
			}
			p.images = append(p.images, at[t])
		}
		return at[t]
	}
	input := image(p.g.Inputs[0])
	input.num, input.den, input.flows = 1, 1, true
	for _, s := range p.g.Steps {
		r := &rowStep{Step: s, multiple: 1, most: math.MaxInt, plans: map[[3]int]*tensor.ConvPlan{}}
		var operands []*Tensor // those that may be images
		switch k := s.Kernel.(type) {
		case conv:
			sources, w, _, add := k.split(s.In)
			if w.Value == nil {
				return fmt.Errorf("compile: PredictRows: %v has weights that are computed, want parameters", k)
			}
			r.kernel, r.multiple = k, tensor.ConvRowsMultiple(k.dilation)
			r.most = tensor.ConvRowsMost(sources[0].Shape[3], w.Shape, k.dilation) / r.multiple * r.multiple
			if h := min(r.multiple, sources[0].Shape[2]); r.most < h {
				return fmt.Errorf("compile: PredictRows: an image of %d×%d pixels is too wide to convolve %d rows of it", sources[0].Shape[3], sources[0].Shape[2], h)
			}
			operands = append(slices.Clone(sources), add)
		case apply:
			operands = s.In
			if !is[autograd.ExpandOp](s) && !slices.ContainsFunc(s.In, func(t *Tensor) bool { return len(t.Shape) == 4 }) {
				return fmt.Errorf("compile: PredictRows: %v reads no image", s.Kernel)
			}
		}
		for i, t := range operands {
			if t == nil || len(t.Shape) != 4 {
				r.in, r.views = append(r.in, nil), append(r.views, rowView{})
				continue
			}
			view, err := s.view(i)
			if err != nil {
				return err
			}
			m := image(t)
			m.readers = append(m.readers, rowReader{r, view})
			r.in, r.views = append(r.in, m), append(r.views, view)
		}
		if shape := s.Out[0].Shape; len(shape) != 4 || shape[0] != 1 {
			return fmt.Errorf("compile: PredictRows: %v makes no image, but %v", s.Kernel, shape)
		}
		r.out = image(s.Out[0])
		for i, m := range r.in {
			if m != nil && m.flows {
				r.out.flows = true
				r.out.num, r.out.den = m.num*r.views[i].num, m.den*r.views[i].den
			}
		}
		p.steps = append(p.steps, r)
	}
	p.result = at[p.g.Outputs[0]]
	if p.result == nil {
		return fmt.Errorf("compile: PredictRows: the network computes no image, but %v", p.g.Outputs[0].Shape)
	}
	return nil
}

// view tells how operand i of a step is seen.
func (s *Step) view(i int) (rowView, error) {
	same := rowView{num: 1, den: 1}
	switch k := s.Kernel.(type) {
	case conv:
		if i < len(k.forms) {
			_, w, _, _ := k.split(s.In)
			same.reach = max(k.dilation, 1) * (w.Shape[2] / 2)
		}
		return same, nil
	case apply:
		switch op := k.op.(type) {
		case autograd.AddOp, autograd.ScaleOp, autograd.ReLUOp, autograd.SigmoidOp, autograd.LeakyReLUOp, autograd.PReLUOp, autograd.ConcatChannelsOp, autograd.CropOp:
			return same, nil
		case autograd.PadReflectOp:
			same.mirrored = op.Bottom
			return same, nil
		case autograd.Upsample2Op:
			return rowView{num: 2, den: 1, reach: 1}, nil
		case autograd.UpsampleNearestOp:
			return rowView{num: op.Factor, den: 1}, nil
		case autograd.UpsampleBicubicOp:
			return rowView{num: op.Factor, den: 1, reach: 2}, nil
		case autograd.PixelShuffleOp:
			return rowView{num: op.Factor, den: 1}, nil
		case autograd.PixelUnshuffleOp:
			return rowView{num: 1, den: op.Factor}, nil
		}
	}
	return rowView{}, fmt.Errorf("compile: PredictRows: %v is not known to work row by row", s.Kernel)
}

// plan chooses how many rows are computed in a round: as many as make steps efficient, if that takes
// a modest amount of memory, and else what takes the least. That is few rows, unless the network is so
// deep that its last step lags behind by more rows than the image has.
func (p *RowProgram) plan(o RowOptions) error {
	input := p.images[0]
	if input.height == 0 || input.width == 0 {
		return fmt.Errorf("compile: PredictRows: an image of %d×%d pixels, want at least one", input.width, input.height)
	}
	up := func(n int) int { return (n + rowsMultiple - 1) / rowsMultiple * rowsMultiple }
	piece := min(up(max(pieceLen/input.width, 1)), 128)
	chunks := []int{piece, rowsMultiple, up(input.height)}
	if o.Rows > 0 {
		chunks = []int{up(min(o.Rows, input.height))}
		piece = min(piece, chunks[0])
	}
	best := math.MaxInt
	for _, chunk := range slices.Compact(chunks) {
		p.prepare(min(piece, chunk), chunk)
		if p.bytes < best {
			best = p.bytes
			o.Rows = chunk
		}
		if best <= modest && (o.Memory == 0 || best <= o.Memory) {
			break
		}
	}
	if o.Memory > 0 && best > o.Memory {
		return fmt.Errorf("compile: PredictRows: an image of %d×%d pixels takes %d bytes, allowed are %d", input.width, input.height, best, o.Memory)
	}
	p.prepare(min(piece, o.Rows), o.Rows)
	return nil
}

// pieceLen is how many pixels of an image are computed in a step: enough work to divide among threads.
const pieceLen = 32768

// modest is how many bytes are taken without looking for less.
const modest = 128 << 20

// prepare sets the rows of a round, and plans the memory that this takes.
func (p *RowProgram) prepare(piece, chunk int) {
	p.chunk = chunk
	for _, s := range p.steps {
		s.piece = max(min(piece*s.out.num/s.out.den, s.most), s.multiple)
		clear(s.plans)
		if k, ok := s.Kernel.(conv); ok {
			_, w, _, _ := k.split(s.In)
			s.packing = s.planFor(0, min(s.piece, s.out.height), w.Shape)
		}
	}
	for _, m := range p.images {
		m.capacity, m.done, m.buffer = 0, 0, nil
	}
	most := make(map[*rowImage]int)
	p.flow(rowFlow{grow: func(m *rowImage, held, more int) {
		most[m] = max(most[m], held+more)
	}})
	for _, m := range p.images {
		m.capacity = min(most[m]+p.round(m, 2)/2, m.height)
	}
	arena := &rowArena{}
	p.scratch = 0
	p.flow(rowFlow{
		grow:    func(m *rowImage, _, _ int) { arena.take(m) },
		empty:   func(m *rowImage) { arena.give(m) },
		compute: func(s *rowStep, a, b int) error { p.scratch = max(p.scratch, s.temporary(a, b)); return nil },
	})
	p.arena, p.packed = arena.end, 0
	tables := 0
	for _, s := range p.steps {
		if s.packing != nil {
			p.packed += alignLen(s.packing.PackedLen())
		}
		for _, plan := range s.plans {
			tables += plan.TableLen()
		}
	}
	p.bytes = 4 * (p.arena + p.scratch + p.packed + p.lineLen() + tables)
}

// lineLen returns how many numbers a row of the input and one of the result have room in.
func (p *RowProgram) lineLen() int {
	return max(p.images[0].channels*p.images[0].width, p.result.channels*p.result.width)
}

// Bytes returns the memory that Run takes at most, beside parameters and constants. The first run takes it, and
// the program keeps it for the next one.
func (p *RowProgram) Bytes() int { return p.bytes }

// ResultShape returns the shape of the whole result, (1,c,h,w).
func (p *RowProgram) ResultShape() []int { return slices.Clone(p.g.Outputs[0].Shape) }

// A rowFlow is told what happens while the rows of an image flow through a network. Functions may be
// nil.
type rowFlow struct {
	read    func(a, b int) error // rows a to b-1 of the input
	grow    func(m *rowImage, held, more int)
	compute func(s *rowStep, a, b int) error // rows a to b-1 of the result of s
	write   func(a, b int) error             // rows a to b-1 of the network's result
	drop    func(m *rowImage, first int)     // rows before first are not needed any more
	empty   func(m *rowImage)                // nothing of m is needed any more, for now
}

// flow lets an image flow through the network: in each round some rows are read, and steps compute by
// turns until none can go on.
func (p *RowProgram) flow(f rowFlow) error {
	for _, m := range p.images {
		m.done = 0
		if m.constant != nil {
			m.done = m.height
		}
	}
	dropped := map[*rowImage]int{}
	grow := func(m *rowImage, more int) {
		if f.grow != nil {
			f.grow(m, m.done-dropped[m], more)
		}
		m.done += more
	}
	written := 0
	drop := func(m *rowImage) {
		if m.constant != nil {
			return
		}
		first := m.done
		for _, r := range m.readers {
			if r.step.out.done < r.step.out.height {
				first = min(first, r.view.first(r.step.out.done, m.height))
			}
		}
		if first > dropped[m] {
			dropped[m] = first
			if f.drop != nil {
				f.drop(m, first)
			}
			if first == m.done && f.empty != nil {
				f.empty(m)
			}
		}
	}
	input := p.images[0]
	for written < p.result.height {
		moved := false
		for _, s := range p.steps {
			until := min(s.out.done+p.round(s.out, s.multiple), s.out.height)
			if !s.out.flows { // it could run ahead to its end
				until = min(until, int(int64(input.done)*int64(s.out.height)/int64(input.height)))
			}
			for s.out.done < until {
				a := s.out.done
				b := min(s.computable(), until, a+s.piece)
				if b < s.out.height {
					b -= b % s.multiple
				}
				if b <= a {
					break
				}
				grow(s.out, b-a)
				moved = true
				if f.compute != nil {
					if err := f.compute(s, a, b); err != nil {
						return err
					}
				}
				if s.out == p.result {
					if f.write != nil {
						if err := f.write(a, b); err != nil {
							return err
						}
					}
					written = b
				}
				for _, m := range s.in {
					if m != nil {
						drop(m)
					}
				}
				drop(s.out) // nothing may read it
			}
		}
		if moved {
			continue // to the end of what was read: only then do images stop to grow
		}
		n := min(p.chunk, input.height-input.done)
		if n == 0 {
			panic(fmt.Sprintf("compile: PredictRows: no rows flow after %d of %d", written, p.result.height))
		}
		grow(input, n)
		if f.read != nil {
			if err := f.read(input.done-n, input.done); err != nil {
				return err
			}
		}
		if p.result == input {
			written = input.done
			drop(input)
		}
	}
	return nil
}

// round returns how many rows of an image are computed in a round: those that the rows that were read
// become, but few of an image that is larger than the input.
func (p *RowProgram) round(m *rowImage, least int) int {
	chunk := p.chunk
	if m.num > m.den {
		chunk = min(chunk, rowsMultiple)
	}
	return max(chunk*m.num/m.den, least)
}

// computable returns up to which row a step can compute its result.
func (s *rowStep) computable() int {
	b := s.out.height
	for i, m := range s.in {
		if m != nil {
			b = min(b, s.views[i].computable(m.done, m.height, s.out.height))
		}
	}
	return b
}
