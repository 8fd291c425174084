package superres

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/internal/recipe"
	"pixelgrad/nn/optim"
	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// TestLosses trains a network with two outputs with each loss. The loss must be what package
// vision's figures say of the predictions, a compiled step must compute what the plain tape does,
// and training must lower it.
func TestLosses(t *testing.T) {
	figures := map[string]func(pred, target *tensor.Tensor) float64{
		"psnr": func(p, t *tensor.Tensor) float64 { return 1 / vision.PSNR(p, t) },
		"mse":  vision.MSE,
		"ssim": func(p, t *tensor.Tensor) float64 { return 1 - vision.SSIM(p, t) },
		"l1": func(p, t *tensor.Tensor) float64 {
			sum := 0.0
			for i, v := range p.Data() {
				sum += math.Abs(float64(v) - float64(t.Data()[i]))
			}
			return sum / float64(p.Len())
		},
		"charbonnier": func(p, t *tensor.Tensor) float64 {
			sum := 0.0
			for i, v := range p.Data() {
				sum += math.Hypot(float64(v)-float64(t.Data()[i]), 1e-3)
			}
			return sum / float64(p.Len())
		},
	}
	if len(Losses) != len(figures) {
		t.Errorf("%d losses, want %d", len(Losses), len(figures))
	}
	in, to := Input{Photo: autograd.Constant(recipe.Pixels(50, 3, 3, 12, 16))}, Output{Mid: autograd.Constant(recipe.Pixels(51, 3, 3, 24, 32)), Large: autograd.Constant(recipe.Pixels(52, 3, 3, 48, 64))}
	for name, figure := range figures {
		t.Run(name, func(t *testing.T) {
			loss, err := FindLoss(name)
			if err != nil {
				t.Fatal(err)
			}
			m := NewSuperResNetMulti(rand.New(rand.NewPCG(0, 0)))
			recipe.FillWeights(m, 0)
			plain := stepResults(m, &eager{Model: m, loss: loss.Loss}, in, to)
			for _, without := range [][]string{nil, {"all"}, {"loss"}} {
				p, err := compile.Train(m.Forward, loss.Loss, in, to, compile.Options{Without: without})
				if err != nil {
					t.Fatal(err)
				}
				if err := difference(stepResults(m, p, in, to), plain, 2e-4); err != nil {
					t.Errorf("without %v: %v", without, err)
				}
			}
			p, err := compile.Train(m.Forward, loss.Loss, in, to, compile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			adam := optim.NewAdam(m.Parameters(), 0.001)
			var first, last []float64
			for range 10 {
				var want []float64
				for i, y := range p.Forward(in).Sizes() {
					want = append(want, figure(y.Data(), to.Sizes()[i].Data()))
				}
				last = p.Loss(to)
				for i, w := range want {
					if !(math.Abs(last[i]-w) <= 2e-6*w) {
						t.Errorf("loss %v of output %d, want %v", last[i], i, w)
					}
				}
				if first == nil {
					first = last
				}
				p.Backward()
				adam.Step()
				adam.ZeroGrad()
			}
			if !(last[0]+last[1] < first[0]+first[1]) {
				t.Errorf("losses %v at first, %v after ten steps", first, last)
			}
		})
	}
	if _, err := FindLoss("l2"); err == nil || !strings.Contains(err.Error(), `"l2"`) || !strings.Contains(err.Error(), "psnr, mse, l1, charbonnier, ssim") {
		t.Errorf("an unknown loss: %v", err)
	}
}

// TestLossesFuse wants the losses of single pixels to be differentiated together with the sigmoid.
func TestLossesFuse(t *testing.T) {
	m := NewSuperResNetMulti(rand.New(rand.NewPCG(0, 0)))
	in, to := Input{Photo: autograd.Placeholder(1, 3, 12, 12)}, Output{Mid: autograd.Placeholder(1, 3, 24, 24), Large: autograd.Placeholder(1, 3, 48, 48)}
	for name, step := range map[string]string{"mse": "∂ MSE, ∂ Sigmoid", "l1": "∂ L1, ∂ Sigmoid", "charbonnier": "∂ Charbonnier, ∂ Sigmoid", "ssim": "∂ SSIM"} {
		loss, err := FindLoss(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := compile.Train(m.Forward, loss.Loss, in, to, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, s := range p.Graph.Steps {
			if s.Kernel.String() == step {
				found++
			}
		}
		if found != 2 {
			t.Errorf("%s: %d steps are %q, want 2", name, found, step)
		}
	}
}

// TestLossesOfOneColour trains on photographs of a single colour, which a network may meet
// exactly: no loss and no gradient may be anything but a finite number.
func TestLossesOfOneColour(t *testing.T) {
	for _, colour := range []float32{0, 0.5, 1} {
		for _, met := range []bool{false, true} {
			for _, loss := range Losses {
				target, guess := tensor.New(2, 3, 12, 12), tensor.New(2, 3, 12, 12)
				tensor.Fill(target, colour)
				if met {
					tensor.Fill(guess, colour)
				} else {
					tensor.Fill(guess, 0.25)
				}
				y := autograd.Parameter(guess)
				l := loss.Loss(Output{Mid: y}, Output{Mid: autograd.Constant(target)})[0]
				l.Backward()
				for i, g := range append(y.Grad().Data(), l.Data().Data()...) {
					if g-g != 0 {
						t.Fatalf("%s, colour %v, met %v: number %d of the gradient and the loss is %v", loss.Name, colour, met, i, g)
					}
				}
			}
		}
	}
}

func BenchmarkLosses(b *testing.B) {
	in, to := Input{Photo: autograd.Constant(recipe.Pixels(1, 16, 3, 72, 72))}, Output{Mid: autograd.Constant(recipe.Pixels(2, 16, 3, 144, 144)), Large: autograd.Constant(recipe.Pixels(3, 16, 3, 288, 288))}
	for _, loss := range Losses {
		b.Run(loss.Name, func(b *testing.B) {
			m := NewSuperResNetMulti(rand.New(rand.NewPCG(0, 0)))
			adam := optim.NewAdam(m.Parameters(), 0.001)
			p, err := compile.Train(m.Forward, loss.Loss, in, to, compile.Options{})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				p.Forward(in)
				p.Loss(to)
				p.Backward()
				adam.Step()
				adam.ZeroGrad()
			}
		})
	}
}
