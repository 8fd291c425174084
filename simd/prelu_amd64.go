//go:build !noasm

package simd

//go:noescape
func addBiasPReLUAVX2(dst, x *float32, bias, slope float32, n int)

//go:noescape
func addBiasPReLUAVX512(dst, x *float32, bias, slope float32, n int)

//go:noescape
func preluBackwardAVX2(dst, dy, x *float32, slope float32, n int)

//go:noescape
func preluBackwardAVX512(dst, dy, x *float32, slope float32, n int)

func addBiasPReLU(dst, x []float32, bias, slope float32) {
	switch n := len(dst); {
	case n == 0 || !useAVX2:
		addBiasPReLUGeneric(dst, x, bias, slope)
	case useAVX512:
		addBiasPReLUAVX512(&dst[0], &x[0], bias, slope, n)
	default:
		addBiasPReLUAVX2(&dst[0], &x[0], bias, slope, n)
	}
}

func preluBackward(dst, dy, x []float32, slope float32) {
	switch n := len(dst); {
	case n == 0 || !useAVX2:
		preluBackwardGeneric(dst, dy, x, slope)
	case useAVX512:
		preluBackwardAVX512(&dst[0], &dy[0], &x[0], slope, n)
	default:
		preluBackwardAVX2(&dst[0], &dy[0], &x[0], slope, n)
	}
}
