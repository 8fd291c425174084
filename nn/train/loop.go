// Package train is a training loop: batches, losses, steps, epochs. It knows nothing of
// pictures.
//
// Loop.step is what training is, in five calls: forward, loss, backward, step, forget. The rest
// watches over it.
package train

import (
	"context"
	"fmt"
	"iter"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/nn"
	"pixelgrad/nn/optim"
)

// A Batch is what a network gets, and what it should make of it.
type Batch[In compile.Tree[In], Out compile.Tree[Out]] struct {
	Input  In
	Target Out
	Size   int // how many examples there are
}

// Data is a source of batches: a training or a validation set.
type Data[In compile.Tree[In], Out compile.Tree[Out]] interface {
	// Batches returns how many there are in an epoch.
	Batches() int

	// Epoch returns the batches of an epoch, in the order that they come in. The loop uses a
	// batch before it asks for the next one, so both may lie in the same memory.
	Epoch(epoch int) iter.Seq[Batch[In, Out]]
}

// A Resumer is Data that can begin in the middle of an epoch. Of other data, a training that goes
// on there makes the batches before that again, for nothing.
type Resumer[In compile.Tree[In], Out compile.Tree[Out]] interface {
	// EpochFrom is Epoch without the batches before number first, counted from 0.
	EpochFrom(epoch, first int) iter.Seq[Batch[In, Out]]
}

// A Model is a network. In and Out are structs of values with names of their own, or
// *autograd.Value.
type Model[In compile.Tree[In], Out compile.Tree[Out]] interface {
	nn.Module
	Forward(in In) Out
}

// An Optimizer moves the parameters against their gradients, and clears the gradients.
// StateDict returns what it remembers from step to step: the memory itself, not a copy. The
// learning rate is how far it moves them, and not a part of the state.
type Optimizer interface {
	Step()
	ZeroGrad()
	StateDict() []nn.NamedTensor
	LearningRate() float64
	SetLearningRate(lr float64)
}

// A Loop trains a model.
type Loop[In compile.Tree[In], Out compile.Tree[Out]] struct {
	Model Model[In, Out]

	// Loss compares predictions with targets: one number for each output. Training minimises
	// their sum.
	Loss       func(prediction, target Out) []*autograd.Value
	Optimizer  Optimizer
	Train      Data[In, Out]
	Validation Data[In, Out] // may be nil
	Epochs     int
	MaxSteps   int // stop after so many; 0: after Epochs

	// Schedule sets the optimiser's learning rate before each step, by the step's number from
	// 1: see optim.Schedule. nil leaves the rate as it is.
	Schedule optim.Schedule

	// ClipNorm is how long the gradients may be before a step: see optim.ClipNorm. 0 leaves them
	// as they are.
	ClipNorm float64

	// Patience ends the training when the validation loss, summed over the outputs, has not
	// fallen below its best for so many epochs: see Stalled. 0 never does.
	Patience int

	// Position is where the training stands. Run begins there, and moves it on with every step
	// and epoch: set it, the parameters and the optimiser's state to those of an earlier
	// training, and Run goes on as if that had never stopped. See Save and Restore.
	Position Position

	// The model runs as a compiled program. Plain runs it on autograd's tape instead, as
	// written. Without leaves passes of the compiler out: see compile.Passes.
	Plain   bool
	Without []string

	// The loop calls these as training goes on; they may be nil. OnValidate gets every
	// validation batch with the model's predictions, which lie in the program's memory: copy
	// what you keep. An error of OnEpoch ends the training.
	OnStep     func(Step)
	OnValidate func(b Batch[In, Out], prediction Out)
	OnEpoch    func(Epoch) error

	engine *engine[In, Out]
}

// step teaches the model one batch. It returns the losses before the parameters move, and how
// long the gradients were, if they are clipped.
func (l *Loop[In, Out]) step(b Batch[In, Out]) (losses []float64, norm float64, err error) {
	run, err := l.runner(b)
	if err != nil {
		return nil, 0, err
	}
	run.Forward(b.Input)
	losses = run.Loss(b.Target)
	run.Backward()
	if l.ClipNorm != 0 {
		norm = optim.ClipNorm(l.Model.Parameters(), l.ClipNorm)
	}
	l.Optimizer.Step()
	l.Optimizer.ZeroGrad()
	return losses, norm, nil
}

// A Step is what one batch taught.
type Step struct {
	Epoch        int       // from 1
	Step         int       // from 1, over all epochs
	Size         int       // of the batch
	Losses       []float64 // of each output, before the parameters moved
	LearningRate float64   // with which they moved
	Norm         float64   // of all gradients together, before they were clipped; 0 without ClipNorm
}

// An Epoch is what one pass through the data taught.
type Epoch struct {
	Epoch int       // from 1
	Steps int       // so far, over all epochs
	Train []float64 // mean loss of each output over the epoch's steps
	Val   []float64 // mean loss over the validation batches; nil without any, or if ctx was cancelled
	Whole bool      // false if the training was stopped within the epoch
	Best  bool      // the sum of Val is the smallest of all whole epochs so far
}

