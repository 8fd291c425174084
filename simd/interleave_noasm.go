//go:build noasm || (!amd64 && !arm64)

package simd

func deinterleave2(even, odd, src []float32) { deinterleave2Generic(even, odd, src) }

func interleave2(dst, even, odd []float32) { interleave2Generic(dst, even, odd) }
