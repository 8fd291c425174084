package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/report"
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
	item(s.out, "", "bicubic", s.decibels(s.bicubic)+" on the validation photographs: what plain interpolation reaches")
	item(s.out, "", "machine", fmt.Sprintf("%s, SIMD level %v", count(tensor.Threads(), "thread"), simd.Current()))
	if s.RandomFeatures {
		item(s.out, "", "features", "VGG16 and CLIP have random weights, for demonstration: what leans on them shows nothing of what they could do")
	}
	fmt.Fprintf(s.out, "results   in %s\n\n", s.Out) // a path is not broken
}

// decibels writes the PSNR of each output with the side it is for.
func (s *session) decibels(psnr []float64) string {
	text := ""
	for i, p := range psnr {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s dB (loss %.4f) at %d", hundredths(p), 1/p, s.sides()[i])
	}
	return text
}

// hundredths writes a PSNR, which is infinite for photographs of one colour.
func hundredths(psnr float64) string {
	if math.IsInf(psnr, 0) {
		return "∞"
	}
	return fmt.Sprintf("%.2f", psnr)
}

// count writes how many things there are: 1 step, 370 steps.
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return format.Thousands(n) + " " + thing
}

// heading says what model is going to be trained, and how.
func (t *trainer) heading() {
	fmt.Fprintf(t.out, "%s, %s parameters\n", t.title, format.Thousands(nn.Count(t.model)))
	item(t.out, "  ", "training", fmt.Sprintf("%s, %s of %s, learning rate %v, seed %d", count(t.Epochs, "epoch"), count(t.total, "step"), count(min(t.batch, t.photos.train.Len()), "photograph"), t.LR, t.flags.Seed))
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
	add(s.WarmUp > 0, "warm-up of %s", count(s.WarmUp, "step"))
	add(s.ClipNorm > 0, "gradients no longer than %v", s.ClipNorm)
	add(s.Augment.Flips, "photographs are flipped")
	add(s.Augment.Rotations, "photographs are turned")
	add(s.Crop > 0, "patches of %d×%d", s.Crop, s.Crop)
	add(s.EarlyStop > 0, "stops when the validation loss has not fallen for %s", count(s.EarlyStop, "epoch"))
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
			fmt.Fprintf(&line, ", Val: %s, PSNR: %5s dB", short(e.Val[i]), hundredths(float64(e.PSNR[i])))
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

// reached prints how a training went. failed is the loop's error, which is printed at the end.
func (t *trainer) reached(failed error) {
	if len(t.history.all()) > 0 {
		fmt.Fprintln(t.out)
	}
	at := t.loop.Position
	switch {
	case failed != nil: // and it would fail again
		fmt.Fprintf(t.out, "It was stopped after step %s by an error.\n", format.Thousands(at.Steps))
	case t.stopped != "":
		fmt.Fprintln(t.out, t.stopped)
		if !t.loop.Stalled() {
			fmt.Fprintln(t.out, "Go on with: "+commandLine([]string{"-resume", t.Out}))
		}
	}
	for i, p := range t.psnr() {
		after := fmt.Sprintf("%s in %s", count(at.Steps, "step"), duration(t.history.seconds()))
		if all := t.history.all(); all[len(all)-1].Val == nil {
			after = "the last whole epoch"
		}
		fmt.Fprintf(t.out, "%s reaches %s dB at %d after %s,\n%s.\n", t.title, hundredths(float64(p)), t.sides()[i], after, comparison(float64(p), t.bicubic[i]))
	}
}

// comparison says how a PSNR compares with bicubic interpolation's.
func comparison(psnr, bicubic float64) string {
	switch d := psnr - bicubic; {
	case math.IsNaN(d): // both are infinite
		return "as bicubic interpolation"
	case d < 0:
		return hundredths(-d) + " dB less than bicubic interpolation"
	default:
		return hundredths(d) + " dB more than bicubic interpolation"
	}
}

// compare prints what all models have reached in one table, on lines of less than 80 characters: a
// line for each, and below it what is to be said of it, such as the standard deviations of a
// network that was trained with several seeds.
func (s *session) compare(all []*modelRun) {
	t := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	row := func(name, parameters string, losses, psnr []string, seconds string) {
		cells := []string{name, parameters}
		for _, list := range [][]string{losses, psnr} {
			for i := range s.outputs() {
				if i == len(list) {
					list = append(list, "–")
				}
				cells = append(cells, list[i])
			}
		}
		fmt.Fprintln(t, strings.Join(append(cells, seconds), "\t"))
	}
	note := func(text string) { row("  "+text, "", []string{"", ""}, []string{"", ""}, "") }
	fmt.Fprintln(s.out)
	row("", "", []string{"loss at", "loss at"}, []string{"dB at", "dB at"}, "")
	row("model", "parameters", []string{"144", "288"}, []string{"144", "288"}, "seconds")
	for _, group := range groups(all) {
		first := group[0]
		seconds := 0.0
		for _, r := range group {
			seconds += r.history.seconds()
		}
		losses, psnr := spreads(group)
		cells := func(list []report.Spread, figure func(report.Spread) float64, text func(float64) string) (cells []string) {
			for _, x := range list {
				cells = append(cells, text(figure(x)))
			}
			return cells
		}
		mean, deviation := func(x report.Spread) float64 { return x.Mean }, func(x report.Spread) float64 { return x.Deviation }
		row(first.arch.Title, format.Thousands(nn.Count(first.model)), cells(losses, mean, short), cells(psnr, mean, hundredths), fmt.Sprintf("%.0f", seconds))
		if first.random() {
			note("random features")
		}
		if len(group) > 1 {
			row(fmt.Sprintf("  ± of %d seeds", len(group)), "", cells(losses, deviation, short), cells(psnr, deviation, hundredths), "")
		} else if first.stopped != "" {
			note("stopped early")
		}
	}
	var losses, psnr []string
	for _, p := range s.bicubic {
		if s.Loss == psnrLoss {
			losses = append(losses, short(1/p))
		}
		psnr = append(psnr, hundredths(p))
	}
	row("bicubic interpolation", "–", losses, psnr, "–")
	t.Flush()
	fmt.Fprintln(s.out, "Losses and PSNR in dB of the validation photographs, after the last epoch.")
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
func spreads(group []*modelRun) (losses, psnr []report.Spread) {
	for i := range group[0].arch.Outputs {
		var l, p []float64
		for _, r := range group {
			e := r.history.validated()
			l, p = append(l, e.Val[i]), append(p, float64(e.PSNR[i]))
		}
		losses, psnr = append(losses, report.NewSpread(l)), append(psnr, report.NewSpread(p))
	}
	return losses, psnr
}
