package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/report"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/nn"
	"pixelgrad/nn/train"
	"pixelgrad/tensor/weightfile"
	"pixelgrad/vision/superres"
)

// A modelRun is one training of one model, before, while and after it happens.
type modelRun struct {
	arch      superres.Architecture
	title     string // says so if the features are random
	flags     runs.Flags
	dir       string
	model     superres.Model
	extractor *frozen.Extractor
	loop      *train.Loop[superres.Input, superres.Output]
	total     int       // steps
	planned   int       // bytes that the loop's programs take
	batches   int       // and its batches
	valued    *features // features of the validation photographs
	history   history
	saved     *checkpoints
	begun     bool            // it was trained, or at least some of it
	stopped   string          // why it ended early; "" if it did not
	shown     *report.Network // on the page; nil before, and for another seed of a network
}

// psnr returns what each output reached on the validation photographs the last time, in dB; nil if
// it was never validated.
func (r *modelRun) psnr() []runs.Decibels {
	if e := r.history.validated(); e != nil {
		return e.PSNR
	}
	return nil
}

// prepareAll makes the models, those of a network for each seed. Those that need weights which are
// missing are left out if there are others: they are in s.omitted, and named in log.
func (s *session) prepareAll() (all []*modelRun, err error) {
	say := func(line string) { fmt.Fprintln(s.log, line) }
	for _, a := range s.archs {
		var shared *frozen.Extractor
		for k := range s.Repeat {
			r := &modelRun{arch: a, title: a.Title, flags: s.Flags, dir: s.Out}
			r.flags.Model, r.flags.Seed, r.flags.Repeat = a.Name, s.Seed+uint64(k), 1
			if len(s.archs) > 1 {
				r.dir = filepath.Join(r.dir, a.Name)
			}
			if s.Repeat > 1 {
				r.title += fmt.Sprintf(", seed %d", r.flags.Seed)
				r.dir = filepath.Join(r.dir, fmt.Sprintf("seed-%d", r.flags.Seed))
				if r.flags.SplitSeed == nil {
					r.flags.SplitSeed = &s.Seed
				}
			}
			if shared == nil || s.RandomFeatures { // those are from the seed
				shared, err = frozen.New(a.Features, s.Options, r.flags.Seed, say)
				var missing *frozen.MissingError
				if errors.As(err, &missing) && len(s.archs) > 1 {
					why := fmt.Sprintf("it needs the weights of %s; get them with: go run ./cmd/weights get %s", missing.Network, missing.Name)
					fmt.Fprintf(s.log, "%s is left out: %s\n", a.Title, why)
					s.omitted = append(s.omitted, report.Omission{What: a.Title, Why: why})
					break
				}
				if err != nil {
					return nil, err
				}
			}
			r.extractor = shared
			r.prepare()
			if !s.resume {
				if err := r.initialise(say); err != nil {
					return nil, err
				}
			}
			all = append(all, r)
		}
	}
	return all, nil
}

// prepare makes the model.
func (r *modelRun) prepare() {
	rng := rand.New(rand.NewPCG(r.flags.Seed, 0))
	if r.extractor == nil {
		r.model = r.arch.New(rng)
	} else {
		r.model = r.arch.NewWithFeatures(rng, r.extractor.Channels)
		if r.flags.RandomFeatures {
			r.title += " (random features)"
		}
		if r.extractor.Input != "" {
			r.flags.VGGInput = r.extractor.Input // what the weights told
		}
		if r.extractor.CLIP != (frozen.CLIPOptions{}) {
			r.flags.CLIPOptions = r.extractor.CLIP
		}
	}
}

// initialise gives the model the weights of -init, if there is one. A training that goes on has
// better ones, and the file may be gone.
func (r *modelRun) initialise(say func(line string)) error {
	if r.flags.Init == "" {
		return nil
	}
	load := func(m nn.Module) error {
		return train.LoadWeightsFrom(r.flags.Init, m, weightfile.Options{Key: r.flags.InitKey, Mapped: true, Say: say})
	}
	err := load(r.model)
	if err != nil && r.flags.Model == runs.Fast { // another scale has another last layer
		for scale := 2; scale <= 4; scale++ {
			other := superres.NewFast(rand.New(rand.NewPCG(0, 0)), scale)
			if scale == r.flags.Scale || load(other) != nil {
				continue
			}
			r.model.(superres.Enlarger).Network.(*superres.Fast).BeginWith(other)
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("-init: %w", err)
	}
	return nil
}

// wasBegun reports whether an earlier process has trained it.
func (r *modelRun) wasBegun() bool {
	for _, name := range []string{checkpointFolder, runs.WeightsFile} {
		if _, err := os.Stat(filepath.Join(r.dir, name)); err == nil {
			return true
		}
	}
	return false
}

// name is the title without the seed.
func (r *modelRun) name() string {
	if r.random() {
		return r.arch.Title + " (random features)"
	}
	return r.arch.Title
}

// random reports whether the model leans on random features, so that its figures mean nothing.
func (r *modelRun) random() bool { return r.extractor != nil && r.flags.RandomFeatures }

// finished reports whether nothing is left to train.
func (r *modelRun) finished() bool {
	at := r.loop.Position
	return at.Epoch >= r.loop.Epochs || r.loop.Stalled() || r.loop.MaxSteps > 0 && at.Steps >= r.loop.MaxSteps
}

// hold makes this process the only one that trains a model. The folder of the run is held already,
// but -resume may be given a model's own.
func (s *session) hold(r *modelRun) (unlock func(), err error) {
	if r.dir == s.Out || s.remake && !r.wasBegun() {
		return func() {}, nil
	}
	if err := os.MkdirAll(r.dir, 0o777); err != nil {
		return nil, err
	}
	return lockOut(r.dir)
}

// train trains one model and writes what is left of it.
func (s *session) train(ctx context.Context, r *modelRun, p *page) error {
	t := &trainer{session: s, modelRun: r, ctx: ctx, page: p}
	t.heading()
	unlock, err := s.hold(r)
	if err != nil {
		return err
	}
	defer unlock()
	if err := t.restore(); err != nil {
		return err
	}
	if s.remake && !r.begun {
		return nil
	}
	if r.flags.Seed == s.Seed { // the first of its network
		if err := p.network(r); err != nil {
			return err
		}
	}
	if err := t.data(ctx); err != nil {
		if ctx.Err() != nil {
			fmt.Fprintln(s.out, "Interrupted while computing features; nothing was trained.")
			return nil
		}
		return err
	}
	if err := t.begin(); err != nil {
		return err
	}
	_, err = r.loop.Run(ctx)
	return errors.Join(t.end(err), err)
}
