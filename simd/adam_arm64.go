//go:build !noasm

package simd

//go:noescape
func adamNEON(w, grad, m, v *float32, s *AdamStep, n int)

func adam(w, grad, m, v []float32, s *AdamStep) {
	n := neonPart(len(w), 4)
	if n > 0 {
		adamNEON(&w[0], &grad[0], &m[0], &v[0], s, n)
	}
	adamGeneric(w[n:], grad[n:], m[n:], v[n:], s)
}
