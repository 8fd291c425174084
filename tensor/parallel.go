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
	c := crews.take()
	c.n, c.f = n, f
	c.next.Store(0)
	c.wait.Add(workers - 1)
	for range workers - 1 {
		go c.help()
	}
	defer c.join() // also when f panics: what it works on may be used again after that
	c.work()
}

func (c *crew) join() {
	c.wait.Wait()
	c.f = nil
	crews.give(c)
}

// A crew is the goroutines of one call of Parallel. It is used again, since a training
// step has hundreds of calls.
type crew struct {
	n    int
	f    func(i int)
	next atomic.Int64
	wait sync.WaitGroup
	help func() // the other goroutines' part, which is made once
}

var crews = jobs[crew]{prepare: func(c *crew) {
	c.help = func() {
		defer c.wait.Done()
		c.work()
	}
}}

func (c *crew) work() {
	for i := int(c.next.Add(1)) - 1; i < c.n; i = int(c.next.Add(1)) - 1 {
		c.f(i)
	}
}

// jobs keeps structs that operations describe their work in, to be used again. A function
// that is handed to goroutines, and all that it refers to, would be new garbage for every
// image of every operation instead.
type jobs[T any] struct {
	sync.Mutex
	free    []*T
	prepare func(*T) // if not nil, what a new one needs
}

func (j *jobs[T]) take() *T {
	j.Lock()
	defer j.Unlock()
	if last := len(j.free) - 1; last >= 0 {
		t := j.free[last]
		j.free = j.free[:last]
		return t
	}
	t := new(T)
	if j.prepare != nil {
		j.prepare(t)
	}
	return t
}

func (j *jobs[T]) give(t *T) {
	j.Lock()
	j.free = append(j.free, t)
	j.Unlock()
}

// with runs f(t, i) for i from 0 to n-1, with t a copy of job: on all threads if together,
// and otherwise on the caller's, without any garbage.
func (j *jobs[T]) with(job T, together bool, n int, f func(t *T, i int)) {
	t := j.take()
	*t = job
	if together {
		Parallel(n, func(i int) { f(t, i) })
	} else {
		for i := range n {
			f(t, i)
		}
	}
	var none T
	*t = none
	j.give(t)
}

// chunk is how many elements of an elementwise operation are one piece of work.
const chunk = 1 << 14

// parallelChunks calls f(lo, hi) for consecutive pieces of n elements.
func parallelChunks(n int, f func(lo, hi int)) {
	Parallel((n+chunk-1)/chunk, func(i int) { f(i*chunk, min(n, (i+1)*chunk)) })
}
