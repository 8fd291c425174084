//go:build darwin || dragonfly || freebsd || linux

package atomicfile

import (
	"os"

	"golang.org/x/sys/unix"
)

func isSystemsFull(error) bool { return false }

// freeBytes returns how many bytes this process can still write to a folder's disk.
func freeBytes(dir string) (n int64, known bool) {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return 0, false
	}
	blocks := int64(s.Bavail)
	if os.Geteuid() == 0 { // who may also take what is kept for root
		blocks = int64(s.Bfree)
	}
	return max(0, blocks) * int64(s.Bsize), true
}
