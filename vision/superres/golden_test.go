package superres

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/internal/golden"
	"pixelgrad/internal/recipe"
	"pixelgrad/nn"
	"pixelgrad/nn/optim"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

// features makes what a model gets beside photographs: models.features in Python.
func features(a Architecture, n, h, w int) []*autograd.Value {
	var t *tensor.Tensor
	switch a.Features {
	case VGGFeatures:
		t = recipe.Pixels(60, n, 128, h/2, w/2)
	case CLIPFeatures:
		t = tensor.Scale(0.5, recipe.Numbers(60, n, 512))
	default:
		return nil
	}
	return []*autograd.Value{autograd.Constant(t)}
}

// stages returns what a model computes on the way, by the names of the golden file.
func stages(m Model, x *autograd.Value, extra []*autograd.Value) map[string]*autograd.Value {
	s := map[string]*autograd.Value{}
	blocks := func(conv1 *nn.Conv2d, b1, b2, b3 nn.Layer) {
		s["conv1"] = conv1.ForwardReLU(x)
		s["block1"] = b1.Forward(s["conv1"])
		s["block2"] = b2.Forward(s["block1"])
		s["block3"] = b3.Forward(autograd.Upsample2(s["block2"]))
	}
	trunk := func(conv1, conv2 *nn.Conv2d) {
		s["conv1"] = conv1.ForwardReLU(x)
		s["conv2"] = conv2.ForwardReLU(s["conv1"])
	}
	switch m := m.(type) {
	case *SuperResNet:
		trunk(m.conv1, m.conv2)
	case *SuperResNetMulti:
		trunk(m.conv1, m.conv2)
	case *SuperResNetResidualBlock:
		blocks(m.conv1, m.block1, m.block2, m.block3)
	case *SuperResNetDilated:
		blocks(m.conv1, m.block1, m.block2, m.block3)
	case *SuperResNetWithVGG:
		trunk(m.conv1, m.conv2)
		s["merge"] = m.merge.ForwardReLU(autograd.ConcatChannels(s["conv2"], autograd.Upsample2(extra[0])))
	case *SuperResNetWithCLIP:
		trunk(m.conv1, m.conv2)
		s["merge"] = m.merge.ForwardReLU(autograd.ConcatChannels(s["conv2"], autograd.Expand(extra[0], 6, 8)))
	}
	for i, y := range m.Forward(x, extra...) {
		s[[]string{"mid", "large"}[i]] = y
	}
	return s
}

// TestGolden compares each model with PyTorch: every stage, every gradient, the losses
// of ten steps of Adam and the parameters after them.
func TestGolden(t *testing.T) {
	for _, a := range Architectures {
		t.Run(a.Name, func(t *testing.T) {
			file := golden.Open(t, "superres-"+a.Name)
			m := a.New(rand.New(rand.NewPCG(0, 0)))
			recipe.FillWeights(m, 0)
			x := autograd.Constant(recipe.Pixels(50, 2, 3, 6, 8))
			extra := features(a, 2, 6, 8)
			targets := []*autograd.Value{autograd.Constant(recipe.Pixels(51, 2, 3, 12, 16)), autograd.Constant(recipe.Pixels(52, 2, 3, 24, 32))}
			seen := stages(m, x, extra)
			for name, v := range seen {
				checkSample(t, file, "stage/"+name, v.Data(), 1.3e-6, 1e-5)
			}
			if want := countPrefix(file, "stage/"); 2*len(seen) != want {
				t.Errorf("%d stages compared, the golden file has %d", len(seen), want/2)
			}
			adam := optim.NewAdam(m.Parameters(), 0.001)
			losses := tensor.New(10)
			for step := range losses.Data() {
				total := nn.PSNRLoss(m.Forward(x, extra...)[0], targets[0])
				if a.Outputs == 2 {
					outputs := m.Forward(x, extra...)
					total = autograd.Add(nn.PSNRLoss(outputs[0], targets[0]), nn.PSNRLoss(outputs[1], targets[1]))
				}
				total.Backward()
				if step == 0 {
					for _, p := range m.Parameters() {
						checkSample(t, file, "grad/"+p.Name, p.Grad(), 1e-3, 1e-6)
					}
					if want := countPrefix(file, "grad/"); 2*len(m.Parameters()) != want {
						t.Errorf("%d parameters, the golden file has %d", len(m.Parameters()), want/2)
					}
				}
				losses.Data()[step] = total.Data().Data()[0]
				adam.Step()
			}
			golden.Check(t, file, "losses", losses, 1e-5, 0)
			for _, p := range m.Parameters() {
				checkSample(t, file, "after/"+p.Name, p.Data(), 1e-3, 1e-4)
			}
		})
	}
}

