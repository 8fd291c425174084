//go:build !unix

package main

import "runtime"

// peakMemory returns what Go has asked the system for, in bytes.
func peakMemory() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.Sys)
}
