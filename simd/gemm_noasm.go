//go:build noasm || (!amd64 && !arm64)

package simd

func maxOffset(off []int32) uint32 { return maxOffsetGeneric(off) }

func gemmTile(c []float32, ldc int, a []float32, lda int, b []float32, off []int32, panels int, accumulate bool, next []float32) {
	gemmTileGeneric(c, ldc, a, lda, b, off, panels, accumulate)
}
