package memory

import "golang.org/x/sys/unix"

// machine returns how many bytes of memory the machine has in all: macOS has no number for
// what it could give. The result is negative if the system does not say.
func machine() int64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return -1
	}
	return int64(n)
}
