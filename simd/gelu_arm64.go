//go:build !noasm

package simd

//go:noescape
func geluNEON(dst, x *float32, n int)

func gelu(dst, x []float32) {
	n := neonPart(len(dst), 4)
	if n > 0 {
		geluNEON(&dst[0], &x[0], n)
	}
	geluGeneric(dst[n:], x[n:])
}
