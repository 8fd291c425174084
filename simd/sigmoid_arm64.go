//go:build !noasm

package simd

//go:noescape
func sigmoidNEON(dst, x *float32, n int)

//go:noescape
func sigmoidBackwardNEON(dst, dy, y *float32, n int)

func sigmoid(dst, x []float32) {
	n := neonPart(len(dst), 4)
	if n > 0 {
		sigmoidNEON(&dst[0], &x[0], n)
	}
	var v [4]float32
	if whole := neonPart(len(v), 4); whole > 0 && n < len(dst) { // as a whole vector: see Sigmoid
		copy(v[:], x[n:])
		sigmoidNEON(&v[0], &v[0], whole)
		n += copy(dst[n:], v[:])
	}
	sigmoidGeneric(dst[n:], x[n:])
}

func sigmoidBackward(dst, dy, y []float32) {
	n := neonPart(len(dst), 4)
	if n > 0 {
		sigmoidBackwardNEON(&dst[0], &dy[0], &y[0], n)
	}
	sigmoidBackwardGeneric(dst[n:], dy[n:], y[n:])
}
