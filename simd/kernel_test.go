package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// eachLevel runs a test at every level that this machine has.
func eachLevel(t *testing.T, f func(t *testing.T, l Level)) {
	was := current
	defer setLevel(was)
	for _, l := range Available() {
		if testing.Short() && l != was { // for an emulated processor: the others ran on a real one
			continue
		}
		setLevel(l)
		t.Run(l.String(), func(t *testing.T) { f(t, l) })
	}
}

// elementwise is one row in the table of kernels whose slices have about the same length
// n.
type elementwise struct {
	name     string
	lengths  func(n int) []int // of each slice; nil: all have n
	slices   int               // how many, if lengths is nil
	written  []int             // which slices are written; the first is dst
	inPlace  bool              // whether dst may be one of the others
	call     func(s [][]float32)
	ref      func(s [][]float32)
	rtol     float64 // of the largest operand
	relative float64 // of the result
	reduces  bool    // whether all elements are added into one
	moves    bool    // whether results are operands, or 0, to the bit
}

var step = NewAdamStep(0.001, 0.9, 0.999, 1e-8, 3)

var elementwiseKernels = []elementwise{
	{name: "Add", slices: 3, inPlace: true,
		call: func(s [][]float32) { Add(s[0], s[1], s[2]) },
		ref:  func(s [][]float32) { addGeneric(s[0], s[1], s[2]) }},
	{name: "Mul", slices: 3, inPlace: true,
		call: func(s [][]float32) { Mul(s[0], s[1], s[2]) },
		ref:  func(s [][]float32) { mulGeneric(s[0], s[1], s[2]) }},
	{name: "Scale", slices: 2, inPlace: true,
		call: func(s [][]float32) { Scale(s[0], -1.7, s[1]) },
		ref:  func(s [][]float32) { scaleGeneric(s[0], -1.7, s[1]) }},
	{name: "Axpy", slices: 2, inPlace: true, rtol: 3e-7,
		call: func(s [][]float32) { Axpy(s[0], -1.7, s[1]) },
		ref:  func(s [][]float32) { axpyGeneric(s[0], -1.7, s[1]) }},
	{name: "ScaledDiff", slices: 3, inPlace: true,
		call: func(s [][]float32) { ScaledDiff(s[0], 0.3, s[1], s[2]) },
		ref:  func(s [][]float32) { scaledDiffGeneric(s[0], 0.3, s[1], s[2]) }},
	{name: "AddBias", slices: 2, inPlace: true,
		call: func(s [][]float32) { AddBias(s[0], s[1], 0.25) },
		ref:  func(s [][]float32) { addBiasGeneric(s[0], s[1], 0.25) }},
	{name: "AddBiasReLU", slices: 2, inPlace: true,
		call: func(s [][]float32) { AddBiasReLU(s[0], s[1], 0.25) },
		ref:  func(s [][]float32) { addBiasReLUGeneric(s[0], s[1], 0.25) }},
	{name: "ReLUBackward", slices: 3, inPlace: true, moves: true,
		call: func(s [][]float32) { ReLUBackward(s[0], s[1], s[2]) },
		ref:  func(s [][]float32) { reluBackwardGeneric(s[0], s[1], s[2]) }},
	{name: "AddBiasPReLU", slices: 2, inPlace: true,
		call: func(s [][]float32) { AddBiasPReLU(s[0], s[1], 0.25, -0.3) },
		ref:  func(s [][]float32) { addBiasPReLUGeneric(s[0], s[1], 0.25, -0.3) }},
	{name: "PReLUBackward", slices: 3, inPlace: true,
		call: func(s [][]float32) { PReLUBackward(s[0], s[1], s[2], -0.3) },
		ref:  func(s [][]float32) { preluBackwardGeneric(s[0], s[1], s[2], -0.3) }},
	{name: "Sigmoid", slices: 2, inPlace: true, rtol: 4e-7,
		call: func(s [][]float32) { Sigmoid(s[0], s[1]) },
		ref:  func(s [][]float32) { sigmoidGeneric(s[0], s[1]) }},
	{name: "Exp", slices: 2, inPlace: true, relative: 4e-7,
		call: func(s [][]float32) { Exp(s[0], s[1]) },
		ref:  func(s [][]float32) { expGeneric(s[0], s[1]) }},
	{name: "GELU", slices: 2, inPlace: true, rtol: 2e-7, relative: 4e-7,
		call: func(s [][]float32) { GELU(s[0], s[1]) },
		ref:  func(s [][]float32) { geluGeneric(s[0], s[1]) }},
	{name: "SigmoidBackward", slices: 3, inPlace: true, rtol: 2e-7,
		call: func(s [][]float32) { SigmoidBackward(s[0], s[1], s[2]) },
		ref:  func(s [][]float32) { sigmoidBackwardGeneric(s[0], s[1], s[2]) }},
	{name: "Adam", slices: 4, written: []int{0, 2, 3}, rtol: 6e-7,
		call: func(s [][]float32) { Adam(s[0], s[1], s[2], s[3], step) },
		ref:  func(s [][]float32) { adamGeneric(s[0], s[1], s[2], s[3], &step) }},
	{name: "UpsampleBlend", slices: 3, inPlace: true, rtol: 3e-7,
		call: func(s [][]float32) { UpsampleBlend(s[0], s[1], s[2]) },
		ref:  func(s [][]float32) { upsampleBlendGeneric(s[0], s[1], s[2]) }},
	{name: "UpsampleBlendBackward", slices: 5, inPlace: true, rtol: 4e-7,
		call: func(s [][]float32) { UpsampleBlendBackward(s[0], s[1], s[2], s[3], s[4]) },
		ref:  func(s [][]float32) { upsampleBlendBackwardGeneric(s[0], s[1], s[2], s[3], s[4]) }},
	{name: "UpsampleExpand", lengths: func(n int) []int { return []int{2 * n, n + 2} }, rtol: 3e-7,
		call: func(s [][]float32) { UpsampleExpand(s[0], s[1]) },
		ref:  func(s [][]float32) { upsampleExpandGeneric(s[0], s[1]) }},
	{name: "UpsampleExpandBackward", lengths: func(n int) []int { return []int{n, 2*n + 2} }, rtol: 4e-7,
		call: func(s [][]float32) { UpsampleExpandBackward(s[0], s[1]) },
		ref:  func(s [][]float32) { upsampleExpandBackwardGeneric(s[0], s[1]) }},
	{name: "Sum", lengths: func(n int) []int { return []int{1, n} }, rtol: 0x1p-21, reduces: true,
		call: func(s [][]float32) { s[0][0] = float32(Sum(s[1])) },
		ref:  func(s [][]float32) { s[0][0] = sumGeneric(s[1]) }},
	{name: "SumSquaredDiff", lengths: func(n int) []int { return []int{1, n, n} }, rtol: 0x1p-21, reduces: true,
		call: func(s [][]float32) { s[0][0] = float32(SumSquaredDiff(s[1], s[2])) },
		ref:  func(s [][]float32) { s[0][0] = sumSquaredDiffGeneric(s[1], s[2]) }},
	{name: "SumAbsDiff", lengths: func(n int) []int { return []int{1, n, n} }, rtol: 0x1p-21, reduces: true,
		call: func(s [][]float32) { s[0][0] = float32(SumAbsDiff(s[1], s[2])) },
		ref:  func(s [][]float32) { s[0][0] = sumAbsDiffGeneric(s[1], s[2]) }},
	{name: "SignDiff", slices: 3, inPlace: true,
		call: func(s [][]float32) { SignDiff(s[0], -0.3, s[1], s[2]) },
		ref:  func(s [][]float32) { signDiffGeneric(s[0], -0.3, s[1], s[2]) }},
	{name: "SumRootDiff", lengths: func(n int) []int { return []int{1, n, n} }, rtol: 0x1p-21, reduces: true,
		call: func(s [][]float32) { s[0][0] = float32(SumRootDiff(0.1, s[1], s[2])) },
		ref:  func(s [][]float32) { s[0][0] = sumRootDiffGeneric(0.1*0.1, s[1], s[2]) }},
	{name: "RootDiff", slices: 3, inPlace: true, relative: 4e-7,
		call: func(s [][]float32) { RootDiff(s[0], 0.3, 0.1, s[1], s[2]) },
		ref:  func(s [][]float32) { rootDiffGeneric(s[0], 0.3, 0.1*0.1, s[1], s[2]) }},
}

