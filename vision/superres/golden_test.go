package superres

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/internal/golden"
	"pixelgrad/internal/recipe"
	"pixelgrad/nn"
	"pixelgrad/nn/optim"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

// input makes what a model sees: models.features in Python.
func input(a Architecture, photo *tensor.Tensor) Input {
	in := Input{Photo: autograd.Constant(photo)}
	n, h, w := photo.Dim(0), photo.Dim(2), photo.Dim(3)
	switch a.Features {
	case VGGFeatures:
		in.Features = autograd.Constant(recipe.Pixels(60, n, 128, h/2, w/2))
	case CLIPFeatures:
		in.Features = autograd.Constant(tensor.Scale(0.5, recipe.Numbers(60, n, 512)))
	}
	return in
}

// target makes what a model's output is compared with.
func target(a Architecture, mid, large *tensor.Tensor) Output {
	out := Output{Mid: autograd.Constant(mid)}
	if a.Outputs == 2 {
		out.Large = autograd.Constant(large)
	}
	return out
}

// stages returns what a model computes on the way, by the names of the golden file.
func stages(m Model, in Input) map[string]*autograd.Value {
	s := map[string]*autograd.Value{}
	blocks := func(conv1 *nn.Conv2d, b1, b2, b3 nn.Layer) {
		s["conv1"] = relu(conv1.Forward(in.Photo))
		s["block1"] = b1.Forward(s["conv1"])
		s["block2"] = b2.Forward(s["block1"])
		s["block3"] = b3.Forward(up2(s["block2"]))
	}
	trunk := func(conv1, conv2 *nn.Conv2d) {
		s["conv1"] = relu(conv1.Forward(in.Photo))
		s["conv2"] = relu(conv2.Forward(s["conv1"]))
	}
	switch m := m.(type) {
	case *SuperResNet:
		trunk(m.conv1, m.conv2)
	case *SuperResNetMulti:
		trunk(m.conv1, m.conv2)
	case *SuperResNetGlobalResidual:
		trunk(m.conv1, m.conv2)
		s["residual"] = m.residual.Forward(up2(s["conv2"]))
	case *SuperResNetResidualBlock:
		blocks(m.conv1, m.block1, m.block2, m.block3)
	case *SuperResNetDilated:
		blocks(m.conv1, m.block1, m.block2, m.block3)
	case *SuperResNetWithVGG:
		trunk(m.conv1, m.conv2)
		s["merge"] = relu(m.merge.Forward(concat(s["conv2"], up2(in.Features))))
	case *SuperResNetWithCLIP:
		trunk(m.conv1, m.conv2)
		s["merge"] = relu(m.merge.Forward(concat(s["conv2"], expand(in.Features, 6, 8))))
	}
	for i, y := range m.Forward(in).Sizes() {
		s[[]string{"mid", "large"}[i]] = y
	}
	return s
}

// A tape is autograd's, or a compiled program.
type tape interface {
	Forward(Input) Output
	Loss(Output) []float64
	Backward()
}

// eager runs a model as it is written.
type eager struct {
	Model
	loss  func(prediction, target Output) []*autograd.Value // nil: Loss
	out   Output
	total *autograd.Value
}

func (e *eager) Forward(in Input) Output {
	e.out = e.Model.Forward(in)
	return e.out
}

func (e *eager) Loss(target Output) (losses []float64) {
	loss := e.loss
	if loss == nil {
		loss = Loss
	}
	for i, l := range loss(e.out, target) {
		if losses = append(losses, float64(l.Data().Data()[0])); i == 0 {
			e.total = l
		} else {
			e.total = add(e.total, l)
		}
	}
	return losses
}

func (e *eager) Backward() { e.total.Backward() }

