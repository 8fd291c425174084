package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// failing is a writer whose writes fail after some.
type failing struct {
	strings.Builder
	left int
}

func (f *failing) Write(b []byte) (int, error) {
	if f.left == 0 {
		return 0, errors.New("broken")
	}
	f.left--
	return f.Builder.Write(b)
}

func TestLastingDiscards(t *testing.T) {
	w := &failing{left: 2}
	l := newLasting(context.Background(), w)
	for i := range 5 {
		if i == 3 {
			w.left = 9 // were it to recover, half of the lines would be worse than none
		}
		if n, err := fmt.Fprintf(l, "line %d\n", i); n != 7 || err != nil {
			t.Errorf("line %d: %d, %v; want 7 and no error", i, n, err)
		}
	}
	if got := w.String(); got != "line 0\nline 1\n" {
		t.Errorf("written %q, want two lines", got)
	}
}

// alone is a writer that notices if two goroutines write at a time.
type alone struct {
	busy   atomic.Bool
	shared bool
	lines  int
}

func (a *alone) Write(b []byte) (int, error) {
	if a.busy.Swap(true) {
		a.shared = true
	}
	runtime.Gosched()
	a.lines++
	a.busy.Store(false)
	return len(b), nil
}

func TestLastingIsShared(t *testing.T) {
	var w alone
	l := newLasting(context.Background(), &w)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				io.WriteString(l, "a line\n")
			}
		})
	}
	all.Wait()
	if w.shared || w.lines != 400 {
		t.Errorf("%d lines, two at a time: %v; want 400, one by one", w.lines, w.shared)
	}
}

// A caller may use its bytes again when a write returns, also if that gave up.
func TestLastingKeepsItsBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r, w := io.Pipe()
		l := newLasting(ctx, w)
		cancel()
		start := time.Now()
		b := []byte("mine")
		l.Write(b)
		copy(b, "next")
		if took := time.Since(start); took < time.Second || took > 2*time.Second {
			t.Errorf("gave up after %v, want a second and a little", took)
		}
		got := make([]byte, 4)
		if _, err := io.ReadFull(r, got); err != nil || string(got) != "mine" {
			t.Errorf("read %q, %v; want what was written", got, err)
		}
	})
}

// A reader that stands still is waited for until there is an interruption, and a second
// longer; one that reads gets what is said later.
func TestLastingGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r, w := io.Pipe() // has no room
		l := newLasting(ctx, w)
		start := time.Now()
		time.AfterFunc(time.Hour, cancel)
		io.WriteString(l, "stuck")
		if took := time.Since(start); took < time.Hour+time.Second || took > time.Hour+2*time.Second {
			t.Errorf("gave up after %v, want a second behind the interruption", took)
		}
		r.Close()

		var b strings.Builder
		l = newLasting(ctx, &b)
		time.Sleep(time.Minute)
		for range 100 {
			io.WriteString(l, "x")
		}
		if b.Len() != 100 {
			t.Errorf("%d of 100 writes reached a reader that reads", b.Len())
		}
	})
}
