package vision

import (
	"context"
	"math"
	"testing"

	"pixelgrad/tensor"
)

func TestPSNR(t *testing.T) {
	a := tensor.FromSlice([]float32{0, 0.5, 1, 0.25}, 2, 2)
	b := tensor.FromSlice([]float32{0, 0.5, 0.5, 0.25}, 2, 2)
	if got := MSE(a, b); got != 0.0625 {
		t.Errorf("MSE %v, want 0.0625", got)
	}
	if got, want := PSNR(a, b), -10*math.Log10(0.0625); !(math.Abs(got-want) < 1e-12) {
		t.Errorf("PSNR %v dB, want %v", got, want)
	}
	each := PicturePSNR(a, b)
	if len(each) != 2 || !math.IsInf(each[0], 1) || !(math.Abs(each[1]+10*math.Log10(0.125)) < 1e-12) {
		t.Errorf("PicturePSNR %v, want +Inf and 9.03 dB", each)
	}
	if got := PSNR(a, a); !math.IsInf(got, 1) {
		t.Errorf("PSNR of equal tensors %v, want +Inf", got)
	}
	one := tensor.FromSlice([]float32{1}, 1)
	if got := PSNR(one, tensor.New(1)); got != 0 || math.Signbit(got) {
		t.Errorf("PSNR of white against black %v, want 0", got)
	}
	nan := tensor.FromSlice([]float32{float32(math.NaN())}, 1)
	if got := PSNR(one, nan); !math.IsNaN(got) {
		t.Errorf("PSNR with a NaN %v, want NaN", got)
	}
}

func TestPanics(t *testing.T) {
	c := build(t, 2, CacheOptions{Sizes: testSizes})
	p := NewRGB(2, 2)
	x := tensor.New(1, 3, 4, 4)
	for what, f := range map[string]func(){
		"MSE, shapes":         func() { MSE(tensor.New(2, 3), tensor.New(3, 2)) },
		"MSE, empty":          func() { MSE(tensor.New(0), tensor.New(0)) },
		"SSIM, shapes":        func() { SSIM(tensor.New(1, 3, 11, 12), tensor.New(1, 3, 12, 11)) },
		"SSIM, small":         func() { SSIM(tensor.New(1, 3, 10, 12), tensor.New(1, 3, 10, 12)) },
		"PicturePSNR, shapes": func() { PicturePSNR(tensor.New(2), tensor.New(3)) },
		"NewRGB":              func() { NewRGB(-1, 2) },
		"Resize":              func() { Resize(p, 0, 2) },
		"Resize, empty":       func() { Resize(NewRGB(0, 0), 2, 2) },
		"Bilinear, side":      func() { Bilinear(x, 0, 2) },
		"Bilinear, shape":     func() { Bilinear(tensor.New(3, 4, 4), 8, 8) },
		"Bicubic, colours":    func() { Bicubic(tensor.New(1, 1, 4, 4), 8, 8) },
		"FromTensor, shape":   func() { FromTensor(tensor.New(4, 4), 0) },
		"FromTensor, number":  func() { FromTensor(x, 1) },
		"Picture, number":     func() { c.Picture(2, 6) },
		"Picture, side":       func() { c.Picture(0, 7) },
		"NewLoader":           func() { NewLoader(c, 0, LoaderOptions{}) },
		"Baselines":           func() { Baselines(context.Background(), &Cache{Sizes: testSizes}, 1) },
		"BuildCache":          func() { BuildCache(t.Context(), nil, nil, CacheOptions{Sizes: Sizes{Mid: 3}}) },
		"Grid":                func() { (&Grid{Cell: -1}).Draw() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			f()
		}()
	}
}

// A picture is the same after conversion to numbers and back. Numbers outside [0,1] are
// clamped.
func TestTensorConversion(t *testing.T) {
	p := goldenPicture("noise", 11, 5)
	x := p.Tensor()
	if s := x.Shape(); s[0] != 1 || s[1] != 3 || s[2] != 5 || s[3] != 11 {
		t.Fatalf("shape %v, want [1 3 5 11]", s)
	}
	for c := range 3 {
		if got, want := x.Data()[c*55+2*11+7], float32(p.Pix[(2*11+7)*3+c])/255; got != want {
			t.Errorf("colour %d of pixel 7,2 is %v, want %v", c, got, want)
		}
	}
	for _, y := range []*tensor.Tensor{x, x.Reshape(3, 5, 11)} {
		if d, i := apart(FromTensor(y, 0).Pix, p.Pix); d != 0 {
			t.Errorf("shape %v: sample %d comes back %d levels off", y.Shape(), i, d)
		}
	}
	for v, want := range map[float32]uint8{-1: 0, 2: 255, 1: 255, 0.5: 128, 0.4999 / 255: 0, 0.5001 / 255: 1, float32(math.Inf(1)): 255, float32(math.NaN()): 0} {
		if got := level(v); got != want {
			t.Errorf("level(%v) = %d, want %d", v, got, want)
		}
	}
}
