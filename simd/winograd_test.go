package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// winogradCounts are numbers of pixels: of less than a vector, of whole ones, and the most.
var winogradCounts = []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 72, 144, 145, 4 * MaxWinogradTiles}

// compareTiles compares numbers that a kernel has made with those of its reference.
func compareTiles(t *testing.T, kernel string, got, want []float32) {
	t.Helper()
	largest := float32(0)
	for _, v := range want {
		largest = max(largest, abs(v))
	}
	for i := range want {
		if !(abs(got[i]-want[i]) <= 5e-7*largest) {
			t.Fatalf("%s: element %d: got %v, want %v", kernel, i, got[i], want[i])
		}
	}
}

// TestWinogradRows compares what the kernels make of rows of pixels with the references. Some rows
// lie outside of the image, and behind the pixels of a row there are zeros up to a count.
func TestWinogradRows(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(4, 4))
		for _, count := range winogradCounts {
			for _, n := range []int{0, count / 2, count - 1, count} {
				image := randomize(rng, guarded(t, 6*n+3))
				ld := count + WinogradLanes() - 1 + 5*(count%2)
				rows := func(k int) (at [6]int32) {
					for r := range at {
						if at[r] = int32(r*n + 3); r == k || k > 5 && r >= k-6 {
							at[r] = -1
						}
					}
					return at
				}
				for outside := range 12 { // none, one of them, or the last ones
					six := rows(outside)
					four := [4]int32(six[1:])
					for _, c := range []struct {
						name      string
						call, ref func(dst []float32)
					}{
						{"WinogradInputRows",
							func(dst []float32) { WinogradInputRows(dst, ld, image, &six, n, count) },
							func(dst []float32) { winogradInputRowsGeneric(dst, ld, image, &six, n, count) }},
						{"WinogradGradientRows",
							func(dst []float32) { WinogradGradientRows(dst, ld, image, &four, n, count) },
							func(dst []float32) { winogradGradientRowsGeneric(dst, ld, image, &four, n, count) }},
					} {
						got := randomize(rng, guarded(t, 5*ld+count+WinogradOverrun))
						want := slices.Clone(got)
						c.call(got)
						c.ref(want)
						for i := range got { // behind the row there is what was, or 0
							if i/ld < 6 && i%ld >= count && i%ld < count+WinogradLanes()-1 && got[i] == 0 {
								want[i] = 0
							}
						}
						compareTiles(t, fmt.Sprintf("%s %v, %d of %d pixels, rows at %v", c.name, l, n, count, six), got, want)
					}
				}
			}
		}
	})
}

// edges returns which tiles have neighbours, if so many are in a row, and the first is number begin.
func edges(n, row, begin, d int) (left, right []int32) {
	for q := begin; q < begin+n; q++ {
		left, right = append(left, -1), append(right, -1)
		if q%row < d {
			left[q-begin] = 0
		}
		if q%row >= row-d {
			right[q-begin] = 0
		}
	}
	return left, right
}

