//go:build !noasm

package simd

//go:noescape
func adamAVX2(w, grad, m, v *float32, s *AdamStep, n int)

//go:noescape
func adamAVX512(w, grad, m, v *float32, s *AdamStep, n int)

func adam(w, grad, m, v []float32, s *AdamStep) {
	i := 0
	if useAVX512 && len(w) >= 16 {
		i = len(w) &^ 15
		adamAVX512(&w[0], &grad[0], &m[0], &v[0], s, i)
	}
	if n := (len(w) - i) &^ 7; useAVX2 && n > 0 {
		adamAVX2(&w[i], &grad[i], &m[i], &v[i], s, n)
		i += n
	}
	adamGeneric(w[i:], grad[i:], m[i:], v[i:], s)
}
