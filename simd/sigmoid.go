package simd

import "math"

// Sigmoid writes the logistic function: dst[i] = σ(x[i]) = 1 / (1 + exp(-x[i])).
// The error of the vector versions is at most 4 units in the last place. For x below -86
// they return σ(-86) ≈ 4.5e-38. A result depends on its x alone, to the last bit, and not on where it
// stands: an image that is computed some rows at a time has the bits of the whole.
func Sigmoid(dst, x []float32) {
	checkLengths("Sigmoid", len(dst), len(x))
	for len(dst) > maxCall {
		sigmoid(dst[:maxCall], x[:maxCall])
		dst, x = dst[maxCall:], x[maxCall:]
	}
	sigmoid(dst, x)
}

func sigmoidGeneric(dst, x []float32) {
	for i := range dst {
		dst[i] = float32(1 / (1 + math.Exp(-float64(x[i]))))
	}
}

// SigmoidBackward writes the gradient of y = σ(x) with respect to x:
// dst[i] = dy[i]·y[i]·(1-y[i]). It does not need x.
func SigmoidBackward(dst, dy, y []float32) {
	checkLengths("SigmoidBackward", len(dst), len(dy), len(y))
	for len(dst) > maxCall {
		sigmoidBackward(dst[:maxCall], dy[:maxCall], y[:maxCall])
		dst, dy, y = dst[maxCall:], dy[maxCall:], y[maxCall:]
	}
	sigmoidBackward(dst, dy, y)
}

func sigmoidBackwardGeneric(dst, dy, y []float32) {
	for i := range dst {
		dst[i] = dy[i] * (y[i] * (1 - y[i]))
	}
}
