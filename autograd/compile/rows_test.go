package compile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// rowNetworks have every operation that works row by row.
func rowNetworks(rng *rand.Rand, h, w int) map[string]func(x *autograd.Value) *autograd.Value {
	weights := func(oc, ic, k int) (w, b *autograd.Value) {
		return autograd.Parameter(numbers(rng, oc, ic, k, k)), autograd.Parameter(numbers(rng, oc))
	}
	conv := func(oc, ic, k, dilation int) func(*autograd.Value) *autograd.Value {
		w, b := weights(oc, ic, k)
		return func(x *autograd.Value) *autograd.Value { return autograd.Conv2d(x, w, b, dilation) }
	}
	a, b, c, d := conv(4, 3, 3, 1), conv(4, 4, 3, 2), conv(8, 4, 1, 1), conv(3, 8, 5, 1)
	slopes := autograd.Parameter(numbers(rng, 4))
	vector, map4 := autograd.Constant(numbers(rng, 1, 2)), autograd.Constant(numbers(rng, 1, 4, h, w))
	e, f, g := conv(4, 6, 3, 1), conv(5, 12, 3, 1), conv(4, 8, 3, 1)
	return map[string]func(x *autograd.Value) *autograd.Value{
		"nothing": func(x *autograd.Value) *autograd.Value { return x },
		"a chain": func(x *autograd.Value) *autograd.Value {
			return d(autograd.Sigmoid(c(autograd.LeakyReLU(b(autograd.PReLU(a(x), slopes)), 0.2))))
		},
		"a residual block": func(x *autograd.Value) *autograd.Value {
			h := a(x)
			return autograd.ReLU(autograd.Add(autograd.Scale(0.5, b(autograd.ReLU(h))), autograd.Add(h, map4)))
		},
		"a shortcut in a convolution": func(x *autograd.Value) *autograd.Value {
			h := a(x)
			return autograd.ReLU(autograd.Add(b(h), h))
		},
		"enlargements": func(x *autograd.Value) *autograd.Value {
			y := autograd.Add(autograd.Upsample2(autograd.UpsampleNearest(a(x), 2)), autograd.PixelShuffle(autograd.PixelShuffle(autograd.UpsampleNearest(conv16(a(x)), 1), 2), 2))
			return autograd.Add(y, autograd.UpsampleBicubic(a(x), 4))
		},
		"channels": func(x *autograd.Value) *autograd.Value {
			h := a(x)
			y := e(autograd.ConcatChannels(h, autograd.Expand(vector, h.Shape()[2], h.Shape()[3])))
			return autograd.ConcatChannels(g(autograd.ConcatChannels(h, y)), x)
		},
		"squares": func(x *autograd.Value) *autograd.Value {
			h, w := x.Shape()[2], x.Shape()[3]
			y := f(autograd.PixelUnshuffle(autograd.PadReflect(x, h%2, w%2), 2))
			return autograd.Crop(autograd.UpsampleNearest(y, 2), h, w)
		},
		"mirrored to and fro": func(x *autograd.Value) *autograd.Value {
			return autograd.Crop(autograd.PadReflect(x, 3*x.Shape()[2], 2), 2*x.Shape()[2], x.Shape()[3]+1)
		},
	}
}

// conv16 makes 16 times the channels, so that they can be shuffled.
func conv16(x *autograd.Value) *autograd.Value {
	for range 4 {
		x = autograd.ConcatChannels(x, autograd.Scale(0.5, x))
	}
	return x
}

// TestPredictRows wants the bits of the plain tape, for pictures of any size and any number of rows at
// a time, and no more memory than was planned.
func TestPredictRows(t *testing.T) {
	for _, size := range [][2]int{{37, 9}, {1, 1}, {2, 6}, {16, 4}, {50, 3}, {20, 48}} {
		h, w := size[0], size[1]
		x := numbers(rand.New(rand.NewPCG(2, 2)), 1, 3, h, w)
		for name, network := range rowNetworks(rand.New(rand.NewPCG(1, 1)), h, w) {
			want := network(autograd.Constant(x)).Data()
			for _, rows := range []int{0, 16, 32} {
				p, err := PredictRows(network, 3, h, w, RowOptions{Rows: rows})
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				for range 2 { // a program may run again
					got := tensor.New(p.ResultShape()...)
					if err := p.Run(context.Background(), rowsOf(x), rowsTo(got)); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					if err := sameImages(got, want); err != nil {
						t.Fatalf("%s, %d×%d, %d rows at a time: %v", name, w, h, rows, err)
					}
				}
			}
		}
	}
}

