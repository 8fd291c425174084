package vision

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Sizes holds the sides, in pixels, of the three squares that are made from each
// photograph. X is the network's input; Mid and Large are the two targets. A target of
// size 0 is left out. X must not be 0.
type Sizes struct{ X, Mid, Large int }

// WorkshopSizes are the squares of the super-resolution exercise. Large takes three
// quarters of the memory, so a model with one output leaves it out.
var WorkshopSizes = Sizes{X: 72, Mid: 144, Large: 288}

// Bytes returns the memory for the squares of n photographs: 3·n·(X² + Mid² + Large²).
// For VOC 2007 at [WorkshopSizes] this is 1.6 GB.
func (s Sizes) Bytes(n int) int64 {
	return 3 * int64(n) * int64(s.X*s.X+s.Mid*s.Mid+s.Large*s.Large)
}

// Cache holds the squares of many photographs, decoded and resized once. The squares are
// stored as bytes, which take a quarter of the memory of float32. The three colours of a
// square are separate planes, in the order of a batch. Shape of X, Mid and Large:
// (N,3,S,S), row-major. A size that was left out is empty.
type Cache struct {
	Sizes Sizes
	Names []string // the photographs' names, see [Photo]

	X, Mid, Large []uint8

	// Skipped has an error for each photograph that was left out.
	Skipped []error
}

// Len returns the number of photographs.
func (c *Cache) Len() int { return len(c.Names) }

// CacheOptions says how a cache is built.
type CacheOptions struct {
	Sizes    Sizes // the zero value stands for WorkshopSizes
	Threads  int   // how many photographs are processed at once; 0: GOMAXPROCS
	SkipBad  bool  // leave out the photographs that cannot be used
	Progress func(done, total int)
}

// BrokenError lists the photographs that cannot be used, in the order of the photographs.
type BrokenError struct {
	Errors []error // one for each, naming the file
	Total  int     // how many photographs there were
}

// Error names the first few.
func (e *BrokenError) Error() string {
	const named = 5
	var b strings.Builder
	fmt.Fprintf(&b, "vision: %d of %d photographs cannot be used; repair or remove them, or let them be skipped:", len(e.Errors), e.Total)
	for _, err := range e.Errors[:min(len(e.Errors), named)] {
		fmt.Fprintf(&b, "\n  %s", strings.TrimPrefix(err.Error(), "vision: "))
	}
	if more := len(e.Errors) - named; more > 0 {
		fmt.Fprintf(&b, "\n  and %d more", more)
	}
	return b.String()
}

// Unwrap gives [errors.Is] and [errors.As] the single errors.
func (e *BrokenError) Unwrap() []error { return e.Errors }

// BuildCache decodes photographs of d and resizes them with [Resize] to squares; the
// aspect ratio is not kept. The result is the same for any number of threads. BuildCache
// calls Progress once for each photograph, and never from two threads at a time.
//
// BuildCache tries all photographs before it returns an error, so one run finds every
// broken photograph. The error is a [*BrokenError]. With SkipBad, the cache is made
// without the broken photographs, and Skipped holds their errors; if no photograph is
// left, the result is an error all the same. If ctx is cancelled, the work stops at the
// next photograph and the error wraps that of ctx.
func BuildCache(ctx context.Context, d *Dataset, photos []Photo, o CacheOptions) (*Cache, error) {
	if o.Sizes == (Sizes{}) {
		o.Sizes = WorkshopSizes
	}
	s := o.Sizes
	if s.X <= 0 || s.Mid < 0 || s.Large < 0 || max(s.X, s.Mid, s.Large) > MaxSide {
		panic(fmt.Sprintf("vision: BuildCache: sizes %+v, want X above 0, none negative or above %d", s, MaxSide))
	}
	if s.Bytes(len(photos)) > int64(^uint(0)>>1) {
		return nil, fmt.Errorf("vision: %s: %d photographs at sizes %+v need %d bytes, more than this machine can address; take fewer or smaller ones",
			d.Path("."), len(photos), s, s.Bytes(len(photos)))
	}
	c := &Cache{Sizes: s, Names: make([]string, len(photos))}
	c.X = make([]uint8, len(photos)*3*s.X*s.X)
	c.Mid = make([]uint8, len(photos)*3*s.Mid*s.Mid)
	c.Large = make([]uint8, len(photos)*3*s.Large*s.Large)

	failed, err := readAll(ctx, d, photos, o.Threads, o.Progress, func() func(i int, p *RGB) error {
		var r resizer
		var square RGB
		return func(i int, p *RGB) error {
			for _, part := range c.parts() {
				square.W, square.H = part.side, part.side
				r.resize(&square, p)
				square.bytePlanes(part.picture(i))
			}
			return nil
		}
	})
	if err != nil {
		return nil, err
	}
	for i, photo := range photos {
		c.Names[i] = photo.Name
	}
	return c.finish(failed, o.SkipBad)
}

