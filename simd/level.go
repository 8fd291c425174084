// Package simd holds the loops that all of the project's arithmetic ends in:
// functions on []float32, each with a reference in plain Go and versions in
// assembly for AVX2, AVX-512 and NEON, chosen when the program starts.
//
// To understand a kernel read its reference, xyzGeneric, in the file xyz.go:
// the assembly computes the same, and a test holds them equal at every length
// and alignment. The environment variable SIMD forces a level for a whole
// process: SIMD=generic, SIMD=avx2, SIMD=avx512 or SIMD=neon.
//
// Functions panic if slices have lengths that do not fit together, and never
// read or write outside of them. Destinations may be the very slices that are
// read, but must not overlap them otherwise.
package simd

import (
	"fmt"
	"os"
	"strings"
)

// Level is a set of machine instructions.
type Level int

// The levels, slowest first; no machine has both AVX2 and NEON.
const (
	Generic Level = iota // plain Go: every machine
	AVX2                 // amd64 with AVX2 and FMA
	AVX512               // amd64 with AVX-512 F, BW, DQ and VL
	NEON                 // arm64: every machine
)

var levelNames = [...]string{"generic", "avx2", "avx512", "neon"}

// String returns the name that the environment variable SIMD uses.
func (l Level) String() string { return levelNames[l] }

// Available returns the levels that this machine can run, slowest first.
func Available() []Level { return available }

// Current returns the level that this process runs.
func Current() Level { return current }

var (
	available = detect()
	current   = choose()

	// One bool a level, not a function pointer a kernel: the compiler cannot see
	// through a pointer, and would move every buffer that is passed to the heap.
	useAVX2, useAVX512, useNEON = instructions(current)
)

// instructions tells which of the assembly a level runs.
func instructions(l Level) (avx2, avx512, neon bool) {
	return l == AVX2 || l == AVX512, l == AVX512, l == NEON
}

// choose returns the level that the environment variable SIMD names, or the
// best that there is. A wrong name ends the process: whoever sets the variable
// wants to know what that level does, not what another one does.
func choose() Level {
	l, err := parseLevel(os.Getenv("SIMD"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return l
}

// parseLevel returns the available level called name, or the best for "".
func parseLevel(name string) (Level, error) {
	if name == "" {
		return available[len(available)-1], nil
	}
	names := make([]string, len(available))
	for i, l := range available {
		if l.String() == name {
			return l, nil
		}
		names[i] = l.String()
	}
	return Generic, fmt.Errorf("simd: SIMD=%s: no such level here; this machine has %s", name, strings.Join(names, ", "))
}

// setLevel switches the process to another level: for tests, which compare them.
func setLevel(l Level) {
	current = l
	useAVX2, useAVX512, useNEON = instructions(l)
}

// maxCall is how many elements one call of an assembly routine works on at the
// most. Assembly cannot be interrupted, so a long call would keep the garbage
// collector, and with it all other goroutines, waiting: this many elements take
// some 50 µs when they come from memory.
const maxCall = 1 << 16

// checkLengths panics unless every length is n.
func checkLengths(kernel string, n int, lengths ...int) {
	for _, m := range lengths {
		if m != n {
			panic(fmt.Sprintf("simd: %s: dst has %d elements, another slice %d", kernel, n, m))
		}
	}
}
