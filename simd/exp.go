package simd

import "math"

// Exp writes the exponential function: dst[i] = exp(x[i]). The vector versions are
// within 4 units in the last place where the result is a normal number; NaN stays
// NaN, and infinities become 0 and infinity.
func Exp(dst, x []float32) {
	checkLengths("Exp", len(dst), len(x))
	for len(dst) > maxCall {
		exp(dst[:maxCall], x[:maxCall])
		dst, x = dst[maxCall:], x[maxCall:]
	}
	exp(dst, x)
}

func expGeneric(dst, x []float32) {
	for i := range dst {
		dst[i] = float32(math.Exp(float64(x[i])))
	}
}
