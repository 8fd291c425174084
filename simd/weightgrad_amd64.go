//go:build !noasm

package simd

//go:noescape
func weightGradTileAVX2(c *float32, ldc int, x *float32, off *int32, grad *float32, n, groups int)

//go:noescape
func weightGradTileAVX512(c *float32, ldc int, x *float32, off *int32, grad *float32, n, groups int)

//go:noescape
func transpose8AVX2(dst *float32, ldd int, src *float32, lds int, n int)

func weightGradTile(c []float32, ldc int, x []float32, off []int32, g []float32, n int) {
	if useAVX512 {
		weightGradTileAVX512(&c[0], ldc, &x[0], &off[0], &g[0], n, len(off)/12)
	} else if useAVX2 {
		weightGradTileAVX2(&c[0], ldc, &x[0], &off[0], &g[0], n, len(off)/6)
	} else {
		weightGradTileGeneric(c, ldc, x, off, g, n)
	}
}

// transpose8 uses 256-bit registers at both levels: one register holds eight elements,
// one from each row.
func transpose8(dst []float32, ldd int, src []float32, lds, n int) {
	q := 0
	if useAVX2 && n >= 8 {
		q = n &^ 7
		transpose8AVX2(&dst[0], ldd, &src[0], lds, q)
		if q == n {
			return
		}
	}
	transpose8Generic(dst[q*ldd:], ldd, src[q:], lds, n-q)
}
