//go:build !noasm

package simd

// detect has nothing to ask: NEON is part of the architecture.
func detect() []Level { return []Level{Generic, NEON} }

// neonPart returns how many of n elements a NEON kernel computes, if it works on step
// elements at a time; step is a power of two. The reference computes the rest. At level
// Generic the result is 0.
func neonPart(n, step int) int {
	if !useNEON {
		return 0
	}
	return n &^ (step - 1)
}