func countPrefix(f *safetensors.File, prefix string) int {
	n := 0
	for _, name := range f.Names() {
		if strings.HasPrefix(name, prefix) {
			n++
		}
	}
	return n
}

// checkSample compares every k-th number of a large tensor, and its norm.
func checkSample(t *testing.T, f *safetensors.File, name string, got *tensor.Tensor, rtol, atol float64) {
	t.Helper()
	stride := (got.Len()+3999)/4000 | 1
	var sample []float32
	squares := 0.0
	for i, v := range got.Data() {
		if i%stride == 0 {
			sample = append(sample, v)
		}
		squares += float64(v) * float64(v)
	}
	golden.Check(t, f, name, tensor.FromSlice(sample, len(sample)), rtol, atol)
	golden.Check(t, f, name+"/norm", tensor.FromSlice([]float32{float32(math.Sqrt(squares))}, 1), 1e-4, 1e-6)
}

// TestNames holds the parameters' names and sizes to the specification.
func TestNames(t *testing.T) {
	conv := func(name string, i, o, k int) string {
		return fmt.Sprintf("%s.weight [%d %d %d %d] %s.bias [%d] ", name, o, i, k, k, name, o)
	}
	blocks := func(block func(name string) string) string {
		return conv("conv1", 3, 32, 3) + block("block1") + block("block2") + block("block3") + conv("conv_mid", 32, 3, 1) + conv("conv_large", 32, 3, 1)
	}
	merging := func(c int) string {
		return conv("conv1", 3, 64, 3) + conv("conv2", 64, 64, 3) + conv("merge", 64+c, 64, 3) + conv("conv_mid", 64, 3, 1) + conv("conv_large", 64, 3, 1)
	}
	want := map[string]string{
		"superresnet": conv("conv1", 3, 64, 3) + conv("conv2", 64, 64, 3) + conv("conv3", 64, 3, 1),
		"multi":       conv("conv1", 3, 64, 3) + conv("conv2", 64, 64, 3) + conv("conv_mid", 64, 3, 1) + conv("conv_large", 64, 3, 1),
		"residual":    blocks(func(b string) string { return conv(b+".conv1", 32, 32, 3) + conv(b+".conv2", 32, 32, 3) }),
		"dilated": blocks(func(b string) string {
			return conv(b+".conv1", 32, 32, 3) + conv(b+".conv2", 32, 32, 3) + conv(b+".conv4", 32, 32, 3) + conv(b+".fuse", 96, 32, 3)
		}),
		"vgg":  merging(128),
		"clip": merging(512),
	}
	if len(Architectures) != len(want) {
		t.Errorf("%d architectures, want %d", len(Architectures), len(want))
	}
	for _, a := range Architectures {
		got := ""
		for _, p := range a.New(rand.New(rand.NewPCG(0, 0))).Parameters() {
			got += fmt.Sprint(p.Name, " ", p.Shape(), " ")
		}
		if got != want[a.Name] {
			t.Errorf("%s has the parameters\n%s, want\n%s", a.Name, got, want[a.Name])
		}
	}
	if _, err := Find("alexnet"); err == nil || !strings.Contains(err.Error(), "dilated") {
		t.Errorf("Find of an unknown name: %v", err)
	}
}

// TestFeaturesAreWanted expects a panic from models that lack their features.
func TestFeaturesAreWanted(t *testing.T) {
	for _, a := range Architectures {
		if a.Features == NoFeatures {
			continue
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic without features", a.Name)
				}
			}()
			a.New(rand.New(rand.NewPCG(0, 0))).Forward(autograd.Inference(tensor.New(1, 3, 4, 4)))
		}()
	}
	// relu1_2 has the photograph's own size.
	m := NewSuperResNetWithVGG(rand.New(rand.NewPCG(0, 0)), 64)
	y := m.Forward(autograd.Inference(tensor.New(1, 3, 4, 6)), autograd.Constant(tensor.New(1, 64, 4, 6)))
	if got := fmt.Sprint(y[0].Shape(), y[1].Shape()); got != "[1 3 8 12] [1 3 16 24]" {
		t.Errorf("with relu1_2: shapes %s", got)
	}
}

