//go:build !noasm

package simd

//go:noescape
func weightGradTileAVX2(c *float32, ldc int, x *float32, off *int32, grad *float32, n, groups int)

//go:noescape
func weightGradTileAVX512(c *float32, ldc int, x *float32, off *int32, grad *float32, n, groups int)

//go:noescape
func weightGradFourAVX2(c *float32, ldc int, x *float32, off *int32, grad *float32, n, groups int)

//go:noescape
func weightGradEightAVX512(c *float32, ldc int, x *float32, off *int32, grad *float32, n, groups int)

//go:noescape
func transpose8AVX2(dst *float32, ldd int, src *float32, lds int, n int)

func weightGradTile(c []float32, ldc int, x []float32, off []int32, g []float32, n int) {
	taps := len(off)
	switch {
	case useAVX512:
		large := wholeGroups(taps, 12, 8)
		if large > 0 {
			weightGradTileAVX512(&c[0], ldc, &x[0], &off[0], &g[0], n, large/12)
		}
		if large < taps {
			weightGradEightAVX512(&c[large*ldc], ldc, &x[0], &off[large], &g[0], n, (taps-large)/8)
		}
	case useAVX2:
		large := wholeGroups(taps, 6, 4)
		if large > 0 {
			weightGradTileAVX2(&c[0], ldc, &x[0], &off[0], &g[0], n, large/6)
		}
		if large < taps {
			weightGradFourAVX2(&c[large*ldc], ldc, &x[0], &off[large], &g[0], n, (taps-large)/4)
		}
	default:
		weightGradTileGeneric(c, ldc, x, off, g, n)
	}
}

// wholeGroups returns how many of the taps, a multiple of small, are in groups of large, so that
// groups of small take the others.
func wholeGroups(taps, large, small int) int {
	rest := 0
	for (taps-rest)%large != 0 {
		rest += small
	}
	return taps - rest
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
