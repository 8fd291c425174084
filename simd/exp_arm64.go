//go:build !noasm

package simd

//go:noescape
func expNEON(dst, x *float32, n int)

func exp(dst, x []float32) {
	n := neonPart(len(dst), 4)
	if n > 0 {
		expNEON(&dst[0], &x[0], n)
	}
	expGeneric(dst[n:], x[n:])
}
