package tensor

import (
	"cmp"
	"slices"
	"sync"
	"unsafe"
	"weak"
)

// Buffers that were given back and wait to be used again. A training step asks for the
// same sizes in the same order every time, so after the first one nothing large is
// allocated: without this, the collector would have to find, and the kernel to clear,
// some 100 MB a step.
var pool struct {
	sync.Mutex
	free  [][]float32 // by rising address
	small [][]float32 // those of the smallest size, which there may be many of
	areas []area      // by rising address
}

// minPooled is the smallest size that is made: all that need less can use any of them.
const minPooled = 1 << 8

// minPart is the smallest size that a larger buffer is divided for. The tensors of a
// network have few sizes, each twice or four times another; without division, a step
// would need the most of each size that it ever holds at a time.
const minPart = 1 << 18

// maxSpare is the largest area that is made for less than that.
const maxSpare = 1 << 24

// An area is a buffer as it was allocated, parts of which may be free. The reference is
// a weak one, so that the collector finds what was dropped without being given back.
type area struct {
	first weak.Pointer[float32]
	at    uintptr
	n     int
}

func address(b []float32) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// takeBuffer returns n elements of arbitrary value, of a free buffer or a new one.
func takeBuffer(n int) []float32 {
	size := max(n, minPooled)
	pool.Lock()
	defer pool.Unlock()
	if last := len(pool.small) - 1; size == minPooled && last >= 0 {
		b := pool.small[last]
		pool.small = pool.small[:last]
		return b[:n]
	}
	i := fit(size)
	if i < 0 && size < minPart {
		return make([]float32, n, size)
	}
	if i < 0 {
		i = addArea(size)
	}
	b := pool.free[i]
	if size >= minPart && cap(b)-size >= minPart {
		pool.free[i] = b[size:cap(b)]
		return b[:n:size]
	}
	pool.free = slices.Delete(pool.free, i, i+1)
	return b[:n]
}

// fit returns the place in pool.free of a buffer for n elements, or -1. Large ones come
// from the first that is large enough, which leaves larger gaps than the smallest would;
// small ones from the smallest that is not more than twice as large.
func fit(n int) int {
	best := -1
	for i, b := range pool.free {
		switch {
		case cap(b) < n:
		case n >= minPart:
			return i
		case cap(b) <= 2*n && (best < 0 || cap(b) < cap(pool.free[best])):
			best = i
		}
	}
	return best
}

// addArea allocates a buffer that n elements fit into, enters it and returns its place in
// pool.free. It is larger than that if there is much memory already, so that sizes which
// are not the same can be cut from it one after the other; memory that is never written to
// is only an address. Areas that the collector has found are forgotten.
func addArea(n int) int {
	pool.areas = slices.DeleteFunc(pool.areas, func(a area) bool { return a.first.Value() == nil })
	total := 0
	for _, a := range pool.areas {
		total += a.n
	}
	b := make([]float32, max(n, min(2*total, maxSpare)))
	i, _ := slices.BinarySearchFunc(pool.areas, address(b), compareArea)
	pool.areas = slices.Insert(pool.areas, i, area{weak.Make(&b[0]), address(b), len(b)})
	i, _ = slices.BinarySearchFunc(pool.free, address(b), compareBuffer)
	pool.free = slices.Insert(pool.free, i, b)
	return i
}

func compareBuffer(b []float32, at uintptr) int { return cmp.Compare(address(b), at) }

func compareArea(a area, at uintptr) int { return cmp.Compare(a.at, at) }

// joined returns one buffer of two, if they are neighbours in one area.
func joined(a, b []float32) ([]float32, bool) {
	if address(a)+uintptr(4*cap(a)) != address(b) {
		return nil, false
	}
	i, found := slices.BinarySearchFunc(pool.areas, address(a), compareArea)
	if !found {
		i--
	}
	if i < 0 {
		return nil, false
	}
	in := pool.areas[i]
	first := in.first.Value() // while it is there, nothing else has these addresses
	n := cap(a) + cap(b)
	if first == nil || address(a)+uintptr(4*n) > in.at+uintptr(4*in.n) {
		return nil, false
	}
	return unsafe.Slice(first, in.n)[(address(a)-in.at)/4:][:n:n], true
}

// Release gives the memory of t to later tensors. Neither t nor anything that
// shares its memory may be used afterwards; t is left empty, so that a mistake
// shows at once. Releasing is never needed for correctness: what is not
// released is collected like any other memory. Releasing nil does nothing.
func Release(t *Tensor) {
	if t == nil {
		return
	}
	b := t.data
	t.data, t.shape = nil, []int{0}
	giveBuffer(b)
}

// giveBuffer takes back what takeBuffer gave.
func giveBuffer(b []float32) {
	if cap(b) < minPooled {
		return
	}
	pool.Lock()
	defer pool.Unlock()
	if cap(b) == minPooled {
		pool.small = append(pool.small, b)
		return
	}
	i, _ := slices.BinarySearchFunc(pool.free, address(b), compareBuffer)
	if cap(b) >= minPart {
		if i < len(pool.free) {
			if both, ok := joined(b, pool.free[i]); ok {
				b, pool.free = both, slices.Delete(pool.free, i, i+1)
			}
		}
		if i > 0 {
			if both, ok := joined(pool.free[i-1], b); ok {
				pool.free[i-1] = both
				return
			}
		}
	}
	pool.free = slices.Insert(pool.free, i, b)
}

// ReleaseAll drops every buffer that waits to be used again, so that the
// collector can return the memory to the system.
func ReleaseAll() {
	pool.Lock()
	pool.free, pool.small = nil, nil
	pool.Unlock()
}

// slicePool is what the pool is to numbers of other types: for short slices.
type slicePool[T any] struct {
	sync.Mutex
	free [][]T
}

var (
	offsetSlices slicePool[int32]
	sumSlices    slicePool[float64]
)

// take returns n zeros.
func (p *slicePool[T]) take(n int) []T {
	p.Lock()
	defer p.Unlock()
	for i, s := range p.free {
		if cap(s) >= n {
			p.free = slices.Delete(p.free, i, i+1)
			s = s[:n]
			clear(s)
			return s
		}
	}
	return make([]T, n)
}

func (p *slicePool[T]) give(s []T) {
	p.Lock()
	p.free = append(p.free, s)
	p.Unlock()
}
