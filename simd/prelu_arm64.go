//go:build !noasm

package simd

//go:noescape
func addBiasPReLUNEON(dst, x *float32, bias, slope float32, n int)

//go:noescape
func preluBackwardNEON(dst, dy, x *float32, slope float32, n int)

func addBiasPReLU(dst, x []float32, bias, slope float32) {
	n := neonPart(len(dst), 8)
	if n > 0 {
		addBiasPReLUNEON(&dst[0], &x[0], bias, slope, n)
	}
	addBiasPReLUGeneric(dst[n:], x[n:], bias, slope)
}

func preluBackward(dst, dy, x []float32, slope float32) {
	n := neonPart(len(dst), 8)
	if n > 0 {
		preluBackwardNEON(&dst[0], &dy[0], &x[0], slope, n)
	}
	preluBackwardGeneric(dst[n:], dy[n:], x[n:], slope)
}
