package train

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/nn"
	"pixelgrad/nn/optim"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/vision"
)

// history is what a training has shown and left.
type history struct {
	steps   []Step
	epochs  []Epoch
	weights []float32
	end     Position
}

// record notes in h what l shows.
func (h *history) record(l *loop) {
	onStep := l.OnStep
	l.OnStep = func(s Step) {
		h.steps = append(h.steps, s)
		if onStep != nil {
			onStep(s)
		}
	}
	l.OnEpoch = func(e Epoch) error {
		if e.Whole && e.Val != nil {
			h.epochs = append(h.epochs, e)
		}
		return nil
	}
}

func (h *history) finish(l *loop) {
	for _, s := range l.state() {
		h.weights = append(h.weights, s.Tensor.Data()...)
	}
	h.end = l.Position
}

// patches is a set of photographs, 20 batches or 3.
type patches struct{ *vision.Loader }

func (p patches) Epoch(epoch int) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		for _, b := range p.Loader.Epoch(epoch) {
			if !yield(batch{Input: autograd.Constant(b.X), Target: autograd.Constant(b.Mid), Size: b.Len()}) {
				return
			}
		}
	}
}

// newPractice returns a loop with all that a training may depend on: shuffled patches, flipped and
// turned; a schedule with warm-up; clipping; the best epoch.
func newPractice() *loop {
	cache := func(n int) *vision.Cache {
		c := &vision.Cache{Sizes: vision.Sizes{X: 9, Mid: 9}, Names: make([]string, n)}
		for i := range n * 3 * 9 * 9 {
			c.X, c.Mid = append(c.X, uint8(i*7919%251)), append(c.Mid, uint8(i*104729%241))
		}
		return c
	}
	l := newLoop()
	m := nn.NewConv2d(rand.New(rand.NewPCG(1, 1)), 3, 3, 3)
	l.Model, l.Optimizer = m, optim.NewAdam(m.Parameters(), 1)
	l.Train = patches{vision.NewLoader(cache(39), 2, vision.LoaderOptions{Seed: 5, Shuffle: true, Alteration: vision.Alteration{Crop: 6, Flips: true, Rotations: true}})}
	l.Validation = patches{vision.NewLoader(cache(5), 2, vision.LoaderOptions{})}
	l.Schedule, l.ClipNorm, l.Patience = optim.Cosine(0.02, 0, 60).WarmUp(15), 0.3, 100
	return l
}

// TestResume stops a training after every number of steps, also in the middle of an epoch, and
// goes on with a new model and optimiser. What is shown and left must have the bits of a training
// that never stopped, for any number of threads.
func TestResume(t *testing.T) {
	defer tensor.SetThreads(tensor.Threads())
	const epochs = 3
	var want history
	l := newPractice()
	l.Epochs = epochs
	want.record(l)
	if _, err := l.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	want.finish(l)
	clipped, rates := 0, map[float64]bool{}
	for _, s := range want.steps {
		if s.Norm > l.ClipNorm {
			clipped++
		}
		rates[s.LearningRate] = true
	}
	if clipped == 0 || clipped == len(want.steps) || len(rates) < 40 || want.end.BestEpoch == 0 {
		t.Fatalf("%d of %d steps are clipped, there are %d learning rates, the best epoch is %d: the test wants some of each", clipped, len(want.steps), len(rates), want.end.BestEpoch)
	}
	path := filepath.Join(t.TempDir(), "checkpoint.safetensors")
	for at := 1; at <= 20*epochs; at++ {
		var got history
		first := newPractice()
		first.Epochs = epochs
		tensor.SetThreads(at%7 + 1)
		ctx, cancel := context.WithCancel(context.Background())
		first.OnStep = func(s Step) {
			if s.Step == at {
				cancel()
			}
		}
		got.record(first)
		if n, err := first.Run(ctx); n != at || err != nil {
			t.Fatalf("stopped after step %d: %d steps, %v", at, n, err)
		}
		if err := first.Save(path, map[string]string{"note": "ü\n\x00"}); err != nil {
			t.Fatal(err)
		}
		second := newPractice()
		second.Epochs = epochs
		for _, p := range second.Model.Parameters() {
			p.Data().Data()[0] = 77
		}
		tensor.SetThreads(at%5 + 1)
		texts, err := second.Restore(path)
		if err != nil || !reflect.DeepEqual(texts, map[string]string{"note": "ü\n\x00"}) {
			t.Fatalf("step %d: Restore: %q, %v", at, texts, err)
		}
		got.record(second)
		if n, err := second.Run(context.Background()); n != 20*epochs || err != nil {
			t.Fatalf("step %d: resumed to step %d, %v", at, n, err)
		}
		got.finish(second)
		if got.end.BestEpoch != want.end.BestEpoch || got.end.BestLoss != want.end.BestLoss || !reflect.DeepEqual(got.steps, want.steps) || !reflect.DeepEqual(got.epochs, want.epochs) {
			t.Errorf("stopped after step %d: steps or epochs differ:\n%+v\nwant\n%+v", at, got.epochs, want.epochs)
		}
		if !slices.EqualFunc(got.weights, want.weights, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
			t.Errorf("stopped after step %d: weights or moments differ", at)
		}
	}
}

