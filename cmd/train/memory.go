package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"pixelgrad/autograd"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/report"
	"pixelgrad/internal/memory"
	"pixelgrad/nn"
	"pixelgrad/nn/optim"
	"pixelgrad/nn/train"
	"pixelgrad/tensor"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// planAll plans the memory of all models, and returns those that the machine can hold with
// the photographs. The others are named in log, if there are any left. Batches are as large
// as the number of photographs has them.
func (s *session) planAll(ctx context.Context, runs []*modelRun) (fit []*modelRun, failed []error, err error) {
	train, _ := s.photos.counts()
	s.batch = s.batchSize(train)
	for _, r := range runs {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if err := s.plan(r); err != nil {
			failed = append(failed, err)
			if r.flags.Seed == s.Seed {
				s.omitted = append(s.omitted, report.Omission{What: r.arch.Title, Why: err.Error()})
			}
		} else {
			fit = append(fit, r)
		}
	}
	if len(fit) == 0 {
		return nil, nil, errors.Join(failed...)
	}
	for _, err := range failed {
		fmt.Fprintf(s.log, "train: %v\n", err)
	}
	return fit, failed, nil
}

// plan makes a model's training loop and has it plan its memory, of which nothing is
// allocated yet. It returns an error for what the machine cannot hold, together with the
// squares of the photographs if those are still to be made. Features of a frozen network
// are not counted: they are kept only where they fit.
func (s *session) plan(r *modelRun) error {
	nTrain, nVal := s.photos.counts()
	if err := s.makeLoop(r, nTrain); err != nil {
		return err
	}
	training, validation := s.shapes(r, nTrain, s.alteration()), s.shapes(r, nVal, vision.Alteration{})
	r.batches = 0
	var err error
	if r.planned, err = r.loop.Memory(training, validation); err != nil {
		return err
	}
	count := func(v *autograd.Value) *autograd.Value {
		if v != nil {
			n := 4
			for _, d := range v.Shape() {
				n *= d
			}
			r.batches += n
		}
		return v
	}
	for _, b := range []batch{training[0], validation[0]} { // one of each is there at a time
		b.Input.Map(count)
		b.Target.Map(count)
	}
	need, squares := r.need(), s.photos.unread()
	free, limit := freeMemory()
	switch {
	case limit == memory.Unknown, need+squares <= free:
		return nil
	case need > free:
		return fmt.Errorf("%s with -batch %d: expected %s of free memory for a training step, found %s %s; choose a smaller -batch",
			r.title, s.batch, format.Bytes(need), format.Bytes(free), limit)
	}
	n := nTrain + nVal
	advice := "choose a smaller -batch"
	// A tenth of what is left stays for reading photographs.
	if fits := (free - need) * 9 / 10 / s.photos.sizes.Bytes(1); fits >= 2 {
		advice = fmt.Sprintf("choose -limit %d", fits)
	}
	return fmt.Errorf("%s: expected %s of free memory, %s for the squares of %s photographs and %s for a training step, found %s %s; %s",
		r.title, format.Bytes(need+squares), format.Bytes(squares), format.Thousands(n), format.Bytes(need), format.Bytes(free), limit, advice)
}

// makeLoop makes the training loop of a model for so many photographs.
func (s *session) makeLoop(r *modelRun, photographs int) error {
	loss, err := superres.FindLoss(s.Loss)
	if err != nil {
		return err
	}
	schedule, err := optim.FindSchedule(s.Schedule)
	if err != nil {
		return err
	}
	r.total = s.Epochs * ((photographs + s.batch - 1) / s.batch)
	if s.Steps > 0 {
		r.total = min(r.total, s.Steps)
	}
	r.loop = &train.Loop[superres.Input, superres.Output]{
		Model:     r.model,
		Loss:      loss.Loss,
		Optimizer: optim.NewAdam(r.model.Parameters(), s.LR),
		Epochs:    s.Epochs,
		MaxSteps:  s.Steps,
		Schedule:  schedule.New(s.LR, r.total).WarmUp(s.WarmUp),
		ClipNorm:  s.ClipNorm,
		Patience:  s.EarlyStop,
		Plain:     s.Plain,
		Without:   s.Without,
	}
	return nil
}

// need is how many bytes the training will take beside what is there already: the programs,
// the batches, two copies of the parameters that guard against divergence, and Adam's two
// averages.
func (r *modelRun) need() int64 { return int64(r.planned + r.batches + 4*4*nn.Count(r.model)) }

// shapes returns the batches that n photographs come in when they are altered, without numbers:
// whole ones and the last one, which may be smaller.
func (s *session) shapes(r *modelRun, n int, a vision.Alteration) []batch {
	var batches []batch
	sizes := a.Sizes(s.photos.sizes)
	for _, count := range []int{min(s.batch, n), n % s.batch} {
		if count == 0 || n < s.batch && len(batches) > 0 {
			continue
		}
		square := func(side int) *autograd.Value { return autograd.Placeholder(count, 3, side, side) }
		b := batch{Input: superres.Input{Photo: square(sizes.X)}, Target: superres.Output{Mid: square(sizes.Mid)}, Size: count}
		if r.extractor != nil {
			b.Input.Features = autograd.Placeholder(append([]int{count}, r.extractor.ShapeOf(sizes.X)...)...)
		}
		if r.arch.Outputs == 2 {
			b.Target.Large = square(sizes.Large)
		}
		batches = append(batches, b)
	}
	return batches
}

// memory says what the training will take.
func (t *trainer) memory() {
	if t.Plain {
		fmt.Fprintln(t.out, "  memory    not planned: the plain tape keeps every result of a step")
		return
	}
	tensor.ReleaseAll()  // programs have memory of their own
	debug.FreeOSMemory() // what reading photographs and drawing samples has left
	item(t.out, "  ", "memory", fmt.Sprintf("%s for the steps, planned; %s with the program and its photographs",
		format.Megabytes(float64(t.planned)), format.Megabytes(float64(t.need()+memory.Resident()))))
}

// freeMemory is memory.Free, and another function in tests.
var freeMemory = memory.Free
