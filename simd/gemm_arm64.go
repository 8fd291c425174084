//go:build !noasm

package simd

//go:noescape
func gemmTileNEON(c *float32, ldc int, a *float32, lda int, b *float32, off *int32, k, panels int, accumulate bool)

func maxOffset(off []int32) uint32 { return maxOffsetGeneric(off) }

func gemmTile(c []float32, ldc int, a []float32, lda int, b []float32, off []int32, panels int, accumulate bool, next []float32) {
	if len(off) == 0 || !useNEON {
		gemmTileGeneric(c, ldc, a, lda, b, off, panels, accumulate)
	} else {
		gemmTileNEON(&c[0], ldc, &a[0], lda, &b[0], &off[0], len(off), panels, accumulate)
	}
}
