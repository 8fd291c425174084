package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pixelgrad/cmd/internal/report"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/nn/train"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// TestFast trains the network for pictures of any size on photographs that are no squares.
func TestFast(t *testing.T) {
	photos := t.TempDir()
	for i := range 5 {
		p := vision.NewRGB(200+i, 195)
		for k := range p.Pix {
			p.Pix[k] = uint8(k*k>>6 + i)
		}
		if err := vision.WritePNG(filepath.Join(photos, fmt.Sprintf("p%d.png", i)), p.RGBA()); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "run")
	args := []string{"-model", "fast", "-scale", "3", "-data", photos, "-out", dir, "-loss", "l1", "-crop", "12", "-augment", "flips,rotations", "-batch", "2", "-epochs", "1", "-threads", "1"}
	out, log, err := runWith(t, context.Background(), args)
	if err != nil || log != "" {
		t.Fatal(err, log)
	}
	// A third of each photograph has 66×65 pixels, and so two squares across and two down; 4 train.
	for _, want := range []string{"8 steps of 2 photographs", "at 192", "Fast reaches"} {
		if !strings.Contains(out, want) {
			t.Errorf("it printed\n%s\nwithout %q", out, want)
		}
	}
	if page := read(t, dir, report.PageFile); !strings.Contains(page, "3 times smaller") || !strings.Contains(page, "squares") || strings.Contains(page, "72×72") {
		t.Errorf("%s is about other squares", report.PageFile)
	}
	m := superres.NewFast(rand.New(rand.NewPCG(0, 0)), 3)
	if err := train.LoadWeights(filepath.Join(dir, runs.WeightsFile), m); err != nil {
		t.Error(err)
	}
	c, err := runs.Read(dir)
	if err != nil || c.Scale != 3 || c.Model != "fast" {
		t.Errorf("config.json: %+v, %v", c, err)
	}
	for _, name := range []string{runs.SamplesFile, runs.PredictionsFile, runs.LossFile, report.PageFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Another scale begins with the same convolutions, but for the last one.
	other := filepath.Join(t.TempDir(), "other")
	if _, _, err := runWith(t, context.Background(), []string{"-model", "fast", "-scale", "2", "-data", photos, "-out", other, "-init", filepath.Join(dir, runs.WeightsFile), "-steps", "1", "-lr", "1e-9"}); err != nil {
		t.Fatal(err)
	}
	begun := superres.NewFast(rand.New(rand.NewPCG(0, 0)), 2)
	if err := train.LoadWeights(filepath.Join(other, runs.WeightsFile), begun); err != nil {
		t.Fatal(err)
	}
	for i, p := range begun.Parameters() {
		want, last := m.Parameters()[i].Data(), i >= len(begun.Parameters())-2
		if got := p.Data(); !last && !near(got.Data()[0], want.Data()[0]) || last && !near(got.Data()[0], 0) {
			t.Errorf("%s begins with %v for scale 2, and ended with %v for scale 3", p.Name, got.Data()[0], want.Data()[0])
		}
	}
	if _, _, err := runWith(t, context.Background(), []string{"-model", "fast", "-init", filepath.Join(photos, "p0.png"), "-data", photos, "-out", other + "2"}); err == nil || !strings.Contains(err.Error(), "p0.png") {
		t.Errorf("-init with a photograph: %v", err)
	}
	stopped := filepath.Join(t.TempDir(), "run")
	at := slices.Index(args, "-out")
	if _, log, err := runWith(t, &cancelAfter{context.Background(), 22}, slices.Replace(slices.Clone(args), at+1, at+2, stopped)); err != nil || log != "" {
		t.Fatal(err, log)
	}
	steps := strings.Count(read(t, stopped, runs.StepsFile), "\n") - 1
	if steps < 1 || steps > 7 {
		t.Fatalf("it stopped after %d of 8 steps: the test would see nothing", steps)
	}
	if _, log, err := runWith(t, context.Background(), []string{"-resume", stopped, "-threads", "3"}); err != nil || log != "" {
		t.Fatal(err, log)
	}
	if got, want := results(t, stopped), results(t, dir); got != want {
		t.Errorf("stopped after %d steps and resumed: results %s, want %s", steps, got, want)
	}
	for _, c := range []struct{ args, want string }{
		{"-scale 3", "-model fast"},
		{"-model all -scale 3", "-model fast"},
		{"-model fast -scale 5", "2, 3 or 4"},
		{"-model fast -crop 65", "at most 64"},
	} {
		if _, err := parseFlags(strings.Fields(c.args), os.Stderr); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.args, err, c.want)
		}
	}
}

func near(a, b float32) bool { return a-b < 1e-6 && b-a < 1e-6 }
