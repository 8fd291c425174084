package simd

// AddBiasPReLU adds one number to a slice and multiplies what is negative with another:
//
//	v = x[i] + bias
//	dst[i] = v          if not v < 0
//	         slope·v    otherwise
//
// It is the last step of a convolution with PReLU, whose slope is the channel's. NaN stays NaN.
func AddBiasPReLU(dst, x []float32, bias, slope float32) {
	checkLengths("AddBiasPReLU", len(dst), len(x))
	for len(dst) > maxCall {
		addBiasPReLU(dst[:maxCall], x[:maxCall], bias, slope)
		dst, x = dst[maxCall:], x[maxCall:]
	}
	addBiasPReLU(dst, x, bias, slope)
}

func addBiasPReLUGeneric(dst, x []float32, bias, slope float32) {
	for i := range dst {
		v := x[i] + bias
		if v < 0 {
			v *= slope
		}
		dst[i] = v
	}
}

// PReLUBackward writes the gradient of a PReLU with respect to its operand x:
//
//	dst[i] = dy[i]          if x[i] > 0
//	         slope·dy[i]    otherwise, also if x[i] is NaN
//
// The derivative at 0 is slope, as in PyTorch.
func PReLUBackward(dst, dy, x []float32, slope float32) {
	checkLengths("PReLUBackward", len(dst), len(dy), len(x))
	for len(dst) > maxCall {
		preluBackward(dst[:maxCall], dy[:maxCall], x[:maxCall], slope)
		dst, dy, x = dst[maxCall:], dy[maxCall:], x[maxCall:]
	}
	preluBackward(dst, dy, x, slope)
}

func preluBackwardGeneric(dst, dy, x []float32, slope float32) {
	for i := range dst {
		d := dy[i]
		if !(x[i] > 0) {
			d *= slope
		}
		dst[i] = d
	}
}
