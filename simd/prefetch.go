package simd

// Prefetch asks the processor to bring memory that will be needed soon into the second level of
// cache, while it computes something else. Nothing depends on it but time.
func Prefetch(src []float32) {
	if len(src) > 0 {
		prefetch(src)
	}
}

func prefetchGeneric([]float32) {}