func (k *elementwise) sizes(n int) []int {
	if k.lengths != nil {
		return k.lengths(n)
	}
	sizes := make([]int, k.slices)
	for i := range sizes {
		sizes[i] = n
	}
	return sizes
}

// fill gives the slices of kernel k random values in [-2,2). Adam's averages of squares get
// values in [0,2).
func (k *elementwise) fill(rng *rand.Rand, s [][]float32) {
	for i := range s {
		for j := range s[i] {
			s[i][j] = rng.Float32()*4 - 2
			if k.name == "Adam" && i == 3 {
				s[i][j] = abs(s[i][j])
			}
		}
	}
}

func abs(x float32) float32 { return float32(math.Abs(float64(x))) }

// compare calls the kernel on s and the reference on a copy, and reports the first
// element that differs by more than k.rtol of the largest magnitude involved.
func (k *elementwise) compare(t *testing.T, s [][]float32, what string) {
	t.Helper()
	want := make([][]float32, len(s))
	scale := 1.0
	for i := range s {
		want[i] = append([]float32(nil), s[i]...)
		for _, v := range s[i] {
			if m := math.Abs(float64(v)); !math.IsInf(m, 0) && m > scale {
				scale = m
			}
		}
	}
	k.ref(want)
	if k.reduces {
		scale = 0 // the result is as uncertain as the sum of its terms' magnitudes
		for _, v := range s[1] {
			scale += math.Abs(float64(v))
		}
		scale = max(scale, math.Abs(float64(want[0][0])))
	}
	k.call(s)
	for i := range s {
		for j, w := range want[i] {
			tol := k.rtol*scale + k.relative*math.Abs(float64(w)) + 0x1p-149
			g := s[i][j]
			if !close(g, w, tol) {
				t.Fatalf("%s %s: slice %d, element %d of %d: got %v, want %v ± %.1e", k.name, what, i, j, len(s[i]), g, w, tol)
			}
			if got, want := math.Float32bits(g), math.Float32bits(w); k.moves && got != want {
				t.Fatalf("%s %s: slice %d, element %d of %d: got %v, bits %#x, want %v, bits %#x", k.name, what, i, j, len(s[i]), g, got, w, want)
			}
		}
	}
}

