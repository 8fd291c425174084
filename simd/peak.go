package simd

import "runtime"

// FMAPeak keeps the multipliers as busy as they can be: rounds times a
// multiply-add into each of a tile's registers, with no memory in between. It
// returns how many floating-point operations that was, two for each multiply-add
// and lane; divided by the time it took, they are the peak that every other
// kernel is measured against.
func FMAPeak(rounds int) (operations float64) {
	return fmaPeak(rounds)
}

// fmaPeakGeneric does with scalars what the others do with vectors: eight sums
// that do not depend on one another.
func fmaPeakGeneric(rounds int) float64 {
	var s [8]float32
	x, y := float32(0.5), float32(0.25)
	for range rounds {
		s[0] += x * y
		s[1] += x * y
		s[2] += x * y
		s[3] += x * y
		s[4] += x * y
		s[5] += x * y
		s[6] += x * y
		s[7] += x * y
	}
	runtime.KeepAlive(s) // or the compiler would leave the loop out
	return float64(rounds) * 2 * 8
}
