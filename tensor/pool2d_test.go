package tensor_test

import (
	"fmt"
	"math"
	"testing"

	"pixelgrad/internal/golden"
	"pixelgrad/internal/recipe"
	"pixelgrad/tensor"
)

// TestPoolsGolden compares with PyTorch; testdata/golden/vgg.py has the cases.
func TestPoolsGolden(t *testing.T) {
	file := golden.Open(t, "vgg")
	for i, s := range [][2]int{{2, 2}, {7, 9}, {8, 5}, {31, 64}} {
		y := tensor.MaxPool2(recipe.Numbers(i, 2, 3, s[0], s[1]))
		golden.Check(t, file, fmt.Sprint("MaxPool2/", i), y, 0, 0)
	}
	for i, s := range [][2]int{{7, 7}, {1, 1}, {3, 2}, {5, 9}, {14, 14}, {8, 23}} {
		y := tensor.AdaptiveAvgPool(recipe.Numbers(i, 2, 3, s[0], s[1]), 7, 7)
		golden.Check(t, file, fmt.Sprint("AdaptiveAvgPool/", i), y, 1.3e-6, 1e-6)
	}
}

// TestMaxPool2NaN puts NaN and -Inf at changing places of the squares.
func TestMaxPool2NaN(t *testing.T) {
	x := recipe.Numbers(4, 1, 2, 6, 7)
	for i := 0; i < x.Len(); i += 5 {
		x.Data()[i] = float32(math.NaN())
	}
	for i := 1; i < x.Len(); i += 7 {
		x.Data()[i] = float32(math.Inf(-1))
	}
	y := tensor.MaxPool2(x)
	for i, v := range y.Data() { // the file holds numbers in their place
		if math.IsNaN(float64(v)) {
			y.Data()[i] = 1e30
		} else if math.IsInf(float64(v), -1) {
			y.Data()[i] = -1e30
		}
	}
	golden.Check(t, golden.Open(t, "vgg"), "MaxPool2/nan", y, 0, 0)
}

func TestPoolsPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"MaxPool2 rank":        func() { tensor.MaxPool2(tensor.New(3, 4, 4)) },
		"MaxPool2 one row":     func() { tensor.MaxPool2(tensor.New(1, 3, 1, 4)) },
		"AdaptiveAvgPool rank": func() { tensor.AdaptiveAvgPool(tensor.New(3, 4), 7, 7) },
		"AdaptiveAvgPool zero": func() { tensor.AdaptiveAvgPool(tensor.New(1, 3, 0, 4), 7, 7) },
		"AdaptiveAvgPool to 0": func() { tensor.AdaptiveAvgPool(tensor.New(1, 3, 4, 4), 7, 0) },
		"PackLinear rank":      func() { tensor.PackLinear(tensor.New(4)) },
		"PackedLinear bias":    func() { tensor.PackLinear(tensor.New(4, 5)).Mul(tensor.New(1, 5), tensor.New(5)) },
		"PackedLinear inner":   func() { tensor.PackLinear(tensor.New(4, 5)).Mul(tensor.New(1, 4), nil) },
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

// TestPackLinear wants the bits that PackTransposed gives, for numbers of outputs that
// fill panels of every level and that do not.
func TestPackLinear(t *testing.T) {
	for _, n := range []int{1, 7, 24, 47, 48, 49, 96, 100, 144} {
		for _, k := range []int{1, 5, 8, 300} {
			x, w, bias := recipe.Numbers(1, 3, k), recipe.Numbers(2, n, k), recipe.Numbers(3, n)
			for _, b := range []*tensor.Tensor{nil, bias} {
				want := tensor.PackTransposed(w).Mul(x, b)
				c := w.Clone()
				p := tensor.PackLinear(c)
				if c.Len() != 0 {
					t.Error("the weights still have elements")
				}
				got := p.Mul(x, b)
				for i, v := range want.Data() {
					if got.Data()[i] != v {
						t.Fatalf("%d outputs of %d inputs: element %d is %v, want %v", n, k, i, got.Data()[i], v)
					}
				}
			}
		}
	}
}

func BenchmarkMaxPool2(b *testing.B) {
	x := recipe.Numbers(1, 1, 64, 224, 224)
	b.SetBytes(int64(4 * x.Len()))
	for b.Loop() {
		tensor.Release(tensor.MaxPool2(x))
	}
}

// BenchmarkPackedLinear is VGG16's first linear layer.
func BenchmarkPackedLinear(b *testing.B) {
	p := tensor.PackLinear(recipe.Numbers(1, 4096, 25088))
	for _, m := range []int{1, 16} {
		b.Run(fmt.Sprint(m), func(b *testing.B) {
			x := recipe.Numbers(2, m, 25088)
			b.SetBytes(int64(p.Bytes()))
			for b.Loop() {
				tensor.Release(p.Mul(x, nil))
			}
		})
	}
}
