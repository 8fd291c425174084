//go:build noasm || (!amd64 && !arm64)

package simd

func prefetch(src []float32) { prefetchGeneric(src) }
