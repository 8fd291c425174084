package tensor

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// asleep says that threads sleep at once.
var asleep atomic.Bool

// SetStayAwake says whether goroutines that have shared the work of an operation wait a moment for
// the next one without going to sleep; at first they do. A network for one picture is hundreds of
// operations, each shorter than a millisecond, and a sleeping thread takes 50 to 100 µs to come.
// Results do not depend on it.
func SetStayAwake(on bool) { asleep.Store(!on) }

// awakeTime is how long a goroutine stays awake: longer than the pauses between the operations of a
// network, so short that little is lost when there is no other operation.
const awakeTime = 100 * time.Microsecond

// stayAwake returns when done says so, or when awakeTime has passed. Meanwhile it lets other
// goroutines run.
func stayAwake(done func() bool) {
	if asleep.Load() {
		return
	}
	for start := time.Now(); !done() && time.Since(start) < awakeTime; {
		runtime.Gosched()
	}
}

// A helper is a goroutine that helps one crew after the other, until none has called it for a while.
type helper struct{ crew atomic.Pointer[crew] }

// waiting are the helpers that are awake and have no crew.
var waiting struct {
	sync.Mutex
	helpers []*helper
}

// callHelper has a helper that is awake help c, or else a new one.
func (c *crew) callHelper() {
	waiting.Lock()
	defer waiting.Unlock()
	if last := len(waiting.helpers) - 1; last >= 0 {
		waiting.helpers[last].crew.Store(c)
		waiting.helpers = waiting.helpers[:last]
		return
	}
	h := new(helper)
	h.crew.Store(c)
	go h.run()
}

func (h *helper) run() {
	for {
		h.crew.Swap(nil).help()
		waiting.Lock()
		waiting.helpers = append(waiting.helpers, h)
		waiting.Unlock()
		stayAwake(func() bool { return h.crew.Load() != nil })
		if h.leave() {
			return
		}
	}
}

// leave takes h out of those that wait, unless a crew has called it.
func (h *helper) leave() bool {
	waiting.Lock()
	defer waiting.Unlock()
	if h.crew.Load() != nil {
		return false
	}
	for i, other := range waiting.helpers {
		if other == h {
			waiting.helpers = append(waiting.helpers[:i], waiting.helpers[i+1:]...)
			break
		}
	}
	return true
}
