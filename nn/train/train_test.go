package train

import (
	"context"
	"errors"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/nn"
	"pixelgrad/nn/optim"
	"pixelgrad/tensor"
	"pixelgrad/tensor/weightfile"
)

// blur is a data set of n batches whose target is the input's 3×3 box blur: what a
// single convolution can learn exactly.
type blur struct{ n int }

func (b blur) Batches() int { return b.n }

func (b blur) Epoch(epoch int) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		box := tensor.New(1, 1, 3, 3)
		for i := range box.Data() {
			box.Data()[i] = 1. / 9
		}
		for i := range b.n {
			rng := rand.New(rand.NewPCG(uint64(epoch), uint64(i)))
			x := tensor.New(2, 1, 8, 8)
			for j := range x.Data() {
				x.Data()[j] = rng.Float32()
			}
			y := tensor.Conv2d(x, box, nil, tensor.ConvOptions{})
			if !yield(batch{Input: autograd.Constant(x), Target: autograd.Constant(y), Size: 2}) {
				return
			}
		}
	}
}

// batch and loop are of models that make one value of another.
type (
	batch = Batch[*autograd.Value, *autograd.Value]
	loop  = Loop[*autograd.Value, *autograd.Value]
)

func mse(prediction, target *autograd.Value) []*autograd.Value {
	return []*autograd.Value{autograd.MSE(prediction, target)}
}

func newLoop() *loop {
	m := nn.NewConv2d(rand.New(rand.NewPCG(1, 1)), 1, 1, 3)
	return &loop{
		Model:      m,
		Loss:       mse,
		Optimizer:  optim.NewAdam(m.Parameters(), 0.02),
		Train:      blur{20},
		Validation: blur{3},
		Epochs:     10,
	}
}

func TestRunLearns(t *testing.T) {
	l := newLoop()
	var steps []Step
	var epochs []Epoch
	validated := 0
	l.OnStep = func(s Step) { steps = append(steps, s) }
	l.OnValidate = func(b batch, p *autograd.Value) { validated++ }
	l.OnEpoch = func(e Epoch) error { epochs = append(epochs, e); return nil }
	n, err := l.Run(context.Background())
	if err != nil || n != 200 || len(steps) != 200 || len(epochs) != 10 || validated != 30 {
		t.Fatalf("Run: %d steps, %v; %d OnStep, %d OnEpoch, %d OnValidate", n, err, len(steps), len(epochs), validated)
	}
	if s := steps[20]; s.Epoch != 2 || s.Step != 21 || s.Size != 2 {
		t.Errorf("step 21 is %+v", s)
	}
	mean := 0.0
	for _, s := range steps[:20] {
		mean += s.Losses[0] / 20
	}
	if !(math.Abs(epochs[0].Train[0]-mean) < 1e-12) {
		t.Errorf("training loss of epoch 1 is %v, its steps' mean %v", epochs[0].Train[0], mean)
	}
	if last := epochs[9]; !(last.Val[0] < 1e-4) || !last.Whole {
		t.Errorf("after ten epochs: %+v", last)
	}
	for i, w := range l.Model.Parameters()[0].Data().Data() {
		if !(math.Abs(float64(w)-1./9) < 0.02) {
			t.Errorf("weight %d is %v, want 1/9", i, w)
		}
	}
}

func TestRunStops(t *testing.T) {
	l := newLoop()
	l.MaxSteps = 25
	var last Epoch
	l.OnEpoch = func(e Epoch) error { last = e; return nil }
	if n, err := l.Run(context.Background()); n != 25 || err != nil || last.Epoch != 2 || last.Whole || last.Steps != 25 {
		t.Errorf("25 steps at most: %d steps, %v, last epoch %+v", n, err, last)
	}

	l = newLoop()
	ctx, cancel := context.WithCancel(context.Background())
	l.OnStep = func(s Step) {
		if s.Step == 33 {
			cancel()
		}
	}
	l.OnEpoch = func(e Epoch) error { last = e; return nil }
	if n, err := l.Run(ctx); n != 33 || err != nil || last.Epoch != 2 || last.Whole {
		t.Errorf("cancelled in step 33: %d steps, %v, last epoch %+v", n, err, last)
	}

	l = newLoop()
	full := errors.New("disk full")
	l.OnEpoch = func(e Epoch) error { return full }
	if n, err := l.Run(context.Background()); n != 20 || err != full {
		t.Errorf("error after an epoch: %d steps, %v", n, err)
	}
}

// nanAt is a data set whose batch number n, from 1, has a NaN.
type nanAt struct {
	blur
	n int
}

