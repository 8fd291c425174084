package vision

import (
	"fmt"
	"runtime/debug"
	"sync"

	"pixelgrad/internal/memory"
)

// Several threads decode pictures at the same time. A photograph of 108 megapixels takes 0.5
// GB while it is decoded, and 1.1 GB if it is progressive; so that as many of them as there
// are threads do not come together, a budget is shared. A picture that needs more than all
// of it is decoded while no other is.
var memoryForPictures = newBudget(1<<30, memory.Free)

// budget is an amount of memory that decoders share.
type budget struct {
	total int64
	free  func() (bytes int64, limit string) // memory.Free

	mu   sync.Mutex
	less *sync.Cond // used has become less
	used int64
}

func newBudget(total int64, free func() (int64, string)) *budget {
	b := &budget{total: total, free: free}
	b.less = sync.NewCond(&b.mu)
	return b
}

// take waits until need bytes are left for a picture, and returns the function that gives
// them back. It returns an error if the machine does not have as much.
func (b *budget) take(name string, w, h int, need int64) (release func(), err error) {
	const small = 64 << 20 // not worth asking the system
	fits := func(n int64) bool {
		free, limit := b.free()
		return need <= small || n <= free || limit == memory.Unknown
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.used > 0 && (b.used+need > b.total || !fits(b.used+need)) {
		b.less.Wait()
	}
	if !fits(need) {
		debug.FreeOSMemory() // what other pictures have left
		if !fits(need) {
			free, limit := b.free()
			return nil, fmt.Errorf("vision: %s: expected a picture that the free memory of %d MB %s can hold, found %d×%d pixels, which take %d MB to decode; scale it down first, or end other programs",
				name, free/1e6, limit, w, h, need/1e6)
		}
	}
	if need > b.total/4 {
		debug.FreeOSMemory() // or the garbage of the last picture stays beside this one
	}
	b.used += need
	return func() {
		b.mu.Lock()
		b.used -= need
		b.mu.Unlock()
		b.less.Broadcast()
	}, nil
}
