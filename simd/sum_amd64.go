//go:build !noasm

package simd

//go:noescape
func sumAVX2(x *float32, n int) float32

//go:noescape
func sumAVX512(x *float32, n int) float32

//go:noescape
func sumSquaredDiffAVX2(a, b *float32, n int) float32

//go:noescape
func sumSquaredDiffAVX512(a, b *float32, n int) float32

func sum(x []float32) float32 {
	if useAVX512 && len(x) >= 16 {
		n := len(x) &^ 15
		return sumAVX512(&x[0], n) + sumGeneric(x[n:])
	}
	if useAVX2 && len(x) >= 8 {
		n := len(x) &^ 7
		return sumAVX2(&x[0], n) + sumGeneric(x[n:])
	}
	return sumGeneric(x)
}

func sumSquaredDiff(a, b []float32) float32 {
	if useAVX512 && len(a) >= 16 {
		n := len(a) &^ 15
		return sumSquaredDiffAVX512(&a[0], &b[0], n) + sumSquaredDiffGeneric(a[n:], b[n:])
	}
	if useAVX2 && len(a) >= 8 {
		n := len(a) &^ 7
		return sumSquaredDiffAVX2(&a[0], &b[0], n) + sumSquaredDiffGeneric(a[n:], b[n:])
	}
	return sumSquaredDiffGeneric(a, b)
}