// TestRestoreDamaged changes each byte of a checkpoint, and cuts it off after each: nothing of it
// may be taken for a checkpoint, and the model must stay as it was.
func TestRestoreDamaged(t *testing.T) {
	l := newLoop()
	l.MaxSteps = 3
	if _, err := l.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "good")
	if err := l.Save(path, map[string]string{"table": "1,2\n"}); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	victim := newLoop()
	content := func() string {
		return checksum(victim.state(), map[string]string{"position": fmt.Sprint(victim.Position)})
	}
	before := content()
	wantError := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "bad") {
			t.Errorf("%s: error %v, want one that names the file", what, err)
		}
		if content() != before {
			t.Fatalf("%s: the model has changed", what)
		}
	}
	try := func(what string, b []byte) { // in memory: there are thousands
		t.Helper()
		f, err := safetensors.NewFile("bad", bytes.NewReader(b), int64(len(b)))
		if err == nil {
			_, err = victim.restore("bad", f)
		}
		wantError(what, err)
	}
	changed := bytes.Clone(good)
	for i := range good {
		changed[i] ^= 1 << (i % 8)
		try(fmt.Sprintf("byte %d changed from %q", i, good[i]), changed)
		changed[i] = good[i]
		try(fmt.Sprintf("cut off after %d bytes", i), good[:i])
	}
	bad := filepath.Join(dir, "bad")
	for _, n := range []int{0, 7, len(good) / 2, len(good) - 1} {
		if err := os.WriteFile(bad, good[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := victim.Restore(bad)
		wantError(fmt.Sprintf("a file cut off after %d bytes", n), err)
	}
}

func TestRestoreOthers(t *testing.T) {
	dir := t.TempDir()
	l := newLoop()
	path := filepath.Join(dir, "weights")
	if err := SaveWeights(path, l.Model, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Restore(path); err == nil || !strings.Contains(err.Error(), "expected a checkpoint") {
		t.Errorf("weights: %v", err)
	}
	if _, err := l.Restore(filepath.Join(dir, "none")); err == nil {
		t.Error("no file: no error")
	}
	write := func(position string, more ...safetensors.Named) {
		t.Helper()
		state, texts := append(l.state(), more...), map[string]string{"position": position}
		texts["sha256"] = checksum(state, texts)
		if err := safetensors.WriteFile(path, state, texts); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"steps":1}`, safetensors.Named{Name: "model.other", Tensor: tensor.New(1)})
	if _, err := l.Restore(path); err == nil || !strings.Contains(err.Error(), "another network") {
		t.Errorf("one tensor more: %v", err)
	}
	other := newLoop()
	m := nn.NewConv2d(rand.New(rand.NewPCG(1, 1)), 1, 1, 5)
	other.Model, other.Optimizer = m, optim.NewAdam(m.Parameters(), 0.02)
	if err := other.Save(path, nil); err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(l.Model.Parameters()[0].Data().Data())
	if _, err := l.Restore(path); err == nil || !strings.Contains(err.Error(), "shape [1 1 5 5], expected [1 1 3 3]: the checkpoint is of another network") || !slices.Equal(before, l.Model.Parameters()[0].Data().Data()) {
		t.Errorf("another shape: %v", err)
	}
	for _, position := range []string{`{"epoch":-1}`, `{"batches":-1}`, `{"steps":-1}`, `{"best_epoch":-1}`, `{"epoch":2,"best_epoch":3}`, `{"batches":1,"losses":{"sum":[1],"weight":1}}`, `{"steps":1,"batches":1}`,
		`{"steps":1,"batches":1,"losses":{"weight":1}}`, `{"steps":1,"batches":1,"losses":{"sum":[1]}}`, `{"steps":1,"losses":{"sum":[1]}}`, `{"steps":"1"}`, `[]`, `{`} {
		write(position)
		if _, err := l.Restore(path); err == nil || !strings.Contains(err.Error(), "expected a position") || !strings.Contains(err.Error(), path) || !reflect.DeepEqual(l.Position, Position{}) {
			t.Errorf("position %s: error %v, the loop stands at %+v", position, err, l.Position)
		}
	}
}

// sparing is a set whose batches before a number are not made.
type sparing struct {
	patches
	from *int
}

func (s sparing) EpochFrom(epoch, first int) iter.Seq[batch] {
	*s.from = first
	return func(yield func(batch) bool) {
		n := 0
		for b := range s.patches.Epoch(epoch) {
			if n++; n > first && !yield(b) {
				return
			}
		}
	}
}

// counting is a set that tells which batches are asked for.
type counting struct {
	patches
	asked func(n int)
}

func (c counting) Epoch(epoch int) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		n := 0
		for b := range c.patches.Epoch(epoch) {
			n++
			c.asked(n)
			if !yield(b) {
				return
			}
		}
	}
}

// TestResumeSkips goes on in the middle of an epoch: batches of before are left out where the data
// can, and an interruption meanwhile counts.
func TestResumeSkips(t *testing.T) {
	begun := newPractice()
	begun.Epochs, begun.MaxSteps = 1, 15
	if n, err := begun.Run(context.Background()); n != 15 || err != nil {
		t.Fatal(n, err)
	}
	from := -1
	l := newPractice()
	l.Epochs, l.Position = 1, begun.Position
	l.Train = sparing{l.Train.(patches), &from}
	if n, err := l.Run(context.Background()); n != 20 || err != nil || from != 15 {
		t.Errorf("to step %d, %v, with batches from %d; want 20 and 15", n, err, from)
	}
	ctx, cancel := context.WithCancel(context.Background())
	most := 0
	l = newPractice()
	l.Epochs, l.Position = 1, begun.Position
	l.Train = counting{l.Train.(patches), func(n int) {
		most = n
		if n == 4 {
			cancel()
		}
	}}
	if n, err := l.Run(ctx); n != 15 || err != nil || most != 4 || l.Position.Batches != 15 {
		t.Errorf("interrupted at batch 4 of 15 that are passed over: to step %d, %v, after batch %d, at %+v", n, err, most, l.Position)
	}
}
