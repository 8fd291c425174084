//go:build !darwin && !windows

package memory

// machine returns how many bytes Linux can give without swapping, or a negative number if the
// system does not say.
func machine() int64 {
	n, known := figure("/proc/meminfo", "MemAvailable: %d kB")
	if !known {
		return -1
	}
	return n << 10
}
