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

// A Model is a network. In and Out are structs of values with names of their own, or
// *autograd.Value.
type Model[In compile.Tree[In], Out compile.Tree[Out]] interface {
	nn.Module
	Forward(in In) Out
}

// An Optimizer moves the parameters against their gradients, and clears the gradients.
type Optimizer interface {
	Step()
	ZeroGrad()
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

// step teaches the model one batch. It returns the losses before the parameters move.
func (l *Loop[In, Out]) step(b Batch[In, Out]) ([]float64, error) {
	run, err := l.runner(b)
	if err != nil {
		return nil, err
	}
	run.Forward(b.Input)
	losses := run.Loss(b.Target)
	run.Backward()
	l.Optimizer.Step()
	l.Optimizer.ZeroGrad()
	return losses, nil
}

// A Step is what one batch taught.
type Step struct {
	Epoch  int       // from 1
	Step   int       // from 1, over all epochs
	Size   int       // of the batch
	Losses []float64 // of each output, before the parameters moved
}

// An Epoch is what one pass through the data taught.
type Epoch struct {
	Epoch int       // from 1
	Steps int       // so far, over all epochs
	Train []float64 // mean loss of each output over the epoch's steps
	Val   []float64 // mean loss over the validation batches; nil without any, or if ctx was cancelled
	Whole bool      // false if the training was stopped within the epoch
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

// Run trains until all epochs or steps are done, ctx is cancelled, or the loss
// becomes NaN or infinite (a DivergedError). A step that was begun is always finished. It
// returns how many steps were done; the error is nil if ctx ended it.
func (l *Loop[In, Out]) Run(ctx context.Context) (steps int, err error) {
	good := newSnapshot(l.Model)
	stop := func() bool { return ctx.Err() != nil || l.MaxSteps > 0 && steps == l.MaxSteps }
	diverged := func(step int, loss float64) (int, error) {
		good.restore()
		return steps, &DivergedError{step, loss}
	}
	for epoch := 1; epoch <= l.Epochs; epoch++ {
		sums := &means{}
		done := false
		for b := range l.Train.Epoch(epoch) {
			if done = stop(); done {
				break
			}
			good.take()
			losses, err := l.step(b)
			if err != nil {
				return steps, err
			}
			if sum := total(losses); !finite(sum) {
				return diverged(steps+1, sum)
			}
			good.confirm()
			steps++
			sums.add(losses, 1)
			if l.OnStep != nil {
				l.OnStep(Step{Epoch: epoch, Step: steps, Size: b.Size, Losses: losses})
			}
		}
		if sums.n == 0 {
			return steps, nil
		}
		e := Epoch{Epoch: epoch, Steps: steps, Train: sums.mean(), Whole: !done}
		if l.Validation != nil && ctx.Err() == nil { // after an interrupt nobody wants to wait
			if e.Val, err = l.validate(); err != nil {
				return steps, err
			}
			if sum := total(e.Val); !finite(sum) {
				return diverged(steps, sum)
			}
		}
		if v, bad := l.notFinite(); bad { // the last step may have made NaN, and no later loss would show it
			return diverged(steps, v)
		}
		if l.OnEpoch != nil {
			if err := l.OnEpoch(e); err != nil {
				return steps, err
			}
		}
		if stop() {
			break
		}
	}
	return steps, nil
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
// the number of its examples.
func (l *Loop[In, Out]) validate() ([]float64, error) {
	sums := &means{}
	l.weightsChanged()
	for b := range l.Validation.Epoch(0) {
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

// means averages losses.
type means struct {
	sums   []float64
	weight float64
	n      int
}

func (m *means) add(losses []float64, weight int) {
	if m.sums == nil {
		m.sums = make([]float64, len(losses))
	}
	for i, v := range losses {
		m.sums[i] += v * float64(weight)
	}
	m.weight += float64(weight)
	m.n++
}

func (m *means) mean() []float64 {
	mean := make([]float64, len(m.sums))
	for i, v := range m.sums {
		mean[i] = v / m.weight
	}
	return mean
}
