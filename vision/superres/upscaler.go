package superres

import (
	"context"
	"fmt"
	"image"
	"runtime/debug"
	"sync"

	"pixelgrad/autograd"
	"pixelgrad/internal/memory"
)

// An Upscaler enlarges pictures. Several goroutines may call its methods at once.
type Upscaler struct {
	o     Options
	name  string
	scale int

	// What a network makes of pictures of three colours; and of grey ones, or nil, and then the
	// grey is shown to it as three equal colours.
	colours, grey func(x *autograd.Value) *autograd.Value

	// withFeatures is colours of a network that leans on features.
	withFeatures func(in Input) *autograd.Value
	features     Features
	channels     int // of the features

	// multiple is what the sides have to be multiples of. Others are filled up.
	multiple int

	mu       sync.Mutex // of what follows
	idle     engine     // the last one, for the next picture of the same size; or nil
	idleFor  job
	progress sync.Mutex // held while Options.Progress is called
}

// A job is what an engine is made for.
type job struct {
	w, h        int
	gray, alpha bool
}

// Scale returns how many times larger pictures become.
func (u *Upscaler) Scale() int { return u.scale }

// String names the network, with its scale.
func (u *Upscaler) String() string { return u.name }

// Features returns which frozen network Options.Features is asked about.
func (u *Upscaler) Features() Features { return u.features }

// FeatureChannels returns how many channels its features must have.
func (u *Upscaler) FeatureChannels() int { return u.channels }

