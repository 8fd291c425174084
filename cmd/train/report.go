package main

import (
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/plots"
	"pixelgrad/cmd/internal/progress"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/internal/atomicfile"
	"pixelgrad/nn"
	"pixelgrad/nn/train"
	"pixelgrad/simd"
	"pixelgrad/tensor"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// outputNames are what the outputs of a model are called, in files and in print.
var outputNames = []string{"mid", "large"}

// A report tells how the training of one model goes, on the terminal and in the
// run's folder.
type report struct {
	*session
	*modelRun
	total int // steps

	bar     *progress.Bar
	since   time.Time // when the epoch began
	images  int       // shown since then
	squares []float64 // sums of squared errors of the validation so far
	pixels  []float64 // and how many there are

	metrics, steps strings.Builder
	failed         error // what ended the training, if a file could not be written
}

func (r *report) path(name string) string { return filepath.Join(r.dir, name) }

// summary says what is going to be done with all models.
func (s *session) summary() {
	fmt.Fprintf(s.out, "data      %s\n", s.photos.set.Rule)
	if n := len(s.photos.train.Skipped) + len(s.photos.val.Skipped); n > 0 {
		fmt.Fprintf(s.out, "          less %d that were left out: %d and %d\n", n, s.photos.train.Len(), s.photos.val.Len())
	}
	fmt.Fprintf(s.out, "bicubic   %s on the validation photographs: what plain interpolation reaches\n", decibels(s.bicubic))
	fmt.Fprintf(s.out, "machine   %d threads, SIMD level %v\n", tensor.Threads(), simd.Current())
	if s.RandomFeatures {
		fmt.Fprintf(s.out, "features  VGG16 and CLIP have random weights, for demonstration: what leans on them shows nothing of what they could do\n")
	}
	fmt.Fprintf(s.out, "results   in %s\n\n", s.Out)
}

// heading says what model is going to be trained, and how.
func (r *report) heading() {
	fmt.Fprintf(r.out, "%s, %s parameters\n", r.title, format.Thousands(nn.Count(r.model)))
	fmt.Fprintf(r.out, "  training  %d epochs, %s steps of %d photographs, learning rate %v, seed %d\n", r.Epochs, format.Thousands(r.total), min(r.batch, r.photos.train.Len()), r.LR, r.Seed)
	if r.Init != "" {
		fmt.Fprintf(r.out, "  weights   from %s\n", r.Init)
	}
}

// begin writes what is known before the first step.
func (r *report) begin() error {
	names := outputNames[:r.arch.Outputs]
	columns := func(form string) string {
		s := ""
		for _, n := range names {
			s += fmt.Sprintf(","+form, n)
		}
		return s
	}
	fmt.Fprintf(&r.metrics, "epoch%s%s%s,seconds\n", columns("train_%s"), columns("val_%s"), columns("val_psnr_%s"))
	fmt.Fprintf(&r.steps, "step%s\n", columns("loss_%s"))
	config := runs.Config{
		Flags: r.Flags, Network: r.title, BatchUsed: r.batch, Photos: r.Source(),
		Train: r.photos.train.Len(), Val: r.photos.val.Len(), Skipped: len(r.photos.train.Skipped) + len(r.photos.val.Skipped),
		Parameters: nn.Count(r.model), TotalSteps: r.total, ThreadsUsed: tensor.Threads(),
		SIMD: simd.Current().String(), Go: runtime.Version(), Start: time.Now().Round(time.Second),
	}
	config.Model = r.arch.Name
	if r.extractor != nil && r.extractor.Input != "" {
		config.VGGInput = r.extractor.Input // what the weights told
	}
	if r.extractor != nil && r.extractor.CLIP != (frozen.CLIPOptions{}) {
		config.CLIPOptions = r.extractor.CLIP
	}
	for _, psnr := range r.bicubic[:r.arch.Outputs] {
		config.Bicubic = append(config.Bicubic, runs.Decibels(psnr))
	}
	if err := config.Write(r.dir); err != nil {
		return err
	}
	if err := r.writeSamples(); err != nil {
		return err
	}
	r.memory()
	fmt.Fprintln(r.out)
	r.bar = progress.New(r.total, "")
	r.since = time.Now()
	return nil
}

// step notes the losses of a step and moves the bar.
func (r *report) step(s train.Step) {
	fmt.Fprint(&r.steps, s.Step)
	sum := 0.0
	for _, v := range s.Losses {
		fmt.Fprintf(&r.steps, ",%.6g", v)
		sum += v
	}
	fmt.Fprintln(&r.steps)
	r.images += s.Size
	rate := float64(r.images) / time.Since(r.since).Seconds()
	r.bar.Set(s.Step, fmt.Sprintf("Epoch %d/%d  loss %.4f  %.0f images/s", s.Epoch, r.Epochs, sum, rate))
}

// validate adds up the squared errors of a validation batch.
func (r *report) validate(b batch, prediction superres.Output) {
	targets := b.Target.Sizes()
	if r.squares == nil {
		r.squares, r.pixels = make([]float64, len(targets)), make([]float64, len(targets))
	}
	for i, p := range prediction.Sizes() {
		n := float64(p.Data().Len())
		r.squares[i] += vision.MSE(p.Data(), targets[i].Data()) * n
		r.pixels[i] += n
	}
}

// epoch prints a line for an epoch, as the workshop does, and writes the files
// that are worth having if the machine fails now.
func (r *report) epoch(e train.Epoch) error {
	seconds := time.Since(r.since).Seconds()
	var psnr []float64
	for i, s := range r.squares {
		psnr = append(psnr, vision.Decibels(s/r.pixels[i]))
	}
	r.squares = nil
	r.epochs = append(r.epochs, e)
	if e.Val != nil {
		r.val, r.psnr = e.Val, psnr
	}

	var line, row strings.Builder
	fmt.Fprintf(&line, "Epoch [%d/%d]", e.Epoch, r.Epochs)
	fmt.Fprint(&row, e.Epoch)
	for i, v := range e.Train {
		fmt.Fprintf(&line, ", %s Loss: %.4f", capital(outputNames[i]), v)
		fmt.Fprintf(&row, ",%.6g", v)
	}
	if e.Val == nil {
		row.WriteString(strings.Repeat(",", 2*len(e.Train)))
	}
	for i, v := range e.Val {
		fmt.Fprintf(&line, ", Val %s: %.4f", capital(outputNames[i]), v)
		fmt.Fprintf(&row, ",%.6g", v)
	}
	for i, v := range psnr {
		fmt.Fprintf(&line, ", Val PSNR %s: %.2f dB", capital(outputNames[i]), v)
		fmt.Fprintf(&row, ",%.4f", v)
	}
	fmt.Fprintf(&row, ",%.3f\n", seconds)
	r.metrics.WriteString(row.String())
	if !e.Whole {
		line.WriteString(", stopped early")
	}
	r.bar.Clear()
	fmt.Fprintf(r.out, "%s, %.1f s\n", line.String(), seconds)
	r.since, r.images = time.Now(), 0
	r.failed = r.save()
	return r.failed
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// save writes the weights and the losses so far.
func (r *report) save() error {
	last := ""
	if n := len(r.epochs); n > 0 {
		last = fmt.Sprint(r.epochs[n-1].Steps)
	}
	if err := train.SaveWeights(r.path(runs.WeightsFile), r.model, map[string]string{"model": r.title, "steps": last}); err != nil {
		return err
	}
	if err := writeText(r.path(runs.MetricsFile), r.metrics.String()); err != nil {
		return err
	}
	return writeText(r.path(runs.StepsFile), r.steps.String())
}

// end writes all files for the last time, and prints how it went.
func (r *report) end(steps int) error {
	r.bar.Close()
	if r.failed != nil {
		return nil // said already; the disk is full, or worse
	}
	for _, write := range []func() error{r.save, r.writePredictions, r.writeLoss} {
		if err := write(); err != nil {
			return err
		}
	}
	if len(r.epochs) > 0 {
		fmt.Fprintln(r.out)
	}
	if r.wasStopped {
		fmt.Fprintf(r.out, "Interrupted after step %s of %s; everything up to there is saved.\n", format.Thousands(steps), format.Thousands(r.total))
	}
	for i, p := range r.psnr {
		than := "more than"
		if p < r.bicubic[i] {
			than = "less than"
		}
		after := fmt.Sprintf("%s steps in %.0f s", format.Thousands(steps), r.seconds)
		if r.epochs[len(r.epochs)-1].Val == nil {
			after = "the last whole epoch"
		}
		fmt.Fprintf(r.out, "%s reaches %.2f dB at %d, %.2f dB %s bicubic interpolation, after %s.\n",
			r.title, p, 144<<i, abs(p-r.bicubic[i]), than, after)
	}
	fmt.Fprintf(r.out, "Results are in %s: look at %s first.\n", r.dir, runs.PredictionsFile)
	return nil
}

func abs(x float64) float64 { return max(x, -x) }

// writeLoss draws the losses over epochs, with bicubic's beside them.
func (r *report) writeLoss() error {
	if len(r.epochs) == 0 {
		return nil
	}
	var curves []plots.Curve
	var lines []plots.Line
	for i, name := range outputNames[:r.arch.Outputs] {
		c := plots.Blue
		if i == 1 {
			c = plots.Orange
		}
		training, validation := plots.Curve{Name: name + ", training", Color: c}, plots.Curve{Name: name + ", validation", Color: c, Dashed: true}
		for _, e := range r.epochs {
			training.Values = append(training.Values, e.Train[i])
			if e.Val != nil {
				validation.Values = append(validation.Values, e.Val[i])
			}
		}
		curves = append(curves, training, validation)
		lines = append(lines, plots.Line{Name: fmt.Sprintf("bicubic, %d", 144<<i), Value: 1 / r.bicubic[i]})
	}
	return plots.WriteLoss(r.path(runs.LossFile), r.title+": loss over epochs", curves, lines)
}

func writeText(path, text string) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

// decibels writes the PSNR of each output with the side it is for.
func decibels(psnr []float64) string {
	s := ""
	for i, p := range psnr {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%.2f dB (loss %.4f) at %d", p, 1/p, 144<<i)
	}
	return s
}
