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
	free [][]float32
}

// minPooled is the size below which Go's allocator is as good.
const minPooled = 1 << 8

// takeBuffer returns n elements of arbitrary value: the smallest free buffer
// that holds them without wasting more than it uses, or a new one.
func takeBuffer(n int) []float32 {
	if n < minPooled {
		return make([]float32, n)
	}
	pool.Lock()
	i, _ := slices.BinarySearchFunc(pool.free, n, func(b []float32, n int) int { return cap(b) - n })
	if i < len(pool.free) && cap(pool.free[i]) <= 2*n {
		b := pool.free[i]
		pool.free = slices.Delete(pool.free, i, i+1)
		pool.Unlock()
		return b[:n]
	}
	pool.Unlock()
	return make([]float32, n)
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
	i, _ := slices.BinarySearchFunc(pool.free, cap(b), func(b []float32, n int) int { return cap(b) - n })
	pool.free = slices.Insert(pool.free, i, b)
}

// ReleaseAll drops every buffer that waits to be used again, so that the
// collector can return the memory to the system.
func ReleaseAll() {
	pool.Lock()
	pool.free = nil
	pool.Unlock()
}
