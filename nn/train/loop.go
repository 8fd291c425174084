// Package train is the loop that every network here is trained with: batches,
// losses, steps, epochs. It knows nothing of pictures.
package train

import (
	"context"
	"fmt"
	"iter"
	"math"

	"pixelgrad/autograd"
	"pixelgrad/nn"
	"pixelgrad/tensor"
)

// A Batch is an input with a target for each of the model's outputs. Features are
// what the model gets beside the input, if anything.
type Batch struct {
	Input    *tensor.Tensor
	Features []*tensor.Tensor
	Targets  []*tensor.Tensor
}

// Data is a source of batches: a training or a validation set.
type Data interface {
	// Batches returns how many there are in an epoch.
	Batches() int

	// Epoch returns the batches of an epoch, in the order that they come in. A batch
	// is used before the next one is asked for, so that it may lie in the same memory.
	Epoch(epoch int) iter.Seq[Batch]
}

// A Model is a network with one or more outputs.
type Model interface {
	nn.Module
	Forward(x *autograd.Value, features ...*autograd.Value) []*autograd.Value
}

// An Optimizer moves the parameters against their gradients, and forgets these.
type Optimizer interface{ Step() }

// A Loop trains a model. The loss of a step is the sum of the losses of the outputs.
type Loop struct {
	Model      Model
	Loss       func(pred, target *autograd.Value) *autograd.Value
	Optimizer  Optimizer
	Train      Data
	Validation Data // may be nil
	Epochs     int
	MaxSteps   int // stop after so many; 0: after Epochs

	// These are called as training goes on, and may be nil. OnValidate gets every
	// validation batch with what the model makes of it; an error of OnEpoch
	// ends the training.
	OnStep     func(Step)
	OnValidate func(b Batch, predictions []*autograd.Value)
	OnEpoch    func(Epoch) error
}

// A Step is what one batch taught.
type Step struct {
	Epoch  int       // from 1
	Step   int       // from 1, over all epochs
	Images int       // in the batch
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

// Run trains until all epochs or steps are done, ctx is cancelled, or the loss is no
// number any more (a DivergedError). A step that was begun is always finished. It
// returns how many steps were done; the error is nil if ctx ended it.
func (l *Loop) Run(ctx context.Context) (steps int, err error) {
	good := newSnapshot(l.Model)
	for epoch := 1; epoch <= l.Epochs; epoch++ {
		sums := &means{}
		done := false
		for b := range l.Train.Epoch(epoch) {
			if done = ctx.Err() != nil || l.MaxSteps > 0 && steps == l.MaxSteps; done {
				break
			}
			losses, total := l.forward(b)
			if sum := float64(total.Data().Data()[0]); math.IsNaN(sum) || math.IsInf(sum, 0) {
				total.Free()
				good.restore()
				return steps, &DivergedError{steps + 1, sum}
			}
			good.take()
			total.Backward()
			l.Optimizer.Step()
			steps++
			sums.add(losses)
			if l.OnStep != nil {
				l.OnStep(Step{Epoch: epoch, Step: steps, Images: b.Input.Dim(0), Losses: losses})
			}
		}
		if sums.n == 0 {
			return steps, nil
		}
		e := Epoch{Epoch: epoch, Steps: steps, Train: sums.mean(), Whole: !done}
		if l.Validation != nil && ctx.Err() == nil { // who interrupts does not want to wait
			e.Val = l.validate()
			for _, v := range e.Val {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					good.restore()
					return steps, &DivergedError{steps, v}
				}
			}
		}
		if v, bad := l.notFinite(); bad { // no next step will show what the last one did
			good.restore()
			return steps, &DivergedError{steps, v}
		}
		if l.OnEpoch != nil {
			if err := l.OnEpoch(e); err != nil {
				return steps, err
			}
		}
		if ctx.Err() != nil || l.MaxSteps > 0 && steps == l.MaxSteps {
			return steps, nil
		}
	}
	return steps, nil
}

// notFinite returns a parameter that is NaN or infinite, if there is one.
func (l *Loop) notFinite() (v float64, bad bool) {
	for _, p := range l.Model.Parameters() {
		for _, v := range p.Data().Data() {
			if v-v != 0 {
				return float64(v), true
			}
		}
	}
	return 0, false
}

// forward computes the losses of a batch, one an output, and their sum.
func (l *Loop) forward(b Batch) (losses []float64, total *autograd.Value) {
	for i, pred := range l.Model.Forward(autograd.Constant(b.Input), constants(b.Features)...) {
		loss := l.Loss(pred, autograd.Constant(b.Targets[i]))
		losses = append(losses, float64(loss.Data().Data()[0]))
		if total == nil {
			total = loss
		} else {
			total = autograd.Add(total, loss)
		}
	}
	return losses, total
}

// constants wraps tensors that need no gradient.
func constants(ts []*tensor.Tensor) []*autograd.Value {
	vs := make([]*autograd.Value, len(ts))
	for i, t := range ts {
		vs[i] = autograd.Constant(t)
	}
	return vs
}

// validate returns the mean losses over the validation batches, each counted by
// the number of its images.
func (l *Loop) validate() []float64 {
	sums := &means{}
	for b := range l.Validation.Epoch(0) {
		predictions := l.Model.Forward(autograd.Inference(b.Input), constants(b.Features)...)
		var losses []float64
		for i, pred := range predictions {
			loss := l.Loss(pred, autograd.Constant(b.Targets[i]))
			losses = append(losses, float64(loss.Data().Data()[0]))
		}
		if l.OnValidate != nil {
			l.OnValidate(b, predictions)
		}
		for _, pred := range predictions {
			pred.Free()
		}
		sums.addWeighted(losses, b.Input.Dim(0))
	}
	return sums.mean()
}

// means averages losses.
type means struct {
	sums   []float64
	weight float64
	n      int
}

func (m *means) add(losses []float64) { m.addWeighted(losses, 1) }

func (m *means) addWeighted(losses []float64, weight int) {
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

// A snapshot is a copy of a model's parameters: those of the last good step.
type snapshot struct {
	parameters []nn.Parameter
	copies     []*tensor.Tensor
}

func newSnapshot(m nn.Module) *snapshot {
	s := &snapshot{parameters: m.Parameters()}
	for _, p := range s.parameters {
		s.copies = append(s.copies, p.Data().Clone())
	}
	return s
}

func (s *snapshot) take() {
	for i, p := range s.parameters {
		copy(s.copies[i].Data(), p.Data().Data())
	}
}

func (s *snapshot) restore() {
	for i, p := range s.parameters {
		copy(p.Data().Data(), s.copies[i].Data())
	}
}
