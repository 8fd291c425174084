// Package simd holds the innermost loops of the project: functions on []float32. Each
// has a reference in plain Go, and versions in assembly for AVX2, AVX-512 and NEON. The
// version is chosen when the program starts.
//
// To understand a kernel, read its reference, xyzGeneric, in the file xyz.go. The
// assembly computes the same, and a test compares the two at every length and alignment.
// Read arith.go first, then gemm.go and winograd.go, which do most of the work.
//
// The environment variable PIXELGRAD_SIMD forces a level for a whole process:
// PIXELGRAD_SIMD=generic, avx2, avx512 or neon.
//
// Functions panic if the lengths of their slices do not fit together. They never read or
// write outside of the slices. Unless its comment says otherwise, a function's
// destination may be the same slice as an operand; it must not overlap one partly.
package simd

import (
	"fmt"
	"os"
	"slices"
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

// Environment is the variable that names the level of a process.
const Environment = "PIXELGRAD_SIMD"

// oldEnvironment is what it was called before. Others use that name too, for whatever they
// like: only the names of our levels are taken from it.
const oldEnvironment = "SIMD"

// String returns the name that the environment variable PIXELGRAD_SIMD uses.
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

// choose returns the level that the environment names, or else the fastest one. A wrong
// name ends the process: a user who sets the variable wants that level and no other.
func choose() Level {
	l, err := fromEnvironment(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return l
}

// fromEnvironment returns the level that PIXELGRAD_SIMD names or, if that is empty, SIMD;
// the fastest one if neither does. A level of ours that this machine lacks is an error in
// both: whoever wrote it meant us.
func fromEnvironment(getenv func(string) string) (Level, error) {
	if name := getenv(Environment); name != "" {
		return parseLevel(Environment, name)
	}
	if name := getenv(oldEnvironment); slices.Contains(levelNames[:], name) {
		return parseLevel(oldEnvironment, name)
	}
	return available[len(available)-1], nil
}

// parseLevel returns the available level called name. The error says which variable has it.
func parseLevel(variable, name string) (Level, error) {
	names := make([]string, len(available))
	for i, l := range available {
		if l.String() == name {
			return l, nil
		}
		names[i] = l.String()
	}
	return Generic, fmt.Errorf("simd: %s=%s: no such level here; this machine has %s", variable, name, strings.Join(names, ", "))
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
