package simd

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func randomize(rng *rand.Rand, s []float32) []float32 {
	for i := range s {
		s[i] = rng.Float32()*2 - 1
	}
	return s
}

// TestGemmTile compares the tile with sums in float64, for several depths, numbers of panels
// and distances. Every slice ends at a forbidden page.
func TestGemmTile(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(1, 1))
		mr, nr := Tile()
		for _, k := range []int{0, 1, 2, 3, 9, 27, 130} {
			for _, panels := range []int{1, 2, 3} {
				for _, extra := range []int{0, 1, 5, 16} {
					for _, accumulate := range []bool{false, true} {
						ldc, lda := nr+extra, k*mr+extra
						off := make([]int32, k)
						var most int32
						for i := range off {
							off[i] = int32(rng.IntN(100))
							most = max(most, off[i])
						}
						a := randomize(rng, guarded(t, (panels-1)*lda+k*mr))
						b := randomize(rng, guarded(t, int(most)+nr))
						c := randomize(rng, guarded(t, (panels*mr-1)*ldc+nr))
						before := append([]float32(nil), c...)
						GemmTile(c, ldc, a, lda, b, off, panels, accumulate)
						for i := range c {
							row, j := i/ldc, i%ldc
							if j >= nr {
								if c[i] != before[i] {
									t.Fatalf("GemmTile %v, k %d, panels %d, ldc %d: wrote beyond row %d", l, k, panels, ldc, row)
								}
								continue
							}
							want, magnitude := 0.0, 0.0
							if accumulate {
								want = float64(before[i])
								magnitude = math.Abs(want)
							}
							for q, o := range off {
								p := float64(a[row/mr*lda+q*mr+row%mr]) * float64(b[int(o)+j])
								want += p
								magnitude += math.Abs(p)
							}
							if !(math.Abs(float64(c[i])-want) <= float64(k+1)*0x1p-24*magnitude) {
								t.Fatalf("GemmTile %v, k %d, panels %d, ldc %d, accumulate %v: row %d, column %d: got %v, want %v", l, k, panels, ldc, accumulate, row, j, c[i], want)
							}
						}
					}
				}
			}
		}
	})
}

// TestGemmTileBefore fetches slices of many lengths, which end at a forbidden page, and expects the
// results of GemmTile to the bit, and the slices as they were.
func TestGemmTileBefore(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(4, 4))
		mr, nr := Tile()
		for _, k := range []int{1, 4, 7, 130} {
			for _, panels := range []int{1, 3} {
				for _, n := range []int{0, 1, 15, 16, 33, 1000, 50_000} {
					off := make([]int32, k)
					for i := range off {
						off[i] = int32(i * nr)
					}
					a, b := randomize(rng, make([]float32, panels*k*mr)), randomize(rng, make([]float32, k*nr))
					next := randomize(rng, guarded(t, n))
					before := slices.Clone(next)
					want, got := make([]float32, panels*mr*nr), make([]float32, panels*mr*nr)
					GemmTile(want, nr, a, k*mr, b, off, panels, false)
					GemmTileBefore(got, nr, a, k*mr, b, off, panels, false, next)
					if !slices.Equal(got, want) || !slices.Equal(next, before) {
						t.Fatalf("GemmTileBefore %v, k %d, panels %d, %d numbers to fetch: results or these numbers differ", l, k, panels, n)
					}
				}
			}
		}
	})
}

// TestWeightGradTile does the same for WeightGradTile.
func TestWeightGradTile(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(2, 2))
		mt, nt := GradTile()
		for _, n := range []int{1, 2, 3, 8, 33, 130} {
			for _, groups := range []int{1, 2, 3, 4, 5, 6, 9} {
				for _, extra := range []int{0, 1, 5, 16} {
					ldc := nt + extra
					off := make([]int32, groups*mt)
					var most int32
					for i := range off {
						off[i] = int32(rng.IntN(100))
						most = max(most, off[i])
					}
					x := randomize(rng, guarded(t, int(most)+n))
					g := randomize(rng, guarded(t, n*nt))
					c := randomize(rng, guarded(t, (len(off)-1)*ldc+nt))
					before := append([]float32(nil), c...)
					offBefore := append([]int32(nil), off...)
					WeightGradTile(c, ldc, x, off, g, n)
					for i := range off {
						if off[i] != offBefore[i] {
							t.Fatalf("WeightGradTile %v: wrote to off", l)
						}
					}
					for i := range c {
						tap, j := i/ldc, i%ldc
						if j >= nt {
							if c[i] != before[i] {
								t.Fatalf("WeightGradTile %v, n %d, groups %d, ldc %d: wrote beyond row %d", l, n, groups, ldc, tap)
							}
							continue
						}
						want := float64(before[i])
						magnitude := math.Abs(want)
						for q := range n {
							p := float64(x[int(off[tap])+q]) * float64(g[q*nt+j])
							want += p
							magnitude += math.Abs(p)
						}
						if !(math.Abs(float64(c[i])-want) <= float64(n+1)*0x1p-24*magnitude) {
							t.Fatalf("WeightGradTile %v, n %d, groups %d, ldc %d: tap %d, channel %d: got %v, want %v", l, n, groups, ldc, tap, j, c[i], want)
						}
					}
				}
			}
		}
	})
}

