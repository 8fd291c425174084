package simd

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestGELURange checks the error of GELU against the bound in its comment, from numbers
// where GELU is 0 to numbers where it is x itself.
func TestGELURange(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		const n = 4096
		x, y := make([]float32, n), make([]float32, n)
		rng := rand.New(rand.NewPCG(11, 12))
		worst, at := 0.0, float32(0)
		for range 20 {
			for i := range x {
				x[i] = rng.Float32()*40 - 20
				if i%3 == 0 {
					x[i] /= 10
				}
			}
			GELU(y, x)
			for i, v := range x {
				want := float64(v) * 0.5 * math.Erfc(-float64(v)/math.Sqrt2)
				e := math.Abs(float64(y[i])-want) / max(1, math.Abs(float64(v)))
				if !(e <= worst) {
					worst, at = e, v
				}
			}
		}
		if !(worst <= 2e-7) {
			t.Errorf("%v: GELU(%v) is off by %.2g of max(1, |x|), want at most 2e-7", l, at, worst)
		}
		t.Logf("%v: largest error %.2g of max(1, |x|), at %v", l, worst, at)
	})
}