// compiled returns a model's training step for inputs and targets of some shapes.
func compiled(t testing.TB, m Model, in Input, target Output, without ...string) *compile.Training[Input, Output] {
	t.Helper()
	p, err := compile.Train(m.Forward, Loss, in, target, compile.Options{Without: without})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestGolden compares each model with PyTorch, on the plain tape and compiled: every stage,
// every gradient, the losses of ten steps of Adam and the parameters after them.
func TestGolden(t *testing.T) {
	for _, a := range Architectures {
		t.Run(a.Name, func(t *testing.T) {
			file := golden.Open(t, "superres-"+a.Name)
			in := input(a, recipe.Pixels(50, 2, 3, 6, 8))
			want := target(a, recipe.Pixels(51, 2, 3, 12, 16), recipe.Pixels(52, 2, 3, 24, 32))
			m := a.New(rand.New(rand.NewPCG(0, 0)))
			recipe.FillWeights(m, 0)
			seen := stages(m, in)
			for name, v := range seen {
				checkSample(t, file, "stage/"+name, v.Data(), 1.3e-6, 1e-5)
			}
			if want := countPrefix(file, "stage/"); 2*len(seen) != want {
				t.Errorf("%d stages compared, the golden file has %d", len(seen), want/2)
			}
			for what, tape := range map[string]tape{"plain": &eager{Model: m}, "compiled": compiled(t, m, in, want)} {
				t.Run(what, func(t *testing.T) {
					recipe.FillWeights(m, 0)
					trainGolden(t, file, m, tape, in, want)
				})
			}
		})
	}
}

func trainGolden(t *testing.T, file *safetensors.File, m Model, tape tape, in Input, want Output) {
	adam := optim.NewAdam(m.Parameters(), 0.001)
	losses := tensor.New(10)
	for step := range losses.Data() {
		for i, y := range tape.Forward(in).Sizes() {
			if step == 0 {
				checkSample(t, file, "stage/"+[]string{"mid", "large"}[i], y.Data(), 1.3e-6, 1e-5)
			}
		}
		total := float32(0)
		for _, l := range tape.Loss(want) {
			total += float32(l)
		}
		tape.Backward()
		if step == 0 {
			for _, p := range m.Parameters() {
				checkSample(t, file, "grad/"+p.Name, p.Grad(), 1e-3, 1e-6)
			}
			if want := countPrefix(file, "grad/"); 2*len(m.Parameters()) != want {
				t.Errorf("%d parameters, the golden file has %d", len(m.Parameters()), want/2)
			}
		}
		losses.Data()[step] = total
		adam.Step()
		adam.ZeroGrad()
	}
	golden.Check(t, file, "losses", losses, 1e-5, 0)
	for _, p := range m.Parameters() {
		checkSample(t, file, "after/"+p.Name, p.Data(), 1e-3, 1e-4)
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
	checkSampleOf(t, f, name, got, 4000, rtol, atol, 1e-4)
}

// checkSampleOf is checkSample for tensors of which at most so many numbers were written down, and
// with the norm's own tolerance.
func checkSampleOf(t *testing.T, f *safetensors.File, name string, got *tensor.Tensor, most int, rtol, atol, normTol float64) {
	t.Helper()
	stride := (got.Len()+most-1)/most | 1
	var sample []float32
	squares := 0.0
	for i, v := range got.Data() {
		if i%stride == 0 {
			sample = append(sample, v)
		}
		squares += float64(v) * float64(v)
	}
	golden.Check(t, f, name, tensor.FromSlice(sample, len(sample)), rtol, atol)
	golden.Check(t, f, name+"/norm", tensor.FromSlice([]float32{float32(math.Sqrt(squares))}, 1), normTol, 1e-6)
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
		"vgg":    merging(128),
		"clip":   merging(512),
		"global": conv("conv1", 3, 64, 3) + conv("conv2", 64, 64, 3) + conv("residual", 64, 3, 1),
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
			a.New(rand.New(rand.NewPCG(0, 0))).Forward(Input{Photo: autograd.Placeholder(1, 3, 4, 4)})
		}()
	}
	// relu1_2 has the photograph's own size.
	m := NewSuperResNetWithVGG(rand.New(rand.NewPCG(0, 0)), 64)
	y := m.Forward(Input{Photo: autograd.Placeholder(1, 3, 4, 6), Features: autograd.Placeholder(1, 64, 4, 6)})
	if got := fmt.Sprint(y.Mid.Shape(), y.Large.Shape()); got != "[1 3 8 12] [1 3 16 24]" {
		t.Errorf("with relu1_2: shapes %s", got)
	}
}

