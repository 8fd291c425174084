package tensor

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRearrange holds the functions that move pixels to the formulas of their comments, and their
// gradients to the transposed maps: <dy, f(x)> = <f'(dy), x>.
func TestRearrange(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	at := func(x *Tensor, n, c, i, j int) float32 {
		s := x.shape
		return x.data[((n*s[1]+c)*s[2]+i)*s[3]+j]
	}
	for _, size := range [][4]int{{2, 3, 4, 5}, {1, 1, 1, 1}, {3, 2, 1, 7}, {1, 2, 6, 1}} {
		n, c, h, w := size[0], size[1], size[2], size[3]
		for r := 1; r <= 4; r++ {
			for _, f := range []struct {
				name    string
				x       *Tensor
				forward func(x *Tensor) *Tensor
				back    func(dy *Tensor) *Tensor
				from    func(x *Tensor, n, c, i, j int) float32 // what the result is there
			}{
				{"UpsampleNearest", random(rng, n, c, h, w),
					func(x *Tensor) *Tensor { return UpsampleNearest(x, r) },
					func(dy *Tensor) *Tensor { return UpsampleNearestBackward(dy, r) },
					func(x *Tensor, n, c, i, j int) float32 { return at(x, n, c, i/r, j/r) }},
				{"PixelShuffle", random(rng, n, c*r*r, h, w),
					func(x *Tensor) *Tensor { return PixelShuffle(x, r) },
					func(dy *Tensor) *Tensor { return PixelUnshuffle(dy, r) },
					func(x *Tensor, n, c, i, j int) float32 { return at(x, n, c*r*r+i%r*r+j%r, i/r, j/r) }},
				{"PixelUnshuffle", random(rng, n, c, h*r, w*r),
					func(x *Tensor) *Tensor { return PixelUnshuffle(x, r) },
					func(dy *Tensor) *Tensor { return PixelShuffle(dy, r) },
					func(x *Tensor, n, c, i, j int) float32 { return at(x, n, c/r/r, i*r+c/r%r, j*r+c%r) }},
				{"PadReflect", random(rng, n, c, h, w),
					func(x *Tensor) *Tensor { return PadReflect(x, r-1, 2*r) },
					func(dy *Tensor) *Tensor { return PadReflectBackward(dy, h, w) },
					func(x *Tensor, n, c, i, j int) float32 { return at(x, n, c, bounce(i, h), bounce(j, w)) }},
				{"Crop", random(rng, n, c, h+r-1, w+2*r),
					func(x *Tensor) *Tensor { return Crop(x, h, w) },
					func(dy *Tensor) *Tensor { return CropBackward(dy, h+r-1, w+2*r) },
					at},
			} {
				name := fmt.Sprintf("%s of %v, %d", f.name, f.x.shape, r)
				poisonPool()
				y := f.forward(f.x)
				for k, v := range y.data {
					j, i := k%y.shape[3], k/y.shape[3]%y.shape[2]
					p := k / y.shape[3] / y.shape[2]
					if want := f.from(f.x, p/y.shape[1], p%y.shape[1], i, j); v != want {
						t.Fatalf("%s: element %d: got %v, want %v", name, k, v, want)
					}
				}
				dy := random(rng, y.shape...)
				poisonPool()
				dx := f.back(dy)
				if !slices.Equal(dx.shape, f.x.shape) {
					t.Fatalf("%s: gradient of shape %v", name, dx.shape)
				}
				forward, backward := 0.0, 0.0
				for k, v := range y.data {
					forward += float64(v) * float64(dy.data[k])
				}
				for k, v := range f.x.data {
					backward += float64(v) * float64(dx.data[k])
				}
				if !(abs(forward-backward) <= 1e-4) {
					t.Errorf("%s: <dy, y> is %v, <dx, x> is %v", name, forward, backward)
				}
			}
		}
	}
}

func abs(x float64) float64 { return max(x, -x) }

// bounce walks i steps to and fro between 0 and n-1.
func bounce(i, n int) int {
	at, step := 0, 1
	for range i {
		if at+step < 0 || at+step >= n {
			step = -step
		}
		if n > 1 {
			at += step
		}
	}
	return at
}

