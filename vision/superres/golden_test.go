package superres

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/internal/golden"
	"pixelgrad/nn"
	"pixelgrad/nn/optim"
	"pixelgrad/tensor"
)

// TestSuperResNetGolden compares with PyTorch: every stage, the loss, every gradient,
// the losses of ten steps of Adam and the parameters after them.
func TestSuperResNetGolden(t *testing.T) {
	file := golden.Open(t, "superresnet")
	m := NewSuperResNet(rand.New(rand.NewPCG(0, 0)))
	golden.FillWeights(m, 0)
	x := autograd.Constant(golden.Pixels(50, 2, 3, 6, 8))
	target := autograd.Constant(golden.Pixels(51, 2, 3, 12, 16))

	h := m.conv1.ForwardReLU(x)
	golden.Check(t, file, "stage/conv1", h.Data(), 1.3e-6, 1e-5)
	golden.Check(t, file, "stage/conv2", m.conv2.ForwardReLU(h).Data(), 1.3e-6, 1e-5)
	golden.Check(t, file, "stage/mid", m.Forward(x)[0].Data(), 1.3e-6, 1e-5)

	adam := optim.NewAdam(m.Parameters(), 0.001)
	losses := tensor.New(10)
	for step := range losses.Data() {
		loss := nn.PSNRLoss(m.Forward(x)[0], target)
		loss.Backward()
		if step == 0 {
			for _, p := range m.Parameters() {
				golden.Check(t, file, "grad/"+p.Name, p.Grad(), 1e-3, 1e-6)
			}
		}
		losses.Data()[step] = loss.Data().Data()[0]
		adam.Step()
	}
	golden.Check(t, file, "losses", losses, 1e-5, 0)
	for _, p := range m.Parameters() {
		golden.Check(t, file, "after/"+p.Name, p.Data(), 1e-3, 1e-4)
	}
}

// TestNames holds the parameters' names and sizes to the specification.
func TestNames(t *testing.T) {
	m := NewSuperResNet(rand.New(rand.NewPCG(0, 0)))
	want := []string{"conv1.weight [64 3 3 3]", "conv1.bias [64]", "conv2.weight [64 64 3 3]", "conv2.bias [64]", "conv3.weight [3 64 1 1]", "conv3.bias [3]"}
	for i, p := range m.Parameters() {
		if got := fmt.Sprint(p.Name, " ", p.Shape()); i >= len(want) || got != want[i] {
			t.Errorf("parameter %d is %s, want %s", i, got, want[min(i, len(want)-1)])
		}
	}
	if n := nn.Count(m); n != 38915 {
		t.Errorf("%d parameters, want 38915", n)
	}
}

// TestTrainingThreads trains three steps with several numbers of threads and wants
// the same bits.
func TestTrainingThreads(t *testing.T) {
	defer tensor.SetThreads(0)
	var want []float32
	for threads := 1; threads <= 4; threads++ {
		tensor.SetThreads(threads)
		m := NewSuperResNet(rand.New(rand.NewPCG(1, 2)))
		adam := optim.NewAdam(m.Parameters(), 0.01)
		for range 3 {
			loss := nn.PSNRLoss(m.Forward(autograd.Constant(golden.Pixels(1, 3, 3, 20, 22)))[0], autograd.Constant(golden.Pixels(2, 3, 3, 40, 44)))
			loss.Backward()
			adam.Step()
		}
		var got []float32
		for _, p := range m.Parameters() {
			got = append(got, p.Data().Data()...)
		}
		if want == nil {
			want = got
		}
		for i := range got {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				t.Fatalf("%d threads: weight %d is %v, with one thread %v", threads, i, got[i], want[i])
			}
		}
	}
}

func BenchmarkStep(b *testing.B) {
	m := NewSuperResNet(rand.New(rand.NewPCG(0, 0)))
	adam := optim.NewAdam(m.Parameters(), 0.001)
	x, target := autograd.Constant(golden.Pixels(1, 16, 3, 72, 72)), autograd.Constant(golden.Pixels(2, 16, 3, 144, 144))
	b.ReportAllocs()
	for b.Loop() {
		nn.PSNRLoss(m.Forward(x)[0], target).Backward()
		adam.Step()
	}
}

func BenchmarkInference(b *testing.B) {
	m := NewSuperResNet(rand.New(rand.NewPCG(0, 0)))
	x := golden.Pixels(1, 16, 3, 72, 72)
	b.ReportAllocs()
	for b.Loop() {
		m.Forward(autograd.Inference(x))[0].Free()
	}
}
