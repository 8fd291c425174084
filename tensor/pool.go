package tensor

import (
	"slices"
	"sync"
)

// Buffers that were given back and wait to be used again, by rising capacity.
// A training step asks for the same sizes in the same order every time, so
// after the first one nothing large is allocated: without this, the collector
// would have to find, and the kernel to clear, some 100 MB a step.
var pool struct {
	sync.Mutex
	free  [][]float32
	small [][]float32 // those of the smallest size, which there may be many of
}

// minPooled is the smallest size that is made: all that need less can use any of them.
const minPooled = 1 << 8

// takeBuffer returns n elements of arbitrary value: the smallest free buffer
// that holds them without wasting more than it uses, or a new one.
func takeBuffer(n int) []float32 {
	size := max(n, minPooled)
	pool.Lock()
	if last := len(pool.small) - 1; size == minPooled && last >= 0 {
		b := pool.small[last]
		pool.small = pool.small[:last]
		pool.Unlock()
		return b[:n]
	}
	i, _ := slices.BinarySearchFunc(pool.free, size, func(b []float32, n int) int { return cap(b) - n })
	if i < len(pool.free) && cap(pool.free[i]) <= 2*size {
		b := pool.free[i]
		pool.free = slices.Delete(pool.free, i, i+1)
		pool.Unlock()
		return b[:n]
	}
	pool.Unlock()
	return make([]float32, n, size)
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
	i, _ := slices.BinarySearchFunc(pool.free, cap(b), func(b []float32, n int) int { return cap(b) - n })
	pool.free = slices.Insert(pool.free, i, b)
}

// ReleaseAll drops every buffer that waits to be used again, so that the
// collector can return the memory to the system.
func ReleaseAll() {
	pool.Lock()
	pool.free, pool.small = nil, nil
	pool.Unlock()
}
