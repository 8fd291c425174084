package tensor

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

var threads atomic.Int64

// SetThreads sets how many goroutines share the work of an operation; 0 means as
// many as Go runs at once (GOMAXPROCS). Results do not depend on it: work is cut
// by image or by blocks of a fixed size, never by thread, and partial sums are
// added in the order of the images.
func SetThreads(n int) {
	if n < 0 {
		panic(fmt.Sprintf("tensor: SetThreads(%d): the number of threads must not be negative", n))
	}
	threads.Store(int64(n))
}

// Threads returns how many goroutines share the work of an operation.
func Threads() int {
	if n := int(threads.Load()); n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

// Parallel calls f(i) for every i from 0 to n-1, on Threads goroutines. Which one
// takes which i is left to chance, so f must give the same result wherever it runs.
func Parallel(n int, f func(i int)) {
	workers := min(n, Threads())
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	work := func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			f(i)
		}
	}
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

// chunk is how many elements of an elementwise operation are one piece of work.
const chunk = 1 << 14

// parallelChunks calls f(lo, hi) for consecutive pieces of n elements.
func parallelChunks(n int, f func(lo, hi int)) {
	Parallel((n+chunk-1)/chunk, func(i int) { f(i*chunk, min(n, (i+1)*chunk)) })
}