func close(g, w float32, tol float64) bool {
	if g == w || g != g && w != w {
		return true
	}
	return math.Abs(float64(g)-float64(w)) <= tol && !math.IsInf(float64(g), 0) && !math.IsInf(float64(w), 0)
}

const poison = 12345.678

// TestElementwise compares each kernel with its reference, for all lengths from 0 to 130
// and all offsets from 0 to 15, with a forbidden page directly at either side. It also
// checks that the kernel writes nothing outside of the slices.
func TestElementwise(t *testing.T) {
	for _, k := range elementwiseKernels {
		t.Run(k.name, func(t *testing.T) {
			const most = 130
			room := k.sizes(most + 1)
			front, back := make([][]float32, len(room)), make([][]float32, len(room))
			for i, n := range room {
				front[i], back[i] = guardedFront(t, n+32), guarded(t, n+32)
			}
			eachLevel(t, func(t *testing.T, l Level) {
				rng := rand.New(rand.NewPCG(1, 2))
				for n := 0; n <= most; n++ {
					if testing.Short() && n > 50 && n < 120 {
						continue
					}
					sizes := k.sizes(n)
					s := make([][]float32, len(sizes))
					for offset := range 16 {
						for i, n := range sizes {
							if offset%2 == 0 { // near the front page, each slice at another offset
								o := (offset/2 + 3*i) % 16
								if offset == 0 {
									o = 0
								}
								s[i] = front[i][o : o+n]
							} else {
								o := len(back[i]) - n - (offset/2+5*i)%16
								if offset == 1 {
									o = len(back[i]) - n
								}
								s[i] = back[i][o : o+n]
							}
						}
						for i := range front {
							for j := range front[i] {
								front[i][j] = poison
							}
							for j := range back[i] {
								back[i][j] = poison
							}
						}
						k.fill(rng, s)
						k.compare(t, s, fmt.Sprintf("%v, length %d, offset %d", l, n, offset))
						for i := range front {
							poisoned := 0
							for _, v := range front[i] {
								if v == poison {
									poisoned++
								}
							}
							for _, v := range back[i] {
								if v == poison {
									poisoned++
								}
							}
							if want := len(front[i]) + len(back[i]) - sizes[i]; poisoned != want {
								t.Fatalf("%s %v, length %d, offset %d: slice %d: %d elements outside of it were written", k.name, l, n, offset, i, want-poisoned)
							}
						}
					}
				}
			})
		})
	}
}

