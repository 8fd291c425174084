package tensor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func random(rng *rand.Rand, shape ...int) *Tensor {
	t := New(shape...)
	for i := range t.data {
		t.data[i] = rng.Float32()*2 - 1
	}
	return t
}

// checkClose reports the first element of got that is further from want than tol.
func checkClose(t *testing.T, what string, got, want *Tensor, tol float64) {
	t.Helper()
	if !slices.Equal(got.shape, want.shape) {
		t.Fatalf("%s: shape %v, want %v", what, got.shape, want.shape)
	}
	for i, w := range want.data {
		if !(math.Abs(float64(got.data[i])-float64(w)) <= tol) {
			t.Fatalf("%s: shape %v, element %d: got %v, want %v ± %g", what, got.shape, i, got.data[i], w, tol)
		}
	}
}

var convCases = []struct {
	n, ic, oc, h, w, kh, kw, dilation int
}{
	{1, 1, 1, 1, 1, 1, 1, 1},
	{1, 1, 1, 1, 1, 3, 3, 1},
	{2, 3, 5, 7, 9, 3, 3, 1},
	{3, 5, 3, 8, 6, 1, 1, 0},
	{1, 2, 17, 12, 13, 5, 5, 1},
	{1, 4, 33, 9, 31, 3, 3, 2},
	{2, 3, 4, 10, 10, 3, 3, 4},
	{1, 2, 3, 5, 4, 3, 3, 7}, // the dilated kernel is wider than the image
	{1, 2, 3, 6, 11, 1, 3, 1},
	{1, 2, 3, 11, 6, 5, 1, 2},
	{2, 33, 9, 6, 8, 3, 3, 1}, // more channels than a block
	{1, 70, 40, 4, 12, 1, 1, 1},
	{1, 3, 8, 30, 41, 3, 3, 1},  // more pixels than a band
	{1, 64, 3, 24, 24, 1, 1, 1}, // whole tiles: no padded copy
	{5, 2, 2, 3, 3, 3, 3, 1},
	{1, 16, 16, 12, 15, 3, 3, 3}, // dilations that Winograd's way has no tiles for
	{1, 16, 16, 9, 40, 3, 3, 8},

	// Winograd's way
	{1, 16, 16, 1, 1, 3, 3, 1},
	{2, 17, 19, 8, 12, 3, 3, 1}, // whole tiles
	{3, 16, 16, 7, 9, 3, 3, 1},
	{1, 16, 18, 40, 44, 3, 3, 1}, // more tiles than a block
	{1, 17, 16, 11, 13, 3, 3, 2},
	{1, 16, 17, 21, 18, 3, 3, 4},
	{1, 16, 16, 3, 2, 3, 3, 4},
	{1, 270, 16, 4, 4, 3, 3, 1}, // more channels than a block
}

