package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/report"
	"pixelgrad/cmd/internal/runs"
)

// TestResumeTold goes on with runs whose config.json has what the weights of a frozen network told.
func TestResumeTold(t *testing.T) {
	for _, told := range []func(f *runs.Flags){
		func(f *runs.Flags) { f.Model, f.VGGInput = "vgg", "pixels" },
		func(f *runs.Flags) { f.Model, f.VGGInput, f.RandomFeatures = "vgg", "IMAGENET1K_V1", true },
		func(f *runs.Flags) {
			f.Model, f.RandomFeatures, f.CLIPOptions = "clip", true, frozen.CLIPOptions{VisionHeads: 12}
		},
		func(f *runs.Flags) { f.Model, f.VGGWeights, f.VGGInput = "vgg", "/weights", "levels" },
	} {
		c := &runs.Config{Flags: runs.Defaults()}
		told(&c.Flags)
		dir := t.TempDir()
		if err := c.Write(dir); err != nil {
			t.Fatal(err)
		}
		for _, flag := range []string{"-resume", "-report"} {
			if _, err := parseFlags([]string{flag, dir}, &strings.Builder{}); err != nil {
				t.Errorf("%s with the settings %+v: %v", flag, c.Flags, err)
			}
		}
	}
}

// TestRefused looks for command lines and settings that mean nothing.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, runs.ConfigFile)
	for _, c := range []struct {
		args     []string
		settings string
		want     string
	}{
		{[]string{"-resume", ""}, "{}", "for flag -resume: expected a name, found nothing"},
		{[]string{"-report", ""}, "{}", "for flag -report: expected a name"},
		{[]string{"-config", ""}, "{}", "for flag -config: expected a name"},
		{[]string{"-ui", ""}, "{}", "for -ui: expected a name"},
		{[]string{"-report", dir, "-ui"}, "{}", "-ui: expected a training to watch"},
		{[]string{"-split-seed", "12abc"}, "{}", `expected a number that is not negative, found "12abc"`},
		{[]string{"-epochs", "9223372036854775807"}, "{}", "-epochs 9223372036854775807: expected 1 to 1000000"},
		{[]string{"-resume", dir}, `{"epochs":-5}`, config + ": -epochs -5: expected 1 to"},
		{[]string{"-resume", dir, "-epochs", "3"}, `{"epochs":-5}`, config + ": -epochs -5: expected 1 to"},
		{[]string{"-config", config}, `{"loss":"x"}`, config + ": -loss"},
		{[]string{"-config", config}, `{"save_every":"0"}`, config + ": expected a number of steps such as 500, or a time such as 5m, found"},
	} {
		if err := os.WriteFile(config, []byte(c.settings), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := parseFlags(c.args, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q with %s: error %v, want one that has %q", c.args, c.settings, err, c.want)
		}
	}
}

// TestWeightsAlone has a run whose checkpoints are gone: what it left must not be written over.
func TestWeightsAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if _, _, err := runWith(t, t.Context(), practised(dir, "-steps", "1")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, checkpointFolder)); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, report.PageFile))
	if err != nil {
		t.Fatal(err)
	}
	before := results(t, dir)
	for _, flag := range []string{"-resume", "-report"} {
		if _, _, err := runWith(t, t.Context(), []string{flag, dir}); err == nil || !strings.Contains(err.Error(), "expected checkpoints") || !strings.Contains(err.Error(), "-init "+filepath.Join(dir, runs.WeightsFile)) {
			t.Errorf("%s: error %v", flag, err)
		}
		if results(t, dir) != before {
			t.Errorf("%s: the results have changed", flag)
		}
		if now, err := os.ReadFile(filepath.Join(dir, report.PageFile)); err != nil || string(now) != string(page) {
			t.Errorf("%s: the page has changed, %v", flag, err)
		}
	}
}

// TestNothingToReport asks for the page of a run that was stopped before its first step.
func TestNothingToReport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := runUntil(t, ctx, practised(dir), "memory", cancel); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, runs.WeightsFile)); err == nil {
		t.Errorf("there is %s of a training without a step", runs.WeightsFile)
	}
	if _, _, err := runWith(t, t.Context(), []string{"-report", dir}); err == nil || !strings.Contains(err.Error(), "expected a run of which something is saved") {
		t.Errorf("-report: error %v", err)
	}
	if _, _, err := runWith(t, t.Context(), []string{"-resume", dir}); err != nil || results(t, dir) != uninterrupted(t) {
		t.Errorf("-resume: %v, or other results", err)
	}
}

// watched calls do once, when words are written to it.
type watched struct {
	strings.Builder
	words string
	do    func()
}

func (w *watched) Write(b []byte) (int, error) {
	n, err := w.Builder.Write(b)
	if w.do != nil && strings.Contains(w.String(), w.words) {
		w.do()
		w.do = nil
	}
	return n, err
}

