//go:build !noasm

package simd

//go:noescape
func sigmoidAVX2(dst, x *float32, n int)

//go:noescape
func sigmoidAVX512(dst, x *float32, n int)

//go:noescape
func sigmoidBackwardAVX2(dst, dy, y *float32, n int)

//go:noescape
func sigmoidBackwardAVX512(dst, dy, y *float32, n int)

func sigmoid(dst, x []float32) {
	i := 0
	if useAVX512 && len(dst) >= 16 {
		i = len(dst) &^ 15
		sigmoidAVX512(&dst[0], &x[0], i)
	}
	if n := (len(dst) - i) &^ 7; useAVX2 && n > 0 {
		sigmoidAVX2(&dst[i], &x[i], n)
		i += n
	}
	if useAVX2 && i < len(dst) { // as a whole vector: see Sigmoid
		var v [8]float32
		copy(v[:], x[i:])
		sigmoidAVX2(&v[0], &v[0], len(v))
		i += copy(dst[i:], v[:])
	}
	sigmoidGeneric(dst[i:], x[i:])
}

func sigmoidBackward(dst, dy, y []float32) {
	i := 0
	if useAVX512 && len(dst) >= 16 {
		i = len(dst) &^ 15
		sigmoidBackwardAVX512(&dst[0], &dy[0], &y[0], i)
	}
	if n := (len(dst) - i) &^ 7; useAVX2 && n > 0 {
		sigmoidBackwardAVX2(&dst[i], &dy[i], &y[i], n)
		i += n
	}
	sigmoidBackwardGeneric(dst[i:], dy[i:], y[i:])
}
