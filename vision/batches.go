package vision

import (
	"fmt"
	"iter"
	"math/rand/v2"

	"pixelgrad/tensor"
)

// Batch holds n photographs as numbers in [0,1]. Each number is b/255, where b is the
// byte, correctly rounded to float32. Shapes: X (n,3,72,72), Mid (n,3,144,144) and Large
// (n,3,288,288), or the cache's own [Sizes], or parts of them: see LoaderOptions. A size that
// the cache does not have is nil.
type Batch struct {
	X, Mid, Large *tensor.Tensor
	Index         []int // the photographs' numbers in the cache

	// Altered says that the loader crops, flips or turns. What was computed once for each
	// photograph of the cache, such as the features of a frozen network, does not belong to X
	// then: compute it from X, or do without altering.
	Altered bool
}

// Len returns the number of photographs.
func (b *Batch) Len() int { return len(b.Index) }

// LoaderOptions says in what order the photographs come, and what is done to them. The zero
// value is for validation: each photograph as it is, in the order of the cache.
type LoaderOptions struct {
	Seed    uint64 // of the order and of all that [Alteration] draws
	Shuffle bool   // each epoch has an order of its own
	Alteration
}

// Loader fills batches from a cache. It uses the same memory for every batch, and an epoch
// takes no new memory. The content of a [Batch] is valid until the next batch.
type Loader struct {
	cache   *Cache
	size    int
	options LoaderOptions
	order   []int
	whole   Batch // all of the memory
	last    Batch // the beginning of this memory, for the smaller batch at an epoch's end
	filling filling
}

// NewLoader returns a loader whose batches have size photographs. It panics if size is not
// positive, or if the squares cannot be cropped as o says: see [Alteration.Check].
func NewLoader(c *Cache, size int, o LoaderOptions) *Loader {
	if size <= 0 {
		panic(fmt.Sprintf("vision: NewLoader: batches of %d photographs", size))
	}
	if err := o.Check(c.Sizes); err != nil {
		panic("vision: NewLoader: " + err.Error())
	}
	l := &Loader{cache: c, size: min(size, max(c.Len(), 1)), options: o, order: make([]int, c.Len())}
	l.whole.Altered, l.last.Altered = o.alters(), o.alters()
	sizes := o.Sizes(c.Sizes)
	for _, s := range []struct {
		side        int
		whole, last **tensor.Tensor
	}{
		{sizes.X, &l.whole.X, &l.last.X},
		{sizes.Mid, &l.whole.Mid, &l.last.Mid},
		{sizes.Large, &l.whole.Large, &l.last.Large},
	} {
		if s.side == 0 {
			continue
		}
		t := tensor.NewUninitialized(l.size, 3, s.side, s.side)
		*s.whole = t
		if n := c.Len() % l.size; n > 0 {
			*s.last = tensor.FromSlice(t.Data()[:n*3*s.side*s.side], n, 3, s.side, s.side)
		}
	}
	return l
}

// Batches returns the number of batches in an epoch, including the smaller one at its
// end.
func (l *Loader) Batches() int { return (l.cache.Len() + l.size - 1) / l.size }

// Epoch returns every photograph of the cache once, in batches numbered from 0. The last
// batch is smaller if the number of photographs is not a multiple of the batch size. The
// order depends only on the seed and the epoch, so a training run can resume anywhere; what is
// done to a photograph depends on its number in the cache as well.
func (l *Loader) Epoch(epoch int) iter.Seq2[int, *Batch] { return l.EpochFrom(epoch, 0) }

// EpochFrom is Epoch without the batches before number first, which are not filled: for a training
// that goes on in the middle of an epoch.
func (l *Loader) EpochFrom(epoch, first int) iter.Seq2[int, *Batch] {
	return func(yield func(int, *Batch) bool) {
		for i := range l.order {
			l.order[i] = i
		}
		if l.options.Shuffle {
			r := rand.New(rand.NewPCG(l.options.Seed, uint64(epoch)))
			r.Shuffle(len(l.order), func(i, j int) { l.order[i], l.order[j] = l.order[j], l.order[i] })
		}
		for i := first; i < l.Batches(); i++ {
			index := l.order[i*l.size : min((i+1)*l.size, len(l.order))]
			b := &l.whole
			if len(index) < l.size {
				b = &l.last
			}
			b.Index = index
			l.filling.draw(l.options, l.cache.Sizes, epoch, index)
			c := l.cache
			l.filling.fill(b.X, squares{c.X, c.Sizes.X})
			l.filling.fill(b.Mid, squares{c.Mid, c.Sizes.Mid})
			l.filling.fill(b.Large, squares{c.Large, c.Sizes.Large})
			if !yield(i, b) {
				return
			}
		}
	}
}

// filling holds the arguments of one conversion of squares to numbers. They are fields
// because tensor.Parallel takes a function: a method value, made once, needs no memory
// for each batch, and a new closure would.
type filling struct {
	dst   []float32
	src   squares
	index []int
	views []view // of the input squares; nil for whole squares
	input int    // side of the input squares
	one   func(i int)
}

// draw decides what is seen of the squares with the numbers in index.
func (f *filling) draw(o LoaderOptions, sizes Sizes, epoch int, index []int) {
	f.index, f.input = index, sizes.X
	if !o.alters() {
		return
	}
	f.views = f.views[:0]
	for _, photo := range index {
		f.views = append(f.views, o.view(o.Seed, epoch, photo, sizes.X))
	}
}

// convert converts square i of the conversion.
func (f *filling) convert(i int) {
	pix := f.src.picture(f.index[i])
	n := len(f.dst) / len(f.index)
	part := f.dst[i*n:][:n]
	if f.views != nil {
		f.views[i].scaled(f.src.side/f.input).levels(part, pix, f.src.side)
		return
	}
	for j, b := range pix {
		part[j] = levels[b]
	}
}

// fill converts what is seen of the squares and writes it to dst, one after the other. It uses
// all threads of package tensor.
func (f *filling) fill(dst *tensor.Tensor, src squares) {
	if dst == nil {
		return
	}
	if f.one == nil {
		f.one = f.convert
	}
	f.dst, f.src = dst.Data(), src
	tensor.Parallel(len(f.index), f.one)
}