// TestTrainingThreads trains three steps with several numbers of threads and wants
// the same bits.
func TestTrainingThreads(t *testing.T) {
	defer tensor.SetThreads(0)
	for _, a := range Architectures {
		var want []float32
		for _, threads := range []int{1, 2, 5} {
			tensor.SetThreads(threads)
			m := a.New(rand.New(rand.NewPCG(1, 2)))
			adam := optim.NewAdam(m.Parameters(), 0.01)
			for range 3 {
				y := m.Forward(autograd.Constant(recipe.Pixels(1, 3, 3, 10, 12)), features(a, 3, 10, 12)...)
				loss := nn.PSNRLoss(y[0], autograd.Constant(recipe.Pixels(2, 3, 3, 20, 24)))
				if len(y) == 2 {
					loss = autograd.Add(loss, nn.PSNRLoss(y[1], autograd.Constant(recipe.Pixels(3, 3, 3, 40, 48))))
				}
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
					t.Fatalf("%s, %d threads: weight %d is %v, with one thread %v", a.Name, threads, i, got[i], want[i])
				}
			}
		}
	}
}

// TestStepAllocates wants a training step to use the memory of the step before: what
// it takes from Go's allocator beyond that is small things.
func TestStepAllocates(t *testing.T) {
	for _, a := range Architectures {
		m := a.New(rand.New(rand.NewPCG(0, 0)))
		adam := optim.NewAdam(m.Parameters(), 0.001)
		x, mid, large := autograd.Constant(recipe.Pixels(1, 2, 3, 36, 36)), autograd.Constant(recipe.Pixels(2, 2, 3, 72, 72)), autograd.Constant(recipe.Pixels(3, 2, 3, 144, 144))
		extra := features(a, 2, 36, 36)
		step := func() {
			y := m.Forward(x, extra...)
			loss := nn.PSNRLoss(y[0], mid)
			if len(y) == 2 {
				loss = autograd.Add(loss, nn.PSNRLoss(y[1], large))
			}
			loss.Backward()
			adam.Step()
		}
		for range 3 {
			step()
		}
		var before, after runtime.MemStats
		const steps = 5
		least := uint64(math.MaxUint64) // threads may now and then need one buffer more than before
		for range steps {
			runtime.ReadMemStats(&before)
			step()
			runtime.ReadMemStats(&after)
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
		if least > 64<<10 {
			t.Errorf("%s: a step allocates %d KB, want at most 64", a.Name, least>>10)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	for _, a := range Architectures {
		b.Run(a.Name, func(b *testing.B) {
			m := a.New(rand.New(rand.NewPCG(0, 0)))
			adam := optim.NewAdam(m.Parameters(), 0.001)
			x, mid, large := autograd.Constant(recipe.Pixels(1, 16, 3, 72, 72)), autograd.Constant(recipe.Pixels(2, 16, 3, 144, 144)), autograd.Constant(recipe.Pixels(3, 16, 3, 288, 288))
			extra := features(a, 16, 72, 72)
			b.ReportAllocs()
			for b.Loop() {
				y := m.Forward(x, extra...)
				loss := nn.PSNRLoss(y[0], mid)
				if len(y) == 2 {
					loss = autograd.Add(loss, nn.PSNRLoss(y[1], large))
				}
				loss.Backward()
				adam.Step()
			}
		})
	}
}

func BenchmarkInference(b *testing.B) {
	for _, a := range Architectures {
		b.Run(a.Name, func(b *testing.B) {
			m := a.New(rand.New(rand.NewPCG(0, 0)))
			x := recipe.Pixels(1, 16, 3, 72, 72)
			extra := features(a, 16, 72, 72)
			for b.Loop() {
				for _, y := range m.Forward(autograd.Inference(x), extra...) {
					y.Free()
				}
			}
		})
	}
}