// TestPredictRowsRandom wants the bits of the plain tape from networks of random operations, some of
// which read the same images and what does not depend on the picture.
func TestPredictRowsRandom(t *testing.T) {
	for seed := range uint64(150) {
		rng := rand.New(rand.NewPCG(seed, 3))
		h, w := 1+rng.IntN(70), 1+rng.IntN(9)
		x := numbers(rng, 1, 2, h, w)
		network := func(x *autograd.Value) *autograd.Value { return randomRows(rand.New(rand.NewPCG(seed, 4)), x) }
		want := network(autograd.Constant(x)).Data()
		p, err := PredictRows(network, 2, h, w, RowOptions{Rows: rng.IntN(50)})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		got := tensor.New(p.ResultShape()...)
		if err := p.Run(context.Background(), rowsOf(x), rowsTo(got)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := sameImages(got, want); err != nil {
			t.Fatalf("seed %d, %d×%d, %d rows at a time: %v", seed, w, h, p.chunk, err)
		}
	}
}

// randomRows applies random operations to an image and to what became of it.
func randomRows(rng *rand.Rand, x *autograd.Value) *autograd.Value {
	conv := func(x *autograd.Value) *autograd.Value {
		oc, k := 1+rng.IntN(3), 1+2*rng.IntN(2)
		return autograd.Conv2d(x, autograd.Parameter(numbers(rng, oc, x.Shape()[1], k, k)), autograd.Parameter(numbers(rng, oc)), 1+rng.IntN(3))
	}
	sameSize := func(x, y *autograd.Value) bool {
		return x.Shape()[2] == y.Shape()[2] && x.Shape()[3] == y.Shape()[3]
	}
	images := list{x, conv(x)}
	for range 3 + rng.IntN(8) {
		x := images[rng.IntN(len(images))]
		s := x.Shape()
		var y *autograd.Value
		switch op := rng.IntN(14); {
		case op == 0:
			y = autograd.ReLU(conv(x))
		case op == 1:
			y = autograd.LeakyReLU(conv(x), 0.2)
		case op == 2:
			y = autograd.PReLU(x, autograd.Parameter(numbers(rng, s[1])))
		case op == 3 && s[2] <= 140:
			y = autograd.Upsample2(x)
		case op == 4 && s[2] <= 140:
			y = autograd.UpsampleBicubic(x, 2+rng.IntN(2))
		case op == 5 && s[2] <= 140:
			y = autograd.UpsampleNearest(x, 2+rng.IntN(2))
		case op == 6:
			r := 2 + rng.IntN(3)
			y = autograd.PixelUnshuffle(autograd.PadReflect(x, (r-s[2]%r)%r, (r-s[3]%r)%r), r)
		case op == 7 && s[1]%4 == 0:
			y = autograd.PixelShuffle(x, 2)
		case op == 8:
			y = autograd.Crop(x, 1+rng.IntN(s[2]), 1+rng.IntN(s[3]))
		case op == 9:
			y = autograd.PadReflect(x, rng.IntN(2*s[2]), rng.IntN(3))
		case op == 10:
			y = autograd.ConcatChannels(conv(autograd.Expand(autograd.Constant(numbers(rng, 1, 2)), s[2], s[3])), x)
		case op == 11:
			y = autograd.ConcatChannels(x, autograd.Constant(numbers(rng, 1, 1, s[2], s[3])))
		default:
			other := images[rng.IntN(len(images))]
			switch {
			case !sameSize(x, other):
				y = autograd.Sigmoid(x)
			case other.Shape()[1] == s[1]:
				y = autograd.Scale(0.5, autograd.Add(x, other))
			default:
				y = conv(autograd.ConcatChannels(x, other))
			}
		}
		if y.Shape()[1] <= 40 {
			images = append(images, y)
		}
	}
	y := images[len(images)-1]
	for _, other := range images[1:] { // so that many of them are read twice
		if sameSize(y, other) && rng.IntN(2) == 0 {
			y = autograd.ConcatChannels(y, other)
		}
	}
	return y
}

// sameImages returns where two images differ.
func sameImages(got, want *tensor.Tensor) error {
	s := want.Shape()
	if fmt.Sprint(got.Shape()) != fmt.Sprint(s) {
		return fmt.Errorf("shape %v, want %v", got.Shape(), s)
	}
	for i, v := range want.Data() {
		if g := got.Data()[i]; math.Float32bits(g) != math.Float32bits(v) {
			return fmt.Errorf("channel %d, row %d, pixel %d: got %v, want %v", i/s[3]/s[2], i/s[3]%s[2], i%s[3], g, v)
		}
	}
	return nil
}

// rowsOf reads the rows of an image.
func rowsOf(x *tensor.Tensor) func(row int, pixels []float32) error {
	c, h, w := x.Dim(1), x.Dim(2), x.Dim(3)
	return func(row int, pixels []float32) error {
		for k := range c {
			copy(pixels[k*w:][:w], x.Data()[(k*h+row)*w:])
		}
		return nil
	}
}

// rowsTo writes the rows of an image.
func rowsTo(y *tensor.Tensor) func(row int, pixels []float32) error {
	c, h, w := y.Dim(1), y.Dim(2), y.Dim(3)
	return func(row int, pixels []float32) error {
		for k := range c {
			copy(y.Data()[(k*h+row)*w:][:w], pixels[k*w:])
		}
		return nil
	}
}

func weights(rng *rand.Rand, oc, ic, k int) *autograd.Value {
	return autograd.Parameter(numbers(rng, oc, ic, k, k))
}

// TestPredictRowsMemory wants memory to grow with the width, and not with the height, and a deep
// network to take no more for a small picture than its images do.
func TestPredictRowsMemory(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	w, b := autograd.Parameter(numbers(rng, 8, 8, 3, 3)), autograd.Parameter(numbers(rng, 8))
	network := func(depth int) func(x *autograd.Value) *autograd.Value {
		return func(x *autograd.Value) *autograd.Value {
			for range depth {
				x = autograd.ReLU(autograd.Conv2d(x, w, b, 1))
			}
			return x
		}
	}
	bytes := func(depth, h, w int) int {
		t.Helper()
		p, err := PredictRows(network(depth), 8, h, w, RowOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return p.Bytes()
	}
	low, high, wide := bytes(5, 1000, 200), bytes(5, 10000, 200), bytes(5, 1000, 400)
	if high != low || wide > 2*low+low/2 || wide < low {
		t.Errorf("200×1000 pixels take %d bytes, ten times the height %d, twice the width %d", low, high, wide)
	}
	for name, network := range map[string]func(x *autograd.Value) *autograd.Value{
		"no network":   func(x *autograd.Value) *autograd.Value { return x },
		"enlargements": rowNetworks(rng, 1, 1)["enlargements"], // large images, of which few rows are computed at a time
		"every third pixel": func(x *autograd.Value) *autograd.Value { // rows in twelves
			return autograd.Conv2d(autograd.Conv2d(x, weights(rng, 8, 3, 3), b, 3), w, b, 3)
		},
		"constant channels": func(x *autograd.Value) *autograd.Value { // which could run ahead
			c := autograd.Sigmoid(autograd.Expand(autograd.Constant(numbers(rng, 1, 8)), x.Shape()[2], x.Shape()[3]))
			return autograd.ConcatChannels(autograd.UpsampleNearest(x, 2), autograd.UpsampleNearest(autograd.Scale(2, c), 2))
		},
	} {
		for _, width := range []int{3, 60} {
			var heights []int
			for _, h := range []int{600, 3000} {
				p, err := PredictRows(network, 3, h, width, RowOptions{})
				if err != nil {
					t.Fatal(err)
				}
				heights = append(heights, p.Bytes())
			}
			if heights[0] != heights[1] {
				t.Errorf("%s: %d×600 pixels take %d bytes, five times the height %d", name, width, heights[0], heights[1])
			}
		}
	}
	if deep, image := bytes(300, 800, 800), 4*8*800*800; deep > 6*image {
		t.Errorf("300 convolutions of 800×800 pixels take %d bytes, an image has %d", deep, image)
	}
	if p, err := PredictRows(network(5), 8, 1000, 200, RowOptions{Memory: low - 1}); err != nil || p.Bytes() >= low {
		t.Errorf("with less memory than is efficient: %v", err)
	}
	if got, whole := bytes(5, 1000, 300000), 4*8*1000*300000; got > whole/4 {
		t.Errorf("5 convolutions of 300000×1000 pixels take %d bytes, an image has %d", got, whole)
	}
	single := func(x *autograd.Value) *autograd.Value { return autograd.Conv2d(x, w, b, 1) }
	if _, err := PredictRows(single, 8, 20, 1<<24, RowOptions{}); err == nil || !strings.Contains(err.Error(), "16777216×20 pixels is too wide") {
		t.Errorf("a very wide image: %v", err)
	}
	if _, err := PredictRows(network(5), 8, 1000, 200, RowOptions{Memory: 1000}); err == nil || !strings.Contains(err.Error(), "200×1000") || !strings.Contains(err.Error(), "1000") {
		t.Errorf("with 1000 bytes: %v", err)
	}
}

// TestPredictRowsAllocates wants Run to take what was planned, and nothing when it runs again: for
// networks whose images need room at different times, and for one that is deeper than its image is high.
func TestPredictRowsAllocates(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	wide, narrow, slopes := weights(rng, 24, 8, 3), weights(rng, 8, 24, 3), autograd.Parameter(numbers(rng, 24))
	b24, b8 := autograd.Parameter(numbers(rng, 24)), autograd.Parameter(numbers(rng, 8))
	chain := func(depth int) func(x *autograd.Value) *autograd.Value {
		return func(x *autograd.Value) *autograd.Value {
			first := x
			for range depth {
				x = autograd.Conv2d(autograd.PReLU(autograd.Conv2d(x, wide, b24, 1), slopes), narrow, b8, 1)
			}
			return autograd.Add(autograd.UpsampleBicubic(first, 2), autograd.Sigmoid(autograd.Upsample2(x)))
		}
	}
	ignore := func(int, []float32) error { return nil }
	for _, c := range []struct{ depth, h, w int }{{3, 300, 50}, {40, 60, 40}, {10, 150, 30}} {
		p, err := PredictRows(chain(c.depth), 8, c.h, c.w, RowOptions{Rows: 16})
		if err != nil {
			t.Fatal(err)
		}
		for run := range 2 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if err := p.Run(context.Background(), ignore, ignore); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			got, most, least := int(after.TotalAlloc-before.TotalAlloc), p.Bytes()*9/8, p.Bytes()*3/4
			if run > 0 { // what is left are operands and their shapes
				most, least = p.Bytes()/8, 0
			}
			if got > most || got < least {
				t.Errorf("%+v, run %d: %d bytes were taken, want from %d to %d; planned were %d", c, run, got, least, most, p.Bytes())
			}
		}
	}
}

// TestPredictRowsTogether runs programs of the same network at once, of which every other run ends with
// an error, and wants the bits of each to stay.
func TestPredictRowsTogether(t *testing.T) {
	network := rowNetworks(rand.New(rand.NewPCG(1, 1)), 50, 7)["enlargements"]
	var group sync.WaitGroup
	for i := range 4 {
		x := numbers(rand.New(rand.NewPCG(uint64(i), 2)), 1, 3, 50, 7)
		want := network(autograd.Constant(x)).Data()
		p, err := PredictRows(network, 3, 50, 7, RowOptions{Rows: 16 * i})
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			for run := range 6 {
				got, broken := tensor.New(p.ResultShape()...), errors.New("broken")
				write := rowsTo(got)
				err := p.Run(context.Background(), rowsOf(x), func(row int, pixels []float32) error {
					if run%2 == 0 && row == 20*run+i {
						return broken
					}
					return write(row, pixels)
				})
				if run%2 == 0 {
					if err != broken {
						t.Errorf("program %d, run %d: error %v, want that of write", i, run, err)
					}
				} else if err := cmp.Or(err, sameImages(got, want)); err != nil {
					t.Errorf("program %d, run %d: %v", i, run, err)
				}
			}
		})
	}
	group.Wait()
}

