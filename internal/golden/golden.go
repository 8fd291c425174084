// Package golden is what tests share that compare with numbers from PyTorch: the
// files in testdata/golden. What both sides compute from is made by internal/recipe.
package golden

import (
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

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