// TestWinogradTiles compares the kernels between pixels and tiles with their references.
func TestWinogradTiles(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(5, 5))
		for _, vectors := range []int{0, 1, 2, 3, 5, 9} {
			n := vectors * max(4, WinogradLanes())
			for _, extra := range []int{0, 1, 16} {
				for _, d := range []int{1, 2, 4} {
					left, right := edges(n, 5*d, 2*d, d)
					ldt := n + extra
					lds := 4*n + 2*d + extra
					for _, c := range []struct {
						name          string
						tiles, pixels int // how many numbers
						writesPixels  bool
						call, ref     func(tiles, pixels []float32)
					}{
						{"WinogradInputTiles", 35*ldt + n, 5*lds + 4*n + 2*d + WinogradOverrun, false,
							func(tiles, pixels []float32) { WinogradInputTiles(tiles, ldt, pixels, lds, left, right, n, d) },
							func(tiles, pixels []float32) {
								winogradInputTilesGeneric(tiles, ldt, pixels, lds, left, right, n, d)
							}},
						{"WinogradGradientTiles", 35*ldt + n, 5*lds + 4*n + WinogradOverrun, false,
							func(tiles, pixels []float32) { WinogradGradientTiles(tiles, ldt, pixels, lds, n, d) },
							func(tiles, pixels []float32) { winogradGradientTilesGeneric(tiles, ldt, pixels, lds, n, d) }},
						{"WinogradOutputTiles", 35*ldt + n, 5*lds + 4*n + WinogradOverrun, true,
							func(tiles, pixels []float32) { WinogradOutputTiles(pixels, lds, tiles, ldt, n, d) },
							func(tiles, pixels []float32) { winogradOutputTilesGeneric(pixels, lds, tiles, ldt, n, d) }},
					} {
						tiles, pixels := randomize(rng, guarded(t, c.tiles)), randomize(rng, guarded(t, c.pixels))
						wantTiles, wantPixels := slices.Clone(tiles), slices.Clone(pixels)
						c.call(tiles, pixels)
						c.ref(wantTiles, wantPixels)
						what := fmt.Sprintf("%s %v, %d tiles, dilation %d, %d more a row", c.name, l, n, d, extra)
						if c.writesPixels {
							compareTiles(t, what, pixels, wantPixels)
						} else {
							compareTiles(t, what, tiles, wantTiles)
						}
					}
				}
			}
		}
	})
}

// TestWinogradOutputRows compares the last step with its reference. Pixels of other rows must stay as
// they are, and those that are left out.
func TestWinogradOutputRows(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(6, 6))
		for _, n := range winogradCounts {
			lds := n + 3
			src := randomize(rng, guarded(t, 5*lds+n+WinogradOverrun))
			image := func() []float32 { return randomize(rng, guarded(t, 7*n+1)) }
			for there := range 5 {
				rows := [4]int32{1, int32(2*n + 1), int32(4*n + 1), int32(6*n + 1)}
				if there < 4 {
					rows[there] = -1 // and the rows behind it are out of the image, or of memory
				}
				if there < 3 {
					rows[3] = math.MaxInt32
				}
				for i, e := range []WinogradEpilogue{
					{}, {Bias: 0.25}, {Bias: 0.25, ReLU: true}, {Bias: -0.5, PReLU: true, Slope: 0.2}, {Masked: true},
					{Bias: 0.25, Add: image()}, {Bias: 0.25, Add: image(), ReLU: true}, {Bias: 0.25, Add: image(), PReLU: true, Slope: -3},
				} {
					got := image()
					want := slices.Clone(got)
					WinogradOutputRows(got, &rows, src, lds, n, &e)
					winogradOutputRowsGeneric(want, &rows, src, lds, n, &e)
					compareTiles(t, fmt.Sprintf("WinogradOutputRows %v, rows of %d pixels at %v, epilogue %d", l, n, rows, i), got, want)
				}
			}
		}
	})
}

