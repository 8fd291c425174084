// Package golden is what tests share that compare with numbers from PyTorch: the
// files in testdata/golden, and the recipe that both sides make their inputs from.
package golden

import (
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"pixelgrad/nn"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

// Recipe returns numbers in [-1,1] that look irregular: the i-th is
// ((i·7919 + salt·104729) mod 2003) / 1001 - 1. It matches recipe in goldens.py.
func Recipe(salt int, shape ...int) *tensor.Tensor {
	t := tensor.New(shape...)
	for i := range t.Data() {
		t.Data()[i] = float32(float64((i*7919+salt*104729)%2003)/1001 - 1)
	}
	return t
}

// Pixels returns numbers in [0,1]: (Recipe+1)/2.
func Pixels(salt int, shape ...int) *tensor.Tensor {
	t := Recipe(salt, shape...)
	for i, v := range t.Data() {
		t.Data()[i] = (v + 1) / 2
	}
	return t
}

// FillWeights gives parameter number i of a module Recipe(salt+i)/√fan-in. It
// matches fill_weights in goldens.py.
func FillWeights(m nn.Module, salt int) {
	for i, p := range m.Parameters() {
		fanIn := p.Data().Len()
		if len(p.Shape()) > 1 {
			fanIn /= p.Shape()[0]
		}
		root := float32(math.Sqrt(float64(fanIn)))
		for j, v := range Recipe(salt+i, p.Shape()...).Data() {
			p.Data().Data()[j] = v / root
		}
	}
}

// Open returns the golden file testdata/golden/name.safetensors.
func Open(t testing.TB, name string) *safetensors.File {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	f, err := safetensors.Open(filepath.Join(filepath.Dir(here), "../../testdata/golden", name+".safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Check fails the test at the first element of got that differs from the golden
// tensor called name by more than atol + rtol·|want|.
func Check(t testing.TB, f *safetensors.File, name string, got *tensor.Tensor, rtol, atol float64) {
	t.Helper()
	want, err := f.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Shape(), want.Shape()) {
		t.Errorf("%s: shape %v, want %v", name, got.Shape(), want.Shape())
		return
	}
	for i, w := range want.Data() {
		if g := got.Data()[i]; !(math.Abs(float64(g)-float64(w)) <= atol+rtol*math.Abs(float64(w))) {
			t.Errorf("%s: shape %v, index %v: got %v, want %v", name, got.Shape(), index(i, got.Shape()), g, w)
			return
		}
	}
}

// index returns the coordinates of element i.
func index(i int, shape []int) string {
	at := make([]int, len(shape))
	for k := len(shape) - 1; k >= 0; k-- {
		at[k] = i % shape[k]
		i /= shape[k]
	}
	return fmt.Sprint(at)
}