func (d nanAt) Epoch(epoch int) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		i := 0
		for b := range d.blur.Epoch(epoch) {
			if i++; i == d.n {
				b.Input.Data().Data()[5] = float32(math.NaN())
			}
			if !yield(b) {
				return
			}
		}
	}
}

func TestRunDiverges(t *testing.T) {
	l := newLoop()
	l.Train = nanAt{blur{20}, 7}
	var before []float32 // weights that the loss of step 6 was computed with
	l.OnStep = func(s Step) {
		if s.Step == 5 {
			before = append(before, l.Model.Parameters()[0].Data().Data()...)
		}
	}
	n, err := l.Run(context.Background())
	var diverged *DivergedError
	if !errors.As(err, &diverged) || diverged.Step != 7 || n != 6 || !strings.Contains(err.Error(), "step 7") {
		t.Fatalf("%d steps, %v, want the error to name step 7", n, err)
	}
	for i, w := range l.Model.Parameters()[0].Data().Data() {
		if w != before[i] {
			t.Errorf("weight %d is %v, want %v, with which the loss was last finite", i, w, before[i])
		}
	}
}

// TestRunDivergesInTheLastStep has no next step and no validation to show it.
func TestRunDivergesInTheLastStep(t *testing.T) {
	l := newLoop()
	l.Validation, l.MaxSteps = nil, 5
	l.OnStep = func(s Step) {
		if s.Step == 5 {
			l.Model.Parameters()[0].Data().Data()[0] = float32(math.Inf(1))
		}
	}
	_, err := l.Run(context.Background())
	var diverged *DivergedError
	if !errors.As(err, &diverged) || diverged.Step != 5 {
		t.Errorf("error %v, want one that names step 5", err)
	}
	if v := l.Model.Parameters()[0].Data().Data()[0]; v-v != 0 {
		t.Errorf("the weight is %v, want the last good one", v)
	}
}

func TestWeights(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	rng := rand.New(rand.NewPCG(1, 2))
	a, b := nn.NewConv2d(rng, 2, 3, 3), nn.NewConv2d(rng, 2, 3, 3)
	if err := SaveWeights(path, a, nil); err != nil {
		t.Fatal(err)
	}
	if err := LoadWeights(path, b); err != nil {
		t.Fatal(err)
	}
	for i, v := range a.Weight.Data().Data() {
		if b.Weight.Data().Data()[i] != v {
			t.Fatalf("weight %d: got %v, want %v", i, b.Weight.Data().Data()[i], v)
		}
	}
	other := nn.NewConv2d(rng, 4, 3, 3)
	was := other.Bias.Data().Clone()
	err := LoadWeights(path, other)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "weight") || !strings.Contains(err.Error(), "[3 4 3 3]") {
		t.Errorf("weights of another shape: %v", err)
	}
	if other.Bias.Data().Data()[0] != was.Data()[0] {
		t.Error("a failed load changed the module")
	}
	err = LoadWeights(path, nn.Sequential{other})
	if err == nil || !strings.Contains(err.Error(), "0.weight") || !strings.Contains(err.Error(), "it has") {
		t.Errorf("missing tensor: %v", err)
	}
	if err := LoadWeights(path+"x", a); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

// small is a network with the names of testdata/golden/weightfile.
type small struct{ nn.Sequential }

func (s small) Parameters() []nn.Parameter {
	ps := s.Sequential.Parameters()
	for i, name := range []string{"features.0.weight", "features.0.bias"} {
		ps[i].Name = name
	}
	return ps
}