// TestPredictRowsErrors wants the errors of reading, writing and stopping, and a network that works on
// whole images to be refused.
func TestPredictRowsErrors(t *testing.T) {
	network := rowNetworks(rand.New(rand.NewPCG(1, 1)), 40, 4)["a chain"]
	p, err := PredictRows(network, 3, 40, 4, RowOptions{})
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	fine := func(int, []float32) error { return nil }
	fails := func(row int, _ []float32) error {
		if row == 7 {
			return broken
		}
		return nil
	}
	if err := p.Run(context.Background(), fails, fine); err != broken {
		t.Errorf("reading fails: %v", err)
	}
	if err := p.Run(context.Background(), fine, fails); err != broken {
		t.Errorf("writing fails: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	last := 0
	err = p.Run(ctx, fine, func(row int, _ []float32) error {
		last = row
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || last > 16 {
		t.Errorf("stopped: %v, after row %d", err, last)
	}
	if err := p.Run(context.Background(), fine, fine); err != nil {
		t.Errorf("once more: %v", err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	w, w3, b, slopes := weights(rng, 1, 3, 3), weights(rng, 3, 3, 3), autograd.Parameter(numbers(rng, 1)), autograd.Parameter(numbers(rng, 3))
	for want, network := range map[string]func(x *autograd.Value) *autograd.Value{
		"Mean":           autograd.Mean,
		"weights":        func(x *autograd.Value) *autograd.Value { return autograd.Conv2d(x, autograd.Scale(2, w), b, 1) },
		"[3 3 3 3]":      func(x *autograd.Value) *autograd.Value { return autograd.Conv2d(x, autograd.Scale(2, w3), slopes, 1) },
		"reads no image": func(x *autograd.Value) *autograd.Value { return autograd.PReLU(x, autograd.Scale(2, slopes)) },
		"no image":       func(x *autograd.Value) *autograd.Value { return slopes },
		"computes no image": func(x *autograd.Value) *autograd.Value {
			return autograd.Constant(numbers(rng, 1, 1, 4, 4))
		},
	} {
		if _, err := PredictRows(network, 3, 4, 4, RowOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, found %v", want, err)
		}
	}
	if _, err := PredictRows(network, 3, 0, 4, RowOptions{}); err == nil {
		t.Error("no pixels: no error")
	}
}
