// Package progress shows how far a command is: a bar on a terminal, nothing else
// elsewhere, so that a log file has no traces of it.
package progress

import (
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Bar is a line at the bottom of the terminal that fills up. Without a terminal
// on standard error it shows nothing.
type Bar struct{ bar *progressbar.ProgressBar }

// Terminal reports whether standard error is a terminal.
func Terminal() bool { return term.IsTerminal(int(os.Stderr.Fd())) }

// New returns a bar for total things to do. It shows their number and the time
// that they will still take.
func New(total int, description string) *Bar { return newBar(total, description) }

// NewBytes returns a bar for total bytes. It shows them as kB, MB or GB, and
// their rate.
func NewBytes(total int, description string) *Bar {
	return newBar(total, description, progressbar.OptionShowBytes(true), progressbar.OptionShowTotalBytes(true))
}

func newBar(total int, description string, more ...progressbar.Option) *Bar {
	if !Terminal() || total <= 0 {
		return &Bar{}
	}
	return &Bar{progressbar.NewOptions(total, append(more,
		progressbar.OptionSetWriter(os.Stderr),
		progressbar.OptionSetDescription(description),
		progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(24),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerHead: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}),
	)...)}
}

// Set says how many things are done, and what is going on.
func (b *Bar) Set(done int, description string) {
	if b.bar == nil {
		return
	}
	if description != "" {
		b.bar.Describe(description)
	}
	b.bar.Set(done)
}

// Clear takes the bar away, so that a line can be printed in its place.
func (b *Bar) Clear() {
	if b.bar != nil {
		b.bar.Clear()
	}
}

// Close takes the bar away for good.
func (b *Bar) Close() {
	if b.bar != nil {
		b.bar.Exit()
		b.bar.Clear()
	}
}