// TestConv2d holds the convolution and its gradients to the plain loops.
func TestConv2d(t *testing.T) {
	everyPixelCount(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range convCases {
		for _, relu := range []bool{false, true} {
			name := fmt.Sprintf("%+v relu=%v", c, relu)
			x, w, b := random(rng, c.n, c.ic, c.h, c.w), random(rng, c.oc, c.ic, c.kh, c.kw), random(rng, c.oc)
			o := ConvOptions{Dilation: c.dilation, ReLU: relu}
			y := runConv(t, inputsOf([]*Tensor{x}, nil, nil), []*Tensor{x}, w, b, nil, o)
			terms := float64(c.ic*c.kh*c.kw + 1)
			checkClose(t, "Conv2d "+name, y, conv2dReference(x, w, b, o), terms*terms*0x1p-24)
			poisonPool()
			checkClose(t, "Conv2d and a plan "+name, Conv2d(x, w, b, o), y, 0)

			dy := random(rng, y.shape...)
			dx, dw, db := gradients(t, x, w, y, dy, o)
			if relu {
				dy = ReLUBackward(dy, y)
			}
			d := max(1, c.dilation)
			terms = float64(c.oc*c.kh*c.kw + 1)
			checkClose(t, "Conv2d dx "+name, dx, conv2dInputGradReference(w, dy, d), terms*terms*0x1p-24)
			terms = float64(c.n*c.h*c.w + 1)
			if w, ok := chooseConv(newConvGeometry("", x.shape, w.shape, nil, d), 0).(*winograd); ok { // its sums are of 36 numbers a tile
				terms = float64(c.n*w.tiles*36 + 1)
			}
			tol := terms * math.Sqrt(terms) * 0x1p-24
			checkClose(t, "Conv2d dw "+name, dw, conv2dWeightGradReference(x, dy, c.kh, c.kw, d), tol)
			checkClose(t, "Conv2d db "+name, db, conv2dBiasGradReference(dy), tol)
			poisonPool()
			checkClose(t, "Conv2dInputGrad "+name, Conv2dInputGrad(w, dy, d), dx, 0)
			checkClose(t, "Conv2dWeightGrad "+name, Conv2dWeightGrad(x, dy, c.kh, c.kw, d), dw, 0)
			checkClose(t, "Conv2dBiasGrad "+name, Conv2dBiasGrad(dy), db, 0)
		}
	}
}

// gradients returns all three gradients of a convolution.
func gradients(t *testing.T, x, w, y, dy *Tensor, o ConvOptions) (dx, dw, db *Tensor) {
	t.Helper()
	dxs, dw, db := runConvBackward(t, inputsOf([]*Tensor{x}, nil, []InputGrad{Grad}), []*Tensor{x}, w, y, dy, o)
	return dxs[0], dw, db
}

// everyPixelCount has Winograd's way used for small images too.
func everyPixelCount(t *testing.T) {
	was := winogradPixels
	t.Cleanup(func() { winogradPixels, UseWinograd = was, true })
	winogradPixels = 0
}

// TestWinogradAccuracy compares a convolution of many channels, and the gradient of its
// input, with sums in float64: the root mean square of the errors is below 2e-6 of that
// of the values, for direct convolution as well.
func TestWinogradAccuracy(t *testing.T) {
	everyPixelCount(t)
	defer func() { UseWinograd = true }()
	rng := rand.New(rand.NewPCG(9, 9))
	const c, size = 64, 20
	x, w, dy := random(rng, 1, c, size, size), random(rng, c, c, 3, 3), random(rng, 1, c, size, size)
	// A gradient of the input is a convolution with weights flipped and transposed.
	flipped := New(c, c, 3, 3)
	for i, v := range w.data {
		oc, ic, tap := i/(9*c), i/9%c, i%9
		flipped.data[(ic*c+oc)*9+8-tap] = v
	}
	exact := func(x, w *Tensor) []float64 {
		y := make([]float64, c*size*size)
		g := newConvGeometry("", x.shape, w.shape, nil, 1)
		g.eachProduct(func(xi, wi, yi int) { y[yi] += float64(x.data[xi]) * float64(w.data[wi]) })
		return y
	}
	y, dx := exact(x, w), exact(dy, flipped)
	for _, UseWinograd = range []bool{true, false} {
		check := func(what string, got *Tensor, want []float64) {
			errors, values := 0.0, 0.0
			for i, v := range want {
				d := float64(got.data[i]) - v
				errors, values = errors+d*d, values+v*v
			}
			rms := math.Sqrt(errors / values)
			t.Logf("%s, Winograd %v: relative error %.2g", what, UseWinograd, rms)
			if !(rms < 2e-6) {
				t.Errorf("%s, Winograd %v: relative error %.2g, want below 2e-6", what, UseWinograd, rms)
			}
		}
		check("Conv2d", Conv2d(x, w, nil, ConvOptions{}), y)
		check("Conv2dInputGrad", Conv2dInputGrad(w, dy, 1), dx)
	}
}

// TestConv2dThreads wants the same bits from any number of threads.
func TestConv2dThreads(t *testing.T) {
	defer SetThreads(0)
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 2, 3, 5} {
		x, w, b := random(rng, n, 40, 20, 23), random(rng, 19, 40, 3, 3), random(rng, 19)
		o := ConvOptions{ReLU: true}
		dy := random(rng, n, 19, 20, 23)
		var want []*Tensor
		for threads := 1; threads <= 7; threads++ {
			SetThreads(threads)
			y := Conv2d(x, w, b, o)
			dx, dw, db := gradients(t, x, w, y, dy, o)
			got := []*Tensor{y, dx, dw, db}
			if want == nil {
				want = got
			}
			for i, name := range []string{"y", "dx", "dw", "db"} {
				for j := range got[i].data {
					if math.Float32bits(got[i].data[j]) != math.Float32bits(want[i].data[j]) {
						t.Fatalf("Conv2d %s, %d images: element %d with %d threads is %v, with one %v", name, n, j, threads, got[i].data[j], want[i].data[j])
					}
				}
			}
		}
	}
}

func TestConv2dWithoutBias(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	x, w := random(rng, 1, 2, 5, 6), random(rng, 4, 2, 3, 3)
	checkClose(t, "no bias", Conv2d(x, w, nil, ConvOptions{}), Conv2d(x, w, New(4), ConvOptions{}), 0)
}

