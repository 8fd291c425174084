//go:build !noasm

package simd

//go:noescape
func addAVX2(dst, a, b *float32, n int)

//go:noescape
func addAVX512(dst, a, b *float32, n int)

//go:noescape
func mulAVX2(dst, a, b *float32, n int)

//go:noescape
func mulAVX512(dst, a, b *float32, n int)

//go:noescape
func scaleAVX2(dst *float32, alpha float32, x *float32, n int)

//go:noescape
func scaleAVX512(dst *float32, alpha float32, x *float32, n int)

//go:noescape
func axpyAVX2(dst *float32, alpha float32, x *float32, n int)

//go:noescape
func axpyAVX512(dst *float32, alpha float32, x *float32, n int)

//go:noescape
func scaledDiffAVX2(dst *float32, alpha float32, a, b *float32, n int)

//go:noescape
func scaledDiffAVX512(dst *float32, alpha float32, a, b *float32, n int)

func add(dst, a, b []float32) {
	i := 0
	if useAVX512 && len(dst) >= 16 {
		i = len(dst) &^ 15
		addAVX512(&dst[0], &a[0], &b[0], i)
	}
	if n := (len(dst) - i) &^ 7; useAVX2 && n > 0 {
		addAVX2(&dst[i], &a[i], &b[i], n)
		i += n
	}
	addGeneric(dst[i:], a[i:], b[i:])
}

func mul(dst, a, b []float32) {
	i := 0
	if useAVX512 && len(dst) >= 16 {
		i = len(dst) &^ 15
		mulAVX512(&dst[0], &a[0], &b[0], i)
	}
	if n := (len(dst) - i) &^ 7; useAVX2 && n > 0 {
		mulAVX2(&dst[i], &a[i], &b[i], n)
		i += n
	}
	mulGeneric(dst[i:], a[i:], b[i:])
}

func scale(dst []float32, alpha float32, x []float32) {
	i := 0
	if useAVX512 && len(dst) >= 16 {
		i = len(dst) &^ 15
		scaleAVX512(&dst[0], alpha, &x[0], i)
	}
	if n := (len(dst) - i) &^ 7; useAVX2 && n > 0 {
		scaleAVX2(&dst[i], alpha, &x[i], n)
		i += n
	}
	scaleGeneric(dst[i:], alpha, x[i:])
}

func axpy(dst []float32, alpha float32, x []float32) {
	i := 0
	if useAVX512 && len(dst) >= 16 {
		i = len(dst) &^ 15
		axpyAVX512(&dst[0], alpha, &x[0], i)
	}
	if n := (len(dst) - i) &^ 7; useAVX2 && n > 0 {
		axpyAVX2(&dst[i], alpha, &x[i], n)
		i += n
	}
	axpyGeneric(dst[i:], alpha, x[i:])
}

func scaledDiff(dst []float32, alpha float32, a, b []float32) {
	i := 0
	if useAVX512 && len(dst) >= 16 {
		i = len(dst) &^ 15
		scaledDiffAVX512(&dst[0], alpha, &a[0], &b[0], i)
	}
	if n := (len(dst) - i) &^ 7; useAVX2 && n > 0 {
		scaledDiffAVX2(&dst[i], alpha, &a[i], &b[i], n)
		i += n
	}
	scaledDiffGeneric(dst[i:], alpha, a[i:], b[i:])
}
