package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/nn"
	"pixelgrad/simd"
	"pixelgrad/tensor"
)

// item prints a text beside its name, on lines of less than 80 characters.
func item(w io.Writer, indent, name, text string) {
	const column, width = 10, 79
	line := fmt.Sprintf("%s%-*s", indent, column, name)
	empty := len([]rune(line))
	n := empty
	for word := range strings.FieldsSeq(text) {
		size := len([]rune(word))
		if n > empty && n+1+size > width {
			fmt.Fprintln(w, line)
			line, n = strings.Repeat(" ", empty), empty
		}
		if n > empty {
			line, n = line+" ", n+1
		}
		line, n = line+word, n+size
	}
	fmt.Fprintln(w, line)
}

// summary says what is going to be done with all models.
func (s *session) summary() {
	item(s.out, "", "data", s.photos.set.Rule)
	if n := len(s.photos.train.Skipped) + len(s.photos.val.Skipped); n > 0 {
		item(s.out, "", "", fmt.Sprintf("less %d that were left out: %d and %d", n, s.photos.train.Len(), s.photos.val.Len()))
	}
	item(s.out, "", "bicubic", decibels(s.bicubic)+" on the validation photographs: what plain interpolation reaches")
	item(s.out, "", "machine", fmt.Sprintf("%d threads, SIMD level %v", tensor.Threads(), simd.Current()))
	if s.RandomFeatures {
		item(s.out, "", "features", "VGG16 and CLIP have random weights, for demonstration: what leans on them shows nothing of what they could do")
	}
	fmt.Fprintf(s.out, "results   in %s\n\n", s.Out) // a path is not broken
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

// heading says what model is going to be trained, and how.
func (t *trainer) heading() {
	fmt.Fprintf(t.out, "%s, %s parameters\n", t.title, format.Thousands(nn.Count(t.model)))
	item(t.out, "  ", "training", fmt.Sprintf("%d epochs, %s steps of %d photographs, learning rate %v, seed %d", t.Epochs, format.Thousands(t.total), min(t.batch, t.photos.train.Len()), t.LR, t.flags.Seed))
	if practice := t.practice(); practice != "" {
		item(t.out, "  ", "practice", practice)
	}
	if t.Init != "" {
		fmt.Fprintf(t.out, "  weights   from %s\n", t.Init)
	}
}

// practice says what is not as usual.
func (s *session) practice() string {
	var parts []string
	add := func(on bool, format string, args ...any) {
		if on {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	d := runs.Defaults()
	add(s.Loss != d.Loss, "loss %s", s.Loss)
	add(s.Schedule != d.Schedule, "learning rate by the schedule %s", s.Schedule)
	add(s.WarmUp > 0, "warm-up of %d steps", s.WarmUp)
	add(s.ClipNorm > 0, "gradients no longer than %v", s.ClipNorm)
	add(s.Augment.Flips, "photographs are flipped")
	add(s.Augment.Rotations, "photographs are turned")
	add(s.Crop > 0, "patches of %d×%d", s.Crop, s.Crop)
	add(s.EarlyStop > 0, "stops when the validation loss has not fallen for %d epochs", s.EarlyStop)
	return strings.Join(parts, ", ")
}

// epochLines prints an epoch in the words of the workshop, a line for each output. The lines stand
// in columns and have less than 80 characters:
//
//	Epoch [ 1/10], Mid Loss:   0.0421, Val: 0.0398, PSNR: 25.12 dB, 12.3 s, best
//	               Large Loss: 0.0460, Val: 0.0441, PSNR: 22.68 dB
func (t *trainer) epochLines(e pastEpoch) {
	digits := len(fmt.Sprint(t.Epochs))
	head := fmt.Sprintf("Epoch [%*d/%d], ", digits, e.Epoch.Epoch, t.Epochs)
	for i, v := range e.Train {
		var line strings.Builder
		name := capital(outputNames[i]) + " Loss: "
		if len(e.Train) > 1 {
			name = fmt.Sprintf("%-12s", name) // as long as the longest
		}
		fmt.Fprintf(&line, "%s%s%s", head, name, short(v))
		if e.Val != nil {
			fmt.Fprintf(&line, ", Val: %s, PSNR: %5.2f dB", short(e.Val[i]), float64(e.PSNR[i]))
		}
		if i == 0 {
			fmt.Fprintf(&line, ", %.1f s", e.Seconds)
			switch {
			case !e.Whole || e.Val == nil:
				line.WriteString(", stopped")
			case e.Best:
				line.WriteString(", best")
			}
		}
		fmt.Fprintln(t.out, line.String())
		head = strings.Repeat(" ", len(head))
	}
}

// short writes a loss in six characters: losses of other kinds than 1/PSNR may be small or large.
func short(v float64) string {
	switch {
	case v != 0 && v < 0.001, v >= 1000:
		return fmt.Sprintf("%6.0e", v)
	case v >= 10:
		return fmt.Sprintf("%6.2f", v)
	}
	return fmt.Sprintf("%6.4f", v)
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// reached prints how a training went, and, if it was stopped and can go on, how.
func (t *trainer) reached(canGoOn bool) {
	if len(t.history.all()) > 0 {
		fmt.Fprintln(t.out)
	}
	at := t.loop.Position
	if t.stopped != "" {
		fmt.Fprintln(t.out, t.stopped)
	}
	if canGoOn && at.Steps < t.total && t.stopped != "" && !t.loop.Stalled() {
		fmt.Fprintf(t.out, "Go on with: go run ./cmd/train -resume %s\n", t.Out)
	}
	for i, p := range t.psnr() {
		after := fmt.Sprintf("%s steps in %.0f s", format.Thousands(at.Steps), t.history.seconds())
		if all := t.history.all(); all[len(all)-1].Val == nil {
			after = "the last whole epoch"
		}
		fmt.Fprintf(t.out, "%s reaches %.2f dB at %d after %s,\n%s.\n", t.title, float64(p), 144<<i, after, comparison(float64(p), t.bicubic[i]))
	}
}

// comparison says how a PSNR compares with bicubic interpolation's.
func comparison(psnr, bicubic float64) string {
	switch d := psnr - bicubic; {
	case math.IsNaN(d): // both are infinite
		return "as bicubic interpolation"
	case d < 0:
		return fmt.Sprintf("%.2f dB less than bicubic interpolation", -d)
	default:
		return fmt.Sprintf("%.2f dB more than bicubic interpolation", d)
	}
}

// compare prints what all models have reached in one table: a line for each, or, of a network that
// was trained with several seeds, the mean and the standard deviation.
func (s *session) compare(all []*modelRun) {
	fmt.Fprintln(s.out)
	t := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "model\tparameters\tmid loss\tlarge loss\tPSNR at 144\tPSNR at 288\tseconds\n")
	for _, group := range groups(all) {
		first := group[0]
		title := first.name()
		if len(group) > 1 {
			title += fmt.Sprintf(", %d seeds", len(group))
		} else if first.stopped != "" {
			title += ", stopped early"
		}
		losses, psnr := spreads(group)
		seconds := 0.0
		for _, r := range group {
			seconds += r.history.seconds()
		}
		cell := func(list []runs.Spread, i int, digits int, unit string) string {
			if i >= len(list) {
				return "–"
			}
			return list[i].Text(digits) + unit
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%.0f\n", title, format.Thousands(nn.Count(first.model)),
			cell(losses, 0, 4, ""), cell(losses, 1, 4, ""), cell(psnr, 0, 2, " dB"), cell(psnr, 1, 2, " dB"), seconds)
	}
	number := func(i int, form string, inverse bool) string {
		if i >= len(s.bicubic) || inverse && s.Loss != psnrLoss {
			return "–"
		}
		v := s.bicubic[i]
		if inverse {
			v = 1 / v
		}
		return fmt.Sprintf(form, v)
	}
	fmt.Fprintf(t, "bicubic interpolation\t–\t%s\t%s\t%s\t%s\t–\n", number(0, "%.4f", true), number(1, "%.4f", true), number(0, "%.2f dB", false), number(1, "%.2f dB", false))
	t.Flush()
	io.WriteString(s.out, "Losses and PSNR are those of the validation photographs after the last epoch.\n")
}

// groups returns the trainings that were validated, those of a network together.
func groups(all []*modelRun) [][]*modelRun {
	var groups [][]*modelRun
	for _, r := range all {
		if r.psnr() == nil {
			continue
		}
		if n := len(groups); n > 0 && groups[n-1][0].arch.Name == r.arch.Name {
			groups[n-1] = append(groups[n-1], r)
			continue
		}
		groups = append(groups, []*modelRun{r})
	}
	return groups
}

// spreads returns, for each output, the validation losses and PSNR of trainings with other seeds.
func spreads(group []*modelRun) (losses, psnr []runs.Spread) {
	for i := range group[0].arch.Outputs {
		var l, p []float64
		for _, r := range group {
			e := r.history.validated()
			l, p = append(l, e.Val[i]), append(p, float64(e.PSNR[i]))
		}
		losses, psnr = append(losses, runs.NewSpread(l)), append(psnr, runs.NewSpread(p))
	}
	return losses, psnr
}
