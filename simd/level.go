// Package simd holds the innermost loops of the project: functions on []float32. Each
// has a reference in plain Go, and versions in assembly for AVX2, AVX-512 and NEON. The
// version is chosen when the program starts.
//
// To understand a kernel, read its reference, xyzGeneric, in the file xyz.go. The
// assembly computes the same, and a test compares the two at every length and alignment.
// Read arith.go first, then gemm.go and winograd.go, which do most of the work.
//
// The environment variable SIMD forces a level for a whole process: SIMD=generic,
// SIMD=avx2, SIMD=avx512 or SIMD=neon.
//
// Functions panic if the lengths of their slices do not fit together. They never read or
// write outside of the slices. Unless its comment says otherwise, a function's
// destination may be the same slice as an operand; it must not overlap one partly.
package simd

import (
	"fmt"
	"os"
	"strings"
)

// Level is a set of machine instructions.
type Level int

// The levels, slowest first. No machine has both AVX2 and NEON.
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

	// There is one bool for each level, and no function pointer for each kernel. The
	// compiler cannot see through a pointer, and would move every buffer that is passed
	// to the heap.
	useAVX2, useAVX512, useNEON = instructions(current)
)

// instructions tells which kinds of assembly a level runs.
func instructions(l Level) (avx2, avx512, neon bool) {
	return l == AVX2 || l == AVX512, l == AVX512, l == NEON
}

// choose returns the level that the environment variable SIMD names, or else the fastest
// one. A wrong name ends the process: a user who sets the variable wants that level and
// no other.
func choose() Level {
	l, err := parseLevel(os.Getenv("SIMD"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return l
}

// parseLevel returns the available level called name, or the fastest one for "".
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

// setLevel switches the process to another level. It is for tests, which compare levels.
func setLevel(l Level) {
	current = l
	useAVX2, useAVX512, useNEON = instructions(l)
}

// maxCall is the largest number of elements in one call of an assembly routine. Assembly
// cannot be interrupted, so during a long call the garbage collector and all other
// goroutines would wait. This many elements take about 50 µs when they come from memory.
const maxCall = 1 << 16

// checkLengths panics unless every length is n.
func checkLengths(kernel string, n int, lengths ...int) {
	for _, m := range lengths {
		if m != n {
			panic(fmt.Sprintf("simd: %s: dst has %d elements, another slice %d", kernel, n, m))
		}
	}
}
