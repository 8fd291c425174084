package simd

import "math"

// GELU writes the Gaussian error linear unit: dst[i] = x[i]·Φ(x[i]), where
// Φ(x) = (1 + erf(x/√2)) / 2 is the distribution function of the normal distribution.
// The vector versions compute Φ by Abramowitz and Stegun's formula 7.1.26, whose error
// is 7.5e-8. Their absolute error is at most 2e-7·max(1, |x|).
func GELU(dst, x []float32) {
	checkLengths("GELU", len(dst), len(x))
	for len(dst) > maxCall {
		gelu(dst[:maxCall], x[:maxCall])
		dst, x = dst[maxCall:], x[maxCall:]
	}
	gelu(dst, x)
}

func geluGeneric(dst, x []float32) {
	for i := range dst {
		v := float64(x[i])
		dst[i] = float32(v * (0.5 * math.Erfc(-v/math.Sqrt2)))
	}
}