func BenchmarkConv2d(b *testing.B) {
	for _, c := range []struct{ ic, oc, size, k int }{{3, 64, 72, 3}, {64, 64, 72, 3}, {64, 3, 72, 1}, {32, 32, 144, 3}} {
		rng := rand.New(rand.NewPCG(1, 1))
		x, w := random(rng, 16, c.ic, c.size, c.size), random(rng, c.oc, c.ic, c.k, c.k)
		flops := 2 * float64(16*c.ic*c.oc*c.k*c.k*c.size*c.size)
		name := fmt.Sprintf("%d→%d,%d×%d,%d²", c.ic, c.oc, c.k, c.k, c.size)
		report := func(b *testing.B) { b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s") }
		bias := New(c.oc)
		y := Conv2d(x, w, bias, ConvOptions{ReLU: true})
		for what, run := range map[string]func() *Tensor{
			"forward": func() *Tensor { return Conv2d(x, w, bias, ConvOptions{ReLU: true}) },
			"dx":      func() *Tensor { return Conv2dInputGrad(w, y, 1) },
			"dw":      func() *Tensor { return Conv2dWeightGrad(x, y, c.k, c.k, 1) },
		} {
			b.Run(name+"/"+what, func(b *testing.B) {
				for b.Loop() {
					Release(run())
				}
				report(b)
			})
		}
	}
}

// TestConvGroups wants images that are computed at a time to have the results of each
// alone, bit by bit, and packed weights those of weights.
func TestConvGroups(t *testing.T) {
	defer func(n, p int) { winogradPixels, packedPixels = n, p }(winogradPixels, packedPixels)
	rng := rand.New(rand.NewPCG(3, 1))
	for _, winograd := range []bool{false, true} {
		winogradPixels, packedPixels = 1<<30, 1<<30
		if winograd {
			winogradPixels, packedPixels = 0, 0
		}
		if w := newWinograd(newConvGeometry("", []int{16, 16, 8, 8}, []int{16, 16, 3, 3}, nil, 1), 1); w.bestGroup() < 2 {
			t.Error("images of four tiles are computed alone")
		}
		for _, c := range []struct{ n, ic, oc, h, w, dilation int }{
			{7, 16, 17, 8, 8, 1}, {9, 17, 16, 10, 14, 1}, {32, 16, 20, 4, 4, 1}, {5, 16, 16, 7, 9, 2}, {3, 20, 16, 40, 44, 1}, {1, 16, 16, 5, 5, 1},
		} {
			for _, relu := range []bool{false, true} {
				x, w, b := random(rng, c.n, c.ic, c.h, c.w), random(rng, c.oc, c.ic, 3, 3), random(rng, c.oc)
				o := ConvOptions{Dilation: c.dilation, ReLU: relu}
				got := Conv2d(x, w, b, o)
				packed := PackConv(FromSlice(slices.Clone(w.data), w.shape...)).Conv2d(x, b, o)
				size := c.ic * c.h * c.w
				each := c.oc * c.h * c.w
				for i := range c.n {
					want := Conv2d(FromSlice(x.data[i*size:(i+1)*size], 1, c.ic, c.h, c.w), w, b, o)
					for k, v := range want.data {
						if g := got.data[i*each+k]; math.Float32bits(g) != math.Float32bits(v) {
							t.Fatalf("%+v, Winograd %v, ReLU %v: image %d, element %d: got %v, alone %v", c, winograd, relu, i, k, g, v)
						}
						if g := packed.data[i*each+k]; math.Float32bits(g) != math.Float32bits(v) {
							t.Fatalf("%+v, Winograd %v, ReLU %v: image %d, element %d: packed weights make %v, others %v", c, winograd, relu, i, k, g, v)
						}
					}
				}
			}
		}
	}
}

// TestConvChoices wants the ways to be chosen that the tests above hold to be equal: shares
// of output channels where there is little else to share, and Winograd's way for fewer
// pixels if the weights are packed.
func TestConvChoices(t *testing.T) {
	defer SetThreads(0)
	SetThreads(2)
	if alone, together := panelShares(1, 64, 1), panelShares(1, 64, 2); alone != 1 || together < 2 {
		t.Errorf("one band is cut into %d shares for one thread, %d for two", alone, together)
	}
	defer func(n int) { winogradPixels = n }(winogradPixels)
	rng := rand.New(rand.NewPCG(1, 5))
	x, w := random(rng, 1, 16, 36, 36), random(rng, 16, 16, 3, 3)
	direct := Conv2d(x, w, nil, ConvOptions{})
	packed := PackConv(FromSlice(slices.Clone(w.data), w.shape...)).Conv2d(x, nil, ConvOptions{})
	winogradPixels = 0
	want := Conv2d(x, w, nil, ConvOptions{})
	if slices.Equal(direct.data, want.data) {
		t.Error("36×36 pixels were computed by Winograd's way, with weights that are not packed")
	}
	if !slices.Equal(packed.data, want.data) {
		t.Error("36×36 pixels were not computed by Winograd's way with packed weights")
	}
}
