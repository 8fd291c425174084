//go:build !noasm

package simd

//go:noescape
func addBiasAVX2(dst, x *float32, bias float32, n int)

//go:noescape
func addBiasAVX512(dst, x *float32, bias float32, n int)

//go:noescape
func addBiasReLUAVX2(dst, x *float32, bias float32, n int)

//go:noescape
func addBiasReLUAVX512(dst, x *float32, bias float32, n int)

//go:noescape
func reluBackwardAVX2(dst, dy, y *float32, n int)

//go:noescape
func reluBackwardAVX512(dst, dy, y *float32, n int)

func addBias(dst, x []float32, bias float32) {
	switch n := len(dst); {
	case n == 0 || !useAVX2:
		addBiasGeneric(dst, x, bias)
	case useAVX512:
		addBiasAVX512(&dst[0], &x[0], bias, n)
	default:
		addBiasAVX2(&dst[0], &x[0], bias, n)
	}
}

func addBiasReLU(dst, x []float32, bias float32) {
	switch n := len(dst); {
	case n == 0 || !useAVX2:
		addBiasReLUGeneric(dst, x, bias)
	case useAVX512:
		addBiasReLUAVX512(&dst[0], &x[0], bias, n)
	default:
		addBiasReLUAVX2(&dst[0], &x[0], bias, n)
	}
}

func reluBackward(dst, dy, y []float32) {
	switch n := len(dst); {
	case n == 0 || !useAVX2:
		reluBackwardGeneric(dst, dy, y)
	case useAVX512:
		reluBackwardAVX512(&dst[0], &dy[0], &y[0], n)
	default:
		reluBackwardAVX2(&dst[0], &dy[0], &y[0], n)
	}
}
