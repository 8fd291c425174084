package cli

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"
)

// lasting is what a command writes to that goes on when nobody reads any more. After the
// first write that fails, it throws everything away. Several goroutines may write to it.
type lasting struct {
	mu     sync.Mutex
	w      io.Writer
	gone   bool
	giveUp chan struct{} // closed when a reader that stands still is not waited for any longer
}

// newLasting returns a writer to w. A reader that stands still stops the command as it does
// any other; but once ctx is done, the command has something to save, and such a reader is
// given up after a second.
func newLasting(ctx context.Context, w io.Writer) *lasting {
	l := &lasting{w: w, giveUp: make(chan struct{})}
	context.AfterFunc(ctx, func() {
		time.Sleep(time.Second)
		close(l.giveUp)
	})
	return l
}

// Write writes b, or not. It returns no error.
func (l *lasting) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return len(b), nil
	}
	written := make(chan error, 1)
	mine := bytes.Clone(b) // b is the caller's again, whatever becomes of the write
	go func() {
		_, err := l.w.Write(mine)
		written <- err
	}()
	select {
	case err := <-written:
		l.gone = err != nil
	case <-l.giveUp:
		// A reader that does not stand still gets what is said at the end.
		select {
		case err := <-written:
			l.gone = err != nil
		case <-time.After(100 * time.Millisecond):
			l.gone = true
		}
	}
	return len(b), nil
}
