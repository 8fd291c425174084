//go:build !noasm

package simd

//go:noescape
func sumAbsDiffNEON(a, b *float32, n int) float32

//go:noescape
func signDiffNEON(dst *float32, alpha float32, a, b *float32, n int)

//go:noescape
func sumRootDiffNEON(eps2 float32, a, b *float32, n int) float32

//go:noescape
func rootDiffNEON(dst *float32, alpha, eps2 float32, a, b *float32, n int)

func sumAbsDiff(a, b []float32) float32 {
	n := neonPart(len(a), 8)
	if n == 0 {
		return sumAbsDiffGeneric(a, b)
	}
	return sumAbsDiffNEON(&a[0], &b[0], n) + sumAbsDiffGeneric(a[n:], b[n:])
}

func sumRootDiff(eps2 float32, a, b []float32) float32 {
	n := neonPart(len(a), 8)
	if n == 0 {
		return sumRootDiffGeneric(eps2, a, b)
	}
	return sumRootDiffNEON(eps2, &a[0], &b[0], n) + sumRootDiffGeneric(eps2, a[n:], b[n:])
}

func signDiff(dst []float32, alpha float32, a, b []float32) {
	n := neonPart(len(dst), 8)
	if n > 0 {
		signDiffNEON(&dst[0], alpha, &a[0], &b[0], n)
	}
	signDiffGeneric(dst[n:], alpha, a[n:], b[n:])
}

func rootDiff(dst []float32, alpha, eps2 float32, a, b []float32) {
	n := neonPart(len(dst), 8)
	if n > 0 {
		rootDiffNEON(&dst[0], alpha, eps2, &a[0], &b[0], n)
	}
	rootDiffGeneric(dst[n:], alpha, eps2, a[n:], b[n:])
}
