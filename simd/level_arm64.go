//go:build !noasm

package simd

// detect has nothing to ask: the architecture includes its vector instructions.
func detect() []Level { return []Level{Generic, NEON} }

// neonPart returns how many of n elements go to a NEON kernel that works on step of them
// at a time, a power of two; the rest go to the reference. It is 0 at level Generic.
func neonPart(n, step int) int {
	if !useNEON {
		return 0
	}
	return n &^ (step - 1)
}