// TestTrainingThreads trains three steps with several numbers of threads and wants
// the same bits.
func TestTrainingThreads(t *testing.T) {
	defer tensor.SetThreads(0)
	for _, a := range Architectures {
		in := input(a, recipe.Pixels(1, 3, 3, 10, 12))
		to := target(a, recipe.Pixels(2, 3, 3, 20, 24), recipe.Pixels(3, 3, 3, 40, 48))
		var want []float32
		for _, threads := range []int{1, 2, 5} {
			tensor.SetThreads(threads)
			m := a.New(rand.New(rand.NewPCG(1, 2)))
			adam := optim.NewAdam(m.Parameters(), 0.01)
			p := compiled(t, m, in, to)
			for range 3 {
				p.Forward(in)
				p.Loss(to)
				p.Backward()
				adam.Step()
				adam.ZeroGrad()
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

// TestStepAllocates wants a training step to work in the memory of its program, whatever the loss:
// it leaves small things alone on the heap.
func TestStepAllocates(t *testing.T) {
	for i, a := range Architectures {
		loss := Losses[i%len(Losses)]
		m := a.New(rand.New(rand.NewPCG(0, 0)))
		adam := optim.NewAdam(m.Parameters(), 0.001)
		in := input(a, recipe.Pixels(1, 2, 3, 36, 36))
		to := target(a, recipe.Pixels(2, 2, 3, 72, 72), recipe.Pixels(3, 2, 3, 144, 144))
		p, err := compile.Train(m.Forward, loss.Loss, in, to, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		step := func() {
			p.Forward(in)
			p.Loss(to)
			p.Backward()
			adam.Step()
			adam.ZeroGrad()
		}
		step()
		var before, after runtime.MemStats
		least := uint64(math.MaxUint64) // the runtime itself allocates now and then
		for range 5 {
			runtime.ReadMemStats(&before)
			step()
			runtime.ReadMemStats(&after)
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
		t.Logf("%s, %s: %d bytes a step", a.Name, loss.Name, least)
		if least > 16<<10 {
			t.Errorf("%s, %s: a step allocates %d bytes, want at most 16 KiB", a.Name, loss.Name, least)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	for _, a := range Architectures {
		b.Run(a.Name, func(b *testing.B) {
			m := a.New(rand.New(rand.NewPCG(0, 0)))
			adam := optim.NewAdam(m.Parameters(), 0.001)
			in := input(a, recipe.Pixels(1, 16, 3, 72, 72))
			to := target(a, recipe.Pixels(2, 16, 3, 144, 144), recipe.Pixels(3, 16, 3, 288, 288))
			p := compiled(b, m, in, to)
			b.ReportAllocs()
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

func BenchmarkPrediction(b *testing.B) {
	for _, a := range Architectures {
		b.Run(a.Name, func(b *testing.B) {
			in := input(a, recipe.Pixels(1, 16, 3, 72, 72))
			p, err := compile.Predict(a.New(rand.New(rand.NewPCG(0, 0))).Forward, in, compile.Options{})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				p.Run(in)
			}
		})
	}
}

// TestGlobalResidual wants a network whose residual is nothing to be bicubic interpolation.
func TestGlobalResidual(t *testing.T) {
	m := NewSuperResNetGlobalResidual(rand.New(rand.NewPCG(1, 2)))
	clear(m.residual.Weight.Data().Data())
	clear(m.residual.Bias.Data().Data())
	x := recipe.Pixels(50, 2, 3, 5, 9)
	got, want := m.Forward(Input{Photo: autograd.Constant(x)}).Mid.Data(), tensor.UpsampleBicubic(x, 2)
	if !slices.Equal(got.Shape(), want.Shape()) || !slices.Equal(got.Data(), want.Data()) {
		t.Errorf("got %v %v …, want %v %v …", got.Shape(), got.Data()[:4], want.Shape(), want.Data()[:4])
	}
}
