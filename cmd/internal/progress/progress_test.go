package progress

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// timed notes at what time of the test each line was written.
type timed struct {
	start time.Time
	lines []string
}

func (w *timed) Write(b []byte) (int, error) {
	w.lines = append(w.lines, fmt.Sprintf("%v %s", time.Since(w.start), b))
	return len(b), nil
}

// A minute behind the last line there is another, also when nothing is done any more; behind
// Close there is none.
func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &timed{start: time.Now()}
		b := newBar(io.Discard, false, 1000, "begin")
		b.Lines(w)
		time.Sleep(70 * time.Second) // compiling
		for i := range 100 {         // a step every second
			b.Set(i+1, fmt.Sprintf("step %d", i+1))
			time.Sleep(time.Second / 2)
			if i == 29 {
				b.Clear() // a line of others, after 1m39.5s
			}
			time.Sleep(time.Second / 2)
		}
		b.Set(101, "")
		time.Sleep(100 * time.Second) // validation
		b.Close()
		time.Sleep(time.Hour)
		want := []string{
			"1m0s   0%  begin\n",
			"2m39.5s   9%  step 90, 15 min left\n", // it has seen 89 of them, in 89.5 s
			"3m39.5s  10%  step 100, 22 min left\n",
		}
		if got := strings.Join(w.lines, ""); got != strings.Join(want, "") {
			t.Errorf("got\n%swant\n%s", got, strings.Join(want, ""))
		}
	})
}

// The time left of a training that goes on where it stopped counts only what has been seen.
func TestLinesOfTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &timed{start: time.Now()}
		b := newBar(io.Discard, false, 2000, "")
		b.Lines(w)
		b.Set(1000, "")
		time.Sleep(30 * time.Second)
		b.Set(1010, "")
		time.Sleep(31 * time.Second)
		b.Close()
		if got, want := strings.Join(w.lines, ""), "1m0s  50%, 1 h 39 min left\n"; got != want {
			t.Errorf("got %q, want %q", got, want) // 990 things of 6 s
		}
	})
}

// Who does not ask for lines gets none, and a bar on a terminal does without them.
func TestNoLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &timed{start: time.Now()}
		plain := newBar(w, false, 10, "")
		nothing := newBar(w, false, 0, "")
		nothing.Lines(w)
		var terminal strings.Builder
		drawn := newBar(&terminal, true, 10, "Epoch")
		drawn.Lines(w)
		for _, b := range []*Bar{plain, nothing, drawn} {
			b.Set(5, "")
			time.Sleep(time.Hour)
			b.Clear()
			b.Set(6, "")
			b.Close()
		}
		if len(w.lines) != 0 {
			t.Errorf("lines %q, want none", w.lines)
		}
		if !strings.Contains(terminal.String(), "Epoch") || !strings.HasSuffix(terminal.String(), "\r") {
			t.Errorf("the terminal shows %q, want a bar that was taken away", terminal.String())
		}
	})
}

type gone struct{ writes int }

func (g *gone) Write([]byte) (int, error) { g.writes++; return 0, errors.New("gone") }

// A terminal that is gone ends nothing, nor does a log.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, log := new(gone), new(gone)
		b, l := newBar(w, true, 100, ""), newBar(w, false, 100, "")
		l.Lines(log)
		for i := range 101 {
			b.Set(i, "x")
			l.Set(i, "x")
			time.Sleep(2 * time.Second)
		}
		b.Clear()
		b.Close()
		l.Close()
		if w.writes == 0 || log.writes < 3 {
			t.Errorf("%d writes to the terminal, %d to the log", w.writes, log.writes)
		}
	})
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "less than a minute", 29 * time.Second: "less than a minute", 40 * time.Second: "1 min",
		59*time.Minute + 29*time.Second: "59 min", 59*time.Minute + 31*time.Second: "1 h 0 min", 50 * time.Hour: "50 h 0 min",
	} {
		if got := duration(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
