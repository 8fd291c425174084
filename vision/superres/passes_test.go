package superres

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/internal/recipe"
	"pixelgrad/tensor"
)

// stepResults runs a training step and returns all that it computes, by name.
func stepResults(m Model, tape tape, in Input, to Output) map[string][]float32 {
	r := map[string][]float32{}
	for i, y := range tape.Forward(in).Sizes() {
		r[fmt.Sprintf("output %d", i)] = slices.Clone(y.Data().Data())
	}
	for i, l := range tape.Loss(to) {
		r[fmt.Sprintf("loss %d", i)] = []float32{float32(l)}
	}
	tape.Backward()
	for _, p := range m.Parameters() {
		r["gradient of "+p.Name] = slices.Clone(p.Grad().Data())
		p.SetGrad(nil)
	}
	return r
}

// difference returns how two steps differ by more than tol of the largest number.
func difference(got, want map[string][]float32, tol float64) error {
	for name, w := range want {
		g, scale := got[name], 0.0
		for _, v := range w {
			scale = max(scale, math.Abs(float64(v)))
		}
		for i := range w {
			if !(math.Abs(float64(g[i]-w[i])) <= tol*scale) {
				return fmt.Errorf("%s, element %d: got %v, want %v", name, i, g[i], w[i])
			}
		}
	}
	return nil
}

// TestPasses compares each model's step on the plain tape with compiled ones: without any
// pass, with each pass alone, without each pass, and with all.
func TestPasses(t *testing.T) {
	const rounding = 2e-4 // of the largest gradient
	rounds := map[string]float64{"exchange": rounding, "constants": rounding, "fuse": 2e-6, "inputs": 2e-6}
	var names []string
	for _, p := range compile.Passes {
		names = append(names, p.Name)
	}
	for _, a := range Architectures {
		t.Run(a.Name, func(t *testing.T) {
			m := a.New(rand.New(rand.NewPCG(0, 0)))
			recipe.FillWeights(m, 0)
			in := input(a, recipe.Pixels(50, 3, 3, 12, 16))
			to := target(a, recipe.Pixels(51, 3, 3, 24, 32), recipe.Pixels(52, 3, 3, 48, 64))
			plain := stepResults(m, &eager{Model: m}, in, to)
			check := func(what string, tol float64, without ...string) {
				t.Helper()
				if err := difference(stepResults(m, compiled(t, m, in, to, without...), in, to), plain, tol); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			check("no pass", 0, "all")
			check("all passes", rounding)
			check("all passes that keep the bits", 0, "exchange", "constants", "fuse", "inputs")
			for i, name := range names {
				check(name+" alone", rounds[name], slices.Delete(slices.Clone(names), i, i+1)...)
				check("without "+name, rounding, name)
			}
		})
	}
}

// TestPassesApply wants the passes to do to the models what they are for.
func TestPassesApply(t *testing.T) {
	steps := func(a Architecture, without ...string) string {
		m := a.New(rand.New(rand.NewPCG(0, 0)))
		in := Input{Photo: autograd.Placeholder(16, 3, 72, 72)}
		to := Output{Mid: autograd.Placeholder(16, 3, 144, 144)}
		switch a.Features {
		case VGGFeatures:
			in.Features = autograd.Placeholder(16, 128, 36, 36)
		case CLIPFeatures:
			in.Features = autograd.Placeholder(16, 512)
		}
		if a.Outputs == 2 {
			to.Large = autograd.Placeholder(16, 3, 288, 288)
		}
		start := time.Now()
		p := compiled(t, m, in, to, without...)
		if took := time.Since(start); took > 50*time.Millisecond && !testing.Short() {
			t.Logf("%s: recording and planning took %v", a.Name, took)
		}
		text := ""
		for _, s := range p.Graph.Steps {
			text += fmt.Sprintf("%v %v %v\n", s.Phase, s.Kernel, s.Out[0].Shape)
		}
		return text
	}
	for _, c := range []struct{ model, pass, with, without string }{
		{"superresnet", "exchange", "conv [16 3 72 72]", "conv of enlarged [16 3 144 144]"},
		{"residual", "fuse", "conv + add + relu [16 32 72 72]", "Add [16 32 72 72]"},
		{"residual", "inputs", "conv of enlarged + add + relu [16 32 144 144]", "Upsample2 [16 32 144 144]"},
		{"vgg", "inputs", "conv of enlarged + relu [16 64 72 72]", "ConcatChannels [16 192 72 72]"},
		{"clip", "constants", "conv + relu [16 64 72 72]", "Expand [16 512 72 72]"},
		{"multi", "loss", "∂ MSE, ∂ Sigmoid [16 3 144 144]", "∂ Sigmoid [16 3 144 144]"},
		{"superresnet", "activations", "∂ conv, ∂ relu [16 64 72 72]", "∂ conv of ∂ relu [16 64 72 72]"},
		{"dilated", "recompute", "backward conv dilation 4 + relu [16 32 72 72]", ""},
	} {
		a, err := Find(c.model)
		if err != nil {
			t.Fatal(err)
		}
		with, without := steps(a), steps(a, c.pass)
		if !strings.Contains(with, c.with) || strings.Contains(without, c.with) && c.without == "" || c.without != "" && !strings.Contains(without, c.without) {
			t.Errorf("%s: with the pass %q the steps are\n%swithout it\n%swant %q with it and %q without", c.model, c.pass, with, without, c.with, c.without)
		}
	}
}

// TestSlopesApply wants predictions to apply PReLU and LeakyReLU in the step of the convolution, and
// to keep every bit.
func TestSlopesApply(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		n     Network
		fused int
	}{
		{NewSRVGGNetCompact(rng, 3, 16, 2, 2, PReLU), 3},
		{NewSRVGGNetCompact(rng, 3, 16, 2, 2, LeakyReLU), 3},
		{NewRRDBNet(rng, RRDBSizes{3, 16, 8, 1, 2, 2}), 12 + 2 + 1},
	} {
		recipe.FillWeights(c.n, 0)
		x := autograd.Constant(recipe.Pixels(50, 1, 3, 66, 70))
		var want []float32
		for _, without := range [][]string{{"slopes"}, nil} {
			p, err := compile.Predict(c.n.Forward, x, compile.Options{Without: without})
			if err != nil {
				t.Fatal(err)
			}
			fused, apart := 0, 0
			for _, s := range p.Graph.Steps {
				switch name := s.Kernel.String(); {
				case strings.HasSuffix(name, "+ prelu"):
					fused++
				case name == "PReLU" || name == "LeakyReLU":
					apart++
				}
			}
			if without == nil && (fused != c.fused || apart != 0) || without != nil && (fused != 0 || apart != c.fused) {
				t.Errorf("%v, without %v: %d activations fused and %d not, of %d", c.n, without, fused, apart, c.fused)
			}
			y := p.Run(x).Data().Data()
			if without != nil {
				want = slices.Clone(y)
			} else if !slices.Equal(y, want) {
				t.Errorf("%v: other results with the pass slopes", c.n)
			}
		}
	}
}