// TestTilesPropagateNaN checks that a weight of zero does not hide a NaN in the pixels.
func TestTilesPropagateNaN(t *testing.T) {
	nan := float32(math.NaN())
	eachLevel(t, func(t *testing.T, l Level) {
		mr, nr := Tile()
		for j := range nr {
			a, b, c := make([]float32, mr), make([]float32, nr), make([]float32, mr*nr)
			b[j] = nan
			GemmTile(c, nr, a, mr, b, []int32{0}, 1, false)
			for i, v := range c {
				if (v != v) != (i%nr == j) {
					t.Fatalf("GemmTile %v: NaN in column %d: row %d, column %d is %v", l, j, i/nr, i%nr, v)
				}
			}
		}
		mt, nt := GradTile()
		for j := range nt {
			x, g, c := make([]float32, 1), make([]float32, nt), make([]float32, mt*nt)
			g[j] = nan
			WeightGradTile(c, nt, x, make([]int32, mt), g, 1)
			for i, v := range c {
				if (v != v) != (i%nt == j) {
					t.Fatalf("WeightGradTile %v: NaN in channel %d: tap %d, channel %d is %v", l, j, i/nt, i%nt, v)
				}
			}
		}
	})
}

func TestTranspose8(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(3, 3))
		for n := range 131 {
			for _, extra := range []int{0, 1, 8, 13} {
				ldd, lds := 8+extra, n+extra
				src := randomize(rng, guarded(t, 7*lds+n))
				dst := randomize(rng, guarded(t, max(0, n-1)*ldd+8))
				want := append([]float32(nil), dst...)
				transpose8Generic(want, ldd, src, lds, n)
				Transpose8(dst, ldd, src, lds, n)
				for i := range dst {
					if dst[i] != want[i] {
						t.Fatalf("Transpose8 %v, n %d, ldd %d, lds %d: element %d of row %d: got %v, want %v", l, n, ldd, lds, i%ldd, i/ldd, dst[i], want[i])
					}
				}
			}
		}
	})
}

// TestTilesCheckLengths expects a panic for slices that are too short for a tile.
func TestTilesCheckLengths(t *testing.T) {
	mr, nr := Tile()
	mt, nt := GradTile()
	s := func(n int) []float32 { return make([]float32, n) }
	off := []int32{0, 3}
	for name, f := range map[string]func(){
		"GemmTile c":         func() { GemmTile(s(2*mr*nr-1), nr, s(4*mr), 2*mr, s(nr+3), off, 2, false) },
		"GemmTile a":         func() { GemmTile(s(2*mr*nr), nr, s(4*mr-1), 2*mr, s(nr+3), off, 2, false) },
		"GemmTile b":         func() { GemmTile(s(2*mr*nr), nr, s(4*mr), 2*mr, s(nr+2), off, 2, false) },
		"GemmTile offset":    func() { GemmTile(s(2*mr*nr), nr, s(4*mr), 2*mr, s(nr+3), []int32{-1, 0}, 2, false) },
		"GemmTile ldc":       func() { GemmTile(s(2*mr*nr), nr-1, s(4*mr), 2*mr, s(nr+3), off, 2, false) },
		"GemmTile panels":    func() { GemmTile(s(2*mr*nr), nr, s(4*mr), 2*mr, s(nr+3), off, -1, false) },
		"GemmTile lda":       func() { GemmTile(s(2*mr*nr), nr, s(4*mr), -2*mr, s(nr+3), off, 2, false) },
		"WeightGradTile n":   func() { WeightGradTile(s(mt*nt), nt, s(5), make([]int32, mt), s(5*nt), -1) },
		"WeightGradTile c":   func() { WeightGradTile(s(mt*nt-1), nt, s(5), make([]int32, mt), s(5*nt), 5) },
		"WeightGradTile x":   func() { WeightGradTile(s(mt*nt), nt, s(4), make([]int32, mt), s(5*nt), 5) },
		"WeightGradTile g":   func() { WeightGradTile(s(mt*nt), nt, s(5), make([]int32, mt), s(5*nt-1), 5) },
		"WeightGradTile off": func() { WeightGradTile(s(mt*nt), nt, s(5), make([]int32, mt-1), s(5*nt), 5) },
		"Transpose8 dst":     func() { Transpose8(s(3*8-1), 8, s(24), 3, 3) },
		"Transpose8 src":     func() { Transpose8(s(3*8), 8, s(23), 3, 3) },
	} {
		mustPanic(t, name, f)
	}
}

// TestMaxOffset puts the largest offset, and a negative one, at every place in tables of
// many lengths. The checks of the kernels' arguments rely on maxOffset.
func TestMaxOffset(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		for n := range 131 {
			for at := range n {
				for _, largest := range []int32{1000, -1} {
					off := make([]int32, n)
					for i := range off {
						off[i] = int32(i)
					}
					off[at] = largest
					if got := maxOffset(off); got != uint32(largest) {
						t.Fatalf("maxOffset %v: %d at place %d of %d: got %d", l, largest, at, n, got)
					}
				}
			}
			if got := maxOffset(make([]int32, n)); got != 0 {
				t.Fatalf("maxOffset %v of %d zeros: got %d", l, n, got)
			}
		}
	})
}
