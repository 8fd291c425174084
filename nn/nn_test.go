package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pixelgrad/autograd"
	. "pixelgrad/nn"
	"pixelgrad/tensor"
)

// TestInitialisation looks at the spread of the initial weights: uniform on
// ±1/√fan-in has the standard deviation 1/√(3·fan-in).
func TestInitialisation(t *testing.T) {
	c := NewConv2d(rand.New(rand.NewPCG(1, 2)), 64, 64, 3)
	bound := 1 / math.Sqrt(64*9)
	for _, p := range c.Parameters() {
		sum, squares, most := 0.0, 0.0, 0.0
		for _, v := range p.Data().Data() {
			sum += float64(v)
			squares += float64(v) * float64(v)
			most = max(most, math.Abs(float64(v)))
		}
		n := float64(p.Data().Len())
		if !(most <= bound) || !(most > 0.9*bound) {
			t.Errorf("%s: largest value %v, want just below %v", p.Name, most, bound)
		}
		tol := 4 / math.Sqrt(n)
		if got, want := math.Sqrt(squares/n), bound/math.Sqrt(3); !(math.Abs(got/want-1) < tol) {
			t.Errorf("%s: standard deviation %v, want %v", p.Name, got, want)
		}
		if !(math.Abs(sum/n) < tol*bound) {
			t.Errorf("%s: mean %v", p.Name, sum/n)
		}
	}
}

func TestInitialisationIsSeeded(t *testing.T) {
	make := func(seed uint64) *tensor.Tensor {
		return NewConv2d(rand.New(rand.NewPCG(seed, 0)), 3, 8, 3).Weight.Data()
	}
	if a, b := make(1), make(1); a.Data()[5] != b.Data()[5] {
		t.Error("the same seed gave different weights")
	}
	if a, b := make(1), make(2); a.Data()[5] == b.Data()[5] {
		t.Error("different seeds gave the same weights")
	}
}

func TestParametersOfSequential(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s := Sequential{NewConv2d(rng, 3, 4, 3), Func(autograd.ReLU), NewConv2d(rng, 4, 2, 1)}
	var names []string
	for _, p := range s.Parameters() {
		names = append(names, p.Name)
	}
	if got, want := fmt.Sprint(names), "[0.weight 0.bias 2.weight 2.bias]"; got != want {
		t.Errorf("parameters %s, want %s", got, want)
	}
	if n := Count(s); n != 3*4*9+4+4*2+2 {
		t.Errorf("Count = %d", n)
	}
	y := s.Forward(autograd.Constant(tensor.New(1, 3, 5, 5)))
	autograd.Mean(y).Backward()
	if s.Parameters()[0].Grad() == nil {
		t.Error("no gradient reached the first layer")
	}
}

type twice struct{ *Conv2d }

func (m twice) Parameters() []Parameter {
	return append(m.Conv2d.Parameters(), m.Conv2d.Parameters()...)
}

func TestPReLU(t *testing.T) {
	p := NewPReLU(2)
	if got := fmt.Sprint(p.Parameters()[0].Name, p.Parameters()[0].Data().Data()); got != "weight[0.25 0.25]" {
		t.Errorf("parameters %s, want PyTorch's weight[0.25 0.25]", got)
	}
	y := p.Forward(autograd.Constant(tensor.FromSlice([]float32{-4, 4, 8, -8}, 1, 2, 1, 2)))
	if got := fmt.Sprint(y.Data().Data()); got != "[-1 4 8 -2]" {
		t.Errorf("PReLU of -4 4 8 -8: got %s, want [-1 4 8 -2]", got)
	}
}

func TestMistakesPanic(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, f := range map[string]func(){
		"even kernel":    func() { NewConv2d(rng, 3, 3, 2) },
		"no channels":    func() { NewConv2d(rng, 0, 3, 3) },
		"same name":      func() { StateDict(twice{NewConv2d(rng, 1, 1, 1)}) },
		"PSNRLoss shape": func() { PSNRLoss(autograd.Constant(tensor.New(2)), autograd.Constant(tensor.New(3))) },
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