// TestWinogradIsConvolution computes a row of tiles by the transformations, and compares it with the
// sums of nine products, and so for the gradient of the weights.
func TestWinogradIsConvolution(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(7, 7))
		for _, d := range []int{1, 2, 4} {
			tiles, width := 5*d, 20*d-3
			n := (tiles + 15) / 16 * 16
			image, dy := randomize(rng, make([]float32, 6*width)), randomize(rng, make([]float32, 4*width))
			g := randomize(rng, make([]float32, 9))
			rows := func(k int) int32 { return int32(k * width) }
			six := [6]int32{rows(0), rows(1), rows(2), rows(3), rows(4), rows(5)}
			four := [4]int32(six[:])
			ld := 4*n + 3*WinogradOverrun
			pixels := make([]float32, 6*ld)
			v, dm := make([]float32, 36*n), make([]float32, 36*n)
			left, right := edges(n, tiles, 0, d)
			WinogradInputRows(pixels[d:], ld, image, &six, width, 4*tiles)
			WinogradInputTiles(v, n, pixels, ld, left, right, n, d)
			WinogradGradientRows(pixels, ld, dy, &four, width, 4*tiles)
			WinogradGradientTiles(dm, n, pixels, ld, n, d)

			u := WinogradWeights((*[9]float32)(g))
			m, du := make([]float32, 36*n), [36]float32{}
			for i := range m {
				m[i] = u[i/n] * v[i]
				if i%n < tiles {
					du[i/n] += dm[i] * v[i]
				}
			}
			y, dg := make([]float32, 4*width), WinogradWeightsGradient(&du)
			WinogradOutputTiles(pixels, ld, m, n, n, d)
			WinogradOutputRows(y, &four, pixels, ld, width, &WinogradEpilogue{})

			var want [9]float64
			for i := range 4 {
				for x := range width {
					sum := 0.0
					for k := range 9 {
						if at := x + d*(k%3-1); at >= 0 && at < width {
							pixel := float64(image[(i+k/3)*width+at])
							sum += float64(g[k]) * pixel
							want[k] += float64(dy[i*width+x]) * pixel
						}
					}
					if got := y[i*width+x]; !(math.Abs(float64(got)-sum) <= 1e-5) {
						t.Fatalf("%v, dilation %d: pixel %d of row %d: got %v, want %v", l, d, x, i, got, sum)
					}
				}
			}
			for k, w := range want {
				if !(math.Abs(float64(dg[k])-w) <= 1e-4) {
					t.Fatalf("%v, dilation %d, gradient of weight %d: got %v, want %v", l, d, k, dg[k], w)
				}
			}
		}
	})
}

// TestWinogradOutputNaN puts a NaN into each row of what becomes a result. It must reach exactly the
// pixels that depend on it, also with ReLU, because max in Go returns NaN. A bias that is NaN or
// infinite must reach all pixels.
func TestWinogradOutputNaN(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	reaches := func(from, to int) bool { // whether A is not 0 there: all 4 pixels for the inner places
		return from == 0 && to == 0 || from == 5 && to == 3 || 0 < from && from < 5
	}
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(6, 6))
		const n = 23
		rows := [4]int32{0, n, 2 * n, 3 * n}
		values := randomize(rng, make([]float32, 6*n+WinogradOverrun))
		output := func(values []float32, e WinogradEpilogue) []float32 {
			y := make([]float32, 4*n)
			WinogradOutputRows(y, &rows, values, n, n, &e)
			return y
		}
		for _, e := range []WinogradEpilogue{{}, {ReLU: true}, {PReLU: true, Slope: 0.5}, {Bias: 1, Add: make([]float32, 4*n), ReLU: true}} {
			clean := output(values, e)
			for x := range n {
				for r := range 6 {
					scratch := slices.Clone(values)
					scratch[r*n+x] = nan
					want := slices.Clone(clean)
					for i := range 4 {
						if reaches(r, i) {
							want[i*n+x] = nan
						}
					}
					for i, got := range output(scratch, e) {
						if !close(got, want[i], 0) {
							t.Fatalf("WinogradOutputRows %v, ReLU %v, NaN in row %d at %d: pixel %d: got %v, want %v", l, e.ReLU, r, x, i, got, want[i])
						}
					}
				}
			}
			for _, bias := range []float32{nan, inf, -inf} {
				e.Bias = bias
				for i, got := range output(values, e) {
					if want := e.of(0, 0, 0); !close(got, want, 0) {
						t.Fatalf("WinogradOutputRows %v, ReLU %v, bias %v: pixel %d: got %v, want %v", l, e.ReLU, bias, i, got, want)
					}
				}
			}
		}
	})
}

