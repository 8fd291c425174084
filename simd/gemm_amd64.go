//go:build !noasm

package simd

import "unsafe"

//go:noescape
func gemmTileAVX2(c *float32, ldc int, a *float32, lda int, b *float32, off *int32, k, panels int, accumulate bool, next *float32, lines, burst int)

//go:noescape
func gemmTileAVX512(c *float32, ldc int, a *float32, lda int, b *float32, off *int32, k, panels int, accumulate bool, next *float32, lines, burst int)

//go:noescape
func maxOffsetAVX2(off *int32, n int) uint32

func maxOffset(off []int32) uint32 {
	n := len(off) &^ 7
	if !useAVX2 || n == 0 {
		return maxOffsetGeneric(off)
	}
	return max(maxOffsetAVX2(&off[0], n), maxOffsetGeneric(off[n:]))
}

func gemmTile(c []float32, ldc int, a []float32, lda int, b []float32, off []int32, panels int, accumulate bool, next []float32) {
	lines := len(next) / 16
	burst := lines*4/max(1, len(off)*panels) + 1 // so that they are spread over the call
	if len(off) == 0 || !useAVX2 {
		gemmTileGeneric(c, ldc, a, lda, b, off, panels, accumulate)
	} else if useAVX512 {
		gemmTileAVX512(&c[0], ldc, &a[0], lda, &b[0], &off[0], len(off), panels, accumulate, unsafe.SliceData(next), lines, burst)
	} else {
		gemmTileAVX2(&c[0], ldc, &a[0], lda, &b[0], &off[0], len(off), panels, accumulate, unsafe.SliceData(next), lines, burst)
	}
}
