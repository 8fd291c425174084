package simd

import "runtime"

// FMAPeak keeps the processor's multipliers as busy as possible. In each of the rounds it
// does one multiply-add into every register of a tile, and reads no memory. It returns the
// number of floating-point operations, two for each multiply-add and lane. This number
// divided by the time is the peak that every other kernel is compared with.
func FMAPeak(rounds int) (operations float64) {
	return fmaPeak(rounds)
}

// fmaPeakGeneric does the same with scalars: eight sums in registers, independent of one
// another.
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
