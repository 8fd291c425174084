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
	defer p.release()
	p.fill()
	line := make([]float32, max(p.images[0].channels*p.images[0].width, p.result.channels*p.result.width))
	return p.flow(rowFlow{
		grow: func(m *rowImage, _, more int) { m.buffer.Append(more) },
		drop: func(m *rowImage, first int) { m.buffer.Drop(first) },
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
			s.run(a, b, &p.scratch)
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

// fill makes buffers without rows, but for constant images, and packs weights.
func (p *RowProgram) fill() {
	for _, m := range p.images {
		m.buffer = tensor.NewRowBuffer(m.channels, m.width, m.capacity)
		if m.constant != nil {
			m.buffer = tensor.NewRowBuffer(m.channels, m.width, m.height)
			m.buffer.Append(m.height)
			m.buffer.Store(m.constant, 0, 0, m.height)
		}
	}
	for _, s := range p.steps {
		if k, ok := s.Kernel.(conv); ok {
			_, w, _, _ := k.split(s.In)
			plan := s.planFor(0, min(s.piece, s.out.height), w.Shape)
			s.packed = make([]float32, plan.PackedLen())
			plan.PackWeights(s.packed, w.Value.Data())
		}
	}
}

// release gives all memory back.
func (p *RowProgram) release() {
	for _, m := range p.images {
		if m.buffer != nil {
			_, end := m.buffer.Held()
			m.buffer.Drop(end)
			m.buffer = nil
		}
	}
	for _, s := range p.steps {
		s.packed = nil
		clear(s.plans)
	}
	p.scratch = nil
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
			first, last := s.views[i].first(a, m.height), s.views[i].last(b, m.height)
			n += m.channels * m.width * (last - first)
		}
	}
	return 2*n + s.out.channels*s.out.width*(b-a)
}

// run computes rows a to b-1 of the result.
func (s *rowStep) run(a, b int, scratch *[]float32) {
	if k, ok := s.Kernel.(conv); ok {
		s.convolve(k, a, b, scratch)
		return
	}
	op := s.Kernel.(apply).op
	skip, in := 0, make([]*tensor.Tensor, len(s.In))
	for i, t := range s.In {
		m, v := s.in[i], s.views[i]
		if m == nil {
			in[i] = t.Value.Data()
			continue
		}
		first, last := v.first(a, m.height), v.last(b, m.height)
		if pad, ok := op.(autograd.PadReflectOp); ok {
			in[i] = s.mirror(pad, a, b)
			continue
		}
		in[i] = tensor.NewUninitialized(1, m.channels, last-first, m.width)
		m.buffer.Load(in[i], first, last)
		skip = a - first*v.num/v.den
	}
	switch o := op.(type) { // which name the size of the whole image
	case autograd.PadReflectOp:
		o.Bottom = 0
		op = o
	case autograd.CropOp:
		o.H = b - a
		op = o
	case autograd.ExpandOp:
		o.H = b - a
		op = o
	}
	y := op.Forward(in...)
	s.out.buffer.Store(y, skip, a, b)
	tensor.Release(y)
	for i, m := range s.in {
		if m != nil && in[i] != y {
			tensor.Release(in[i])
		}
	}
}

// mirror returns the rows that rows a to b-1 of a padded image have.
func (s *rowStep) mirror(pad autograd.PadReflectOp, a, b int) *tensor.Tensor {
	m := s.in[0]
	x := tensor.NewUninitialized(1, m.channels, b-a, m.width)
	for c := range m.channels {
		for i := a; i < b; i++ {
			copy(x.Data()[(c*(b-a)+i-a)*m.width:][:m.width], m.buffer.Row(c, tensor.Mirror(i, m.height)))
		}
	}
	return x
}

func (s *rowStep) convolve(k conv, a, b int, scratch *[]float32) {
	_, w, bias, add := k.split(s.In)
	plan := s.planFor(a, b, w.Shape)
	if n := plan.ScratchLen(); len(*scratch) < n {
		*scratch = make([]float32, n)
	}
	var xs []*tensor.RowBuffer
	for i := range k.forms {
		xs = append(xs, s.in[i].buffer)
	}
	var shortcut *tensor.RowBuffer
	if add != nil {
		shortcut = s.in[len(k.forms)].buffer
	}
	plan.RunRows(s.out.buffer, a, xs, bias.Value.Data(), shortcut, s.packed, *scratch)
}
