//go:build noasm || (!amd64 && !arm64)

package simd

func weightGradTile(c []float32, ldc int, x []float32, off []int32, g []float32, n int) {
	weightGradTileGeneric(c, ldc, x, off, g, n)
}

func transpose8(dst []float32, ldd int, src []float32, lds, n int) {
	transpose8Generic(dst, ldd, src, lds, n)
}