// TestWinogradOutputMaskedZero puts pixels near zero into each place. Where a
// pixel is 0 or less, the gradient must be exactly 0, even if it were NaN without the mask.
// Elsewhere, and where a pixel is NaN, the gradient must be the same as without the mask.
func TestWinogradOutputMaskedZero(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	const tiny = math.SmallestNonzeroFloat32
	negative := math.Float32frombits(0xffc00000) // amd64's own NaN has this sign
	pixels := []float32{0, float32(math.Copysign(0, -1)), -1, -tiny, nan, negative, tiny, 1, inf, -inf}
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(7, 7))
		const n = 79
		rows := [4]int32{0, n, 2 * n, 3 * n}
		for _, products := range []string{"random", "NaN"} {
			values := randomize(rng, make([]float32, 6*n+WinogradOverrun))
			if products == "NaN" {
				for i := range values {
					values[i] = nan
				}
			}
			unmasked, got := make([]float32, 4*n), guarded(t, 4*n)
			WinogradOutputRows(unmasked, &rows, values, n, n, &WinogradEpilogue{})
			for shift := range pixels {
				pixel := func(i int) float32 { return pixels[(i+shift)%len(pixels)] }
				for i := range got {
					got[i] = pixel(i)
				}
				WinogradOutputRows(got, &rows, values, n, n, &WinogradEpilogue{Masked: true})
				for i, w := range unmasked {
					if pixel(i) <= 0 {
						w = 0
					}
					if g := got[i]; math.Float32bits(g) != math.Float32bits(w) && !(g != g && w != w) {
						t.Fatalf("WinogradOutputRows %v, masked, %s products: pixel %d, %v: got %v, want %v", l, products, i, pixel(i), g, w)
					}
				}
			}
		}
	})
}

// TestPrefetch asks for memory of all lengths and offsets, at whose ends lie forbidden pages.
func TestPrefetch(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		memory := guarded(t, 200)
		for from := range memory {
			for to := from; to <= len(memory); to++ {
				Prefetch(memory[from:to])
			}
		}
		Prefetch(nil)
	})
}

// TestWinogradPositions computes tiles and pixels one vector further on: the bits must be the same.
func TestWinogradPositions(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(8, 8))
		const n, less = 3 * 16, 16
		equal := func(kernel string, got, want []float32) {
			t.Helper()
			for i := range got {
				if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
					t.Fatalf("%s %v: number %d is %v, and %v in another place", kernel, l, i, got[i], want[i])
				}
			}
		}
		for _, d := range []int{1, 2, 4} {
			pixels := randomize(rng, make([]float32, 6*400))
			tiles := randomize(rng, make([]float32, 36*n))
			inside := slices.Repeat([]int32{-1}, n)
			for move := d; move <= less; move += d {
				a, b := make([]float32, 36*n), make([]float32, 36*n)
				WinogradInputTiles(a, n, pixels, 400, inside, inside, n, d)
				WinogradInputTiles(b, n, pixels[4*move:], 400, inside, inside, n-less, d)
				equal("WinogradInputTiles", b[:n-less], a[move:])
				WinogradGradientTiles(a, n, pixels, 400, n, d)
				WinogradGradientTiles(b, n, pixels[4*move:], 400, n-less, d)
				equal("WinogradGradientTiles", b[:n-less], a[move:])
				a, b = make([]float32, 6*400), make([]float32, 6*400)
				WinogradOutputTiles(a, 400, tiles, n, n, d)
				WinogradOutputTiles(b, 400, tiles[move:], n, n-less, d)
				equal("WinogradOutputTiles", b[:4*(n-less)], a[4*move:])
			}
		}
		image := randomize(rng, make([]float32, 6*100))
		rows := [6]int32{0, 100, 200, 300, 400, 500}
		four := [4]int32{0, 100, 200, 300}
		for move := range 40 {
			a, b := make([]float32, 1000), make([]float32, 1000)
			moved := rows
			for i := range moved {
				moved[i] += int32(move)
			}
			WinogradInputRows(a, 120, image, &rows, 100, 100)
			WinogradInputRows(b, 120, image, &moved, 100-move, 100-move)
			equal("WinogradInputRows", b[:100-move], a[move:])
			gradient := [4]int32(moved[:])
			WinogradGradientRows(a, 120, image, &four, 100, 100)
			WinogradGradientRows(b, 120, image, &gradient, 100-move, 100-move)
			equal("WinogradGradientRows", b[:100-move], a[move:])
			values := randomize(rng, make([]float32, 1000))
			e := WinogradEpilogue{Bias: 0.1, Add: image, PReLU: true, Slope: 0.3}
			WinogradOutputRows(a, &four, values, 120, 100, &e)
			e.Add = image[move:]
			WinogradOutputRows(b, &four, values[move:], 120, 100-move, &e)
			equal("WinogradOutputRows", b[:100-move], a[move:])
		}
	})
}

