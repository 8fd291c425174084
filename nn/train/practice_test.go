package train

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"path/filepath"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/nn/optim"
	"pixelgrad/tensor"
)

// TestSchedule wants the rate of each step to be the schedule's, told to the optimiser and to
// OnStep.
func TestSchedule(t *testing.T) {
	l := newLoop()
	l.MaxSteps = 30
	l.Schedule = func(step int) float64 { return 1 / float64(1+step) }
	l.OnStep = func(s Step) {
		if want := 1 / float64(1+s.Step); s.LearningRate != want || l.Optimizer.LearningRate() != want || s.Norm != 0 {
			t.Errorf("step %d: rate %v, the optimiser has %v, norm %v; want the rate %v and no norm", s.Step, s.LearningRate, l.Optimizer.LearningRate(), s.Norm, want)
		}
	}
	if _, err := l.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	l = newLoop()
	l.MaxSteps = 1
	l.OnStep = func(s Step) {
		if s.LearningRate != 0.02 {
			t.Errorf("without a schedule: rate %v, want the optimiser's own, 0.02", s.LearningRate)
		}
	}
	if _, err := l.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// A witness is an optimiser that notes how long the gradients are that it is given.
type witness struct {
	*optim.Adam
	loop  *loop
	norms []float64
}

func (w *witness) Step() {
	sum := 0.0
	for _, p := range w.loop.Model.Parameters() {
		for _, g := range p.Grad().Data() {
			sum += float64(g) * float64(g)
		}
	}
	w.norms = append(w.norms, math.Sqrt(sum))
	w.Adam.Step()
}

// TestClipNorm wants gradients to be clipped before the optimiser sees them, on the plain tape and
// in programs.
func TestClipNorm(t *testing.T) {
	const most = 0.1
	for _, plain := range []bool{false, true} {
		l := newLoop()
		w := &witness{Adam: l.Optimizer.(*optim.Adam), loop: l}
		l.Optimizer, l.Plain, l.ClipNorm, l.MaxSteps = w, plain, most, 60
		clipped := 0
		l.OnStep = func(s Step) {
			if s.Norm > most {
				clipped++
			}
			if got, want := w.norms[len(w.norms)-1], min(s.Norm, most); !(math.Abs(got/want-1) < 2e-5) {
				t.Errorf("plain %v, step %d: gradients of length %v reach the optimiser as %v, want %v", plain, s.Step, s.Norm, got, want)
			}
		}
		if _, err := l.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if clipped == 0 || clipped == 60 {
			t.Errorf("plain %v: %d of 60 steps are clipped, the test wants some of each", plain, clipped)
		}
	}
}

// A broken operation has a finite result and a gradient that is NaN.
type broken struct{}

func (broken) Shape(x ...[]int) []int                     { return x[0] }
func (broken) Reads() (operands, result bool)             { return false, false }
func (broken) Forward(x ...*tensor.Tensor) *tensor.Tensor { return x[0].Clone() }
func (broken) Backward(dy, _ *tensor.Tensor, _ []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	dx := dy.Clone()
	dx.Data()[0] = float32(math.NaN())
	return []*tensor.Tensor{dx}
}

// TestClipNormShowsNaN wants a gradient that is NaN to end the training as it does without
// clipping: in the next step, with the weights of the last good one.
func TestClipNormShowsNaN(t *testing.T) {
	for _, clip := range []float64{0, 1} {
		l := newLoop()
		before := l.Model.Parameters()[0].Data().Clone()
		l.ClipNorm = clip
		l.Loss = func(prediction, target *autograd.Value) []*autograd.Value {
			return []*autograd.Value{autograd.Apply(broken{}, autograd.MSE(prediction, target))}
		}
		_, err := l.Run(context.Background())
		var diverged *DivergedError
		if !errors.As(err, &diverged) || diverged.Step != 2 {
			t.Errorf("clipped at %v: error %v, want one that names step 2", clip, err)
		}
		for i, w := range l.Model.Parameters()[0].Data().Data() {
			if w != before.Data()[i] {
				t.Fatalf("clipped at %v: weight %d is %v, want the last good one, %v", clip, i, w, before.Data()[i])
			}
		}
	}
}

// TestValidationDiverges wants a validation loss that is NaN to end the training, although all
// parameters are finite: nobody is told of such an epoch.
func TestValidationDiverges(t *testing.T) {
	l := newScripted(0)
	l.Validation = scripted{l, []float64{4, math.NaN(), 1, 1, 1, 1, 1, 1}}
	var epochs []int
	l.OnEpoch = func(e Epoch) error { epochs = append(epochs, e.Epoch); return nil }
	_, err := l.Run(context.Background())
	var diverged *DivergedError
	if !errors.As(err, &diverged) || diverged.Step != 4 || fmt.Sprint(epochs) != "[1]" || l.Position.BestEpoch != 1 {
		t.Errorf("error %v, epochs %v, %+v; want an end after step 4", err, epochs, l.Position)
	}
}

// TestFinite has a parameter be what nobody can go on with.
func TestFinite(t *testing.T) {
	l := newLoop()
	if !l.Finite() {
		t.Error("a new model is not finite")
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		l.Model.Parameters()[1].Data().Data()[0] = float32(v)
		if l.Finite() {
			t.Errorf("a bias of %v is finite", v)
		}
	}
}

// scripted is a validation set that gives a model of zeros a loss for each epoch.
type scripted struct {
	loop   *loop
	losses []float64
}

func (s scripted) Batches() int { return 1 }

func (s scripted) Epoch(int) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		y := tensor.New(1, 1, 8, 8)
		tensor.Fill(y, float32(math.Sqrt(s.losses[s.loop.Position.Epoch])))
		yield(batch{Input: autograd.Constant(tensor.New(1, 1, 8, 8)), Target: autograd.Constant(y), Size: 1})
	}
}

