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
// that do not depend on one another, in registers.
func fmaPeakGeneric(rounds int) float64 {
	x := 1 / float32(rounds+1) // not a constant, or the compiler would multiply
	a, b, c, d, e, f, g, h := x, x, x, x, x, x, x, x
	for range rounds {
		a = a*x + x
		b = b*x + x
		c = c*x + x
		d = d*x + x
		e = e*x + x
		f = f*x + x
		g = g*x + x
		h = h*x + x
	}
	runtime.KeepAlive(a + b + c + d + e + f + g + h) // or it would leave the loop out
	return float64(rounds) * 2 * 8
}