// TestSlopesInTraining wants LeakyReLU in the step of the convolution in a training too, and PReLU,
// whose gradient reads the convolution's result, in a step of its own.
func TestSlopesInTraining(t *testing.T) {
	for act, want := range map[Activation]string{LeakyReLU: "conv + prelu", PReLU: "PReLU"} {
		n := NewSRVGGNetCompact(rand.New(rand.NewPCG(3, 4)), 3, 16, 1, 2, act)
		loss := func(y, to *autograd.Value) []*autograd.Value { return []*autograd.Value{autograd.MSE(y, to)} }
		p, err := compile.Train(n.Forward, loss, autograd.Placeholder(2, 3, 8, 8), autograd.Placeholder(2, 3, 16, 16), compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for _, s := range p.Graph.Steps {
			if s.Kernel.String() == want {
				count++
			}
		}
		if count != 2 {
			t.Errorf("%s: %d steps %q, want 2", act, count, want)
		}
	}
}

// TestPlainIsWritten holds the largest model's record to its drawing.
func TestPlainIsWritten(t *testing.T) {
	m := NewSuperResNetResidualBlock(rand.New(rand.NewPCG(0, 0)))
	y := m.Forward(Input{Photo: autograd.Constant(tensor.New(1, 3, 4, 4))})
	count := map[string]int{}
	for _, v := range autograd.Sorted(y.Sizes()...) {
		if op, _ := v.Source(); op != nil {
			count[fmt.Sprintf("%T", op)]++
		}
	}
	want := map[string]int{"autograd.Conv2dOp": 9, "autograd.ReLUOp": 7, "autograd.AddOp": 3, "autograd.Upsample2Op": 2, "autograd.SigmoidOp": 2}
	if fmt.Sprint(count) != fmt.Sprint(want) {
		t.Errorf("operations %v, want %v", count, want)
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, a := range Architectures {
		b.Run(a.Name, func(b *testing.B) {
			m := a.New(rand.New(rand.NewPCG(0, 0)))
			in := input(a, recipe.Pixels(1, 16, 3, 72, 72))
			to := target(a, recipe.Pixels(2, 16, 3, 144, 144), recipe.Pixels(3, 16, 3, 288, 288))
			for b.Loop() {
				compiled(b, m, in, to)
			}
		})
	}
}
