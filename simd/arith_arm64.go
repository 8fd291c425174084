//go:build !noasm

package simd

//go:noescape
func addNEON(dst, a, b *float32, n int)

//go:noescape
func mulNEON(dst, a, b *float32, n int)

//go:noescape
func scaleNEON(dst *float32, alpha float32, x *float32, n int)

//go:noescape
func axpyNEON(dst *float32, alpha float32, x *float32, n int)

//go:noescape
func scaledDiffNEON(dst *float32, alpha float32, a, b *float32, n int)

func add(dst, a, b []float32) {
	n := neonPart(len(dst), 8)
	if n > 0 {
		addNEON(&dst[0], &a[0], &b[0], n)
	}
	addGeneric(dst[n:], a[n:], b[n:])
}

func mul(dst, a, b []float32) {
	n := neonPart(len(dst), 8)
	if n > 0 {
		mulNEON(&dst[0], &a[0], &b[0], n)
	}
	mulGeneric(dst[n:], a[n:], b[n:])
}

func scale(dst []float32, alpha float32, x []float32) {
	n := neonPart(len(dst), 8)
	if n > 0 {
		scaleNEON(&dst[0], alpha, &x[0], n)
	}
	scaleGeneric(dst[n:], alpha, x[n:])
}

func axpy(dst []float32, alpha float32, x []float32) {
	n := neonPart(len(dst), 8)
	if n > 0 {
		axpyNEON(&dst[0], alpha, &x[0], n)
	}
	axpyGeneric(dst[n:], alpha, x[n:])
}

func scaledDiff(dst []float32, alpha float32, a, b []float32) {
	n := neonPart(len(dst), 8)
	if n > 0 {
		scaledDiffNEON(&dst[0], alpha, &a[0], &b[0], n)
	}
	scaledDiffGeneric(dst[n:], alpha, a[n:], b[n:])
}
