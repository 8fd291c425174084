//go:build !noasm

package simd

//go:noescape
func sumAbsDiffAVX2(a, b *float32, n int) float32

//go:noescape
func sumAbsDiffAVX512(a, b *float32, n int) float32

//go:noescape
func signDiffAVX2(dst *float32, alpha float32, a, b *float32, n int)

//go:noescape
func signDiffAVX512(dst *float32, alpha float32, a, b *float32, n int)

//go:noescape
func sumRootDiffAVX2(eps2 float32, a, b *float32, n int) float32

//go:noescape
func sumRootDiffAVX512(eps2 float32, a, b *float32, n int) float32

//go:noescape
func rootDiffAVX2(dst *float32, alpha, eps2 float32, a, b *float32, n int)

//go:noescape
func rootDiffAVX512(dst *float32, alpha, eps2 float32, a, b *float32, n int)

func sumAbsDiff(a, b []float32) float32 {
	if useAVX512 && len(a) >= 16 {
		n := len(a) &^ 15
		return sumAbsDiffAVX512(&a[0], &b[0], n) + sumAbsDiffGeneric(a[n:], b[n:])
	}
	if useAVX2 && len(a) >= 8 {
		n := len(a) &^ 7
		return sumAbsDiffAVX2(&a[0], &b[0], n) + sumAbsDiffGeneric(a[n:], b[n:])
	}
	return sumAbsDiffGeneric(a, b)
}

func sumRootDiff(eps2 float32, a, b []float32) float32 {
	if useAVX512 && len(a) >= 16 {
		n := len(a) &^ 15
		return sumRootDiffAVX512(eps2, &a[0], &b[0], n) + sumRootDiffGeneric(eps2, a[n:], b[n:])
	}
	if useAVX2 && len(a) >= 8 {
		n := len(a) &^ 7
		return sumRootDiffAVX2(eps2, &a[0], &b[0], n) + sumRootDiffGeneric(eps2, a[n:], b[n:])
	}
	return sumRootDiffGeneric(eps2, a, b)
}

func signDiff(dst []float32, alpha float32, a, b []float32) {
	i := 0
	if useAVX512 && len(dst) >= 16 {
		i = len(dst) &^ 15
		signDiffAVX512(&dst[0], alpha, &a[0], &b[0], i)
	}
	if n := (len(dst) - i) &^ 7; useAVX2 && n > 0 {
		signDiffAVX2(&dst[i], alpha, &a[i], &b[i], n)
		i += n
	}
	signDiffGeneric(dst[i:], alpha, a[i:], b[i:])
}

func rootDiff(dst []float32, alpha, eps2 float32, a, b []float32) {
	i := 0
	if useAVX512 && len(dst) >= 16 {
		i = len(dst) &^ 15
		rootDiffAVX512(&dst[0], alpha, eps2, &a[0], &b[0], i)
	}
	if n := (len(dst) - i) &^ 7; useAVX2 && n > 0 {
		rootDiffAVX2(&dst[i], alpha, eps2, &a[i], &b[i], n)
		i += n
	}
	rootDiffGeneric(dst[i:], alpha, eps2, a[i:], b[i:])
}
