//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package filelock

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Lock makes this process the only one that works on a file, until it calls
// unlock or ends, however it ends: the system takes the lock away with the
// process, so that there are no stale ones. The error wraps ErrBusy if another
// process has it.
func Lock(path string) (unlock func(), err error) {
	name := path + ".lock"
	for {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o666)
		if err != nil {
			return nil, err
		}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EWOULDBLOCK):
			f.Close()
			return nil, fmt.Errorf("%s: %w: wait until it has finished", path, ErrBusy)
		case errors.Is(err, syscall.EINTR):
			f.Close()
			continue
		case err != nil:
			// Some network file systems have no locks. Two downloads at once would
			// spoil the part, but not get past the sum.
			return func() { os.Remove(name); f.Close() }, nil
		}
		// Between opening and locking the file may have been deleted by the one
		// who had the lock; then somebody else can lock a new one.
		mine, err1 := f.Stat()
		now, err2 := os.Lstat(name)
		if err1 == nil && err2 == nil && os.SameFile(mine, now) {
			return func() { os.Remove(name); f.Close() }, nil // in this order, see above
		}
		f.Close()
	}
}
