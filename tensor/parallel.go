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
	c := takeCrew()
	c.plain = f
	c.run(Threads(), n, c.callPlain)
}

// parallelOn is Parallel on some number of goroutines. f is also given the number of the
// one that it is called on, so that each can have memory of its own.
func parallelOn(threads, n int, f func(worker, i int)) {
	takeCrew().run(threads, n, f)
}

// A crew is the goroutines of one call of Parallel or parallelOn. It is used again, since
// networks make hundreds of calls, and so are the functions that it is made with.
type crew struct {
	n             int
	f             func(worker, i int)
	plain         func(i int) // Parallel's
	next, helpers atomic.Int64
	busy          atomic.Int64 // goroutines that help and have not finished
	wait          sync.WaitGroup
	callPlain     func(worker, i int) // calls plain
}

// crews wait to be used again. A sync.Pool would empty itself at every collection.
var crews struct {
	sync.Mutex
	free []*crew
}

func takeCrew() *crew {
	crews.Lock()
	defer crews.Unlock()
	if last := len(crews.free) - 1; last >= 0 {
		c := crews.free[last]
		crews.free = crews.free[:last]
		return c
	}
	c := new(crew)
	c.callPlain = func(_, i int) { c.plain(i) }
	return c
}

// run calls f on up to threads goroutines, the caller's being number 0.
func (c *crew) run(threads, n int, f func(worker, i int)) {
	helpers := max(0, min(n, threads)-1)
	c.n, c.f = n, f
	c.next.Store(0)
	c.helpers.Store(0)
	c.busy.Store(int64(helpers))
	c.wait.Add(helpers)
	for range helpers {
		c.callHelper()
	}
	defer c.join() // also when f panics: what it works on may be used again after that
	c.work(0)
}

// help is the part of another goroutine than the caller's.
func (c *crew) help() {
	defer c.wait.Done()
	defer c.busy.Add(-1)
	c.work(int(c.helpers.Add(1)))
}

func (c *crew) work(worker int) {
	for i := int(c.next.Add(1)) - 1; i < c.n; i = int(c.next.Add(1)) - 1 {
		c.f(worker, i)
	}
}

func (c *crew) join() {
	stayAwake(func() bool { return c.busy.Load() == 0 })
	c.wait.Wait()
	c.f, c.plain = nil, nil
	crews.Lock()
	crews.free = append(crews.free, c)
	crews.Unlock()
}

// chunk is how many elements of an elementwise operation are one piece of work.
const chunk = 1 << 14

// parallelChunks calls f(lo, hi) for consecutive pieces of n elements.
func parallelChunks(n int, f func(lo, hi int)) {
	Parallel((n+chunk-1)/chunk, func(i int) { f(i*chunk, min(n, (i+1)*chunk)) })
}
