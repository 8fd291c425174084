package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"pixelgrad/cmd/internal/runs"
	"pixelgrad/nn/train"
)

// A history is what a training has led to so far. It is a part of every checkpoint, so that tables
// and curves go on where the network does.
type history struct {
	Epochs  []pastEpoch `json:"epochs"`  // whole ones
	Seconds float64     `json:"seconds"` // that the epoch in progress has taken

	// partial is the epoch in which the training was stopped; nil if there is none. It is not in
	// checkpoints: when the training goes on, it becomes a whole one.
	partial *pastEpoch
	steps   strings.Builder // steps.csv, without its first line
}

// A pastEpoch is an epoch with what the loop does not know of it.
type pastEpoch struct {
	train.Epoch
	PSNR    []runs.Decibels // of all validation photographs together, for each output
	Seconds float64
}

// The texts of a checkpoint.
const (
	historyText = "history"
	stepsText   = "steps"
	flagsText   = "flags"
)

// texts returns what a checkpoint keeps of the history.
func (h *history) texts() (map[string]string, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	return map[string]string{historyText: string(text), stepsText: h.steps.String()}, nil
}

// restore sets the history to that of a checkpoint after so many whole epochs, of a network with so
// many outputs.
func (h *history) restore(texts map[string]string, epochs, outputs int) error {
	var old history
	if err := json.Unmarshal([]byte(texts[historyText]), &old); err != nil {
		return fmt.Errorf("expected a history of epochs, found none (%w)", err)
	}
	if len(old.Epochs) != epochs {
		return fmt.Errorf("expected a history of %d epochs, found %d", epochs, len(old.Epochs))
	}
	for i, e := range old.Epochs {
		if e.Epoch.Epoch != i+1 || len(e.Train) != outputs || len(e.Val) != outputs || len(e.PSNR) != outputs {
			return fmt.Errorf("expected epoch %d with %d outputs in its history, found epoch %d with %d, %d and %d", i+1, outputs, e.Epoch.Epoch, len(e.Train), len(e.Val), len(e.PSNR))
		}
	}
	h.Epochs, h.Seconds = old.Epochs, old.Seconds
	h.steps.Reset()
	h.steps.WriteString(texts[stepsText])
	return nil
}

// all returns the whole epochs, and the one in which the training was stopped.
func (h *history) all() []pastEpoch {
	if h.partial == nil {
		return h.Epochs
	}
	return append(slices.Clip(h.Epochs), *h.partial)
}

// validated returns the last epoch that was validated; nil if none was.
func (h *history) validated() *pastEpoch {
	for _, e := range slices.Backward(h.all()) {
		if e.Val != nil {
			return &e
		}
	}
	return nil
}

// outputNames are what the outputs of a model are called, in files and in print.
var outputNames = []string{"mid", "large"}

// columns returns a table's columns for each output.
func columns(outputs int, forms ...string) string {
	s := ""
	for _, form := range forms {
		for _, name := range outputNames[:outputs] {
			s += "," + fmt.Sprintf(form, name)
		}
	}
	return s
}

// metricsTable returns metrics.csv: losses and PSNR in dB, an epoch a line. An epoch that was not
// validated leaves these columns empty.
func (h *history) metricsTable(outputs int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "epoch%s\n", columns(outputs, "train_%s", "val_%s", "val_psnr_%s"))
	for _, e := range h.all() {
		fmt.Fprint(&b, e.Epoch.Epoch)
		for _, v := range e.Train {
			fmt.Fprintf(&b, ",%.6g", v)
		}
		if e.Val == nil {
			b.WriteString(strings.Repeat(",", 2*outputs))
		}
		for _, v := range e.Val {
			fmt.Fprintf(&b, ",%.6g", v)
		}
		for _, v := range e.PSNR {
			if math.IsInf(float64(v), 1) {
				b.WriteString(",inf")
				continue
			}
			fmt.Fprintf(&b, ",%.4f", float64(v))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// timesTable returns times.csv: the seconds of each epoch. They are in a table of their own because
// all else is the same for every training with the same settings.
func (h *history) timesTable() string {
	var b strings.Builder
	b.WriteString("epoch,seconds\n")
	for _, e := range h.all() {
		fmt.Fprintf(&b, "%d,%.3f\n", e.Epoch.Epoch, e.Seconds)
	}
	return b.String()
}

// stepsTable returns steps.csv: the losses of each step and its learning rate, and how long the
// gradients were if those are clipped.
func (h *history) stepsTable(outputs int, clipped bool) string {
	head := "step" + columns(outputs, "loss_%s") + ",learning_rate"
	if clipped {
		head += ",gradient_norm"
	}
	return head + "\n" + h.steps.String()
}

// step notes a step.
func (h *history) step(s train.Step, clipped bool) {
	fmt.Fprint(&h.steps, s.Step)
	for _, v := range s.Losses {
		fmt.Fprintf(&h.steps, ",%.6g", v)
	}
	fmt.Fprintf(&h.steps, ",%.6g", s.LearningRate)
	if clipped {
		fmt.Fprintf(&h.steps, ",%.6g", s.Norm)
	}
	h.steps.WriteByte('\n')
}

// seconds returns how long all epochs took.
func (h *history) seconds() float64 {
	sum := h.Seconds
	for _, e := range h.Epochs {
		sum += e.Seconds
	}
	return sum
}
