//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"errors"
	"os"
	"syscall"
)

// notFollowing makes opening fail at a symbolic link, and not wait at a pipe.
const notFollowing = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

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

// rename gives a file its name, and then closes it: until then it must be held. It has been
// synced, so that closing has nothing left to say.
func rename(f *os.File, target string) error {
	if err := os.Rename(f.Name(), target); err != nil {
		return err
	}
	f.Close()
	return nil
}