// runUntil is runWith, and calls do when the command prints words.
func runUntil(t *testing.T, ctx context.Context, args []string, words string, do func()) (out string, err error) {
	t.Helper()
	w := &watched{words: words, do: do}
	err = run(ctx, parse(t, args), w, &strings.Builder{})
	if w.do != nil {
		t.Fatalf("%q: %q was not printed:\n%s", args, words, w.String())
	}
	return w.String(), err
}

// TestInitGone goes on with a run whose file of first weights is there no more.
func TestInitGone(t *testing.T) {
	first, dir := t.TempDir(), filepath.Join(t.TempDir(), "run")
	if _, _, err := runWith(t, t.Context(), quick(first, "-steps", "1")); err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(first, "run", runs.WeightsFile)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := runUntil(t, ctx, []string{"-init", weights, "-limit", "10", "-epochs", "3", "-out", dir}, "Epoch [1/3]", cancel); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(weights); err != nil {
		t.Fatal(err)
	}
	if _, _, err := runWith(t, t.Context(), []string{"-resume", dir}); err != nil {
		t.Error(err)
	}
}

// TestFolderRemoved removes the folder of a run behind its back: what comes after is saved, so that
// the run can go on.
func TestFolderRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	runUntil(t, t.Context(), practised(dir), "Epoch [1/2]", func() { // its error is of pictures that are gone
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if _, _, err := runWith(t, t.Context(), []string{"-resume", dir}); err != nil || results(t, dir) != uninterrupted(t) {
		t.Errorf("-resume: %v, or other results", err)
	}
}

// TestOneAtATimeInside locks the folder of one of several trainings, as -resume of that one does.
func TestOneAtATimeInside(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	inside := filepath.Join(dir, "seed-0")
	if err := os.MkdirAll(inside, 0o777); err != nil {
		t.Fatal(err)
	}
	unlock, err := lockOut(inside)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, _, err := runWith(t, t.Context(), practised(dir, "-repeat", "2")); err == nil || !strings.Contains(err.Error(), inside+": expected a run that has ended") {
		t.Errorf("error %v", err)
	}
}

// TestPageIsKept interrupts a run of several trainings that goes on before it has come to them
// all: its page must not lose those that it had.
func TestPageIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if _, _, err := runWith(t, t.Context(), practised(dir, "-repeat", "2", "-steps", "1")); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, report.PageFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"-resume", "-report"} {
		ctx, cancel := context.WithCancel(t.Context())
		if out, err := runUntil(t, ctx, []string{flag, dir}, "seed 0", cancel); err != nil || !strings.Contains(out, report.PageFile+" is as it was") {
			t.Errorf("%s: %v\n%s", flag, err, out)
		}
		if now, err := os.ReadFile(filepath.Join(dir, report.PageFile)); err != nil || string(now) != string(page) {
			t.Errorf("%s: the page has changed, %v", flag, err)
		}
	}
}

// TestNothingIsLeft has a run fail before its first training: the folder must be free for another.
func TestNothingIsLeft(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	args := practised(dir, "-repeat", "2", "-descriptions", filepath.Join(t.TempDir(), "none"))
	if _, _, err := runWith(t, t.Context(), args); err == nil || !strings.Contains(err.Error(), "-descriptions") {
		t.Fatalf("error %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder is there")
	}
}

// TestDueAfterFailure has a checkpoint fail that was due by the time: it is due again when as much
// time has passed, and not after each step.
func TestDueAfterFailure(t *testing.T) {
	c := &checkpoints{dir: t.TempDir(), every: runs.Every{Time: time.Hour}, at: time.Now().Add(-2 * time.Hour)}
	if !c.due(1) {
		t.Fatal("not due after two hours")
	}
	full := errors.New("full")
	if err := c.save(1, func(string) error { return full }); !errors.Is(err, full) {
		t.Fatalf("error %v", err)
	}
	if c.due(2) {
		t.Error("due again at once")
	}
}

// TestDivergesAgain goes on with a run that has diverged and lost its tables: they are as before, and
// nobody is sent to go on once more.
func TestDivergesAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	args := []string{"-limit", "10", "-lr", "1e30", "-save-every", "1", "-out", dir}
	table := func() string {
		out, _, err := runWith(t, t.Context(), args)
		if err == nil || !strings.Contains(err.Error(), "step 2: the loss is") || strings.Contains(out, "Go on with") {
			t.Errorf("%q: error %v\n%s", args, err, out)
		}
		text, err := os.ReadFile(filepath.Join(dir, runs.StepsFile))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	want := table()
	if err := os.Remove(filepath.Join(dir, runs.StepsFile)); err != nil {
		t.Fatal(err)
	}
	args = []string{"-resume", dir}
	if got := table(); got != want {
		t.Errorf("steps %q, want %q", got, want)
	}
}
