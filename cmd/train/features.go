package main

import (
	"context"
	"fmt"

	"pixelgrad/autograd"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/progress"
	"pixelgrad/internal/memory"
	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// features are what a frozen network sees in the photographs of a cache: computed once
// for each, or, if there is not the memory to keep it, for each batch again.
type features struct {
	*frozen.Extractor
	size int       // numbers a photograph
	kept []float32 // nil if computed again
	last *tensor.Tensor
}

// newFeatures returns features that are computed when they are asked for; nil for no extractor.
func newFeatures(e *frozen.Extractor) *features {
	if e == nil {
		return nil
	}
	f := &features{Extractor: e, size: 1}
	for _, d := range e.Shape {
		f.size *= d
	}
	return f
}

// extractFeatures computes what a frozen network sees in every photograph.
func extractFeatures(ctx context.Context, e *frozen.Extractor, c *vision.Cache, keep bool, progress func(done int)) (*features, error) {
	f := newFeatures(e)
	if !keep {
		return f, nil
	}
	f.kept = make([]float32, c.Len()*f.size)
	const together = 8 // photographs: enough to share the work, little memory
	for i := 0; i < c.Len(); i += together {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := min(together, c.Len()-i)
		y := e.See(squaresOf(c, i, n))
		copy(f.kept[i*f.size:(i+n)*f.size], y.Data())
		tensor.Release(y)
		progress(i + n)
	}
	return f, nil
}

// squaresOf returns the inputs of n photographs of a cache from number i on.
func squaresOf(c *vision.Cache, i, n int) *tensor.Tensor {
	side := c.Sizes.X
	x := tensor.New(n, 3, side, side)
	for j := range n {
		one := c.Picture(i+j, side).Tensor()
		copy(x.Data()[j*one.Len():], one.Data())
		tensor.Release(one)
	}
	return x
}

// of returns the features of a batch of photographs. The value is valid until the next call. It is
// nil for a model that needs none.
func (f *features) of(b vision.Batch) *autograd.Value {
	if f == nil {
		return nil
	}
	tensor.Release(f.last)
	if f.kept == nil || b.Altered { // patches and turned photographs have features of their own
		f.last = f.See(b.X)
		return autograd.Constant(f.last)
	}
	f.last = tensor.NewUninitialized(append([]int{len(b.Index)}, f.Shape...)...)
	for i, k := range b.Index {
		copy(f.last.Data()[i*f.size:(i+1)*f.size], f.kept[k*f.size:])
	}
	return autograd.Constant(f.last)
}

// bytesOf is the memory that the features of n photographs take.
func bytesOf(e *frozen.Extractor, n int) int64 {
	b := int64(4 * n)
	for _, d := range e.Shape {
		b *= int64(d)
	}
	return b
}

// bothFeatures computes the features of the training and the validation photographs, with a
// bar, and says what they take. It leaves need bytes for the training. Those of photographs that
// are altered cannot be computed before. A network that is trained again has them already.
func (s *session) bothFeatures(ctx context.Context, e *frozen.Extractor, need int64) (train, val *features, err error) {
	if e == nil {
		return nil, nil, nil
	}
	if s.seen.val != nil && s.seen.val.Extractor == e {
		return s.seen.train, s.seen.val, nil
	}
	altered := s.alteration() != vision.Alteration{}
	n := s.photos.val.Len()
	if !altered {
		n += s.photos.train.Len()
	}
	bytes, room := bytesOf(e, n), int64(1<<30)
	if free, limit := freeMemory(); limit != memory.Unknown {
		room = max(0, free-need) / 2
	}
	keep := bytes <= room
	bar := progress.New(n, "Computing "+e.Name)
	bar.Lines(s.log)
	defer bar.Close()
	if val, err = extractFeatures(ctx, e, s.photos.val, keep, func(done int) { bar.Set(done, "") }); err != nil {
		return nil, nil, err
	}
	if train, err = extractFeatures(ctx, e, s.photos.train, keep && !altered, func(done int) { bar.Set(s.photos.val.Len()+done, "") }); err != nil {
		return nil, nil, err
	}
	bar.Close()
	switch {
	case altered:
		item(s.out, "  ", "features", e.Name+", computed for every batch: photographs are altered")
	case keep:
		item(s.out, "  ", "features", fmt.Sprintf("%s of %d photographs, computed once: %s", e.Name, n, format.Bytes(bytes)))
	default:
		item(s.out, "  ", "features", fmt.Sprintf("%s, computed for every batch: to keep them would take %s, half of the free memory is %s", e.Name, format.Bytes(bytes), format.Bytes(room)))
	}
	s.seen.train, s.seen.val = train, val
	return train, val, nil
}