// Upscale returns m, Scale times as large, with its upper left corner at (0,0). Pixels are looked
// at as in vision.FromImage, but for transparency and for samples of 16 bits, which stay:
//
//	m                                     the result
//	grey, also a palette of greys         *image.Gray, or *image.Gray16 of 16-bit pictures
//	colours, all pixels are opaque        *image.RGBA, or *image.RGBA64
//	colours, some pixels are not          *image.NRGBA, or *image.NRGBA64
//
// Where there is transparency, colours are enlarged premultiplied and divided afterwards, so that
// those of transparent pixels are not seen. Alpha is enlarged as a grey picture. Grey is shown to
// networks as three equal colours, and their luma is the result. Results are cut off at black and
// white, and rounded to the nearest level.
//
// Errors: m has no pixels, or more than can be; the result or the computation does not fit into
// memory; a network leans on features and there are none; ctx is done, and the error is its.
// For results that are larger than memory there is UpscaleTo.
func (u *Upscaler) Upscale(ctx context.Context, m image.Image) (image.Image, error) {
	f := FormatOf(m)
	w, h, err := u.size(f)
	if err != nil {
		return nil, err
	}
	if err := checkFree(int64(w)*int64(h)*f.bytes(), fmt.Sprintf("a result of %d×%d pixels", w, h)); err != nil {
		return nil, fmt.Errorf("%w; write it as it is computed, with UpscaleTo", err)
	}
	c := newCanvas(f, w, h)
	y := 0
	err = u.run(ctx, f, func(int) (image.Image, error) { return m, nil }, func(row []float32, w int) error {
		c.set(y, row, w)
		y++
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c.Image, nil
}

// checkFree returns an error if there is not so much free memory.
func checkFree(need int64, what string) error {
	const small = 64 << 20 // not worth asking the system
	if need <= small {
		return nil
	}
	free, limit := freeMemory()
	if limit != memory.Unknown && need > free {
		debug.FreeOSMemory() // what other pictures have left
		free, limit = freeMemory()
	}
	if limit != memory.Unknown && need > free {
		return fmt.Errorf("superres: %s: expected %d MB of free memory, found %d MB %s", what, need/1e6, free/1e6, limit)
	}
	return nil
}

// freeMemory is what can still be taken, and what limits it; tests have less.
var freeMemory = memory.Free

// UpscaleRows is Upscale for a picture that need not be in memory, and neither need the result. The
// picture's rows are asked for by read, each once and from the top to the bottom: read returns a
// picture that has row y, as a part of f.Bounds, of any of the types that have f's samples. The rows of the
// result are given to write, from the top to the bottom: pictures of one row each, row y from (0,y)
// to (w,y+1), of the type that Upscale has for f. Their pixels are as PNG has them, but for the
// alpha of opaque pictures. They are valid until write returns.
//
// A whole picture m is enlarged so with the format FormatOf(m) and a read that returns m. What the
// computation takes is proportional to the width, but with Options.Ensemble and for networks that
// lean on features.
//
// Errors are those of Upscale, of read and of write.
func (u *Upscaler) UpscaleRows(ctx context.Context, f Format, read func(y int) (image.Image, error), write func(row image.Image) error) error {
	w, _, err := u.size(f)
	if err != nil {
		return err
	}
	c := newCanvas(f, w, 1)
	y := 0
	return u.run(ctx, f, read, func(row []float32, w int) error {
		c.set(0, row, w)
		y++
		return write(c.at(y - 1))
	})
}

// The most that a result can have: more than any picture has.
const (
	mostSide   = 1 << 22
	mostPixels = 1 << 36
)

// possible tells whether a picture can be, scale times as large.
func possible(b image.Rectangle, scale int) bool {
	w, h := b.Dx(), b.Dy() // negative if the sides are too far apart
	return w > 0 && h > 0 && w <= mostSide/scale && h <= mostSide/scale && int64(w*scale) <= mostPixels/int64(h*scale)
}

// size returns the size of the enlargement.
func (u *Upscaler) size(f Format) (w, h int, err error) {
	b := f.Bounds
	switch {
	case b.Empty():
		return 0, 0, fmt.Errorf("superres: expected a picture with pixels, found one of %d×%d", b.Dx(), b.Dy())
	case !possible(b, u.scale):
		return 0, 0, fmt.Errorf("superres: expected a picture that is at most %d pixels long and has at most %d of them when it is %d times as large, found %v", mostSide, int64(mostPixels), u.scale, b)
	}
	return u.scale * b.Dx(), u.scale * b.Dy(), nil
}

// run enlarges a picture. write is given the rows of the result as planes of w numbers, of which the
// last ones may be beyond the result.
func (u *Upscaler) run(ctx context.Context, f Format, read func(y int) (image.Image, error), write func(row []float32, w int) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b := f.Bounds
	j := job{roundUp(b.Dx(), u.multiple), roundUp(b.Dy(), u.multiple), f.Gray, f.Alpha}
	e, err := u.engine(j)
	if err != nil {
		return err
	}
	r := reader{format: f}
	at, done := 0, 0
	var last image.Image
	total := b.Dy()
	tick := func() {}
	if u.o.Ensemble {
		total = 4 * (j.w + j.h) // half of its pictures are turned
	}
	if u.o.Progress != nil {
		tick = func() {
			if done++; done%u.scale == 0 && done/u.scale <= total {
				u.progress.Lock()
				defer u.progress.Unlock()
				u.o.Progress(done/u.scale, total)
			}
		}
	}
	written := 0
	all, ensemble := e.(*ensemble)
	if ensemble {
		all.tick = tick
	}
	err = e.run(ctx, func(row []float32) error {
		if at < b.Dy() { // else the last row is there again
			m, err := read(b.Min.Y + at)
			if err != nil {
				return err
			}
			if y := b.Min.Y + at; !image.Rect(b.Min.X, y, b.Max.X, y+1).In(m.Bounds()) {
				return fmt.Errorf("superres: expected row %d of a picture of %v, found one of %v", y, b, m.Bounds())
			}
			last = m
		}
		r.row(row, j.w, last, b.Min.Y+min(at, b.Dy()-1))
		at++
		return nil
	}, func(row []float32) error {
		if written++; written > u.scale*b.Dy() {
			return nil
		}
		if err := write(row, u.scale*j.w); err != nil {
			return err
		}
		if !ensemble {
			tick()
		}
		return nil
	})
	if err != nil {
		return err // the engine is in the middle of something
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.idle, u.idleFor = e, j
	return nil
}

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }

// engine returns an engine for a job, which is the caller's.
func (u *Upscaler) engine(j job) (engine, error) {
	u.mu.Lock()
	e := u.idle
	fits := e != nil && u.idleFor == j
	u.idle = nil // one of another size only takes memory
	u.mu.Unlock()
	if fits {
		return e, nil
	}
	f := Format{Gray: j.gray, Alpha: j.alpha}
	e, err := u.newEngine(f, j.h, j.w)
	if err == nil && u.o.Ensemble {
		e, err = u.newEnsemble(f, e, j.h, j.w)
	}
	if err != nil {
		return nil, fmt.Errorf("superres: %s: %d×%d pixels: %w", u.name, j.w, j.h, err)
	}
	if most := u.o.Memory; most > 0 && e.bytes() > most {
		return nil, fmt.Errorf("superres: %s: %d×%d pixels: %d bytes are needed, allowed are %d by Options.Memory", u.name, j.w, j.h, e.bytes(), most)
	}
	return e, checkFree(e.bytes(), fmt.Sprintf("%s: %d×%d pixels", u.name, j.w, j.h))
}

// mostTogether is how many pixels of an image package tensor convolves at once, with those around it.
const mostTogether = (1<<31 - 1) / 32

// together tells whether rows of w pixels can be convolved at once when they are enlarged.
func (u *Upscaler) together(rows, w int) bool {
	const around = 64
	return u.scale*rows+around <= mostTogether/(u.scale*w+around)
}

// newEngine returns one for pictures of h×w pixels.
func (u *Upscaler) newEngine(f Format, h, w int) (engine, error) {
	if u.features != NoFeatures {
		switch {
		case u.o.Features == nil:
			return nil, fmt.Errorf("expected Options.Features, because the network leans on %s, found none", u.features)
		case !u.together(h, w):
			return nil, fmt.Errorf("expected at most %d megapixels, because the network leans on %s and sees the whole picture at once; scale it down first, or choose another network", mostTogether/(u.scale*u.scale)/1e6, u.features)
		}
		return u.newFeatured(f, h, w)
	}
	const fewest = 16 // rows, that PredictRows computes at a time
	if !u.together(fewest, w) {
		most := mostTogether/(u.scale*fewest+64)/u.scale - 64
		return nil, fmt.Errorf("expected rows of at most %d pixels; cut the picture", most)
	}
	return newEngine(u.network(f), f.channels(), h, w, u.o.Rows, u.o.Memory)
}

// network returns what is made of pictures of a format.
func (u *Upscaler) network(f Format) func(x *autograd.Value) *autograd.Value {
	grey := u.grey
	if grey == nil {
		grey = func(x *autograd.Value) *autograd.Value {
			return greyOf(u.colours(threeOf(x)))
		}
	}
	switch {
	case f.Gray:
		return grey
	case f.Alpha:
		return func(x *autograd.Value) *autograd.Value {
			return concat(u.colours(autograd.Conv2d(x, firstThree, bias(0, 0, 0), 1)), grey(autograd.Conv2d(x, fourth, bias(0), 1)))
		}
	}
	return u.colours
}

// Convolutions of single pixels that take channels out of four.
var (
	firstThree = pointwise(3, 4, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)
	fourth     = pointwise(1, 4, 0, 0, 0, 1)
)
