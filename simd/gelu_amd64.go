//go:build !noasm

package simd

//go:noescape
func geluAVX2(dst, x *float32, n int)

//go:noescape
func geluAVX512(dst, x *float32, n int)

func gelu(dst, x []float32) {
	i := 0
	if useAVX512 && len(dst) >= 16 {
		i = len(dst) &^ 15
		geluAVX512(&dst[0], &x[0], i)
	}
	if n := (len(dst) - i) &^ 7; useAVX2 && n > 0 {
		geluAVX2(&dst[i], &x[i], n)
		i += n
	}
	geluGeneric(dst[i:], x[i:])
}
