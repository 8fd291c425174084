// Command train teaches networks to enlarge photographs.
//
//	go run ./cmd/train
//
// trains SuperResNet for ten epochs on the photographs that are part of the
// program; -help lists the flags, and -model all trains every network. It leaves
// in its run folder, or with -model all in a folder for each network there:
//
//	config.json           the flags and what they led to
//	metrics.csv           an epoch a line: losses and PSNR
//	steps.csv             a step a line: losses
//	weights.safetensors   the network, under PyTorch's names
//	samples.png           photographs at the three sizes
//	predictions.png       input, prediction, bicubic and truth of four photographs
//	loss.png              losses over epochs
//
// and after -model all comparison_144.png and comparison_288.png, all networks side
// by side. Its exit status is 0, also after Ctrl-C, 1 if something failed, and 2
// for wrong flags.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"runtime/debug"
	"time"

	"pixelgrad/autograd/compile"
	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/nn/train"
	"pixelgrad/tensor"
	"pixelgrad/tensor/weightfile"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

func main() {
	cli.Command{Name: "train", Stopping: "finishing the step and saving", Run: func(ctx context.Context, args []string, s cli.Streams) error {
		o, err := parseFlags(args, s.Out)
		if err != nil {
			return err
		}
		return run(ctx, o, s.Out, s.Log)
	}}.Main()
}

// A session is what all models of a run share: the photographs and how well plain
// interpolation enlarges them.
type session struct {
	*options
	out, log io.Writer
	photos   *photographs
	batch    int
	bicubic  []float64 // PSNR in dB at 144 and 288
}

// run trains the models. Results go to out, messages to log.
func run(ctx context.Context, o *options, out, log io.Writer) error {
	tensor.SetThreads(o.Threads)
	var runs []*modelRun
	for _, a := range o.archs {
		r, err := prepare(o, a, log)
		var missing *frozen.MissingError
		if errors.As(err, &missing) && len(o.archs) > 1 {
			fmt.Fprintf(log, "%s is left out: it needs the weights of %s; get them with: go run ./cmd/weights get %s\n", a.Title, missing.Network, missing.Name)
			continue
		}
		if err != nil {
			return err
		}
		runs = append(runs, r)
	}
	undo, err := makeOut(o.Out)
	if err != nil {
		return err
	}
	photos, err := findPhotographs(o, log)
	if err != nil {
		undo()
		return err
	}
	s := &session{options: o, out: out, log: log, photos: photos}
	runs, failed, err := s.planAll(runs) // now, and not when photographs have been read or others trained for hours
	if err != nil {
		undo()
		return err
	}
	if err := photos.read(ctx, o, log); err != nil {
		undo()
		if ctx.Err() != nil {
			fmt.Fprintln(out, "Interrupted while reading photographs; nothing was trained.")
			return nil
		}
		return err
	}
	if len(photos.train.Skipped)+len(photos.val.Skipped) > 0 { // other batches
		var more []error
		if runs, more, err = s.planAll(runs); err != nil {
			undo()
			return err
		}
		failed = append(failed, more...)
	}
	mid, large := vision.Baselines(photos.val, o.Threads)
	s.bicubic = []float64{mid.Bicubic.PSNR, large.Bicubic.PSNR}[:o.outputs()]
	s.summary()
	for i, r := range runs {
		if i > 0 {
			fmt.Fprintln(out)
		}
		if len(o.archs) > 1 {
			r.dir = filepath.Join(o.Out, r.arch.Name)
			if _, err := makeOut(r.dir); err != nil {
				return err
			}
		}
		if err := s.train(ctx, r); err != nil {
			var diverged *train.DivergedError
			if len(o.archs) == 1 || !errors.As(err, &diverged) {
				return err
			}
			failed = append(failed, fmt.Errorf("%s: %w", r.title, err)) // the others can still be compared
			fmt.Fprintf(log, "train: %v\n", failed[len(failed)-1])
		}
		if ctx.Err() != nil {
			runs = runs[:i+1]
			break
		}
	}
	if len(o.archs) > 1 {
		failed = append(failed, s.compare(runs))
	}
	return errors.Join(failed...)
}

// A modelRun is one model of a run, before, while and after it is trained.
type modelRun struct {
	arch       superres.Architecture
	title      string // says so if the features are random
	model      superres.Model
	extractor  *frozen.Extractor
	dir        string
	loop       *train.Loop[superres.Input, superres.Output]
	planned    int                                                  // bytes that the loop's programs take
	batches    int                                                  // and its batches
	predictor  *compile.Prediction[superres.Input, superres.Output] // of one photograph, after the training
	valued     *features                                            // features of the validation photographs
	epochs     []train.Epoch
	val, psnr  []float64 // of each output, the last time it was validated
	seconds    float64
	wasStopped bool
}

// prepare makes a model, with its frozen network if it has one.
func prepare(o *options, a superres.Architecture, log io.Writer) (*modelRun, error) {
	r := &modelRun{arch: a, title: a.Title, dir: o.Out}
	var err error
	if r.extractor, err = frozen.New(a.Features, o.Options, o.Seed, func(line string) { fmt.Fprintln(log, line) }); err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0))
	if r.extractor == nil {
		r.model = a.New(rng)
	} else {
		r.model = a.NewWithFeatures(rng, r.extractor.Channels)
		if o.RandomFeatures {
			r.title += " (random features)"
		}
	}
	if o.Init != "" {
		say := func(line string) { fmt.Fprintln(log, line) }
		if err := train.LoadWeightsFrom(o.Init, r.model, weightfile.Options{Key: o.InitKey, Mapped: true, Say: say}); err != nil {
			return nil, fmt.Errorf("-init: %w", err)
		}
	}
	return r, nil
}

// train trains one model and writes what is left of it.
func (s *session) train(ctx context.Context, r *modelRun) error {
	trainSet := batches{vision.NewLoader(s.photos.train, s.batch, vision.LoaderOptions{Seed: s.Seed, Shuffle: s.Shuffle}), r.arch.Outputs, nil}
	valSet := batches{vision.NewLoader(s.photos.val, s.batch, vision.LoaderOptions{}), r.arch.Outputs, nil}
	total := s.Epochs * trainSet.Batches()
	if s.Steps > 0 {
		total = min(total, s.Steps)
	}
	p := &report{session: s, modelRun: r, total: total}
	p.heading()
	var err error
	if trainSet.features, valSet.features, err = s.bothFeatures(ctx, r.extractor, r.need()); err != nil {
		if ctx.Err() != nil {
			fmt.Fprintln(s.out, "Interrupted while computing features; this network was not trained.")
			return nil
		}
		return err
	}
	r.valued = valSet.features
	if err := p.begin(); err != nil {
		return err
	}
	loop := r.loop
	loop.Train, loop.Validation = trainSet, valSet
	loop.OnStep, loop.OnValidate, loop.OnEpoch = p.step, p.validate, p.epoch
	start := time.Now()
	steps, err := loop.Run(ctx)
	r.seconds = time.Since(start).Seconds()
	r.wasStopped = ctx.Err() != nil && steps < total
	r.loop, loop = nil, nil
	debug.FreeOSMemory() // the memory of the steps, before pictures are drawn and the next network is trained
	return errors.Join(err, p.end(steps))
}
