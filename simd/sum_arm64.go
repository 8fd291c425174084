//go:build !noasm

package simd

//go:noescape
func sumNEON(x *float32, n int) float32

//go:noescape
func sumSquaredDiffNEON(a, b *float32, n int) float32

func sum(x []float32) float32 {
	n := neonPart(len(x), 8)
	if n == 0 {
		return sumGeneric(x)
	}
	return sumNEON(&x[0], n) + sumGeneric(x[n:])
}

func sumSquaredDiff(a, b []float32) float32 {
	n := neonPart(len(a), 8)
	if n == 0 {
		return sumSquaredDiffGeneric(a, b)
	}
	return sumSquaredDiffNEON(&a[0], &b[0], n) + sumSquaredDiffGeneric(a[n:], b[n:])
}
