package main

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/nn/train"
)

// TestCompareTable prints the table of all networks, with all that may be said of them: a class reads
// it on a terminal of 80 columns.
func TestCompareTable(t *testing.T) {
	var out strings.Builder
	s := &session{options: parse(t, []string{"-model", "all"}), out: &out, bicubic: []float64{27.32, math.Inf(1)}}
	var all []*modelRun
	for _, a := range s.archs {
		for seed := range 2 {
			r := &modelRun{arch: a, model: a.New(rand.New(rand.NewPCG(0, 0)))}
			past := pastEpoch{Epoch: train.Epoch{Val: []float64{0.0412, 0.0468}}, PSNR: []runs.Decibels{24.25, 21.5}, Seconds: 3600}
			past.Val[0] += float64(seed) / 100
			past.PSNR[1] += runs.Decibels(seed)
			past.Val, past.PSNR = past.Val[:a.Outputs], past.PSNR[:a.Outputs]
			r.history.Epochs = []pastEpoch{past}
			if a.Name == "vgg" {
				r.extractor, r.flags.RandomFeatures = &frozen.Extractor{}, true
			}
			if a.Name == "dilated" {
				r.stopped = "It was stopped."
			}
			all = append(all, r)
			if a.Name != "multi" {
				break // the others are trained with one seed
			}
		}
	}
	s.compare(all)
	lines := strings.Split(out.String(), "\n")
	for i, line := range lines {
		if utf8.RuneCountInString(line) >= 80 {
			t.Errorf("a line of %d characters, want less than 80: %q", utf8.RuneCountInString(line), line)
		}
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	got := "\n" + strings.Join(lines, "\n")
	for _, want := range []string{
		"\nloss at loss at dB at dB at\nmodel parameters 144 288 144 288 seconds\n",
		"\nSuperResNet 38,915 0.0412 – 24.25 – 3600\n",
		"\nSuperResNetMulti 39,110 0.0462 0.0468 24.25 22.00 7200\n± of 2 seeds 0.0071 0.0000 0.00 0.71\n",
		"\nSuperResNetDilated 167,366 0.0412 0.0468 24.25 21.50 3600\nstopped early\n",
		" 0.0412 0.0468 24.25 21.50 3600\nrandom features\n",
		"\nSuperResNetGlobalResidual 38,915 0.0412 – 24.25 – 3600\n",
		"\nbicubic interpolation – 0.0366 0.0000 27.32 ∞ –\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s\nwant %q in it", out.String(), want)
		}
	}
}

// TestPrinted reads what is printed at the end of trainings that ended too early.
func TestPrinted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "with space")
	out, _, err := runWith(t, context.Background(), quick(dir, "-lr", "1e30"))
	if !errors.As(err, new(*train.DivergedError)) || !strings.Contains(out, "\nIt was stopped after step 1 by an error.\n") || strings.Contains(out, "Go on with") {
		t.Errorf("diverged: %v\n%s\nwant no advice to go on, for it would diverge again", err, out)
	}
	dir = filepath.Join(t.TempDir(), "with space")
	out, _, err = runWith(t, &cancelAfter{context.Background(), 41}, quick(dir, "-threads", "1", "-epochs", "50"))
	if err != nil || !strings.Contains(out, "\nGo on with: go run ./cmd/train -resume \""+dir) {
		t.Errorf("interrupted: %v\n%s\nwant the command that goes on, its folder in quotes", err, out)
	}
	out, _, err = runWith(t, context.Background(), []string{"-report", filepath.Join(dir, "run")})
	if err != nil || !strings.Contains(out, "\n\nEpoch [") {
		t.Errorf("-report: %v\n%s\nwant an empty line before the epoch in which it was stopped", err, out)
	}
	if got := []string{count(0, "step"), count(1, "step"), count(1370, "step")}; strings.Join(got, ", ") != "0 steps, 1 step, 1,370 steps" {
		t.Errorf("%q", got)
	}
}
