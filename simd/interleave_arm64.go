//go:build !noasm

package simd

//go:noescape
func deinterleave2NEON(even, odd, src *float32, n int)

//go:noescape
func interleave2NEON(dst, even, odd *float32, n int)

func deinterleave2(even, odd, src []float32) {
	n := neonPart(len(src), 8)
	if n > 0 {
		deinterleave2NEON(&even[0], &odd[0], &src[0], n)
	}
	deinterleave2Generic(even[n/2:], odd[n/2:], src[n:])
}

func interleave2(dst, even, odd []float32) {
	n := neonPart(len(dst), 8)
	if n > 0 {
		interleave2NEON(&dst[0], &even[0], &odd[0], n)
	}
	interleave2Generic(dst[n:], even[n/2:], odd[n/2:])
}