// TestElementwiseInPlace writes the result over each operand, and over all of them.
func TestElementwiseInPlace(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(3, 4))
		for _, k := range elementwiseKernels {
			if !k.inPlace {
				continue
			}
			for _, n := range []int{1, 7, 8, 15, 16, 33, 67} {
				for same := 1; same <= k.slices; same++ {
					s := make([][]float32, k.slices)
					for i := range s {
						s[i] = make([]float32, n)
					}
					k.fill(rng, s)
					if same == k.slices { // all
						for i := range s {
							s[i] = s[0]
						}
					} else {
						s[0] = s[same]
					}
					want := make([][]float32, len(s))
					for i := range s {
						want[i] = append([]float32(nil), s[i]...)
					}
					k.ref(want)
					k.call(s)
					for j, w := range want[0] {
						if !close(s[0][j], w, 4*k.rtol+k.relative*math.Abs(float64(w))) {
							t.Fatalf("%s %v, length %d, dst is slice %d: element %d: got %v, want %v", k.name, l, n, same, j, s[0][j], w)
						}
					}
				}
			}
		}
	})
}

// TestElementwiseSpecial puts each special value into each lane of each operand.
func TestElementwiseSpecial(t *testing.T) {
	inf := float32(math.Inf(1))
	specials := []float32{float32(math.NaN()), inf, -inf, 0, float32(math.Copysign(0, -1)), 1e-40, -1e-40, 3e18, -3e18, 100, -100, -87.5, 88.8}
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(5, 6))
		for _, k := range elementwiseKernels {
			for _, v := range specials {
				if k.name == "Adam" && v < 0 {
					continue // averages of squares are not negative
				}
				sizes := k.sizes(19)
				for operand := range sizes {
					for lane := range sizes[operand] {
						s := make([][]float32, len(sizes))
						for i := range s {
							s[i] = make([]float32, sizes[i])
						}
						k.fill(rng, s)
						s[operand][lane] = v
						k.compare(t, s, fmt.Sprintf("%v, %v in lane %d of slice %d", l, v, lane, operand))
					}
				}
			}
		}
	})
}

// TestElementwiseSpecialPairs combines special values. Each value in a lane meets each value
// in the next lane and in the same lane of the other operands. This works because the
// number of special values is a prime.
func TestElementwiseSpecialPairs(t *testing.T) {
	const tiny = 1e-40 // more than compare lets pass
	inf := float32(math.Inf(1))
	signalling := math.Float32frombits(0xff812345) // a NaN whose bits an addition would change
	specials := []float32{float32(math.NaN()), inf, 0, signalling, 1, -tiny, float32(math.Copysign(0, -1)), tiny, -inf, -1, 0.5}
	eachLevel(t, func(t *testing.T, l Level) {
		for _, k := range elementwiseKernels {
			if k.reduces || k.name == "Adam" { // averages of squares are not negative
				continue
			}
			sizes := k.sizes(16 + 8 + 3) // a turn of each vector loop, and a rest
			s := make([][]float32, len(sizes))
			for i, n := range sizes {
				s[i] = make([]float32, n)
			}
			for start := range specials {
				for stride := range specials {
					for i := range s {
						for j := range s[i] {
							s[i][j] = specials[(start+(i+j)*stride+i*j)%len(specials)]
						}
					}
					k.compare(t, s, fmt.Sprintf("%v, length 27, values from %d in steps of %d", l, start, stride))
				}
			}
		}
	})
}

// TestAddBiasSpecial adds special values to special values, in every lane. It does not
// check the sign of a zero: of two zeros, MAXPS returns the second and FMAX the positive.
func TestAddBiasSpecial(t *testing.T) {
	const tiny = 1e-40 // more than compare lets pass
	inf := float32(math.Inf(1))
	specials := []float32{float32(math.NaN()), inf, -inf, 0, float32(math.Copysign(0, -1)), tiny, -tiny, 0.25, -0.25}
	eachLevel(t, func(t *testing.T, l Level) {
		for _, bias := range specials {
			for _, k := range []elementwise{
				{name: "AddBias",
					call: func(s [][]float32) { AddBias(s[0], s[1], bias) },
					ref:  func(s [][]float32) { addBiasGeneric(s[0], s[1], bias) }},
				{name: "AddBiasReLU",
					call: func(s [][]float32) { AddBiasReLU(s[0], s[1], bias) },
					ref:  func(s [][]float32) { addBiasReLUGeneric(s[0], s[1], bias) }},
			} {
				for start := range specials {
					s := [][]float32{make([]float32, 16+8+3), make([]float32, 16+8+3)}
					for i := range s[1] {
						s[1][i] = specials[(start+i)%len(specials)]
					}
					k.compare(t, s, fmt.Sprintf("%v, length 27, bias %v, values from %d", l, bias, start))
				}
			}
		}
	})
}