// newScripted returns a loop of two steps an epoch that learns nothing.
func newScripted(patience int) *loop {
	l := newLoop()
	for _, p := range l.Model.Parameters() {
		tensor.Fill(p.Data(), 0)
	}
	l.Train, l.Validation = blur{2}, scripted{l, []float64{16, 9, 9, 4, 25, 4, 16, 1}}
	l.Schedule, l.Epochs, l.Patience = optim.Constant(0), 8, patience
	return l
}

// TestPatience follows losses that fall, rise and stay, also when one of the trainings is
// stopped and resumed after each step.
func TestPatience(t *testing.T) {
	for _, c := range []struct {
		patience, epochs, best int
		stalled                bool
		flags                  string // of Epoch.Best
	}{
		{0, 8, 8, false, "[true true false true false false false true]"},
		{1, 3, 2, true, "[true true false]"},
		{2, 6, 4, true, "[true true false true false false]"},
		{3, 7, 4, true, "[true true false true false false false]"},
		{4, 8, 8, false, "[true true false true false false false true]"},
	} {
		stops := 1
		if c.patience == 3 {
			stops = 2 * c.epochs
		}
		for stop := range stops {
			var flags []bool
			l := newScripted(c.patience)
			note := func(e Epoch) error {
				if e.Whole {
					flags = append(flags, e.Best)
				} else if e.Best {
					t.Errorf("patience %d: half an epoch is called the best", c.patience)
				}
				return nil
			}
			if stop > 0 {
				path := filepath.Join(t.TempDir(), "checkpoint")
				l.OnEpoch, l.MaxSteps = note, stop
				if _, err := l.Run(context.Background()); err != nil {
					t.Fatal(err)
				}
				if err := l.Save(path, nil); err != nil {
					t.Fatal(err)
				}
				l = newScripted(c.patience)
				if _, err := l.Restore(path); err != nil {
					t.Fatal(err)
				}
			}
			l.OnEpoch = note
			steps, err := l.Run(context.Background())
			if at := l.Position; err != nil || steps != 2*c.epochs || at.Epoch != c.epochs || at.BestEpoch != c.best || l.Stalled() != c.stalled || fmt.Sprint(flags) != c.flags {
				t.Errorf("patience %d, stopped after step %d: %d steps, %v, %d epochs, the best is %d, stalled %v, best so far %v;\nwant %+v", c.patience, stop, steps, err, at.Epoch, at.BestEpoch, l.Stalled(), flags, c)
			}
			if more, err := l.Run(context.Background()); more != steps || err != nil {
				t.Errorf("patience %d: run again, %d steps more, %v", c.patience, more-steps, err)
			}
		}
	}
	l := newScripted(1)
	l.Validation = nil
	if n, err := l.Run(context.Background()); n != 16 || err != nil || l.Stalled() {
		t.Errorf("without a validation set: %d steps, %v, stalled %v; want all 16", n, err, l.Stalled())
	}
}