// TestWinogradArguments calls the kernels with what would have them read or write elsewhere.
func TestWinogradArguments(t *testing.T) { eachLevel(t, testWinogradArguments) }

func testWinogradArguments(t *testing.T, l Level) {
	lanes := WinogradLanes()
	n := 16
	s := func(n int) []float32 { return make([]float32, max(0, n)) }
	lines, tiles := 6*(4*n+32)+WinogradOverrun, 36*n
	ld := 4*n + 32
	six, four, edge := [6]int32{0, 8, 16, 24, 32, 40}, [4]int32{0, 8, 16, 24}, make([]int32, n)
	for name, call := range map[string]func(){
		"InputRows src":         func() { WinogradInputRows(s(lines), ld, s(47), &six, 8, 8) },
		"InputRows dst":         func() { WinogradInputRows(s(5*ld+8+WinogradOverrun-1), ld, s(48), &six, 8, 8) },
		"InputRows ldd":         func() { WinogradInputRows(s(lines), 8+lanes-2, s(48), &six, 8, 8) },
		"InputRows count":       func() { WinogradInputRows(s(1<<16), 1<<12, s(1<<12), &six, 8, maxPixels+1) },
		"InputRows n":           func() { WinogradInputRows(s(lines), ld, s(48), &six, 9, 8) },
		"InputRows negative":    func() { WinogradInputRows(s(lines), ld, s(48), &six, -1, 8) },
		"GradientRows src":      func() { WinogradGradientRows(s(lines), ld, s(31), &four, 8, 8) },
		"GradientRows dst":      func() { WinogradGradientRows(s(5*ld), ld, s(32), &four, 8, 8) },
		"InputTiles dst":        func() { WinogradInputTiles(s(tiles-1), n, s(lines), ld, edge, edge, n, 1) },
		"InputTiles src":        func() { WinogradInputTiles(s(tiles), n, s(5*ld+4*n+2+WinogradOverrun-1), ld, edge, edge, n, 1) },
		"InputTiles edge":       func() { WinogradInputTiles(s(tiles), n, s(lines), ld, edge, edge[1:], n, 1) },
		"InputTiles dilation":   func() { WinogradInputTiles(s(tiles), n, s(lines), ld, edge, edge, n, 3) },
		"InputTiles ldd":        func() { WinogradInputTiles(s(tiles), n-1, s(lines), ld, edge, edge, n, 1) },
		"GradientTiles lds":     func() { WinogradGradientTiles(s(tiles), n, s(lines), 4*n-1, n, 1) },
		"GradientTiles many":    func() { WinogradGradientTiles(s(1<<16), 1<<10, s(1<<16), 1<<12, MaxWinogradTiles+48, 1) },
		"OutputTiles src":       func() { WinogradOutputTiles(s(lines), ld, s(tiles-1), n, n, 1) },
		"OutputTiles dst":       func() { WinogradOutputTiles(s(5*ld), ld, s(tiles), n, n, 1) },
		"OutputRows dst":        func() { WinogradOutputRows(s(31), &four, s(lines), ld, 8, &WinogradEpilogue{}) },
		"OutputRows add":        func() { WinogradOutputRows(s(32), &four, s(lines), ld, 8, &WinogradEpilogue{Add: s(31)}) },
		"OutputRows src":        func() { WinogradOutputRows(s(32), &four, s(5*ld+8), ld, 8, &WinogradEpilogue{}) },
		"OutputRows negative":   func() { WinogradOutputRows(s(32), &four, s(lines), ld, -1, &WinogradEpilogue{}) },
		"OutputRows too many":   func() { WinogradOutputRows(s(1<<13), &four, s(1<<16), 1<<12, maxPixels+1, &WinogradEpilogue{}) },
		"OutputTiles not whole": func() { WinogradOutputTiles(s(lines), ld, s(tiles), n, -lanes, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Winograd%s %v: it did not panic", name, l)
				}
			}()
			call()
		}()
	}
}
