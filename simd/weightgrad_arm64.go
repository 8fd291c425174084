//go:build !noasm

package simd

//go:noescape
func weightGradTileNEON(c *float32, ldc int, x *float32, off *int32, grad *float32, n, groups int)

//go:noescape
func transpose8NEON(dst *float32, ldd int, src *float32, lds int, n int)

func weightGradTile(c []float32, ldc int, x []float32, off []int32, g []float32, n int) {
	if useNEON {
		weightGradTileNEON(&c[0], ldc, &x[0], &off[0], &g[0], n, len(off)/6)
	} else {
		weightGradTileGeneric(c, ldc, x, off, g, n)
	}
}

func transpose8(dst []float32, ldd int, src []float32, lds, n int) {
	q := neonPart(n, 4)
	if q > 0 {
		transpose8NEON(&dst[0], ldd, &src[0], lds, q)
		if q == n {
			return
		}
	}
	transpose8Generic(dst[q*ldd:], ldd, src[q:], lds, n-q)
}
