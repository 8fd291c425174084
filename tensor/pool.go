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
	free  []part      // by rising address
	small [][]float32 // those of the smallest size, which there may be many of
	areas []*area     // by rising address
}

// minPooled is the smallest size that is made: all that need less can use any of them.
const minPooled = 1 << 8

// minPart is the smallest size that a larger buffer is divided for. The tensors of a
// network have few sizes, each twice or four times another; without division, a step
// would need the most of each size that it ever holds at a time.
const minPart = 1 << 18

// maxSpare is the largest area that is made for less than that.
const maxSpare = 1 << 24

// An area is a large buffer as it was allocated, parts of which may be free. The pool
// holds on to its memory only while all of it is free: what was dropped without being
// given back keeps an area from becoming whole again, and is found by the collector.
type area struct {
	first weak.Pointer[float32]
	whole []float32 // the memory, or nil while some of it is used
	at    uintptr
	n     int
}

// A part is free: of an area, or a buffer of its own.
type part struct {
	at   uintptr
	n    int
	area *area
	data []float32 // if area is nil
}

func (p part) end() uintptr { return p.at + uintptr(4*p.n) }

// memory returns the elements, or nil if the collector has found the area.
func (p part) memory() []float32 {
	if p.area == nil {
		return p.data
	}
	first := p.area.first.Value()
	if first == nil {
		return nil
	}
	return unsafe.Slice(first, p.area.n)[(p.at-p.area.at)/4:][:p.n:p.n]
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
	var b []float32
	i := fit(size)
	for i >= 0 {
		if b = pool.free[i].memory(); b != nil {
			break
		}
		pool.free = slices.DeleteFunc(pool.free, func(p part) bool { return p.memory() == nil })
		i = fit(size)
	}
	if i < 0 && size < minPart {
		return make([]float32, n, size)
	}
	if i < 0 {
		i, b = addArea(size)
	}
	if p := &pool.free[i]; p.area != nil {
		p.area.whole = nil // b holds it now
		if size >= minPart && p.n-size >= minPart {
			p.at, p.n = p.at+uintptr(4*size), p.n-size
			return b[:n:size]
		}
	}
	pool.free = slices.Delete(pool.free, i, i+1)
	return b[:n]
}

// fit returns the place in pool.free of a buffer for n elements, or -1. Large ones come
// from the first area that has room, which leaves larger gaps than the smallest would;
// others from the smallest buffer that is not more than twice as large.
func fit(n int) int {
	best := -1
	for i, p := range pool.free {
		switch {
		case p.n < n:
		case n >= minPart && p.area != nil:
			return i
		case p.n <= 2*n && (best < 0 || p.n < pool.free[best].n):
			best = i
		}
	}
	return best
}

// addArea allocates a buffer that n elements fit into, and enters it. It returns its place
// in pool.free, and the buffer. It is larger than n if there is much memory already, so that
// sizes which are not the same can be cut from it one after the other; memory that is never
// written to is only an address.
func addArea(n int) (int, []float32) {
	pool.areas = slices.DeleteFunc(pool.areas, func(a *area) bool { return a.first.Value() == nil })
	total := 0
	for _, a := range pool.areas {
		total += a.n
	}
	b := make([]float32, max(n, min(2*total, maxSpare)))
	a := &area{first: weak.Make(&b[0]), at: address(b), n: len(b)}
	i, _ := slices.BinarySearchFunc(pool.areas, a.at, func(a *area, at uintptr) int { return cmp.Compare(a.at, at) })
	pool.areas = slices.Insert(pool.areas, i, a)
	i, _ = slices.BinarySearchFunc(pool.free, a.at, comparePart)
	pool.free = slices.Insert(pool.free, i, part{at: a.at, n: a.n, area: a})
	return i, b
}

func comparePart(p part, at uintptr) int { return cmp.Compare(p.at, at) }

// areaOf returns the area that a buffer is a part of, or nil. Of an area that is still
// there, nothing else can have the addresses.
func areaOf(b []float32) *area {
	at := address(b)
	i, found := slices.BinarySearchFunc(pool.areas, at, func(a *area, at uintptr) int { return cmp.Compare(a.at, at) })
	if !found {
		i--
	}
	if i < 0 {
		return nil
	}
	a := pool.areas[i]
	if at+uintptr(4*cap(b)) > a.at+uintptr(4*a.n) || a.first.Value() == nil {
		return nil
	}
	return a
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
	p := part{at: address(b), n: cap(b), area: areaOf(b)}
	if p.area == nil {
		p.data = b[:cap(b)]
	}
	i, _ := slices.BinarySearchFunc(pool.free, p.at, comparePart)
	if p.area != nil { // neighbours are joined
		if i < len(pool.free) && pool.free[i].area == p.area && p.end() == pool.free[i].at {
			p.n += pool.free[i].n
			pool.free = slices.Delete(pool.free, i, i+1)
		}
		if i > 0 && pool.free[i-1].area == p.area && pool.free[i-1].end() == p.at {
			i--
			p.at, p.n = pool.free[i].at, p.n+pool.free[i].n
			pool.free = slices.Delete(pool.free, i, i+1)
		}
		if p.n == p.area.n {
			p.area.whole = p.memory()
		}
	}
	pool.free = slices.Insert(pool.free, i, p)
}

// ReleaseAll drops every buffer that waits to be used again, so that the collector can
// return the memory to the system. What lies beside memory that is still used remains: a
// large buffer is returned as a whole.
func ReleaseAll() {
	pool.Lock()
	pool.free = slices.DeleteFunc(pool.free, func(p part) bool { return p.area == nil || p.area.whole != nil })
	for _, a := range pool.areas {
		a.whole = nil
	}
	pool.small = nil
	pool.Unlock()
	offsetSlices.drop()
	sumSlices.drop()
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
	best := -1
	for i, s := range p.free {
		if cap(s) >= n && (best < 0 || cap(s) < cap(p.free[best])) {
			best = i
		}
	}
	if best < 0 {
		if last := len(p.free) - 1; last >= maxSlices {
			p.free = p.free[:last] // rising sizes must not leave one slice each
		}
		return make([]T, n)
	}
	s := p.free[best][:n]
	p.free = slices.Delete(p.free, best, best+1)
	clear(s)
	return s
}

// maxSlices is how many slices may wait before new ones replace them.
const maxSlices = 16

func (p *slicePool[T]) give(s []T) {
	p.Lock()
	p.free = append(p.free, s)
	p.Unlock()
}

func (p *slicePool[T]) drop() {
	p.Lock()
	p.free = nil
	p.Unlock()
}
