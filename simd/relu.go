package simd

// AddBias adds one number to a slice: dst[i] = x[i] + bias. It is the last step of a
// convolution without an activation, once for each output channel.
func AddBias(dst, x []float32, bias float32) {
	checkLengths("AddBias", len(dst), len(x))
	for len(dst) > maxCall {
		addBias(dst[:maxCall], x[:maxCall], bias)
		dst, x = dst[maxCall:], x[maxCall:]
	}
	addBias(dst, x, bias)
}

func addBiasGeneric(dst, x []float32, bias float32) {
	for i := range dst {
		dst[i] = x[i] + bias
	}
}

// AddBiasReLU adds one number to a slice and clips at zero: dst[i] = max(x[i]+bias, 0).
// NaN stays NaN.
func AddBiasReLU(dst, x []float32, bias float32) {
	checkLengths("AddBiasReLU", len(dst), len(x))
	for len(dst) > maxCall {
		addBiasReLU(dst[:maxCall], x[:maxCall], bias)
		dst, x = dst[maxCall:], x[maxCall:]
	}
	addBiasReLU(dst, x, bias)
}

func addBiasReLUGeneric(dst, x []float32, bias float32) {
	for i := range dst {
		dst[i] = max(x[i]+bias, 0)
	}
}

// ReLUBackward writes the gradient of y = max(x, 0) with respect to x:
// dst[i] = 0 if y[i] <= 0, else dy[i]. The derivative at 0 is 0, as in PyTorch. If y[i]
// is NaN, dst[i] is dy[i].
func ReLUBackward(dst, dy, y []float32) {
	checkLengths("ReLUBackward", len(dst), len(dy), len(y))
	for len(dst) > maxCall {
		reluBackward(dst[:maxCall], dy[:maxCall], y[:maxCall])
		dst, dy, y = dst[maxCall:], dy[maxCall:], y[maxCall:]
	}
	reluBackward(dst, dy, y)
}

func reluBackwardGeneric(dst, dy, y []float32) {
	for i := range dst {
		if y[i] <= 0 {
			dst[i] = 0
		} else {
			dst[i] = dy[i]
		}
	}
}
