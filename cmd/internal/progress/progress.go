// Package progress shows how far a command is: a bar on a terminal. Elsewhere it
// shows nothing, so that a log file has no traces of a bar, or a line a minute.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Bar is a line at the bottom of the terminal that fills up. Without a terminal
// on standard error it shows nothing, unless Lines says where. What cannot be
// shown is not: a terminal that is gone is no error.
type Bar struct {
	bar *progressbar.ProgressBar // nil without a terminal

	mu          sync.Mutex
	lines       io.Writer // nil if there are none
	next        *time.Timer
	total, done int
	description string
	begun       time.Time // when the first number was set
	first       int       // and which
}

// Terminal reports whether standard error is a terminal.
func Terminal() bool { return term.IsTerminal(int(os.Stderr.Fd())) }

// out is where bars are drawn.
var out io.Writer = os.Stderr

// To has the bars that are made from now on drawn by w, which writes to standard error in its own
// way: a terminal that stands still, after Ctrl-S, holds up whoever writes to it.
func To(w io.Writer) { out = w }

// New returns a bar for total things to do. It shows their number and the time
// that they will still take.
func New(total int, description string) *Bar {
	return newBar(out, Terminal(), total, description, progressbar.OptionShowCount())
}

// NewShare returns a bar for total parts of something, whose number tells nobody
// anything: it shows the share of them in per cent.
func NewShare(total int, description string) *Bar {
	return newBar(out, Terminal(), total, description)
}

// NewBytes returns a bar for total bytes. It shows them as kB, MB or GB, and
// their rate.
func NewBytes(total int, description string) *Bar {
	return newBar(out, Terminal(), total, description, progressbar.OptionShowCount(), progressbar.OptionShowBytes(true), progressbar.OptionShowTotalBytes(true))
}

func newBar(w io.Writer, terminal bool, total int, description string, more ...progressbar.Option) *Bar {
	b := &Bar{total: total, description: description}
	if terminal && total > 0 {
		b.bar = progressbar.NewOptions(total, append(more,
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetDescription(description),
			progressbar.OptionSetWidth(24),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerHead: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}),
		)...)
	}
	return b
}

// Lines has the bar write a line to w whenever a minute has passed without one, if
// there is no terminal: how much is done, the description and the time left. Clear
// tells it that there is another line. It writes from a goroutine of its own, until
// Close returns, so w must allow that others write to it meanwhile.
func (b *Bar) Lines(w io.Writer) {
	if b.bar != nil || b.total <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = w
	b.next = time.AfterFunc(time.Minute, b.line)
}

// line writes a line.
func (b *Bar) line() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lines == nil { // closed meanwhile
		return
	}
	text := fmt.Sprintf("%3d%%", 100*b.done/b.total)
	if b.description != "" {
		text += "  " + b.description
	}
	if n := b.done - b.first; n > 0 {
		perThing := time.Since(b.begun) / time.Duration(n)
		text += ", " + duration(perThing*time.Duration(b.total-b.done)) + " left"
	}
	fmt.Fprintln(b.lines, text)
	b.next.Reset(time.Minute)
}

// duration writes how long something takes, roughly.
func duration(d time.Duration) string {
	minutes := int(d.Round(time.Minute).Minutes())
	switch {
	case minutes < 1:
		return "less than a minute"
	case minutes < 60:
		return fmt.Sprintf("%d min", minutes)
	}
	return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
}

// Set says how many things are done, and what is going on.
func (b *Bar) Set(done int, description string) {
	if b.bar != nil {
		if description != "" {
			b.bar.Describe(description)
		}
		b.bar.Set(done)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.begun.IsZero() {
		b.begun, b.first = time.Now(), done
	}
	b.done = done
	if description != "" {
		b.description = description
	}
}

// Clear takes the bar away, so that a line can be printed in its place.
func (b *Bar) Clear() {
	if b.bar != nil {
		b.bar.Clear()
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lines != nil {
		b.next.Reset(time.Minute)
	}
}

// Close takes the bar away for good.
func (b *Bar) Close() {
	if b.bar != nil {
		b.bar.Exit()
		b.bar.Clear()
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lines != nil {
		b.lines = nil
		b.next.Stop()
	}
}
