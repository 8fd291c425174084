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
var memoryForPictures = newBudget(1<<30, func() (int64, bool) {
	free, limit := memory.Free()
	return free, limit != memory.Unknown
})

// budget is an amount of memory that decoders share.
type budget struct {
	total     int64
	available func() (bytes int64, known bool)

	mu   sync.Mutex
	less *sync.Cond // used has become less
	used int64
}

func newBudget(total int64, available func() (int64, bool)) *budget {
	b := &budget{total: total, available: available}
	b.less = sync.NewCond(&b.mu)
	return b
}

// take waits until need bytes are left for a picture, and returns the function that gives
// them back. It returns an error if the machine does not have as much.
func (b *budget) take(name string, w, h int, need int64) (release func(), err error) {
	const small = 64 << 20 // not worth asking the system
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.used > 0 && (b.used+need > b.total || need > small && b.used+need > b.free()) {
		b.less.Wait()
	}
	if need > small && need > b.free() {
		debug.FreeOSMemory() // what other pictures have left
		if free := b.free(); need > free {
			return nil, fmt.Errorf("vision: %s: expected a picture that the free memory of %d MB holds, found %d×%d pixels, which take %d MB to decode; scale it down first, or end other programs",
				name, free/1e6, w, h, need/1e6)
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

// free returns the memory that is free, or a large number where the system does not say.
func (b *budget) free() int64 {
	if n, known := b.available(); known {
		return n
	}
	return 1 << 62
}
