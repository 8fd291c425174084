//go:build !noasm

package simd

//go:noescape
func prefetchL2(src *float32, n int)

func prefetch(src []float32) {
	if useNEON {
		prefetchL2(&src[0], len(src))
	} else {
		prefetchGeneric(src)
	}
}
