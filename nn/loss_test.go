package nn_test

import (
	"math"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/autograd/gradcheck"
	"pixelgrad/internal/golden"
	"pixelgrad/internal/recipe"
	. "pixelgrad/nn"
	"pixelgrad/tensor"
)

// A lossCase is a row of testdata/golden/losses.py.
type lossCase struct {
	name   string
	f      func(pred, target *autograd.Value) *autograd.Value
	shape  []int
	change func(a, b []float32)
	smooth bool // whether finite differences find the gradient
}

var small, pictures = []int{2, 3, 5}, []int{2, 3, 14, 17}

var lossCases = []lossCase{
	{"L1Loss", L1Loss, small, unchanged, true},
	{"L1Loss, ties", L1Loss, small, ties, false},
	{"L1Loss, equal", L1Loss, small, equal, false},
	{"CharbonnierLoss", CharbonnierLoss, small, unchanged, true},
	{"CharbonnierLoss, ties", CharbonnierLoss, small, ties, false},
	{"CharbonnierLoss, near", CharbonnierLoss, pictures, near, false},
	{"SSIMLoss", SSIMLoss, pictures, unchanged, false},
	{"SSIMLoss, near", SSIMLoss, pictures, near, false},
	{"SSIMLoss, one window", SSIMLoss, []int{1, 1, 11, 11}, near, true},
	{"SSIMLoss, equal", SSIMLoss, pictures, equal, false},
	{"SSIMLoss, constant", SSIMLoss, pictures, constant, false},
	{"SSIMLoss, against constant", SSIMLoss, pictures, againstConstant, false},
}

func unchanged(a, b []float32) {}

func ties(a, b []float32) {
	for i := 0; i < len(a); i += 3 {
		b[i] = a[i]
	}
}

func near(a, b []float32) {
	for i := range a {
		b[i] = 0.9*a[i] + 0.1*b[i]
	}
}

func equal(a, b []float32) { copy(b, a) }

func constant(a, b []float32) {
	for i := range a {
		a[i], b[i] = 0.25, 0.75
	}
}

func againstConstant(a, b []float32) {
	for i := range b {
		b[i] = 0.5
	}
}

func (c *lossCase) operands() (a, b *autograd.Value) {
	x, y := recipe.Pixels(0, c.shape...), recipe.Pixels(1, c.shape...)
	c.change(x.Data(), y.Data())
	return autograd.Parameter(x), autograd.Parameter(y)
}

// TestLossesGolden compares losses and their gradients with PyTorch's, on the plain tape and
// compiled.
func TestLossesGolden(t *testing.T) {
	file := golden.Open(t, "losses")
	for _, c := range lossCases {
		t.Run(c.name, func(t *testing.T) {
			check := func(y float32, a, b *autograd.Value) {
				t.Helper()
				golden.Check(t, file, c.name+"/y", tensor.FromSlice([]float32{y}, 1), 1.3e-6, 1e-6)
				golden.Check(t, file, c.name+"/d0", a.Grad(), 1e-3, 1e-4)
				golden.Check(t, file, c.name+"/d1", b.Grad(), 1e-3, 1e-4)
			}
			a, b := c.operands()
			y := c.f(a, b)
			y.BackwardFrom(tensor.FromSlice([]float32{1000}, 1))
			check(y.Data().Data()[0], a, b)

			for _, without := range [][]string{nil, {"all"}} {
				a, b := c.operands()
				none := autograd.Constant(tensor.New(1))
				step, err := compile.Train(func(in *autograd.Value) *autograd.Value { return in },
					func(_, _ *autograd.Value) []*autograd.Value {
						return []*autograd.Value{autograd.Scale(1000, c.f(a, b))}
					},
					none, none, compile.Options{Without: without})
				if err != nil {
					t.Fatal(err)
				}
				step.Forward(none)
				l := step.Loss(none)[0] / 1000
				step.Backward()
				check(float32(l), a, b)
			}
		})
	}
}

// TestLossesGradients compares gradients with finite differences.
func TestLossesGradients(t *testing.T) {
	for _, c := range lossCases {
		if !c.smooth {
			continue
		}
		a, b := c.operands()
		h := 1e-2
		if c.shape[0] == 2 {
			h = 1e-3 // no two elements of these cases are within this of each other
		}
		if err := gradcheck.Check(func() *autograd.Value { return autograd.Scale(30, c.f(a, b)) }, h, 3e-3, a, b); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestLossesOfNaN wants NaN to be seen.
func TestLossesOfNaN(t *testing.T) {
	for _, c := range lossCases {
		a, b := c.operands()
		a.Data().Data()[3] = float32(math.NaN())
		if y := c.f(a, b).Data().Data()[0]; y == y {
			t.Errorf("%s: loss %v with a NaN among the pixels", c.name, y)
		}
	}
}

// TestSSIMThreads wants the same bits for any number of threads.
func TestSSIMThreads(t *testing.T) {
	defer tensor.SetThreads(tensor.Threads())
	var want float32
	var gradient []float32
	for threads := 1; threads <= 4; threads++ {
		tensor.SetThreads(threads)
		a, b := autograd.Parameter(recipe.Pixels(0, 3, 3, 20, 31)), autograd.Constant(recipe.Pixels(1, 3, 3, 20, 31))
		y := SSIMLoss(a, b)
		y.Backward()
		if threads == 1 {
			want, gradient = y.Data().Data()[0], a.Grad().Data()
		}
		if got := y.Data().Data()[0]; got != want {
			t.Errorf("%d threads: %v, on one %v", threads, got, want)
		}
		for i, g := range a.Grad().Data() {
			if g != gradient[i] {
				t.Fatalf("%d threads: gradient %d is %v, on one %v", threads, i, g, gradient[i])
			}
		}
	}
}

func TestLossesRefuse(t *testing.T) {
	for what, f := range map[string]func(){
		"L1Loss, shapes":          func() { L1Loss(autograd.Placeholder(2), autograd.Placeholder(3)) },
		"CharbonnierLoss, shapes": func() { CharbonnierLoss(autograd.Placeholder(2), autograd.Placeholder(3)) },
		"SSIMLoss, shapes":        func() { SSIMLoss(autograd.Placeholder(1, 3, 11, 12), autograd.Placeholder(1, 3, 12, 11)) },
		"SSIMLoss, small":         func() { SSIMLoss(autograd.Placeholder(1, 3, 11, 10), autograd.Placeholder(1, 3, 11, 10)) },
		"SSIMLoss, rank":          func() { SSIMLoss(autograd.Placeholder(3, 11, 11), autograd.Placeholder(3, 11, 11)) },
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
