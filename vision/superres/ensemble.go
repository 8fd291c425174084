package superres

import (
	"context"

	"pixelgrad/tensor"
)

// An ensemble is an engine that makes the mean of what another makes of a picture in eight
// orientations. It keeps the whole picture, and the sum.
type ensemble struct {
	upright, turned engine         // for h×w pixels and for w×h
	shape           []int          // (1,c,h,w)
	x               *tensor.Tensor // the picture, from the first run on
	scale           int
	tick            func() // after each row of a result
}

// newEnsemble takes an engine for h×w pixels.
func (u *Upscaler) newEnsemble(f Format, upright engine, h, w int) (engine, error) {
	turned := upright
	if h != w {
		var err error
		if turned, err = u.newEngine(f, w, h); err != nil {
			return nil, err
		}
	}
	return &ensemble{upright: upright, turned: turned, shape: []int{1, f.channels(), h, w}, scale: u.scale}, nil
}

func (e *ensemble) bytes() int64 {
	return max(e.upright.bytes(), e.turned.bytes()) + size(e.shape)*int64(1+e.scale*e.scale)
}

func (e *ensemble) run(ctx context.Context, read, write func(row []float32) error) error {
	if e.x == nil {
		e.x = tensor.NewUninitialized(e.shape...)
	}
	if err := readAll(ctx, e.x, read); err != nil {
		return err
	}
	sum := tensor.New(1, e.x.Dim(1), e.scale*e.x.Dim(2), e.scale*e.x.Dim(3))
	for i := range 8 {
		o := orientation(i)
		engine := e.upright
		if o.turns() {
			engine = e.turned
		}
		in, out := 0, 0
		err := engine.run(ctx, func(row []float32) error {
			o.row(e.x, in, func(at, i int) { row[i] = e.x.Data()[at] })
			in++
			return nil
		}, func(row []float32) error {
			o.row(sum, out, func(at, i int) { sum.Data()[at] += row[i] / 8 })
			out++
			e.tick()
			return nil
		})
		if err != nil {
			return err
		}
	}
	return writeAll(ctx, sum, write)
}

// An orientation is one of the eight ways to lay down a picture: flipped along its width, along its
// height, and with rows for columns, as the bits say.
type orientation int

func (o orientation) turns() bool { return o&4 != 0 }

// row visits row y of a picture, (1,c,h,w), in an orientation: number i of the row, which has a part
// for each channel, is number at of the picture.
func (o orientation) row(x *tensor.Tensor, y int, visit func(at, i int)) {
	c, h, w := x.Dim(1), x.Dim(2), x.Dim(3)
	// Number i of a channel's row is at first + step·i.
	first, step := y*w, 1
	length := w
	if o.turns() {
		first, step, length = y, w, h
	}
	if o&1 != 0 { // along the width
		if o.turns() {
			first = w - 1 - y
		} else {
			first, step = first+w-1, -1
		}
	}
	if o&2 != 0 { // along the height
		if o.turns() {
			first, step = first+(h-1)*w, -w
		} else {
			first = first + (h-1-2*y)*w
		}
	}
	for p := range c {
		for i := range length {
			visit(p*h*w+first+step*i, p*length+i)
		}
	}
}
