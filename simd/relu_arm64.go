//go:build !noasm

package simd

//go:noescape
func addBiasNEON(dst, x *float32, bias float32, n int)

//go:noescape
func addBiasReLUNEON(dst, x *float32, bias float32, n int)

//go:noescape
func reluBackwardNEON(dst, dy, y *float32, n int)

func addBias(dst, x []float32, bias float32) {
	n := neonPart(len(dst), 8)
	if n > 0 {
		addBiasNEON(&dst[0], &x[0], bias, n)
	}
	addBiasGeneric(dst[n:], x[n:], bias)
}

func addBiasReLU(dst, x []float32, bias float32) {
	n := neonPart(len(dst), 8)
	if n > 0 {
		addBiasReLUNEON(&dst[0], &x[0], bias, n)
	}
	addBiasReLUGeneric(dst[n:], x[n:], bias)
}

func reluBackward(dst, dy, y []float32) {
	n := neonPart(len(dst), 8)
	if n > 0 {
		reluBackwardNEON(&dst[0], &dy[0], &y[0], n)
	}
	reluBackwardGeneric(dst[n:], dy[n:], y[n:])
}