// TestLoadWeightsFrom loads one network from files of other layouts. The values are those
// of plain.safetensors.
func TestLoadWeightsFrom(t *testing.T) {
	const folder = "../../testdata/golden/weightfile/"
	load := func(file string, o weightfile.Options) (*nn.Conv2d, string, error) {
		said := ""
		o.Say = func(line string) { said += line }
		conv := nn.NewConv2d(rand.New(rand.NewPCG(1, 2)), 1, 2, 1)
		return conv, said, LoadWeightsFrom(folder+file, small{nn.Sequential{conv}}, o)
	}
	want, _, err := load("plain.safetensors", weightfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for file, wantSaid := range map[string]string{
		"plain.pt": "", "imagenet.pt": `"state_dict"`, "features_parallel.pt": `"features.module.0.weight" is "features.0.weight"`,
		"params_ema.pt": `"params_ema", 9 of the 18`, "legacy.pt": `the prefix "module."`,
	} {
		got, said, err := load(file, weightfile.Options{})
		if err != nil || !slices.Equal(got.Weight.Data().Data(), want.Weight.Data().Data()) || !slices.Equal(got.Bias.Data().Data(), want.Bias.Data().Data()) {
			t.Errorf("%s: %v, %v; want %v", file, got.Weight.Data().Data(), err, want.Weight.Data().Data())
		}
		if !strings.Contains(said, wantSaid) || wantSaid == "" && said != "" {
			t.Errorf("%s: said %q, want %q", file, said, wantSaid)
		}
	}
	got, _, err := load("params_ema.pt", weightfile.Options{Key: "params"})
	if err != nil || slices.Equal(got.Weight.Data().Data(), want.Weight.Data().Data()) {
		t.Errorf("the key params has the weights of params_ema, %v", err)
	}
	if _, _, err := load("params_ema.pt", weightfile.Options{Key: "ema"}); err == nil || !strings.Contains(err.Error(), `found the key "ema"`) {
		t.Errorf("an unknown key: %v", err)
	}
	// What is missing is said with the place that fits best.
	other := nn.NewConv2d(rand.New(rand.NewPCG(1, 2)), 1, 2, 1)
	err = LoadWeights(folder+"params.pt", small{nn.Sequential{other, nn.NewConv2d(rand.New(rand.NewPCG(1, 2)), 2, 2, 1)}})
	if text := `params.pt, in "params": no tensor "1.weight" of shape [2 2 1 1]; it has 2 of the model's 4 tensors, and of others features.2.weight,`; err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("a part: %v, want %q", err, text)
	}
	err = LoadWeights(folder+"params.pt", other)
	if text := `params.pt: expected one network of this kind, found 3: "params.features.0", "params.features.2", "params.classifier"`; err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("names that are there three times: %v, want %q", err, text)
	}
	err = LoadWeights(folder+"params.pt", nn.Sequential{nn.Sequential{nn.Sequential{other}}})
	if text := `params.pt, in "params": no tensor "0.0.0.weight" of shape [2 1 1 1], nor any other of the model's 2; it has features.0.weight,`; err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("other names: %v, want %q", err, text)
	}
}

// TestPlain wants the plain tape and the compiled program to teach the same, also with a last
// batch of another size.
func TestPlain(t *testing.T) {
	run := func(plain bool, without ...string) (losses []float64) {
		l := newLoop()
		l.Train, l.Plain, l.Without = uneven{blur{7}}, plain, without
		l.OnEpoch = func(e Epoch) error { losses = append(losses, e.Train[0], e.Val[0]); return nil }
		if n, err := l.Run(context.Background()); n != 70 || err != nil {
			t.Fatalf("plain %v: %d steps, %v", plain, n, err)
		}
		return losses
	}
	want := run(true)
	for _, without := range [][]string{nil, {"all"}, {"memory", "fuse"}} {
		for i, v := range run(false, without...) {
			if !(math.Abs(v-want[i]) <= 1e-5*want[i]) {
				t.Errorf("without %v: loss %d is %v, on the plain tape %v", without, i, v, want[i])
			}
		}
	}
	l := newLoop()
	l.Without = []string{"speed"}
	if _, err := l.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "speed") || !strings.Contains(err.Error(), "fuse") {
		t.Errorf("an unknown pass: error %v", err)
	}
}

// uneven is a data set whose last batch has one image.
type uneven struct{ blur }

func (d uneven) Epoch(epoch int) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		i := 0
		for b := range d.blur.Epoch(epoch) {
			if i++; i == d.n {
				first := func(v *autograd.Value) *autograd.Value {
					return autograd.Constant(tensor.FromSlice(v.Data().Data()[:64], 1, 1, 8, 8))
				}
				b = batch{Input: first(b.Input), Target: first(b.Target), Size: 1}
			}
			if !yield(b) {
				return
			}
		}
	}
}

// TestMemory wants the planned memory to be what the run then takes.
func TestMemory(t *testing.T) {
	l := newLoop()
	like := batch{Input: autograd.Placeholder(2, 1, 8, 8), Target: autograd.Placeholder(2, 1, 8, 8)}
	want, err := l.Memory([]batch{like}, []batch{like})
	if err != nil || want == 0 {
		t.Fatalf("Memory: %d bytes, %v", want, err)
	}
	if got := l.engine.arena.Bytes(); got != 0 {
		t.Errorf("%d bytes are allocated before Run", got)
	}
	if _, err := l.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	// The rest of it are the ten gradients and the packed weights.
	if got := l.engine.arena.Bytes(); got > want || got < want-1<<10 {
		t.Errorf("the arena has %d bytes, %d were planned", got, want)
	}
}
