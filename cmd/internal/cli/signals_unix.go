//go:build unix

package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// hangup returns the signal of a terminal that closes, unless it is ignored.
func hangup() []os.Signal {
	if signal.Ignored(syscall.SIGHUP) {
		return nil
	}
	return []os.Signal{syscall.SIGHUP}
}

// outlivePipes has the process go on when it writes where nobody reads any more: the write
// fails, and no more. The signal is not ignored but taken, for programs that it starts would
// ignore it, too.
func outlivePipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
