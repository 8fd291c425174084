package superres

import (
	"context"
	"fmt"
	"slices"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/tensor"
)

// A featured engine runs a network that leans on what a frozen network sees in the whole picture,
// which has to be in memory.
type featured struct {
	u       *Upscaler
	format  Format
	shape   []int          // (1,c,h,w)
	x       *tensor.Tensor // the picture, from the first run on
	program *compile.Prediction[Input, *autograd.Value]
}

func (u *Upscaler) newFeatured(f Format, h, w int) (engine, error) {
	e := &featured{u: u, format: f, shape: []int{1, f.channels(), h, w}}
	in := Input{autograd.Placeholder(1, 3, h, w), autograd.Placeholder(u.featureShape(h, w)...)}
	var err error
	e.program, err = compile.Predict(u.withFeatures, in, compile.Options{})
	return e, err
}

// featureShape returns the shape that the features of a picture have.
func (u *Upscaler) featureShape(h, w int) []int {
	switch {
	case u.features == CLIPFeatures:
		return []int{1, u.channels}
	case u.channels == 64:
		return []int{1, u.channels, h, w}
	}
	return []int{1, u.channels, h / 2, w / 2}
}

// bytes counts the picture, its features, and the result, whose parts are put together at the end.
func (e *featured) bytes() int64 {
	picture := size(e.shape)
	return int64(e.program.Bytes()) + picture*int64(1+2*e.u.scale*e.u.scale) + size(e.u.featureShape(e.shape[2], e.shape[3]))
}

// size returns the bytes of numbers in a shape.
func size(shape []int) int64 {
	n := int64(4)
	for _, d := range shape {
		n *= int64(d)
	}
	return n
}

func (e *featured) run(ctx context.Context, read, write func(row []float32) error) error {
	if e.x == nil {
		e.x = tensor.NewUninitialized(e.shape...)
	}
	if err := readAll(ctx, e.x, read); err != nil {
		return err
	}
	c, h, w := e.x.Dim(1), e.x.Dim(2), e.x.Dim(3)
	plane := func(i int) *tensor.Tensor { return tensor.FromSlice(e.x.Data()[i*h*w:][:h*w], 1, 1, h, w) }
	var parts []*tensor.Tensor
	if c >= 3 {
		y, err := e.enlarge(ctx, tensor.FromSlice(e.x.Data()[:3*h*w], 1, 3, h, w))
		if err != nil {
			return err
		}
		parts = append(parts, y)
	}
	if c != 3 {
		grey := plane(c - 1)
		y, err := e.enlarge(ctx, tensor.ConcatChannels(grey, grey, grey))
		if err != nil {
			return err
		}
		parts = append(parts, greyOf(autograd.Constant(y)).Data())
	}
	return writeAll(ctx, tensor.ConcatChannels(parts...), write)
}

// enlarge returns what the network makes of a picture, (1,3,h,w).
func (e *featured) enlarge(ctx context.Context, photo *tensor.Tensor) (*tensor.Tensor, error) {
	features, err := e.u.o.Features(ctx, photo)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	if want := e.u.featureShape(photo.Dim(2), photo.Dim(3)); !slices.Equal(features.Shape(), want) {
		return nil, fmt.Errorf("superres: %s: expected features of %s of shape %v, found %v", e.u.name, e.u.features, want, features.Shape())
	}
	return e.program.Run(Input{autograd.Constant(photo), autograd.Constant(features)}).Data().Clone(), nil
}
