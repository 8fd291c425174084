package vision

import (
	"fmt"
	"iter"
	"math/rand/v2"

	"pixelgrad/tensor"
)

// Batch holds n photographs as numbers in [0,1]. Each number is b/255, where b is the
// byte, correctly rounded to float32. Shapes: X (n,3,72,72), Mid (n,3,144,144) and Large
// (n,3,288,288), or the cache's own [Sizes]. A size that the cache does not have is nil.
type Batch struct {
	X, Mid, Large *tensor.Tensor
	Index         []int // the photographs' numbers in the cache
}

// Len returns the number of photographs.
func (b *Batch) Len() int { return len(b.Index) }

// Loader fills batches from a cache. It uses the same memory for every batch, and an epoch
// takes no new memory. The content of a [Batch] is valid until the next batch.
type Loader struct {
	cache   *Cache
	size    int
	seed    uint64
	shuffle bool
	order   []int
	whole   Batch // all of the memory
	last    Batch // the beginning of this memory, for the smaller batch at an epoch's end
	filling filling
}

// NewLoader returns a loader whose batches have size photographs. With shuffle, each epoch
// has an order of its own that depends on the seed; without shuffle, every epoch has the
// order of the cache. NewLoader panics if size is not positive.
func NewLoader(c *Cache, size int, seed uint64, shuffle bool) *Loader {
	if size <= 0 {
		panic(fmt.Sprintf("vision: NewLoader: batches of %d photographs", size))
	}
	l := &Loader{cache: c, size: min(size, max(c.Len(), 1)), seed: seed, shuffle: shuffle, order: make([]int, c.Len())}
	for _, s := range []struct {
		side        int
		whole, last **tensor.Tensor
	}{
		{c.Sizes.X, &l.whole.X, &l.last.X},
		{c.Sizes.Mid, &l.whole.Mid, &l.last.Mid},
		{c.Sizes.Large, &l.whole.Large, &l.last.Large},
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
// order depends only on the seed and the epoch, so a training run can resume at any epoch.
func (l *Loader) Epoch(epoch int) iter.Seq2[int, *Batch] {
	return func(yield func(int, *Batch) bool) {
		for i := range l.order {
			l.order[i] = i
		}
		if l.shuffle {
			r := rand.New(rand.NewPCG(l.seed, uint64(epoch)))
			r.Shuffle(len(l.order), func(i, j int) { l.order[i], l.order[j] = l.order[j], l.order[i] })
		}
		for i := range l.Batches() {
			index := l.order[i*l.size : min((i+1)*l.size, len(l.order))]
			b := &l.whole
			if len(index) < l.size {
				b = &l.last
			}
			b.Index = index
			c := l.cache
			l.filling.fill(b.X, squares{c.X, c.Sizes.X}, index)
			l.filling.fill(b.Mid, squares{c.Mid, c.Sizes.Mid}, index)
			l.filling.fill(b.Large, squares{c.Large, c.Sizes.Large}, index)
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
	one   func(i int)
}

// convert converts square i of the conversion.
func (f *filling) convert(i int) {
	pix := f.src.picture(f.index[i])
	part := f.dst[i*len(pix):][:len(pix)]
	for j, b := range pix {
		part[j] = levels[b]
	}
}

// fill converts the squares with the numbers in index and writes them to dst, one after
// the other. It uses all threads of package tensor.
func (f *filling) fill(dst *tensor.Tensor, src squares, index []int) {
	if dst == nil {
		return
	}
	if f.one == nil {
		f.one = f.convert
	}
	f.dst, f.src, f.index = dst.Data(), src, index
	tensor.Parallel(len(index), f.one)
}
