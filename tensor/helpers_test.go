package tensor

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// TestStayAwake calls Parallel again and again, with pauses shorter and longer than helpers stay awake
// for and from several goroutines at a time: every piece must be worked on once, and in the end
// every helper must be gone.
func TestStayAwake(t *testing.T) {
	defer SetStayAwake(true)
	defer SetThreads(0)
	SetThreads(3)
	before := runtime.NumGoroutine()
	for _, awake := range []bool{true, false} {
		SetStayAwake(awake)
		var done atomic.Int64
		for range 2 {
			done.Add(1)
			go func() {
				defer done.Add(-1)
				for round := range 300 {
					var counts [17]atomic.Int64
					Parallel(len(counts), func(i int) { counts[i].Add(1) })
					for i := range counts {
						if n := counts[i].Load(); n != 1 {
							t.Errorf("awake %v: piece %d of round %d was worked on %d times", awake, i, round, n)
							return
						}
					}
					if round%50 == 0 {
						time.Sleep(2 * awakeTime)
					}
				}
			}()
		}
		for done.Load() > 0 {
			time.Sleep(time.Millisecond)
		}
		for start := time.Now(); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Since(start) > 10*time.Second {
				t.Fatalf("awake %v: %d goroutines are left of %d", awake, runtime.NumGoroutine(), before)
			}
		}
	}
}
