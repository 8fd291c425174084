//go:build noasm || (!amd64 && !arm64)

package simd

func adam(w, grad, m, v []float32, s *AdamStep) {
	adamGeneric(w, grad, m, v, s)
}
