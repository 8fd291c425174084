package simd

import "math"

// Exp writes the exponential function: dst[i] = exp(x[i]). The error of the vector
// versions is at most 4 units in the last place where the result is a normal number.
// exp(NaN) is NaN, exp(-Inf) is 0 and exp(+Inf) is +Inf.
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
