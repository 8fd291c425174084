// Command train teaches networks to enlarge photographs.
//
//	go run ./cmd/train
//
// trains SuperResNet for ten epochs on the photographs that are part of the
// program; -help lists the flags, and -model all trains every network. It leaves
// in its folder:
//
//	config.json           the flags and what they led to
//	report.html           all of it as one page; -report makes it again
//	metrics.csv           an epoch a line: losses and PSNR
//	steps.csv             a step a line: losses, learning rate
//	times.csv             an epoch a line: seconds
//	weights.safetensors   the network, under PyTorch's names
//	checkpoints           what -resume goes on from
//	samples.png           photographs at the three sizes
//	predictions.png       input, prediction, bicubic and truth of four photographs
//	loss.png              losses over epochs
//
// With -model all they are in the folders of the networks, but for the page. report.json and
// pictures are what that is made of, and networks.csv, epochs.csv, pictures.csv, words.csv and
// facts.csv are its figures; comparison_144.png and comparison_288.png have all networks side by
// side. The exit status is 0, also after Ctrl-C, 1 if something failed, and 2 for wrong flags.
//
// Read run first, then train in model.go, for one network; trainer.go for what is done at each step
// and epoch; history.go for the tables; checkpoints.go for what survives. What is in a checkpoint
// is in nn/train/checkpoint.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/progress"
	"pixelgrad/cmd/internal/report"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/nn/train"
	"pixelgrad/simd"
	"pixelgrad/tensor"
	"pixelgrad/vision"
)

func main() {
	cli.Command{Name: "train", Lasting: true, Stopping: "finishing the step and saving", Run: func(ctx context.Context, args []string, s cli.Streams) error {
		o, err := parseFlags(args, s.Out)
		if err != nil {
			return err
		}
		progress.To(s.Log)
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
	plain    []vision.Baseline // interpolation, at 144 and 288
	bicubic  []float64         // its PSNR in dB
	omitted  []report.Omission
	seen     struct{ train, val *features } // of the network that was trained last
}

// run trains the models. Results go to out, messages to log.
func run(ctx context.Context, o *options, out, log io.Writer) (err error) {
	stop := func() {}
	if o.UI != "" { // its page has a button
		ctx, stop = context.WithCancel(ctx)
		defer stop()
	}
	tensor.SetThreads(o.Threads)
	log = &turns{w: log}
	s := &session{options: o, out: out, log: log, start: time.Now().Round(time.Second)}
	all, err := s.prepareAll()
	if err != nil {
		return err
	}
	undo, err := s.claim(all)
	if err != nil {
		return err
	}
	begun := false
	defer func() { undo(!begun) }()
	page := &page{session: s, begun: time.Now()}
	if err := page.watch(stop); err != nil {
		return err
	}
	defer func() { page.close(ending(ctx, err)) }()
	all, failed, err := s.read(ctx, all)
	if ctx.Err() != nil {
		fmt.Fprintln(out, "Interrupted while reading photographs; nothing was trained.")
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.settle(); err != nil {
		return err
	}
	if err := page.begin(); err != nil {
		return err
	}
	begun = true
	if several := len(s.archs) > 1 || s.Repeat > 1; several && !s.resume { // one training's own are the same
		if err := s.config(s.Flags).Write(s.Out); err != nil {
			return err
		}
	}
	s.summary()
	for i, r := range all {
		if i > 0 {
			fmt.Fprintln(out)
		}
		if err := s.train(ctx, r, page); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", r.title, err)) // the others can still be compared
			if len(all) == 1 {
				failed = []error{err}
			} else {
				fmt.Fprintf(log, "train: %v\n", failed[len(failed)-1])
			}
			if !errors.As(err, new(*train.DivergedError)) {
				break
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	if s.resume && slices.ContainsFunc(all, func(r *modelRun) bool { return !r.begun && r.wasBegun() }) {
		fmt.Fprintf(out, "Not all that was trained before was read again: %s is as it was.\n", report.PageFile)
		return errors.Join(failed...)
	}
	if s.remake && !slices.ContainsFunc(all, func(r *modelRun) bool { return r.begun }) {
		if len(failed) == 0 {
			failed = []error{fmt.Errorf("-report %s: expected a run of which something is saved, found nothing; -resume goes on with it", s.Out)}
		}
		return errors.Join(failed...)
	}
	if len(all) > 1 {
		s.compare(all)
		if ctx.Err() == nil { // else somebody waits for the end, and the page has them, too
			failed = append(failed, s.drawComparisons(all))
		}
	}
	failed = append(failed, page.finish(ctx, all))
	fmt.Fprintf(out, "Results are in %s: open %s first.\n", o.Out, report.PageFile)
	return errors.Join(failed...)
}

// ending says to those who watch how it ended.
func ending(ctx context.Context, err error) string {
	switch {
	case err != nil:
		return "The training has failed: " + err.Error()
	case ctx.Err() != nil:
		return "The training was stopped, and everything is saved."
	}
	return "The training has finished."
}

// claim makes the folder of the run, or takes that of the run that goes on, for this process alone.
// undo gives it back, and removes it if it is empty and all is to be undone.
func (s *session) claim(all []*modelRun) (undo func(all bool), err error) {
	remove := func() {}
	if !s.resume {
		var inside []string
		for _, r := range all {
			inside = append(inside, r.dir)
		}
		if remove, err = makeOut(s.Out, inside); err != nil {
			return nil, err
		}
	}
	unlock, err := lockOut(s.Out)
	if err != nil {
		remove()
		return nil, err
	}
	pictures := filepath.Join(s.Out, report.PictureFolder)
	undo = func(all bool) {
		unlock()
		if all {
			os.Remove(pictures) // fails unless it is empty
			remove()
		}
	}
	if err := os.MkdirAll(pictures, 0o777); err != nil {
		undo(true)
		return nil, err
	}
	return undo, nil
}

// read reads the photographs, and plans the memory of all models: now, and not when others have
// been trained for hours. It returns the models that the machine can hold; if ctx is done, nothing
// that has a meaning.
func (s *session) read(ctx context.Context, all []*modelRun) (fit []*modelRun, failed []error, err error) {
	if s.photos, err = findPhotographs(s.options, s.log); err != nil {
		return nil, nil, err
	}
	if fit, failed, err = s.planAll(ctx, all); err != nil {
		return nil, nil, err
	}
	if err := s.photos.read(ctx, s.options, s.log); err != nil {
		return nil, nil, err
	}
	if len(s.photos.train.Skipped)+len(s.photos.val.Skipped) > 0 || s.Scale > 0 { // other batches
		var more []error
		if fit, more, err = s.planAll(ctx, fit); err != nil {
			return nil, nil, err
		}
		failed = append(failed, more...)
	}
	mid, large, err := vision.Baselines(ctx, s.photos.val, s.Threads)
	if err != nil {
		return nil, nil, err
	}
	s.plain = []vision.Baseline{mid, large}[:s.outputs()]
	for _, b := range s.plain {
		s.bicubic = append(s.bicubic, b.Bicubic.PSNR)
	}
	return fit, failed, nil
}

// settle compares the settings of a run that goes on with what is there.
func (s *session) settle() error {
	if !s.resume {
		return nil
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
	s.start, s.command = c.Start, c.Command
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

// turns lets several goroutines write, one at a time: a bar without a terminal writes its lines when
// it is time.
type turns struct {
	mu sync.Mutex
	w  io.Writer
}

func (t *turns) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.w.Write(p)
}
