package tensor

import "pixelgrad/simd"

// The rows of a dilated convolution's image are split into the rows of its parts, and
// results merged again: see winograd.

// split writes every d-th element of src, beginning with the first, to dst, those
// beginning with the second ld further on, and so forth. scratch is as long as src.
func split(dst []float32, ld int, src []float32, d int, scratch []float32) {
	switch n := len(src); {
	case d == 1:
		copy(dst, src)
	case d == 2 && n > 1:
		simd.Deinterleave2(dst[:(n+1)/2], dst[ld:][:n/2], src)
	case d%2 == 0 && n > 1: // halves, of which each is split on; their parts alternate
		even, odd := scratch[:(n+1)/2], scratch[(n+1)/2:n]
		simd.Deinterleave2(even, odd, src)
		split(dst, 2*ld, even, d/2, src) // src has served
		split(dst[ld:], 2*ld, odd, d/2, src)
	default:
		for r := range min(d, n) {
			for x, i := r, 0; x < n; x, i = x+d, i+1 {
				dst[r*ld+i] = src[x]
			}
		}
	}
}

// merge is the inverse of split: it gathers dst from rows ld apart.
func merge(dst, src []float32, ld, d int, scratch []float32) {
	switch n := len(dst); {
	case d == 1:
		copy(dst, src)
	case d == 2 && n > 1:
		simd.Interleave2(dst, src[:(n+1)/2], src[ld:][:n/2])
	case d%2 == 0 && n > 1:
		even, odd := scratch[:(n+1)/2], scratch[(n+1)/2:n]
		merge(even, src, 2*ld, d/2, dst) // dst serves as scratch until it is written
		merge(odd, src[ld:], 2*ld, d/2, dst)
		simd.Interleave2(dst, even, odd)
	default:
		for r := range min(d, n) {
			for x, i := r, 0; x < n; x, i = x+d, i+1 {
				dst[x] = src[r*ld+i]
			}
		}
	}
}
