//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"errors"
	"os"
	"syscall"
)

// notFollowing makes opening fail at a symbolic link, and not wait at a pipe.
const notFollowing = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// renamesOpen: a file can get its name while it is open, and must, so that it is held until
// then.
const renamesOpen = true

// hold locks a file until it is closed, if nobody else has.
func hold(f *os.File) grip {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return mine
		case errors.Is(err, syscall.EWOULDBLOCK):
			return others
		case !errors.Is(err, syscall.EINTR):
			return nobody
		}
	}
}
