package optim

import (
	"fmt"
	"math"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/internal/golden"
	"pixelgrad/internal/recipe"
	"pixelgrad/nn"
	"pixelgrad/tensor"
)

// gradients returns parameters whose gradients are those of testdata/golden/optim.py.
func gradients() []nn.Parameter {
	var ps []nn.Parameter
	for j, shape := range [][]int{{5, 3, 3}, {7}, {1}} {
		v := autograd.Parameter(tensor.New(shape...))
		v.SetGrad(recipe.Numbers(j, shape...))
		ps = append(ps, nn.Parameter{Name: fmt.Sprint(j), Value: v})
	}
	return ps
}

// TestClipNormGolden compares with torch.nn.utils.clip_grad_norm_, for any number of threads.
func TestClipNormGolden(t *testing.T) {
	defer tensor.SetThreads(tensor.Threads())
	file := golden.Open(t, "optim")
	for name, c := range map[string]struct {
		most    float64
		special float32 // in the place of a number, unless it is 0
	}{
		"long":     {1.5, 0},
		"short":    {100, 0},
		"NaN":      {1.5, float32(math.NaN())},
		"infinity": {1.5, float32(math.Inf(1))},
	} {
		for threads := 1; threads <= 3; threads++ {
			tensor.SetThreads(threads)
			ps := gradients()
			without := nn.Parameter{Name: "without a gradient", Value: autograd.Parameter(tensor.New(3))}
			if c.special != 0 {
				ps[1].Grad().Data()[3] = c.special
			}
			norm := ClipNorm(append(ps, without), c.most)
			same(t, name+": norm", float32(norm), numbers(t, file, "clip/"+name+"/norm")[0])
			for j, p := range ps {
				for i, want := range numbers(t, file, fmt.Sprintf("clip/%s/g%d", name, j)) {
					same(t, fmt.Sprintf("%s: gradient %d, element %d", name, j, i), p.Grad().Data()[i], want)
				}
			}
			if without.Grad() != nil {
				t.Errorf("%s: a parameter without a gradient has one", name)
			}
		}
	}
}

// numbers returns those of a golden tensor.
func numbers(t *testing.T, file interface {
	Tensor(string) (*tensor.Tensor, error)
}, name string) []float32 {
	t.Helper()
	x, err := file.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	return x.Data()
}

// same wants two numbers to differ by rounding alone. NaN and infinities are the same as
// themselves.
func same(t *testing.T, what string, got, want float32) {
	t.Helper()
	g, w := float64(got), float64(want)
	if !(math.Abs(g-w) <= 1e-6*math.Abs(w)) && got != want && !(math.IsNaN(g) && math.IsNaN(w)) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// TestClipNormOnce wants the gradient that two parameters share to be shortened once.
func TestClipNormOnce(t *testing.T) {
	a, b := autograd.Parameter(tensor.FromSlice([]float32{1}, 1)), autograd.Parameter(tensor.FromSlice([]float32{2}, 1))
	autograd.Scale(30, autograd.Add(a, b)).Backward()
	norm := ClipNorm([]nn.Parameter{{Name: "a", Value: a}, {Name: "b", Value: b}}, 1)
	want := math.Sqrt(2) / 2
	if !(math.Abs(norm-30*math.Sqrt(2)) < 1e-12) || !(math.Abs(float64(a.Grad().Data()[0])-want) < 1e-6) || !(math.Abs(float64(b.Grad().Data()[0])-want) < 1e-6) {
		t.Errorf("norm %v, gradients %v and %v; want %v, and %v twice", norm, a.Grad().Data()[0], b.Grad().Data()[0], 30*math.Sqrt(2), want)
	}
}

// TestTrainingGolden follows PyTorch through a training with a schedule, warm-up and clipping.
func TestTrainingGolden(t *testing.T) {
	file := golden.Open(t, "optim")
	p, target := autograd.Parameter(recipe.Numbers(0, 40)), autograd.Constant(recipe.Numbers(1, 40))
	ps := []nn.Parameter{{Name: "p", Value: p}}
	adam, norms := NewAdam(ps, 1), tensor.New(23)
	schedule := Cosine(0.1, 0, norms.Len()).WarmUp(7)
	for i := range norms.Data() {
		autograd.MSE(p, target).Backward()
		norms.Data()[i] = float32(ClipNorm(ps, 0.15))
		adam.SetLearningRate(schedule(i + 1))
		adam.Step()
		adam.ZeroGrad()
	}
	golden.Check(t, file, "train/norms", norms, 1e-5, 1e-6)
	golden.Check(t, file, "train/after", p.Data(), 1e-5, 1e-6)
}
