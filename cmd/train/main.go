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
//	steps.csv             a step a line: losses, learning rate
//	times.csv             an epoch a line: seconds
//	weights.safetensors   the network, under PyTorch's names
//	checkpoints           what -resume goes on from
//	samples.png           photographs at the three sizes
//	predictions.png       input, prediction, bicubic and truth of four photographs
//	loss.png              losses over epochs
//
// and after -model all comparison_144.png and comparison_288.png, all networks side
// by side. Its exit status is 0, also after Ctrl-C, 1 if something failed, and 2
// for wrong flags.
//
// Read session.run first, then trainer.go for what is done at each step and epoch, and
// checkpoints.go for what survives.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/nn/train"
	"pixelgrad/simd"
	"pixelgrad/tensor"
	"pixelgrad/vision"
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
	start    time.Time
	photos   *photographs
	batch    int
	bicubic  []float64 // PSNR in dB at 144 and 288
	omitted  []omission
	seen     struct{ train, val *features } // of the network that was trained last
}

// An omission is what was left out, and why.
type omission struct{ what, why string }

// run trains the models. Results go to out, messages to log.
func run(ctx context.Context, o *options, out, log io.Writer) error {
	tensor.SetThreads(o.Threads)
	s := &session{options: o, out: out, log: log, start: time.Now()}
	all, omitted, err := s.prepareAll()
	if err != nil {
		return err
	}
	s.omitted = omitted
	undo := func() {}
	if !o.resume {
		var inside []string
		for _, r := range all {
			inside = append(inside, r.dir)
		}
		if undo, err = makeOut(o.Out, inside); err != nil {
			return err
		}
	}
	unlock, err := lockOut(o.Out)
	if err != nil {
		return err
	}
	begun := false
	defer func() {
		unlock()
		if !begun {
			undo()
		}
	}()
	all, failed, err := s.read(ctx, all)
	if err != nil || s.photos.val == nil {
		return err
	}
	begun = true
	if err := s.settle(); err != nil {
		return err
	}
	s.summary()
	for i, r := range all {
		if i > 0 {
			fmt.Fprintln(out)
		}
		if err := s.train(ctx, r); err != nil {
			var diverged *train.DivergedError
			if len(all) == 1 || !errors.As(err, &diverged) {
				return errors.Join(append(failed, err)...)
			}
			failed = append(failed, fmt.Errorf("%s: %w", r.title, err)) // the others can still be compared
			fmt.Fprintf(log, "train: %v\n", failed[len(failed)-1])
		}
		if ctx.Err() != nil {
			break
		}
	}
	if len(all) > 1 {
		s.compare(all)
		failed = append(failed, s.drawComparisons(all))
	}
	look := runs.PredictionsFile
	if len(o.archs) > 1 {
		look = comparisonFile(s.sides()[len(s.sides())-1])
	}
	fmt.Fprintf(out, "Results are in %s: look at %s first.\n", o.Out, look)
	return errors.Join(failed...)
}

// read reads the photographs, and plans the memory of all models: now, and not when others have
// been trained for hours. It returns the models that the machine can hold. If ctx is done first,
// s.photos.val stays nil.
func (s *session) read(ctx context.Context, all []*modelRun) (fit []*modelRun, failed []error, err error) {
	if s.photos, err = findPhotographs(s.options, s.log); err != nil {
		return nil, nil, err
	}
	if fit, failed, err = s.planAll(all); err != nil {
		return nil, nil, err
	}
	if err := s.photos.read(ctx, s.options, s.log); err != nil {
		if ctx.Err() != nil {
			fmt.Fprintln(s.out, "Interrupted while reading photographs; nothing was trained.")
			return nil, nil, nil
		}
		return nil, nil, err
	}
	if len(s.photos.train.Skipped)+len(s.photos.val.Skipped) > 0 { // other batches
		var more []error
		if fit, more, err = s.planAll(fit); err != nil {
			return nil, nil, err
		}
		failed = append(failed, more...)
	}
	mid, large := vision.Baselines(s.photos.val, s.Threads)
	s.bicubic = []float64{mid.Bicubic.PSNR, large.Bicubic.PSNR}[:s.outputs()]
	return fit, failed, nil
}

// settle writes the settings of a run of several trainings, or compares those of a run that goes on
// with what is there.
func (s *session) settle() error {
	if !s.resume {
		if len(s.archs) == 1 && s.Repeat == 1 {
			return nil // the training's own are the same
		}
		return s.config(s.Flags).Write(s.Out)
	}
	c, err := runs.Open(s.Out)
	if err != nil {
		return err
	}
	if c.DataSum != "" && c.DataSum != s.photos.sum() {
		return fmt.Errorf("%s: expected the %d photographs that the run began with, found others in %s; put them back, or begin another run", s.Out, c.Train+c.Val, s.Source())
	}
	if now := simd.Current().String(); c.SIMD != now && !s.remake {
		fmt.Fprintf(s.log, "train: the run began with the SIMD level %s, and goes on with %s: the last bits of its results will differ from those of an uninterrupted one\n", c.SIMD, now)
	}
	s.start = c.Start
	return nil
}

// drawComparisons draws all networks side by side at each size.
func (s *session) drawComparisons(all []*modelRun) error {
	var trained []*modelRun
	for _, group := range groups(all) {
		trained = append(trained, group[0])
	}
	if len(trained) < 2 {
		return nil
	}
	var errs []error
	for j, side := range s.sides() {
		errs = append(errs, s.writeComparison(filepath.Join(s.Out, comparisonFile(side)), trained, j))
	}
	return errors.Join(errs...)
}

func comparisonFile(side int) string { return fmt.Sprintf("comparison_%d.png", side) }
