package train

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

// history is what a training has shown and left.
type history struct {
	steps   []Step
	epochs  []Epoch
	weights []float32
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
}

// TestResume stops a training after every number of steps, also in the middle of an epoch, and
// goes on with a new model and optimiser. What is shown and left must have the bits of a training
// that never stopped, for any number of threads.
func TestResume(t *testing.T) {
	defer tensor.SetThreads(tensor.Threads())
	const epochs = 3
	var want history
	l := newLoop()
	l.Epochs = epochs
	want.record(l)
	if _, err := l.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	want.finish(l)
	path := filepath.Join(t.TempDir(), "checkpoint.safetensors")
	for at := 1; at <= 20*epochs; at++ {
		var got history
		first := newLoop()
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
		second := newLoop()
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
		if !reflect.DeepEqual(got.steps, want.steps) || !reflect.DeepEqual(got.epochs, want.epochs) {
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
	before := fmt.Sprint(victim.Position, victim.state()[0].Tensor.Data())
	try := func(what string, b []byte) {
		t.Helper()
		bad := filepath.Join(dir, "bad")
		if err := os.WriteFile(bad, b, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := victim.Restore(bad); err == nil {
			t.Errorf("%s: no error", what)
		} else if !strings.Contains(err.Error(), "bad") {
			t.Errorf("%s: the error does not name the file: %v", what, err)
		}
		if after := fmt.Sprint(victim.Position, victim.state()[0].Tensor.Data()); after != before {
			t.Fatalf("%s: the model has changed", what)
		}
	}
	for i := range good {
		b := bytes.Clone(good)
		b[i] ^= 1 << (i % 8)
		if bytes.TrimRight(b[8:], " ") == nil {
			continue
		}
		try(fmt.Sprintf("byte %d changed from %q", i, good[i]), b)
		try(fmt.Sprintf("cut off after %d bytes", i), good[:i])
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
	state := append(l.state(), safetensors.Named{Name: "model.other", Tensor: tensor.New(1)})
	texts := map[string]string{"position": `{"steps":1}`}
	texts["sha256"] = checksum(state, texts)
	if err := safetensors.WriteFile(path, state, texts); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Restore(path); err == nil || !strings.Contains(err.Error(), "another network") {
		t.Errorf("one tensor more: %v", err)
	}
}
