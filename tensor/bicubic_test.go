package tensor

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestUpsampleBicubic compares the enlargement with its formula in float64, and the gradient with the
// transposed map.
func TestUpsampleBicubic(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	keys := func(d float64) float64 { // Keys' equation 15
		switch d = math.Abs(d); {
		case d < 1:
			return 1.5*d*d*d - 2.5*d*d + 1
		case d < 2:
			return -0.5*d*d*d + 2.5*d*d - 4*d + 2
		}
		return 0
	}
	mirror := func(i, n int) int {
		for i < 0 || i >= n {
			if i < 0 {
				i = -1 - i
			} else {
				i = 2*n - 1 - i
			}
		}
		return i
	}
	for _, size := range [][4]int{{2, 3, 5, 7}, {1, 1, 1, 1}, {1, 2, 2, 33}, {1, 1, 37, 1}} {
		n, c, h, w := size[0], size[1], size[2], size[3]
		for k := 1; k <= 4; k++ {
			x := random(rng, n, c, h, w)
			poisonPool()
			y := UpsampleBicubic(x, k)
			for p := range n * c {
				for i := range k * h {
					for j := range k * w {
						want := 0.0
						ci, cj := (float64(i)+0.5)/float64(k)-0.5, (float64(j)+0.5)/float64(k)-0.5
						for a := int(math.Floor(ci)) - 2; a < int(ci)+4; a++ {
							for b := int(math.Floor(cj)) - 2; b < int(cj)+4; b++ {
								want += keys(ci-float64(a)) * keys(cj-float64(b)) * float64(x.data[(p*h+mirror(a, h))*w+mirror(b, w)])
							}
						}
						if got := float64(y.data[(p*k*h+i)*k*w+j]); !(math.Abs(got-want) <= 1e-6) {
							t.Fatalf("shape %v, ×%d: plane %d, row %d, pixel %d: got %v, want %v", size, k, p, i, j, got, want)
						}
					}
				}
			}
			dy := random(rng, y.shape...)
			poisonPool()
			dx := UpsampleBicubicBackward(dy, k)
			var forward, backward float64
			for i, v := range dy.data {
				forward += float64(v) * float64(y.data[i])
			}
			for i, v := range dx.data {
				backward += float64(v) * float64(x.data[i])
			}
			if math.Abs(forward-backward) > 1e-4 {
				t.Errorf("shape %v, ×%d: <dy,f(x)> = %v, <f'(dy),x> = %v", size, k, forward, backward)
			}
		}
	}
}
