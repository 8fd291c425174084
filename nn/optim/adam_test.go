package optim

import (
	"math"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/nn"
	"pixelgrad/tensor"
)

// TestAdam follows the formulas in float64 for some steps.
func TestAdam(t *testing.T) {
	p := autograd.Parameter(tensor.FromSlice([]float32{1, -2, 3}, 3))
	target := autograd.Constant(tensor.FromSlice([]float32{0, 1, 3.5}, 3))
	adam := NewAdam([]nn.Parameter{{Name: "p", Value: p}}, 0.1)
	w, m, v := []float64{1, -2, 3}, make([]float64, 3), make([]float64, 3)
	for step := 1; step <= 20; step++ {
		autograd.MSE(p, target).Backward()
		adam.Step()
		adam.ZeroGrad()
		if p.Grad() != nil {
			t.Fatal("ZeroGrad left a gradient")
		}
		for i, target := range []float64{0, 1, 3.5} {
			g := 2. / 3 * (w[i] - target)
			m[i] = 0.9*m[i] + 0.1*g
			v[i] = 0.999*v[i] + 0.001*g*g
			mHat, vHat := m[i]/(1-math.Pow(0.9, float64(step))), v[i]/(1-math.Pow(0.999, float64(step)))
			w[i] -= 0.1 * mHat / (math.Sqrt(vHat) + 1e-8)
			if got := float64(p.Data().Data()[i]); !(math.Abs(got-w[i]) < 1e-5) {
				t.Fatalf("step %d, weight %d: got %v, want %v", step, i, got, w[i])
			}
		}
	}
}

// TestAdamWithoutGradient leaves parameters alone that nothing was computed from.
func TestAdamWithoutGradient(t *testing.T) {
	p := autograd.Parameter(tensor.FromSlice([]float32{1}, 1))
	NewAdam([]nn.Parameter{{Name: "p", Value: p}}, 0.1).Step()
	if p.Data().Data()[0] != 1 {
		t.Errorf("the parameter moved to %v", p.Data().Data()[0])
	}
}

func TestAdamRefusesRates(t *testing.T) {
	for _, lr := range []float64{0, -1, math.NaN()} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("learning rate %v: no panic", lr)
				}
			}()
			NewAdam(nil, lr)
		}()
	}
}
