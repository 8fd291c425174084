package train

import (
	"fmt"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
)

// A runner computes what a training step needs of a model: on autograd's plain tape, or as a
// compiled program.
type runner[In compile.Tree[In], Out compile.Tree[Out]] interface {
	Forward(in In) Out
	Loss(target Out) []float64
	Backward()
}

// plain runs the model as it is written.
type plain[In compile.Tree[In], Out compile.Tree[Out]] struct {
	model      Model[In, Out]
	loss       func(prediction, target Out) []*autograd.Value
	prediction Out
	total      *autograd.Value
}

func (p *plain[In, Out]) Forward(in In) Out {
	p.prediction = p.model.Forward(in)
	return p.prediction
}

func (p *plain[In, Out]) Loss(target Out) []float64 {
	var losses []float64
	p.total = nil
	for _, l := range p.loss(p.prediction, target) {
		losses = append(losses, float64(l.Data().Data()[0]))
		if p.total == nil {
			p.total = l
		} else {
			p.total = autograd.Add(p.total, l)
		}
	}
	return losses
}

func (p *plain[In, Out]) Backward() {
	if p.total == nil {
		panic("train: the model has no loss")
	}
	p.total.Backward()
}

// An engine holds the programs of a model, one for each shape of the input: the last batch of
// an epoch may be smaller. They share an arena.
type engine[In compile.Tree[In], Out compile.Tree[Out]] struct {
	arena    compile.Arena
	training map[string]*compile.Training[In, Out]
	predict  map[string]*compile.Prediction[In, Out]
}

func (l *Loop[In, Out]) options() compile.Options {
	if l.engine == nil {
		l.engine = &engine[In, Out]{training: map[string]*compile.Training[In, Out]{}, predict: map[string]*compile.Prediction[In, Out]{}}
	}
	return compile.Options{Without: l.Without, Arena: &l.engine.arena}
}

// shapes returns the key of a program in the engine: the shapes that it depends on.
func shapes[T compile.Tree[T]](tree T) string {
	s := ""
	tree.Map(func(v *autograd.Value) *autograd.Value {
		if v == nil {
			s += "-"
		} else {
			s += fmt.Sprint(v.Shape())
		}
		return v
	})
	return s
}

// runner returns what computes the training step of a batch.
func (l *Loop[In, Out]) runner(b Batch[In, Out]) (runner[In, Out], error) {
	if l.Plain {
		return &plain[In, Out]{model: l.Model, loss: l.Loss}, nil
	}
	return l.program(b)
}

// program returns the compiled training step of a batch.
func (l *Loop[In, Out]) program(b Batch[In, Out]) (*compile.Training[In, Out], error) {
	o, key := l.options(), shapes(b.Input)+"|"+shapes(b.Target)
	p := l.engine.training[key]
	if p == nil {
		var err error
		if p, err = compile.Train(l.Model.Forward, l.Loss, b.Input, b.Target, o); err != nil {
			return nil, err
		}
		l.engine.training[key] = p
	}
	return p, nil
}

// prediction returns the compiled model without gradients.
func (l *Loop[In, Out]) prediction(in In) (*compile.Prediction[In, Out], error) {
	o, key := l.options(), shapes(in)
	p := l.engine.predict[key]
	if p == nil {
		var err error
		if p, err = compile.Predict(l.Model.Forward, in, o); err != nil {
			return nil, err
		}
		l.engine.predict[key] = p
	}
	return p, nil
}

// Predict returns what the model makes of an input, as the loop's validation does. It is valid
// until the loop is used again. It returns an error if Without names an unknown pass.
func (l *Loop[In, Out]) Predict(in In) (Out, error) {
	l.weightsChanged()
	return l.predict(in)
}

// predict is Predict, for parameters that have not moved since the last time.
func (l *Loop[In, Out]) predict(in In) (Out, error) {
	if l.Plain {
		return l.Model.Forward(in), nil
	}
	p, err := l.prediction(in)
	if err != nil {
		var none Out
		return none, err
	}
	return p.Run(in), nil
}

// weightsChanged tells the predictions that the parameters have moved.
func (l *Loop[In, Out]) weightsChanged() {
	if l.engine != nil {
		for _, p := range l.engine.predict {
			p.WeightsChanged()
		}
	}
}

// Release drops the programs and their memory. They are compiled again when they are needed.
func (l *Loop[In, Out]) Release() { l.engine = nil }

// Memory compiles the programs of training and validation batches, and returns how many bytes
// they will take beside the model and the data. Only the shapes of the batches are used. Nothing
// large is allocated before Run. It returns 0 for a Plain loop, whose memory is not planned.
func (l *Loop[In, Out]) Memory(training, validation []Batch[In, Out]) (int, error) {
	if l.Plain {
		return 0, nil
	}
	arena, own := 0, 0
	count := func(p *compile.Program) {
		arena = max(arena, p.ArenaBytes())
		own += p.Bytes() - p.ArenaBytes()
	}
	for _, b := range training {
		p, err := l.program(b)
		if err != nil {
			return 0, err
		}
		count(p.Program)
	}
	for _, b := range validation {
		p, err := l.prediction(b.Input)
		if err != nil {
			return 0, err
		}
		count(p.Program)
	}
	return arena + own, nil
}