// TestLong has slices that are too long for one call into assembly.
func TestLong(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(7, 8))
		for _, k := range elementwiseKernels {
			n := 2*maxCall + 21
			s := make([][]float32, 0, 5)
			for _, n := range k.sizes(n) {
				s = append(s, make([]float32, n))
			}
			k.fill(rng, s)
			if k.reduces {
				continue // see TestSumPrecision
			}
			k.compare(t, s, fmt.Sprintf("%v, length %d", l, n))
		}
	})
}

// TestSumPrecision compares sums of many elements with those in float64.
func TestSumPrecision(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(9, 10))
		a, b := make([]float32, 1_000_003), make([]float32, 1_000_003)
		var sum, squares, distances, roots float64
		for i := range a {
			a[i], b[i] = rng.Float32(), rng.Float32()
			sum += float64(a[i])
			d := float64(a[i]) - float64(b[i])
			squares += d * d
			distances += math.Abs(d)
			roots += math.Sqrt(d*d + 0.1*0.1)
		}
		if got := Sum(a); !(math.Abs(got/sum-1) < 1e-7) {
			t.Errorf("%v: Sum = %v, want %v", l, got, sum)
		}
		if got := SumSquaredDiff(a, b); !(math.Abs(got/squares-1) < 1e-7) {
			t.Errorf("%v: SumSquaredDiff = %v, want %v", l, got, squares)
		}
		if got := SumAbsDiff(a, b); !(math.Abs(got/distances-1) < 1e-7) {
			t.Errorf("%v: SumAbsDiff = %v, want %v", l, got, distances)
		}
		if got := SumRootDiff(0.1, a, b); !(math.Abs(got/roots-1) < 1e-7) {
			t.Errorf("%v: SumRootDiff = %v, want %v", l, got, roots)
		}
	})
}

// TestSigmoidRange checks σ where it is almost 0 and almost 1.
func TestSigmoidRange(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		x, y := make([]float32, 16), make([]float32, 16)
		for v := float32(-85); v < 40; v += 0.37 {
			for i := range x {
				x[i] = v
			}
			Sigmoid(y, x)
			want := 1 / (1 + math.Exp(-float64(v)))
			for i, g := range y {
				if !(math.Abs(float64(g)/want-1) < 4*math.Pow(2, -23)) {
					t.Fatalf("%v: Sigmoid(%v) = %v in lane %d, want %v", l, v, g, i, want)
				}
			}
		}
	})
}

// TestSigmoidPlace wants the same bits wherever a number stands, in slices of every length.
func TestSigmoidPlace(t *testing.T) {
	x := make([]float32, 70)
	for i := range x {
		x[i] = float32(i%23) - 11.3
	}
	eachLevel(t, func(t *testing.T, _ Level) {
		want := make([]float32, len(x))
		Sigmoid(want, x)
		for n := range 34 {
			for at := range 35 {
				got := make([]float32, n)
				Sigmoid(got, x[at:at+n])
				for i, g := range got {
					if math.Float32bits(g) != math.Float32bits(want[at+i]) {
						t.Fatalf("%d of %d numbers: σ(%v) = %v, among all %v", i, n, x[at+i], g, want[at+i])
					}
				}
			}
		}
	})
}

// TestExpRange checks exp from numbers where it is 0 to numbers where it is infinite.
func TestExpRange(t *testing.T) {
	eachLevel(t, func(t *testing.T, l Level) {
		x, y := make([]float32, 16), make([]float32, 16)
		for v := float32(-120); v < 100; v += 0.173 {
			for i := range x {
				x[i] = v
			}
			Exp(y, x)
			want := math.Exp(float64(v))
			for i, g := range y {
				if !close(g, float32(want), 4*0x1p-23*want+0x1p-148) {
					t.Fatalf("%v: Exp(%v) = %v in lane %d, want %v", l, v, g, i, want)
				}
			}
		}
	})
}

// TestLengthsMustFit expects a panic from each kernel for slices that do not fit.
func TestLengthsMustFit(t *testing.T) {
	for _, k := range elementwiseKernels {
		if k.name == "Sum" {
			continue // has one slice
		}
		for short := range k.sizes(20) {
			if k.reduces && short == 0 {
				continue // the result of the test, not an operand
			}
			s := make([][]float32, 0, 5)
			for i, n := range k.sizes(20) {
				if i == short {
					n--
				}
				s = append(s, make([]float32, n))
			}
			mustPanic(t, k.name, func() { k.call(s) })
		}
	}
}

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic for slices that do not fit together", what)
		}
	}()
	f()
}
