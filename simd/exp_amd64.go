//go:build !noasm

package simd

//go:noescape
func expAVX2(dst, x *float32, n int)

//go:noescape
func expAVX512(dst, x *float32, n int)

func exp(dst, x []float32) {
	i := 0
	if useAVX512 && len(dst) >= 16 {
		i = len(dst) &^ 15
		expAVX512(&dst[0], &x[0], i)
	}
	if n := (len(dst) - i) &^ 7; useAVX2 && n > 0 {
		expAVX2(&dst[i], &x[i], n)
		i += n
	}
	expGeneric(dst[i:], x[i:])
}
