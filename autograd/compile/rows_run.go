package compile

import (
	"context"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// Run computes the network for an image. read is asked for its rows, from 0 on, and write is given
// those of the result: channels·width numbers each, channel by channel, which are valid until the
// function returns. Errors are those of read, write and ctx, which is looked at for every few rows.
func (p *RowProgram) Run(ctx context.Context, read, write func(row int, pixels []float32) error) error {
	scratch, line, arena := p.fill(), make([]float32, p.lineLen()), &rowArena{}
	return p.flow(rowFlow{
		grow: func(m *rowImage, _, more int) {
			if at, taken := arena.take(m); taken {
				m.buffer.Place(p.memory[at.from:at.to])
			}
			m.buffer.Append(more)
		},
		drop:  func(m *rowImage, first int) { m.buffer.Drop(first) },
		empty: func(m *rowImage) { arena.give(m) },
		read: func(a, b int) error {
			m := p.images[0]
			for row := a; row < b; row++ {
				if err := ctx.Err(); err != nil {
					return err
				}
				pixels := line[:m.channels*m.width]
				if err := read(row, pixels); err != nil {
					return err
				}
				for c := range m.channels {
					copy(m.buffer.Row(c, row), pixels[c*m.width:])
				}
			}
			if p.result == m {
				return p.emit(ctx, a, b, line, write)
			}
			return nil
		},
		compute: func(s *rowStep, a, b int) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			s.run(a, b, scratch)
			return nil
		},
		write: func(a, b int) error { return p.emit(ctx, a, b, line, write) },
	})
}

// emit writes rows of the result.
func (p *RowProgram) emit(ctx context.Context, a, b int, line []float32, write func(row int, pixels []float32) error) error {
	m := p.result
	for row := a; row < b; row++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		pixels := line[:m.channels*m.width]
		for c := range m.channels {
			copy(pixels[c*m.width:], m.buffer.Row(c, row))
		}
		if err := write(row, pixels); err != nil {
			return err
		}
	}
	return nil
}

// fill takes the memory, unless a run before did, makes buffers without rows, but for constant images,
// and packs weights. It returns temporary memory of steps.
func (p *RowProgram) fill() (scratch []float32) {
	if p.memory == nil {
		p.memory = make([]float32, p.arena+p.scratch+p.packed)
	}
	scratch = p.memory[p.arena:][:p.scratch]
	for _, m := range p.images {
		m.buffer = tensor.NewRowBuffer(m.channels, m.width, m.capacity)
		if m.constant != nil {
			m.buffer = tensor.NewRowBuffer(m.channels, m.width, m.height)
			m.buffer.Place(m.constant.Data())
			m.buffer.Append(m.height)
		}
	}
	packed := p.memory[p.arena+p.scratch:]
	for _, s := range p.steps {
		if s.packing != nil {
			_, w, _, _ := s.kernel.split(s.In)
			s.packed, packed = packed[:s.packing.PackedLen()], packed[alignLen(s.packing.PackedLen()):]
			s.packing.PackWeights(s.packed, w.Value.Data())
		}
	}
	return scratch
}

// planFor returns the plan of a convolution for rows a to b-1.
func (s *rowStep) planFor(a, b int, w []int) *tensor.ConvPlan {
	m, reach := s.in[0], s.views[0].reach
	above, below := min(reach, a), min(reach, m.height-b)
	key := [3]int{b - a, above, below}
	if s.plans[key] == nil {
		k := s.kernel
		o := tensor.ConvOptions{Dilation: k.dilation, ReLU: k.relu, PReLU: k.prelu}
		if k.add {
			o.Add = &tensor.ConvInput{}
		}
		var channels []int
		for i := range k.forms {
			channels = append(channels, s.in[i].channels)
		}
		s.plans[key] = tensor.PlanConvRows(channels, m.height, m.width, b-a, above, below, w, o)
	}
	return s.plans[key]
}

// temporary returns how many numbers run takes beside the images.
func (s *rowStep) temporary(a, b int) int {
	if k, ok := s.Kernel.(conv); ok {
		_, w, _, _ := k.split(s.In)
		return s.planFor(a, b, w.Shape).ScratchLen()
	}
	n := 0
	for i, m := range s.in {
		if m != nil {
			first, last := s.reads(i, a, b)
			n += alignLen(m.channels * m.width * (last - first))
		}
	}
	_, rows := s.makes(a, b)
	return n + alignLen(s.out.channels*s.out.width*rows)
}

// reads returns which rows of operand i are given to the operation for rows a to b-1 of the result.
func (s *rowStep) reads(i, a, b int) (first, last int) {
	if is[autograd.PadReflectOp](s.Step) {
		return a, b // which are copied from those that they mirror
	}
	v, h := s.views[i], s.in[i].height
	return v.first(a, h), v.last(b, h)
}

// makes returns how many rows the operation makes of them, and how many are above row a.
func (s *rowStep) makes(a, b int) (above, rows int) {
	for i, m := range s.in {
		if v := s.views[i]; m != nil {
			first, last := s.reads(i, a, b)
			return a - first*v.num/v.den, (last - first) * v.num / v.den
		}
	}
	return 0, b - a
}

// run computes rows a to b-1 of the result.
func (s *rowStep) run(a, b int, scratch []float32) {
	if k, ok := s.Kernel.(conv); ok {
		s.convolve(k, a, b, scratch)
		return
	}
	image := func(m *rowImage, rows int) *tensor.Tensor {
		n := m.channels * rows * m.width
		x := tensor.FromSlice(scratch[:n], 1, m.channels, rows, m.width)
		scratch = scratch[alignLen(n):]
		return x
	}
	in := make([]*tensor.Tensor, len(s.In))
	for i, t := range s.In {
		m := s.in[i]
		if m == nil {
			in[i] = t.Value.Data()
			continue
		}
		first, last := s.reads(i, a, b)
		in[i] = image(m, last-first)
		if is[autograd.PadReflectOp](s.Step) {
			s.mirror(in[i], a, b)
		} else {
			m.buffer.Load(in[i], first, last)
		}
	}
	above, rows := s.makes(a, b)
	y := image(s.out, rows)
	s.prepare().run([]*tensor.Tensor{y}, in, nil)
	s.out.buffer.Store(y, above, a, b)
}

// mirror writes the rows that rows a to b-1 of a padded image have to x.
func (s *rowStep) mirror(x *tensor.Tensor, a, b int) {
	m := s.in[0]
	for c := range m.channels {
		for i := a; i < b; i++ {
			copy(x.Data()[(c*(b-a)+i-a)*m.width:][:m.width], m.buffer.Row(c, tensor.Mirror(i, m.height)))
		}
	}
}

func (s *rowStep) convolve(k conv, a, b int, scratch []float32) {
	_, w, bias, add := k.split(s.In)
	var xs []*tensor.RowBuffer
	for i := range k.forms {
		xs = append(xs, s.in[i].buffer)
	}
	var shortcut *tensor.RowBuffer
	if add != nil {
		shortcut = s.in[len(k.forms)].buffer
	}
	s.planFor(a, b, w.Shape).RunRows(s.out.buffer, a, xs, bias.Value.Data(), shortcut, s.packed, scratch)
}
