package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"pixelgrad/cmd/internal/format"
)

// printResults writes tables that are Markdown and can be read as they are.
func printResults(out io.Writer, r results) {
	fmt.Fprintf(out, "%s, %d threads, %s\n", r.CPU, r.Threads, r.Go)
	for _, l := range r.Levels {
		fmt.Fprintf(out, "\nLevel %s\n\n", l.Level)
		t := newTable(out, "kernel", "unit", "1 thread", "of peak", fmt.Sprintf("%d threads", r.Threads), "of peak", fmt.Sprintf("%d threads / 1 thread", r.Threads))
		winograd := false
		for _, k := range l.Kernels {
			t.row(k.Name, k.Unit, fmt.Sprintf("%.1f", k.One), share(k.OneShare), fmt.Sprintf("%.1f", k.All), share(k.AllShare), fmt.Sprintf("%.2f", k.Speedup))
			winograd = winograd || strings.HasSuffix(k.Name, winogradMark)
		}
		t.end()
		if winograd {
			fmt.Fprint(out, "\nOf Winograd's way the operations of the direct way are counted, of which it does fewer.\n")
		}
	}
	if len(r.Models) > 0 {
		printModels(out, r.Models)
	}
	if len(r.Costs) > 0 {
		printCost(out, r.Costs)
	}
	if r.Scaling != nil {
		printScaling(out, r.Scaling)
	}
	if r.Photos != nil {
		printPhotos(out, r.Photos, r.Threads)
	}
}

// printModels writes how ours compares with the fastest, and what each takes, with a column for
// each peer.
func printModels(out io.Writer, models []modelResult) {
	fmt.Fprint(out, "\nModels\n\n")
	printFastest(out, models)
	columns := peerColumns(models)
	titles := []string{"model", "", "ours"}
	for _, c := range columns {
		titles = append(titles, c.title())
	}
	t := newTable(out, titles...)
	var notes []string
	for _, m := range models {
		label := m.title()
		row := func(what string, show func(float64) string, of func(figures) float64, ratio func(peerResult) float64) {
			if of(m.figures) == 0 {
				return
			}
			cells := []string{label, what, show(of(m.figures))}
			for _, c := range columns {
				cell := ""
				if p := c.of(m); p != nil && of(p.figures) != 0 {
					cell = show(of(p.figures))
					if ratio != nil {
						cell += fmt.Sprintf(" (%.3f)", ratio(*p))
					}
				}
				cells = append(cells, cell)
			}
			t.row(cells...)
			label = "" // once
		}
		row("training step", format.Milliseconds, func(f figures) float64 { return f.Train }, func(p peerResult) float64 { return p.TrainRatio })
		row("… of peak", share, func(f figures) float64 { return f.TrainShare }, nil)
		row("prediction", format.Milliseconds, func(f figures) float64 { return f.Infer }, func(p peerResult) float64 { return p.InferRatio })
		row("… of peak", share, func(f figures) float64 { return f.InferShare }, nil)
		row("peak memory, training", format.Megabytes, func(f figures) float64 { return f.TrainMemory }, func(p peerResult) float64 { return p.TrainMemoryRatio })
		row("peak memory, prediction", format.Megabytes, func(f figures) float64 { return f.InferMemory }, func(p peerResult) float64 { return p.InferMemoryRatio })
		for _, p := range m.Peers {
			if p.TooSlow > 0 {
				notes = append(notes, fmt.Sprintf("%s: %s needed %.0f s for a prediction and was left out.", m.title(), columnOf(p, m.Peers).title(), p.TooSlow))
			}
		}
	}
	t.end()
	var peaks []float64
	for _, m := range models {
		peaks = append(peaks, m.Peak/1e9)
	}
	if len(columns) > 0 {
		fmt.Fprint(out, "\nIn brackets: ours / theirs.")
	}
	fmt.Fprintf(out, "\nShares are of the peak of all threads, measured in turn with each model: %.0f to %.0f GFLOP/s.\n", slices.Min(peaks), slices.Max(peaks))
	fmt.Fprint(out, "They count the multiplications of the model's definition: who needs fewer may exceed 100%.\n")
	for _, c := range columns {
		if c.plain {
			fmt.Fprintf(out, "%s, is how most people run it: %s, with the system's allocator.\n", c.title(), c.plainVariant(models))
		}
	}
	for _, n := range notes {
		fmt.Fprintln(out, n)
	}
}

// title names a model with how much it gets.
func (m modelResult) title() string {
	if m.Picture != "" {
		return m.Model + "@" + m.Picture
	}
	return fmt.Sprintf("%s@%d", m.Model, m.Batch)
}

// A table is a Markdown table whose columns line up.
type table struct{ w *tabwriter.Writer }

func newTable(out io.Writer, titles ...string) table {
	t := table{tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)}
	t.row(titles...)
	lines := make([]string, len(titles))
	for i := range lines {
		lines[i] = "---"
	}
	t.row(lines...)
	return t
}

func (t table) row(cells ...string) {
	fmt.Fprintf(t.w, "| %s\t|\n", strings.Join(cells, "\t| "))
}

func (t table) end() { t.w.Flush() }

func share(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f%%", 100*v)
}

// cpuName returns what the system calls the processor.
func cpuName() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH
}