// DivergedError is the end of a training whose loss became NaN or infinite. The
// model has the last parameters that gave a finite loss.
type DivergedError struct {
	Step int
	Loss float64
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("step %d: the loss is %v, expected a finite number; the weights of the last good step are kept, try a smaller learning rate", e.Step, e.Loss)
}

// Run trains until all epochs or steps are done, the validation loss has Stalled, ctx is
// cancelled, or the loss becomes NaN or infinite (a DivergedError). A step that was begun is
// always finished. It returns how many steps were done, those before Position included; the error
// is nil if ctx ended it.
func (l *Loop[In, Out]) Run(ctx context.Context) (steps int, err error) {
	good := newSnapshot(l.Model)
	at := &l.Position
	stop := func() bool { return ctx.Err() != nil || l.MaxSteps > 0 && at.Steps >= l.MaxSteps }
	diverged := func(step int, loss float64) (int, error) {
		good.restore()
		return at.Steps, &DivergedError{step, loss}
	}
	for at.Epoch < l.Epochs && !l.Stalled() {
		epoch, done := at.Epoch+1, false
		for b := range l.rest(ctx, epoch) {
			if done = stop(); done {
				break
			}
			good.take()
			if l.Schedule != nil {
				l.Optimizer.SetLearningRate(l.Schedule(at.Steps + 1))
			}
			losses, norm, err := l.step(b)
			if err != nil {
				return at.Steps, err
			}
			if sum := total(losses); !finite(sum) {
				return diverged(at.Steps+1, sum)
			}
			good.confirm()
			at.Steps++
			at.Batches++
			at.Losses.add(losses, 1)
			if l.OnStep != nil {
				l.OnStep(Step{Epoch: epoch, Step: at.Steps, Size: b.Size, Losses: losses, LearningRate: l.Optimizer.LearningRate(), Norm: norm})
			}
		}
		if at.Batches == 0 {
			return at.Steps, nil
		}
		e := Epoch{Epoch: epoch, Steps: at.Steps, Train: at.Losses.mean(), Whole: !done}
		if l.Validation != nil {
			if e.Val, err = l.validate(ctx); err != nil {
				return at.Steps, err
			}
			if sum := total(e.Val); !finite(sum) {
				return diverged(at.Steps, sum)
			}
		}
		if v, bad := l.notFinite(); bad { // the last step may have made NaN, and no later loss would show it
			return diverged(at.Steps, v)
		}
		if e.Whole && (e.Val != nil || l.Validation == nil) {
			e.Best = at.nextEpoch(e)
		}
		if l.OnEpoch != nil {
			if err := l.OnEpoch(e); err != nil {
				return at.Steps, err
			}
		}
		if stop() {
			break
		}
	}
	return at.Steps, nil
}

// rest returns the batches of an epoch that the training has not learnt from yet, and perhaps some
// more if ctx is done.
func (l *Loop[In, Out]) rest(ctx context.Context, epoch int) iter.Seq[Batch[In, Out]] {
	first := l.Position.Batches
	if r, ok := l.Train.(Resumer[In, Out]); ok {
		return r.EpochFrom(epoch, first)
	}
	return func(yield func(Batch[In, Out]) bool) {
		n := 0
		for b := range l.Train.Epoch(epoch) {
			if n++; n <= first && ctx.Err() == nil {
				continue
			}
			if !yield(b) {
				return
			}
		}
	}
}

// finite says whether v is neither NaN nor infinite.
func finite(v float64) bool { return v-v == 0 }

func total(losses []float64) float64 {
	sum := 0.0
	for _, v := range losses {
		sum += v
	}
	return sum
}

// Finite reports whether every parameter is finite. A step whose loss was finite may have made some
// that are not: the next step would be the first to see it.
func (l *Loop[In, Out]) Finite() bool {
	_, bad := l.notFinite()
	return !bad
}

// notFinite returns a parameter that is NaN or infinite, if there is one.
func (l *Loop[In, Out]) notFinite() (v float64, bad bool) {
	for _, p := range l.Model.Parameters() {
		for _, v := range p.Data().Data() {
			if v-v != 0 {
				return float64(v), true
			}
		}
	}
	return 0, false
}

// validate returns the mean losses over the validation batches, each counted by
// the number of its examples; nil if ctx is cancelled: after an interrupt nobody wants to wait.
func (l *Loop[In, Out]) validate(ctx context.Context) ([]float64, error) {
	sums := &Sums{}
	l.weightsChanged()
	for b := range l.Validation.Epoch(0) {
		if ctx.Err() != nil {
			return nil, nil
		}
		prediction, err := l.predict(b.Input)
		if err != nil {
			return nil, err
		}
		var losses []float64
		for _, loss := range l.Loss(prediction, b.Target) {
			losses = append(losses, float64(loss.Data().Data()[0]))
		}
		if l.OnValidate != nil {
			l.OnValidate(b, prediction)
		}
		sums.add(losses, b.Size)
	}
	return sums.mean(), nil
}
