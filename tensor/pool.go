package tensor

import (
	"slices"
	"sort"
	"sync"
)

// Buffers that were given back and wait to be used again, the smallest first. A network
// takes the same sizes in the same order each time it is used, so nothing large is allocated
// after the first time. Without the pool, Go would collect all activations each time, and
// the system would clear the memory of the next ones.
//
// It serves networks that run without a program, such as VGG16 and CLIP. Programs plan their
// memory: see package compile.
var pool struct {
	sync.Mutex
	free [][]float32
}

// minPooled is the smallest size. Smaller requests are rounded up to it.
const minPooled = 1 << 8

// takeBuffer returns n elements of arbitrary value, of a free buffer or a new one. It takes
// the smallest buffer that is large enough, unless more than three quarters of it
// would lie idle.
func takeBuffer(n int) []float32 {
	size := max(n, minPooled)
	pool.Lock()
	if i := firstAbove(size - 1); i < len(pool.free) && cap(pool.free[i]) <= 4*size {
		i = firstAbove(cap(pool.free[i])) - 1 // the last of its size: there may be a million
		b := pool.free[i]
		pool.free = slices.Delete(pool.free, i, i+1)
		pool.Unlock()
		return b[:n]
	}
	pool.Unlock()
	return make([]float32, n, size)
}

// giveBuffer takes back what takeBuffer gave.
func giveBuffer(b []float32) {
	if cap(b) < minPooled {
		return
	}
	pool.Lock()
	pool.free = slices.Insert(pool.free, firstAbove(cap(b)), b)
	pool.Unlock()
}

// firstAbove returns the place of the first free buffer of more than n elements.
func firstAbove(n int) int {
	return sort.Search(len(pool.free), func(i int) bool { return cap(pool.free[i]) > n })
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

// ReleaseAll drops every buffer that waits to be used again, so that the collector can
// return the memory to the system.
func ReleaseAll() {
	pool.Lock()
	pool.free = nil
	pool.Unlock()
}
