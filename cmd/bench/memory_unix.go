//go:build unix

package main

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// peakMemory returns the most memory that this process has had, in bytes.
func peakMemory() float64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return float64(u.Maxrss)
	}
	return float64(u.Maxrss) * 1024
}