// readAll reads photographs with some threads, 0 for GOMAXPROCS, and calls use for each; worker makes
// the use of a thread. It returns the errors of the photographs, in their order, and an error if ctx
// ends it.
func readAll(ctx context.Context, d *Dataset, photos []Photo, threads int, progress func(done, total int), worker func() (use func(i int, p *RGB) error)) ([]error, error) {
	failed := make([]error, len(photos))
	var next atomic.Int64
	var told sync.Mutex
	done := 0
	work := func() {
		use := worker()
		for ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= len(photos) {
				return
			}
			p, err := d.Read(photos[i])
			if err == nil {
				err = use(i, p)
			}
			failed[i] = err
			told.Lock()
			done++
			if progress != nil {
				progress(done, len(photos))
			}
			told.Unlock()
		}
	}
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	var wg sync.WaitGroup
	for range min(threads, len(photos)) {
		wg.Go(work)
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("vision: %s: %d of %d photographs read: %w", d.Path("."), done, len(photos), err)
	}
	return failed, nil
}

// finish reports the photographs that failed, or removes them from the cache.
func (c *Cache) finish(failed []error, skip bool) (*Cache, error) {
	broken := &BrokenError{Total: len(failed)}
	for _, err := range failed {
		if err != nil {
			broken.Errors = append(broken.Errors, err)
		}
	}
	switch {
	case len(broken.Errors) == 0:
		return c, nil
	case !skip || len(broken.Errors) == len(failed):
		return nil, broken
	}
	kept := 0
	for i, err := range failed {
		if err != nil {
			continue
		}
		c.Names[kept] = c.Names[i]
		for _, part := range c.parts() {
			copy(part.picture(kept), part.picture(i))
		}
		kept++
	}
	c.Names = slices.Clip(c.Names[:kept])
	c.X = c.X[:kept*3*c.Sizes.X*c.Sizes.X]
	c.Mid = c.Mid[:kept*3*c.Sizes.Mid*c.Sizes.Mid]
	c.Large = c.Large[:kept*3*c.Sizes.Large*c.Sizes.Large]
	c.Skipped = broken.Errors
	return c, nil
}

// squares holds a cache's pictures of one size.
type squares struct {
	pix  []uint8
	side int
}

// picture returns the three planes of picture i.
func (s squares) picture(i int) []uint8 {
	n := 3 * s.side * s.side
	return s.pix[i*n:][:n]
}

// parts returns the sizes that the cache has.
func (c *Cache) parts() []squares {
	p := make([]squares, 0, 3)
	for _, s := range []squares{{c.X, c.Sizes.X}, {c.Mid, c.Sizes.Mid}, {c.Large, c.Sizes.Large}} {
		if s.side > 0 {
			p = append(p, s)
		}
	}
	return p
}

// Picture returns the square of photograph i that has the given side, as a picture to look
// at. It panics if the cache has no squares of this side or no photograph i.
func (c *Cache) Picture(i, side int) *RGB {
	for _, part := range c.parts() {
		if part.side == side && i >= 0 && i < c.Len() {
			p, n := NewRGB(side, side), side*side
			src := part.picture(i)
			for j := range n {
				p.Pix[3*j], p.Pix[3*j+1], p.Pix[3*j+2] = src[j], src[n+j], src[2*n+j]
			}
			return p
		}
	}
	panic(fmt.Sprintf("vision: Cache.Picture(%d, %d): the cache has %d photographs at sizes %+v", i, side, c.Len(), c.Sizes))
}

// bytePlanes writes all red samples, then all green samples, then all blue samples.
func (p *RGB) bytePlanes(dst []uint8) {
	n := p.W * p.H
	r, g, b := dst[:n], dst[n:][:n], dst[2*n:][:n]
	for i := range r {
		px := p.Pix[3*i : 3*i+3 : 3*i+3]
		r[i], g[i], b[i] = px[0], px[1], px[2]
	}
}
