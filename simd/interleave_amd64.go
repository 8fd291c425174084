//go:build !noasm

package simd

//go:noescape
func deinterleave2AVX2(even, odd, src *float32, n int)

//go:noescape
func interleave2AVX2(dst, even, odd *float32, n int)

// Both kernels only move data. AVX2 already reaches the speed of the nearest cache, so
// there is no AVX-512 version.

func deinterleave2(even, odd, src []float32) {
	n := 0
	if useAVX2 {
		if n = len(src) &^ 15; n > 0 {
			deinterleave2AVX2(&even[0], &odd[0], &src[0], n)
		}
	}
	deinterleave2Generic(even[n/2:], odd[n/2:], src[n:])
}

func interleave2(dst, even, odd []float32) {
	n := 0
	if useAVX2 {
		if n = len(dst) &^ 15; n > 0 {
			interleave2AVX2(&dst[0], &even[0], &odd[0], n)
		}
	}
	interleave2Generic(dst[n:], even[n/2:], odd[n/2:])
}
