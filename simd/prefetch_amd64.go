//go:build !noasm

package simd

//go:noescape
func prefetchT1(src *float32, n int)

func prefetch(src []float32) {
	if useAVX2 {
		prefetchT1(&src[0], len(src))
	} else {
		prefetchGeneric(src)
	}
}
