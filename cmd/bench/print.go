package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
)

// printResults writes tables that are Markdown and can be read as they are.
func printResults(out io.Writer, r results) {
	fmt.Fprintf(out, "%s, %d threads, %s\n", r.CPU, r.Threads, r.Go)
	for _, l := range r.Levels {
		fmt.Fprintf(out, "\nLevel %s\n\n", l.Level)
		t := newTable(out, "kernel", "unit", "1 thread", "of peak", fmt.Sprintf("%d threads", r.Threads), "of peak")
		for _, k := range l.Kernels {
			t.row(k.Name, k.Unit, fmt.Sprintf("%.1f", k.One), share(k.OneShare), fmt.Sprintf("%.1f", k.All), share(k.AllShare))
		}
		t.end()
	}
	if len(r.Models) == 0 {
		return
	}
	peer := ""
	for _, m := range r.Models {
		peer = m.Peer
	}
	fmt.Fprintf(out, "\nModels, batch %d\n\n", r.Models[0].Batch)
	if peer == "" {
		t := newTable(out, "model", "training step", "prediction", "peak memory")
		for _, m := range r.Models {
			t.row(m.Model, ms(m.Train), ms(m.Infer), mb(m.Memory))
		}
		t.end()
		return
	}
	t := newTable(out, "model", "", "ours", peer, "ours / theirs")
	for _, m := range r.Models {
		if m.Train > 0 {
			t.row(m.Model, "training step", ms(m.Train), ms(m.PeerTrain), fmt.Sprintf("%.3f", m.TrainRatio))
		}
		t.row(m.Model, "prediction", ms(m.Infer), ms(m.PeerInfer), fmt.Sprintf("%.3f", m.InferRatio))
		t.row(m.Model, "peak memory", mb(m.Memory), mb(m.PeerMemory), fmt.Sprintf("%.3f", m.MemoryRatio))
	}
	t.end()
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

func ms(s float64) string { return fmt.Sprintf("%.1f ms", 1000*s) }

func mb(b float64) string { return fmt.Sprintf("%.0f MB", b/1e6) }

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