// TestPReLU holds PReLU and its gradients to their formulas, with numbers on both sides of 0 and 0
// itself, and slopes that are negative and larger than 1.
func TestPReLU(t *testing.T) {
	x := FromSlice([]float32{-2, 0, 3, 1, -1, 5, 0, -4}, 2, 2, 1, 2)
	slope := FromSlice([]float32{-0.5, 3}, 2)
	dy := FromSlice([]float32{1, 10, 100, 1000, 2, 20, 200, 2000}, 2, 2, 1, 2)
	check := func(what string, got *Tensor, want ...float32) {
		t.Helper()
		if !slices.Equal(got.data, want) {
			t.Errorf("%s: got %v, want %v", what, got.data, want)
		}
	}
	check("y", PReLU(x, slope), 1, 0, 3, 1, 0.5, 5, 0, -12)
	dx, dslope := PReLUBackward(dy, x, slope)
	check("dx", dx, -0.5, -5, 100, 1000, -1, 20, 600, 6000)
	check("dslope", dslope, -2-2, -8000)
	over := dy.Clone()
	PReLUBackwardTo(over, dslope, over, x, slope)
	check("dx over dy", over, dx.data...)
	check("dslope of dx over dy", dslope, -4, -8000)
	check("LeakyReLU", LeakyReLU(0.5, x), -1, 0, 3, 1, -0.5, 5, 0, -2)
	check("LeakyReLUBackward", LeakyReLUBackward(0.5, dy, x), 0.5, 5, 100, 1000, 1, 20, 100, 1000)
}

// TestConv2dPReLU holds a convolution with PReLU to one that is followed by it, bit by bit.
func TestConv2dPReLU(t *testing.T) {
	everyPixelCount(t)
	rng := rand.New(rand.NewPCG(5, 5))
	for _, c := range convCases {
		x, w, b := random(rng, c.n, c.ic, c.h, c.w), random(rng, c.oc, c.ic, c.kh, c.kw), random(rng, c.oc)
		shortcut := random(rng, c.n, c.oc, c.h, c.w)
		for _, slopes := range []*Tensor{random(rng, c.oc), FromSlice([]float32{0.2}, 1)} {
			one := slopes
			if slopes.Len() != c.oc {
				one = New(c.oc)
				Fill(one, 0.2)
			}
			for _, add := range []*Tensor{nil, shortcut} {
				o := ConvOptions{Dilation: c.dilation}
				if add != nil {
					o.Add = &ConvInput{Shape: add.shape}
				}
				in := inputsOf([]*Tensor{x}, nil, nil)
				want := PReLU(runConv(t, in, []*Tensor{x}, w, b, add, o), one)
				o.PReLU = slopes
				got := runConv(t, in, []*Tensor{x}, w, b, add, o)
				checkClose(t, fmt.Sprintf("%+v, %d slopes, add %v", c, slopes.Len(), add != nil), got, want, 0)
			}
		}
	}
}

func TestRearrangeMistakesPanic(t *testing.T) {
	x := New(1, 6, 4, 5)
	for name, f := range map[string]func(){
		"UpsampleNearest by 0":              func() { UpsampleNearest(x, 0) },
		"UpsampleNearestBackward of odd":    func() { UpsampleNearestBackward(x, 2) },
		"PixelShuffle of 6 channels":        func() { PixelShuffle(x, 2) },
		"PixelUnshuffle of 5 columns":       func() { PixelUnshuffle(x, 2) },
		"PixelUnshuffle by a negative":      func() { PixelUnshuffle(x, -1) },
		"PadReflect by a negative":          func() { PadReflect(x, -1, 0) },
		"PadReflect of no pixels":           func() { PadReflect(New(1, 1, 0, 3), 1, 0) },
		"Crop of more":                      func() { Crop(x, 5, 5) },
		"PReLU with too few slopes":         func() { PReLU(x, New(5)) },
		"Conv2d with too many slopes":       func() { Conv2d(x, New(3, 6, 3, 3), nil, ConvOptions{PReLU: New(6)}) },
		"Conv2d with ReLU and with PReLU":   func() { Conv2d(x, New(3, 6, 3, 3), nil, ConvOptions{PReLU: New(3), ReLU: true}) },
		"PixelShuffleTo of another shape":   func() { PixelShuffleTo(New(1, 1, 8, 10), x, 2) },
		"PixelUnshuffleTo of another shape": func() { PixelUnshuffleTo(New(1, 6, 4, 5), x, 2) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
