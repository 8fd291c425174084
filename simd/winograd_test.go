package simd

import (
	"math"
	"math/rand/v2"
	"testing"
)

// winogradTiles returns the places of n tiles in an image whose rows are stride elements
// apart. It also returns the size of the smallest image that holds the tiles.
func winogradTiles(rng *rand.Rand, n, stride, side int) (off []int32, size int) {
	off = make([]int32, n)
	for i := range off {
		off[i] = int32(i/5*4*stride + i%5*4 + rng.IntN(3)) // neighbours that may overlap by a little
		size = max(size, int(off[i])+(side-1)*stride+side)
	}
	return off, size
}

// winogradApart is winogradTiles without overlaps, for kernels that write the tiles.
func winogradApart(n, stride int) (off []int32, size int) {
	off = make([]int32, n)
	for i := range off {
		off[i] = int32(i/5*4*stride + i%5*4)
		size = max(size, int(off[i])+3*stride+4)
	}
	return off, size
}

// TestWinogradTransforms compares the transformations with their references.
// TestWinogradIsConvolution checks the matrices of the references. The numbers of tiles are
// odd and even multiples of the lanes, to find kernels that transform more tiles at once
// than WinogradLanes says.
func TestWinogradTransforms(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(4, 4))
		for _, groups := range []int{0, 1, 2, 3, 5, 18} {
			n := groups * WinogradLanes()
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

					// The results go to the tiles of another image. Of the products' rows, a
					// kernel may overwrite only n columns: the next call may need the others.
					off, size = winogradApart(n, stride)
					image = randomize(rng, guarded(t, size))
					scratch := guarded(t, len(values))
					checkOutput := func(kernel string, got, want []float32) {
						t.Helper()
						check(kernel, got, want)
						for i, v := range values {
							if i%ld >= n && scratch[i] != v {
								t.Fatalf("%s %v, %d tiles, row distance %d, stride %d: wrote beyond row %d of the products", kernel, l, n, ld, stride, i/ld)
							}
						}
					}
					wantMasked := append([]float32(nil), image...)
					masked := guarded(t, size)
					copy(masked, image)
					winogradOutputMaskedGeneric(wantMasked, stride, off, append([]float32(nil), values...), ld)
					copy(scratch, values)
					WinogradOutputMasked(masked, stride, off, scratch, ld)
					checkOutput("WinogradOutputMasked", masked, wantMasked)
					for _, relu := range []bool{false, true} {
						wantImage := append([]float32(nil), image...)
						winogradOutputGeneric(wantImage, stride, off, append([]float32(nil), values...), ld, 0.25, relu)
						copy(scratch, values)
						WinogradOutput(image, stride, off, scratch, ld, 0.25, relu)
						checkOutput("WinogradOutput", image, wantImage)
					}
				}
			}
		}
	})
}

// TestWinogradIsConvolution computes a tile by the transformations, in every lane, and
// compares it with the sum of nine products. It does the same for the gradient of the
// weights.
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

// TestWinogradOutputNaN puts a NaN into each product of each tile. It must reach exactly the
// pixels that depend on the product, also with ReLU, because max in Go returns NaN. A bias
// that is NaN, infinite or far below zero must reach all pixels.
func TestWinogradOutputNaN(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	reaches := func(from, to int) bool { // whether A is not 0 there: all 16 pixels for the inner places
		return from == 0 && to == 0 || from == 5 && to == 3 || 0 < from && from < 5
	}
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(6, 6))
		const stride = 22
		n := 3 * WinogradLanes()
		ld := n + 1
		off, size := winogradApart(n, stride)
		before := randomize(rng, make([]float32, size))
		values := randomize(rng, make([]float32, 35*ld+n))
		got, scratch := guarded(t, size), guarded(t, len(values))
		for _, relu := range []bool{false, true} {
			output := func(bias float32) {
				copy(got, before)
				WinogradOutput(got, stride, off, scratch, ld, bias, relu)
			}
			copy(scratch, values)
			output(0.25)
			clean := append([]float32(nil), got...)
			want := make([]float32, size)
			for tile, o := range off {
				for place := range 36 {
					copy(want, clean)
					for q := range 16 {
						if reaches(place/6, q/4) && reaches(place%6, q%4) {
							want[int(o)+q/4*stride+q%4] = nan
						}
					}
					copy(scratch, values)
					scratch[place*ld+tile] = nan
					output(0.25)
					for i, w := range want {
						if !close(got[i], w, 0) {
							t.Fatalf("WinogradOutput %v, relu %v, %d tiles, NaN in place %d of tile %d: element %d: got %v, want %v", l, relu, n, place, tile, i, got[i], w)
						}
					}
				}
			}
			for _, bias := range []float32{nan, inf, -inf, -1000} {
				copy(scratch, values)
				output(bias)
				for tile, o := range off {
					for q := range 16 {
						i := int(o) + q/4*stride + q%4
						w, tol := bias, 0.0
						switch {
						case relu:
							w = max(bias, 0)
						case bias == -1000:
							w, tol = clean[i]-0.25+bias, 1e-3
						}
						if !close(got[i], w, tol) {
							t.Fatalf("WinogradOutput %v, relu %v, %d tiles, bias %v: tile %d, pixel %d: got %v, want %v", l, relu, n, bias, tile, q, got[i], w)
						}
					}
				}
			}
		}
	})
}

// TestWinogradOutputMaskedZero puts pixels near zero into each place of each tile. Where a
// pixel is 0 or less, the gradient must be exactly 0, even if it were NaN without the mask.
// Elsewhere, and where a pixel is NaN, the gradient must be the same as without the mask.
func TestWinogradOutputMaskedZero(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	const tiny = math.SmallestNonzeroFloat32
	negative := math.Float32frombits(0xffc00000) // amd64's own NaN has this sign
	pixels := []float32{0, float32(math.Copysign(0, -1)), -1, -tiny, nan, negative, tiny, 1, inf, -inf}
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(7, 7))
		const stride = 22
		n := 3 * WinogradLanes()
		ld := n + 1
		off, size := winogradApart(n, stride)
		got, scratch := guarded(t, size), guarded(t, 35*ld+n)
		for _, products := range []string{"random", "NaN"} {
			values := randomize(rng, make([]float32, len(scratch)))
			if products == "NaN" {
				for i := range values {
					values[i] = nan
				}
			}
			unmasked := make([]float32, size)
			WinogradOutput(unmasked, stride, off, append([]float32(nil), values...), ld, 0, false)
			for shift := range pixels {
				pixel := func(i int) float32 { return pixels[(i+shift)%len(pixels)] }
				want := make([]float32, size)
				for i := range want {
					want[i] = pixel(i) // stays, outside of the tiles
				}
				copy(got, want)
				copy(scratch, values)
				for _, o := range off {
					for q := range 16 {
						i := int(o) + q/4*stride + q%4
						want[i] = unmasked[i]
						if pixel(i) <= 0 {
							want[i] = 0
						}
					}
				}
				WinogradOutputMasked(got, stride, off, scratch, ld)
				for i, w := range want {
					if g := got[i]; math.Float32bits(g) != math.Float32bits(w) && !(g != g && w != w) {
						t.Fatalf("WinogradOutputMasked %v, %d tiles, %s products: element %d, pixel %v: got %v, want %v", l, n, products, i, pixel(i), g, w)
					}
				}
			}
		}
	})
}
