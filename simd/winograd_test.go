package simd

import (
	"math"
	"math/rand/v2"
	"testing"
)

// winogradTiles returns places of n tiles in an image of rows of stride elements, and
// the size of the smallest image that holds them.
func winogradTiles(rng *rand.Rand, n, stride, side int) (off []int32, size int) {
	off = make([]int32, n)
	for i := range off {
		off[i] = int32(i/5*4*stride + i%5*4 + rng.IntN(3)) // neighbours that may overlap by a little
		size = max(size, int(off[i])+(side-1)*stride+side)
	}
	return off, size
}

// TestWinogradTransforms holds the transformations to their references, whose matrices
// TestWinogradIsConvolution checks.
func TestWinogradTransforms(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(4, 4))
		for _, n := range []int{0, 8, 16, 24, 72} {
			for _, extra := range []int{0, 1, 16} {
				for _, stride := range []int{22, 29} {
					ld := n + extra
					check := func(kernel string, got, want []float32) {
						t.Helper()
						largest := float32(0)
						for _, v := range want {
							largest = max(largest, abs(v))
						}
						for i := range want {
							if !(abs(got[i]-want[i]) <= 5e-7*largest) {
								t.Fatalf("%s %v, %d tiles, row distance %d, stride %d: element %d: got %v, want %v", kernel, l, n, ld, stride, i, got[i], want[i])
							}
						}
					}
					off, size := winogradTiles(rng, n, stride, 6)
					image := randomize(rng, guarded(t, size))
					values := randomize(rng, guarded(t, 35*ld+n))
					want := append([]float32(nil), values...)
					winogradInputGeneric(want, ld, image, stride, off)
					WinogradInput(values, ld, image, stride, off)
					check("WinogradInput", values, want)

					off, size = winogradTiles(rng, n, stride, 4)
					image = randomize(rng, guarded(t, size))
					want = append([]float32(nil), values...)
					winogradGradientGeneric(want, ld, image, stride, off)
					WinogradGradient(values, ld, image, stride, off)
					check("WinogradGradient", values, want)

					for i := range off {
						off[i] = int32(i/5*4*stride + i%5*4) // results must not overlap
					}
					wantMasked := append([]float32(nil), image...)
					if n > 0 {
						wantMasked[off[n-1]] = float32(math.NaN())
					}
					masked := append([]float32(nil), wantMasked...)
					winogradOutputMaskedGeneric(wantMasked, stride, off, append([]float32(nil), values...), ld)
					WinogradOutputMasked(masked, stride, off, append([]float32(nil), values...), ld)
					check("WinogradOutputMasked", masked, wantMasked)
					for _, relu := range []bool{false, true} {
						wantImage := append([]float32(nil), image...)
						winogradOutputGeneric(wantImage, stride, off, append([]float32(nil), values...), ld, 0.25, relu)
						WinogradOutput(image, stride, off, append([]float32(nil), values...), ld, 0.25, relu)
						check("WinogradOutput", image, wantImage)
					}
				}
			}
		}
	})
}

// TestWinogradIsConvolution computes a tile by the transformations, in every lane, and
// by the nine products; and its gradient of the weights likewise.
func TestWinogradIsConvolution(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(5, 5))
		n := WinogradLanes()
		off := make([]int32, n)
		for i := range off {
			off[i] = int32(36 * i)
		}
		d, g := randomize(rng, make([]float32, 36*n)), randomize(rng, make([]float32, 9))
		v, dm := make([]float32, 36*n), make([]float32, 36*n)
		WinogradInput(v, n, d, 6, off)
		var weights [9]float32
		copy(weights[:], g)
		u := WinogradWeights(&weights)
		m := make([]float32, 36*n)
		for i := range m {
			m[i] = u[i/n] * v[i]
		}
		y := make([]float32, 36*n)
		WinogradOutput(y, 6, off, m, n, 0, false)
		dy := randomize(rng, make([]float32, 36*n))
		WinogradGradient(dm, n, dy, 6, off)
		for lane := range n {
			for i := range 4 {
				for j := range 4 {
					want := 0.0
					for k := range 9 {
						want += float64(g[k]) * float64(d[36*lane+(i+k/3)*6+j+k%3])
					}
					if got := y[36*lane+6*i+j]; !(math.Abs(float64(got)-want) <= 1e-5) {
						t.Fatalf("%v: lane %d, pixel %d,%d: got %v, want %v", l, lane, i, j, got, want)
					}
				}
			}
			var du [36]float32
			for i := range du {
				du[i] = dm[i*n+lane] * v[i*n+lane]
			}
			dg := WinogradWeightsGradient(&du)
			for k := range 9 {
				want := 0.0
				for i := range 4 {
					for j := range 4 {
						want += float64(dy[36*lane+6*i+j]) * float64(d[36*lane+(i+k/3)*6+j+k%3])
					}
				}
				if !(math.Abs(float64(dg[k])-want) <= 2e-5) {
					t.Fatalf("%v: lane %d, gradient of weight %d: got %v, want %v", l, lane, k, dg[k], want)
				}
			}
		}
	})
}
