package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/plots"
	"pixelgrad/cmd/internal/progress"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/cmd/internal/tensorboard"
	"pixelgrad/internal/atomicfile"
	"pixelgrad/nn"
	"pixelgrad/nn/train"
	"pixelgrad/simd"
	"pixelgrad/tensor"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// A trainer watches over the training of one model: the loop tells it of steps and epochs, and it
// saves them first and then shows them.
type trainer struct {
	*session
	*modelRun
	ctx   context.Context
	page  *page
	board *tensorboard.Writer // nil without -tensorboard

	bar     *progress.Bar
	since   time.Time // when the epoch began, or its seconds were counted last
	began   time.Time // when the training of the epoch began
	images  int       // shown since then
	squares []float64 // sums of squared errors of the validation so far
	pixels  []float64 // and how many there are

	resumed int   // the step from which it goes on
	unsaved error // why there is no checkpoint of this moment; nil if there is one
}

func (t *trainer) path(name string) string { return filepath.Join(t.dir, name) }

// restore goes back to the newest checkpoint, if there is one.
func (t *trainer) restore() error {
	t.saved = &checkpoints{dir: t.path(checkpointFolder), every: t.SaveEvery, at: time.Now(), log: func(format string, args ...any) {
		fmt.Fprintf(t.log, "train: "+format+"\n", args...)
	}}
	if !t.resume {
		return nil
	}
	var found bool
	found, err := t.saved.restore(!t.remake, func(path string) error {
		texts, err := t.loop.Restore(path)
		if err != nil {
			return err
		}
		var flags runs.Flags
		if err := json.Unmarshal([]byte(texts[flagsText]), &flags); err != nil {
			return fmt.Errorf("%s: expected the settings of the run, found none (%w)", path, err)
		}
		if name, run, asked := flags.Difference(&t.flags); name != "" {
			return fmt.Errorf("%s: the checkpoint is of a run with other settings: -%s is %s in it, and %s now", path, name, run, asked)
		}
		if n := len(t.loop.Position.Losses.Sum); n != 0 && n != t.arch.Outputs {
			return fmt.Errorf("%s: expected sums of the losses of %d outputs, found %d", path, t.arch.Outputs, n)
		}
		if err := t.history.restore(texts, t.loop.Position.Epoch, t.arch.Outputs); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := os.Stat(t.path(runs.WeightsFile)); err == nil && !found {
		return fmt.Errorf("%s: expected checkpoints in %s beside it, found none, and nothing goes on from weights alone; begin another run, perhaps with -init %s", t.path(runs.WeightsFile), checkpointFolder, t.path(runs.WeightsFile))
	}
	if !found && !t.remake {
		if err := t.initialise(func(line string) { fmt.Fprintln(t.log, line) }); err != nil {
			return err
		}
	}
	t.resumed = t.loop.Position.Steps
	t.begun = found
	switch at := t.loop.Position; {
	case t.remake && found:
	case t.remake:
		fmt.Fprintln(t.out, "  resuming  nothing was saved of this network")
	case !found:
		fmt.Fprintln(t.out, "  resuming  nothing was saved yet: from the beginning")
	case t.finished():
		fmt.Fprintf(t.out, "  resuming  all is trained, %d steps\n", at.Steps)
	default:
		fmt.Fprintf(t.out, "  resuming  after step %d, in epoch %d\n", at.Steps, at.Epoch+1)
	}
	if at := t.loop.Position; found && !t.remake && at.BestEpoch > 0 && at.BestEpoch == at.Epoch && at.Batches == 0 {
		return t.saved.keepBest() // the process may have ended before that
	}
	return nil
}

// data makes the batches, with the features of a frozen network if there is one.
func (t *trainer) data(ctx context.Context) (err error) {
	training := batches{vision.NewLoader(t.photos.train, t.batch, vision.LoaderOptions{Seed: t.flags.Seed, Shuffle: t.Shuffle, Alteration: t.alteration()}), t.arch.Outputs, nil}
	validation := batches{vision.NewLoader(t.photos.val, t.batch, vision.LoaderOptions{}), t.arch.Outputs, nil}
	if t.finished() || t.remake {
		training.features, validation.features = newFeatures(t.extractor), newFeatures(t.extractor)
	} else if training.features, validation.features, err = t.bothFeatures(ctx, t.extractor, t.need()); err != nil {
		if ctx.Err() == nil || !t.begun {
			return err
		}
		// What was trained before is shown, and needs few of them.
		training.features, validation.features = newFeatures(t.extractor), newFeatures(t.extractor)
	}
	t.valued = validation.features
	t.loop.Train, t.loop.Validation = training, validation
	return nil
}

// begin writes what is known before the first step.
func (t *trainer) begin() error {
	t.begun, t.since, t.began = true, time.Now(), time.Now()
	if t.remake {
		t.bar, t.loop.MaxSteps = &progress.Bar{}, t.loop.Position.Steps // to validate, no more
		t.loop.OnValidate, t.loop.OnEpoch = t.validate, t.epoch
		if t.loop.Position.Batches > 0 {
			fmt.Fprintln(t.out) // the lines of an epoch follow
		}
		return nil
	}
	if err := os.MkdirAll(t.dir, 0o777); err != nil {
		return err
	}
	// They are there already if the run goes on.
	if err := t.writeConfig(); err != nil {
		return err
	}
	if _, err := os.Stat(t.path(runs.SamplesFile)); err != nil {
		if err := t.writeSamples(); err != nil {
			return err
		}
	}
	t.memory()
	fmt.Fprintln(t.out)
	t.bar = progress.New(t.total, "")
	t.bar.Lines(t.log)
	t.bar.Set(t.resumed, "")
	if !t.finished() {
		t.openBoard()
	}
	t.since, t.began = time.Now(), time.Now()
	t.loop.OnStep, t.loop.OnValidate, t.loop.OnEpoch = t.step, t.validate, t.epoch
	return nil
}

// writeConfig writes config.json if there is none: no training goes on without it.
func (t *trainer) writeConfig() error {
	if _, err := os.Stat(t.path(runs.ConfigFile)); err == nil {
		return nil
	}
	c := t.config(t.flags)
	c.Network, c.Parameters, c.TotalSteps = t.title, nn.Count(t.model), t.total
	return c.Write(t.dir)
}

// config returns what config.json holds about all trainings of the run, and the flags of one.
func (s *session) config(f runs.Flags) *runs.Config {
	c := &runs.Config{
		Flags: f, Network: f.Model, BatchUsed: s.batch, Photos: s.Source(),
		Train: s.photos.train.Len(), Val: s.photos.val.Len(), Skipped: len(s.photos.train.Skipped) + len(s.photos.val.Skipped),
		Command: s.command, ThreadsUsed: tensor.Threads(), SIMD: simd.Current().String(), Go: runtime.Version(), Start: s.start,
		DataSum: s.photos.sum(),
	}
	for _, psnr := range s.bicubic {
		c.Bicubic = append(c.Bicubic, runs.Decibels(psnr))
	}
	return c
}

// step notes the losses of a step, saves them if it is time to, and moves the bar.
func (t *trainer) step(s train.Step) {
	t.history.step(s, t.ClipNorm > 0)
	t.images += s.Size
	t.boardStep(s)
	if t.saved.due(s.Step) {
		t.checkpoint()
	}
	sum := 0.0
	for _, v := range s.Losses {
		sum += v
	}
	rate := float64(t.images) / time.Since(t.began).Seconds()
	text := fmt.Sprintf("Epoch %d/%d  loss %.4f  %.0f images/s", s.Epoch, t.Epochs, sum, rate)
	t.bar.Set(s.Step, text)
	paused := t.page.now(t, s, text, rate)
	t.since, t.began = t.since.Add(paused), t.began.Add(paused)
}

// validate adds up the squared errors of a validation batch.
func (t *trainer) validate(b batch, prediction superres.Output) {
	targets := b.Target.Sizes()
	if t.squares == nil {
		t.squares, t.pixels = make([]float64, len(targets)), make([]float64, len(targets))
	}
	for i, p := range prediction.Sizes() {
		n := float64(p.Data().Len())
		t.squares[i] += vision.MSE(p.Data(), targets[i].Data()) * n
		t.pixels[i] += n
	}
}

// epoch saves an epoch, and then prints a line for it. What cannot be saved now may be the next
// time: the training goes on.
func (t *trainer) epoch(e train.Epoch) error {
	past := pastEpoch{Epoch: e, Seconds: t.count()}
	if e.Val != nil {
		for i, s := range t.squares {
			past.PSNR = append(past.PSNR, runs.Decibels(vision.Decibels(s/t.pixels[i])))
		}
	}
	t.squares, t.images = nil, 0
	if whole := e.Whole && e.Val != nil; whole {
		t.history.Epochs, t.history.Seconds = append(t.history.Epochs, past), 0
	} else {
		t.history.partial = &past
	}
	if !t.remake {
		t.boardEpoch(past)
		t.checkpoint()
		if e.Best && t.unsaved == nil {
			t.say(t.saved.keepBest())
		}
		t.say(t.save())
	}
	t.bar.Clear()
	t.epochLines(past)
	t.say(t.page.epoch(t.modelRun))
	t.began = time.Now()
	return nil
}

// count returns the seconds of the epoch so far.
func (t *trainer) count() float64 {
	now := time.Now()
	t.history.Seconds += now.Sub(t.since).Seconds()
	t.since = now
	return t.history.Seconds
}

// checkpoint saves a checkpoint. What cannot be saved now may be the next time.
func (t *trainer) checkpoint() {
	t.tryCheckpoint()
	t.say(t.unsaved)
}

// tryCheckpoint saves a checkpoint, unless the last step made numbers that nobody can go on with.
func (t *trainer) tryCheckpoint() {
	if !t.loop.Finite() {
		return
	}
	t.count()
	t.flushBoard()
	t.unsaved = t.saved.save(t.loop.Position.Steps, func(path string) error {
		texts, err := t.history.texts()
		if err != nil {
			return err
		}
		flags, err := json.Marshal(t.flags)
		if err != nil {
			return err
		}
		texts[flagsText] = string(flags)
		return errors.Join(t.loop.Save(path, texts), t.writeConfig()) // somebody may have removed the folder
	})
}

// say says that something could not be saved.
func (t *trainer) say(err error) {
	if err == nil {
		return
	}
	t.bar.Clear()
	next := "the training goes on, and this is tried again the next time"
	if t.ctx.Err() != nil {
		next = "this is tried once more"
	}
	fmt.Fprintf(t.log, "train: %v\n  %s\n", err, next)
}

// save writes the weights and the tables.
func (t *trainer) save() error {
	if err := train.SaveWeights(t.path(runs.WeightsFile), t.model, map[string]string{"model": t.arch.Title, "steps": fmt.Sprint(t.loop.Position.Steps)}); err != nil {
		return err
	}
	return t.saveTables()
}

// saveTables writes the tables.
func (t *trainer) saveTables() error {
	var errs []error
	for _, table := range []struct{ name, text string }{
		{runs.MetricsFile, t.history.metricsTable(t.arch.Outputs)},
		{runs.TimesFile, t.history.timesTable()},
		{runs.StepsFile, t.history.stepsTable(t.arch.Outputs, t.ClipNorm > 0)},
	} {
		errs = append(errs, t.writeTable(t.path(table.name), func(w io.Writer) error {
			_, err := io.WriteString(w, table.text)
			return err
		}))
	}
	return errors.Join(errs...)
}

// writeTable writes a table, by another name if a spreadsheet has it open and the system then does
// not replace it.
func (s *session) writeTable(path string, write func(w io.Writer) error) error {
	used, err := atomicfile.WriteAside(path, write)
	if err == nil && used != path {
		fmt.Fprintf(s.log, "train: %s is open in another program; the new table is %s\n", path, used)
	}
	return err
}

// end writes all files for the last time, and prints how it went. failed is the loop's error.
func (t *trainer) end(failed error) error {
	t.bar.Close()
	at := t.loop.Position
	switch {
	case failed != nil:
		t.stopped = fmt.Sprintf("It was stopped after step %s by an error: %v.", format.Thousands(at.Steps), failed)
	case t.loop.Stalled() && at.Epoch < t.Epochs:
		t.stopped = fmt.Sprintf("It was stopped after epoch %d, as the validation loss had not fallen since epoch %d.", at.Epoch, at.BestEpoch)
	case at.Steps < t.total:
		t.stopped = fmt.Sprintf("It was stopped after step %s of %s.", format.Thousands(at.Steps), format.Thousands(t.total))
	}
	var errs []error
	if !t.remake {
		t.closeBoard()
		if t.unsaved != nil && failed == nil {
			t.tryCheckpoint()
			errs = append(errs, t.unsaved)
		}
		switch {
		case at.Steps == 0:
		case at.Steps > t.resumed || failed == nil:
			errs = append(errs, t.save())
		default: // a step diverged, and the weights of the checkpoint led there; the file has older ones
			errs = append(errs, t.saveTables())
		}
	}
	t.loop.Release()
	t.loop.Train, t.loop.Validation = nil, nil
	debug.FreeOSMemory() // the memory of the steps, before pictures are drawn and the next network is trained
	errs = append(errs, t.writePredictions(), t.writeLoss(), t.page.end(t.modelRun, !t.resume || at.Steps > t.resumed))
	t.reached(failed)
	return errors.Join(errs...)
}

// writeLoss draws the losses over epochs, with bicubic's beside them.
func (t *trainer) writeLoss() error {
	if len(t.history.all()) == 0 {
		return nil
	}
	var curves []plots.Curve
	var lines []plots.Line
	for i, name := range outputNames[:t.arch.Outputs] {
		c := plots.Blue
		if i == 1 {
			c = plots.Orange
		}
		training, validation := plots.Curve{Name: name + ", training", Color: c}, plots.Curve{Name: name + ", validation", Color: c, Dashed: true}
		for _, e := range t.history.all() {
			training.Values = append(training.Values, e.Train[i])
			if e.Val != nil {
				validation.Values = append(validation.Values, e.Val[i])
			}
		}
		curves = append(curves, training, validation)
		if t.Loss == psnrLoss {
			lines = append(lines, plots.Line{Name: fmt.Sprintf("bicubic, %d", t.sides()[i]), Value: 1 / t.bicubic[i]})
		}
	}
	return plots.WriteLoss(t.path(runs.LossFile), t.title+": loss over epochs", t.lossAxis(), curves, lines)
}

// psnrLoss is the loss that interpolation's PSNR can be compared with.
const psnrLoss = "psnr"

// lossAxis is the label of the losses' axis.
func (s *session) lossAxis() string {
	if s.Loss == psnrLoss {
		return "loss, 1 / PSNR (1/dB)"
	}
	k, err := superres.FindLoss(s.Loss)
	if err != nil {
		return "loss"
	}
	return "loss: " + k.Does
}
