package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/report"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/internal/recipe"
	"pixelgrad/nn/train"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// TestConfig trains with the settings that a run has left, from another folder: the results must
// have the same bits. Flags come on top.
func TestConfig(t *testing.T) {
	want := uninterrupted(t)
	dir := filepath.Join(t.TempDir(), "run")
	if _, _, err := runWith(t, context.Background(), practised(dir)); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, runs.ConfigFile)
	t.Chdir(t.TempDir())
	if _, log, err := runWith(t, context.Background(), []string{"-config", config, "-out", "again"}); err != nil || log != "" {
		t.Fatal(err, log)
	}
	if got := results(t, "again"); got != want {
		t.Errorf("results %s, want %s", got, want)
	}
	// Steps rise to the rate, and then fall with the cosine; the columns fit their heads.
	rows, err := csv.NewReader(strings.NewReader(read(t, "again", runs.StepsFile))).ReadAll()
	if err != nil || len(rows) != 13 || fmt.Sprint(rows[0]) != "[step loss_mid loss_large learning_rate gradient_norm]" {
		t.Fatalf("%s: %v, %v", runs.StepsFile, rows, err)
	}
	before := 0.0
	for i, row := range rows[1:] {
		var rate, norm float64
		fmt.Sscan(row[3], &rate)
		fmt.Sscan(row[4], &norm)
		if (rate > before) != (i < 3) || i > 3 && rate == before || rate > 0.001 || !(norm > 0) {
			t.Errorf("step %d: learning rate %v behind %v, gradients of length %v", i+1, rate, before, norm)
		}
		before = rate
	}
	// A process that ended between the two files of a best epoch has left one.
	best := filepath.Join(dir, checkpointFolder, bestFile)
	at := epochOf(t, best)
	if err := os.Remove(best); err != nil {
		t.Fatal(err)
	}
	if _, _, err := runWith(t, context.Background(), []string{"-resume", dir}); err != nil {
		t.Fatal(err)
	}
	if got := epochOf(t, best); got != at || got != 2 {
		t.Errorf("%s is of epoch %d after -resume, and was of epoch %d", best, got, at)
	}
	o := parse(t, []string{"-lr", "0.5", "-config", config, "-without", "fuse"})
	if o.LR != 0.5 || fmt.Sprint(o.Without) != "[fuse]" || o.Schedule != "cosine" || o.Out == dir {
		t.Errorf("flags on top of a file: %+v", o)
	}
	written := filepath.Join(t.TempDir(), "mine.json")
	if err := os.WriteFile(written, []byte(`{"without":["memory"]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{"": "[memory]", "-without fuse": "[fuse]"} {
		if o := parse(t, append([]string{"-config", written}, strings.Fields(args)...)); fmt.Sprint(o.Without) != want {
			t.Errorf("without memory in the file and %q: %v, want %s", args, o.Without, want)
		}
	}
	if _, err := parseFlags([]string{"-config", filepath.Join(dir, runs.MetricsFile)}, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "-config: "+filepath.Join(dir, runs.MetricsFile)) {
		t.Errorf("a table instead of settings: %v", err)
	}
}

// read returns the text of a file in a folder.
func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// epochOf returns how many epochs a checkpoint has behind it.
func epochOf(t *testing.T, path string) int {
	t.Helper()
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var at train.Position
	if err := json.Unmarshal([]byte(f.Metadata()["position"]), &at); err != nil {
		t.Fatal(err)
	}
	return at.Epoch
}

// TestPaths wants paths in config.json to be found from any folder.
func TestPaths(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	o := parse(t, []string{"-data", "photos", "-init", "w.pth", "-vgg-weights", "v.pth", "-clip-weights", "c.pt", "-descriptions", "d.tsv"})
	for name, path := range map[string]string{"photos": o.Data, "w.pth": o.Init, "v.pth": o.VGGWeights, "c.pt": o.CLIPWeights, "d.tsv": o.Descriptions} {
		if want, err := filepath.Abs(name); err != nil || path != want {
			t.Errorf("%s: %s, want %s", name, path, want)
		}
	}
	if o := parse(t, nil); o.Data != "" || o.VGGWeights != "embedded" || o.Descriptions != "" {
		t.Errorf("the program's own: %+v", o.Flags)
	}
}

// TestResumeRefuses looks for other settings, other photographs, and folders that are none of a run.
func TestResumeRefuses(t *testing.T) {
	photos := t.TempDir()
	for i := range 6 {
		writeNoise(t, filepath.Join(photos, fmt.Sprintf("p%d.png", i)), i)
	}
	dir := filepath.Join(t.TempDir(), "run")
	if _, _, err := runWith(t, context.Background(), []string{"-data", photos, "-epochs", "1", "-steps", "1", "-out", dir}); err != nil {
		t.Fatal(err)
	}
	before := results(t, dir)
	for args, want := range map[string]string{
		"-lr 0.1":                    "-lr: expected 0.001, as the run in " + dir + " has it, found 0.1",
		"-epochs 3 -lr 0.1":          "-epochs: expected 1",
		"-model multi":               `-model: expected "superresnet"`,
		"-crop 24":                   "-crop: expected 0",
		"-augment flips":             `-augment: expected "", as the run in ` + dir + ` has it, found "flips"`,
		"-without all":               "-without: expected null",
		"-out x":                     "expected one of -resume, -report, -config and -out",
		"-config x":                  "expected one of -resume",
		"-report " + dir:             "expected one of -resume",
		"-seed 1":                    "-seed: expected 0",
		"-split-seed 3":              "-split-seed: expected null",
		"-repeat 2":                  "-repeat: expected 1",
		"-data " + photos + "/other": "-data: expected",
	} {
		_, err := parseFlags(append([]string{"-resume", dir}, strings.Fields(args)...), &strings.Builder{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("-resume with %s: error %v, want one that has %q", args, err, want)
		}
	}
	// A checkpoint that was put there from another run.
	other := filepath.Join(t.TempDir(), "run")
	if _, _, err := runWith(t, context.Background(), []string{"-data", photos, "-epochs", "1", "-steps", "1", "-lr", "0.5", "-out", other}); err != nil {
		t.Fatal(err)
	}
	first := (&checkpoints{dir: filepath.Join(dir, checkpointFolder)}).path(1)
	own := read(t, filepath.Dir(first), filepath.Base(first))
	if err := os.WriteFile(first, []byte(read(t, filepath.Join(other, checkpointFolder), filepath.Base(first))), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := runWith(t, context.Background(), []string{"-resume", dir}); err == nil || !strings.Contains(err.Error(), first+": the checkpoint is of a run with other settings: -lr is 0.5 in it, and 0.001 now") {
		t.Errorf("a checkpoint of another run: %v", err)
	}
	if err := os.WriteFile(first, []byte(own), 0o666); err != nil {
		t.Fatal(err)
	}
	// Other kernels lead to other bits.
	config := read(t, dir, runs.ConfigFile)
	if err := os.WriteFile(filepath.Join(dir, runs.ConfigFile), []byte(strings.Replace(config, `"simd": "`, `"simd": "un`, 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, log, err := runWith(t, context.Background(), []string{"-resume", dir}); err != nil || !strings.Contains(log, "the run began with the SIMD level un") {
		t.Errorf("another SIMD level: %v\n%s", err, log)
	}
	for _, args := range []string{"-threads 2", "-save-every 3", "-lr 0.001", "-data " + photos, "-tensorboard"} {
		if _, err := parseFlags(append([]string{"-resume", dir}, strings.Fields(args)...), &strings.Builder{}); err != nil {
			t.Errorf("-resume with %s: %v", args, err)
		}
	}
	if _, err := parseFlags([]string{"-resume", t.TempDir()}, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "expected this file") {
		t.Errorf("-resume of an empty folder: %v", err)
	}
	writeNoise(t, filepath.Join(photos, "p3.png"), 77)
	if _, _, err := runWith(t, context.Background(), []string{"-resume", dir}); err == nil || !strings.Contains(err.Error(), "expected the 6 photographs that the run began with, found others") {
		t.Errorf("other photographs: %v", err)
	}
	if got := results(t, dir); got != before {
		t.Error("a run that was not resumed has changed")
	}
}

func writeNoise(t *testing.T, path string, seed int) {
	t.Helper()
	p := vision.NewRGB(80, 60)
	for j := range p.Pix {
		p.Pix[j] = uint8(seed*40 + j*j%251)
	}
	if err := vision.WritePNG(path, p); err != nil {
		t.Fatal(err)
	}
}

// TestDamaged flips a bit in the newest checkpoint: the one before must be taken, loudly, and lead
// to the same results. With both damaged, nothing may be lost.
func TestDamaged(t *testing.T) {
	want := uninterrupted(t)
	dir := filepath.Join(t.TempDir(), "run")
	if _, _, err := runWith(t, &cancelAfter{context.Background(), 50}, practised(dir)); err != nil {
		t.Fatal(err)
	}
	c := &checkpoints{dir: filepath.Join(dir, checkpointFolder)}
	damage := func(steps int) {
		text, err := os.ReadFile(c.path(steps))
		if err != nil {
			t.Fatal(err)
		}
		text[len(text)/2] ^= 4
		if err := os.WriteFile(c.path(steps), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	list, err := c.list()
	if err != nil || len(list) != keptCheckpoints {
		t.Fatal(list, err)
	}
	damage(list[0])
	out, log, err := runWith(t, context.Background(), []string{"-resume", dir})
	if err != nil || !strings.Contains(log, "WARNING") || !strings.Contains(log, c.path(list[0])) || !strings.Contains(log, "damaged") || !strings.Contains(log, fmt.Sprintf("going on from the one before, after step %d", list[1])) || !strings.Contains(out, fmt.Sprintf("after step %d,", list[1])) {
		t.Errorf("a damaged checkpoint: %v\n%s\n%s", err, log, out)
	}
	if got := results(t, dir); got != want {
		t.Errorf("results %s, want %s", got, want)
	}
	if _, err := os.Stat(c.path(list[0]) + damagedMark); err != nil {
		t.Error(err)
	}
	if list, err = c.list(); err != nil || len(list) != keptCheckpoints {
		t.Fatal(list, err)
	}
	damage(list[0])
	// The report is made from the one before it, and leaves all as it is.
	if _, log, err := runWith(t, context.Background(), []string{"-report", dir}); err != nil || !strings.Contains(log, "WARNING") {
		t.Errorf("-report with a damaged checkpoint: %v\n%s", err, log)
	}
	if _, err := os.Stat(c.path(list[0])); err != nil {
		t.Errorf("-report has moved a checkpoint: %v", err)
	}
	if got := results(t, dir); got != want {
		t.Errorf("-report: results %s, want %s", got, want)
	}
	damage(list[1])
	_, _, err = runWith(t, context.Background(), []string{"-resume", dir})
	if err == nil || !strings.Contains(err.Error(), "none of the checkpoints can be used") || !strings.Contains(err.Error(), c.path(list[0])) || !strings.Contains(err.Error(), c.path(list[1])) {
		t.Errorf("two damaged checkpoints: %v", err)
	}
	if got := results(t, dir); got != want {
		t.Error("two damaged checkpoints: the results have changed")
	}
}

// TestOneAtATime wants a folder in which somebody trains to be refused.
func TestOneAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if _, _, err := runWith(t, context.Background(), quick(filepath.Dir(dir), "-steps", "1")); err != nil {
		t.Fatal(err)
	}
	unlock, err := lockOut(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, _, err := runWith(t, context.Background(), []string{"-resume", dir}); err == nil || !strings.Contains(err.Error(), dir+": expected a run that has ended") {
		t.Errorf("error %v", err)
	}
}

// TestEarlyStop trains with a rate at which nothing is learnt.
func TestEarlyStop(t *testing.T) {
	dir := t.TempDir()
	out, _, err := runWith(t, context.Background(), quick(dir, "-epochs", "50", "-lr", "1e-30", "-early-stop", "2"))
	if err != nil || !strings.Contains(out, "Epoch [ 3/50]") || strings.Contains(out, "Epoch [ 4/50]") || !strings.Contains(out, "It was stopped after epoch 3, as the validation loss had not fallen since epoch 1.") {
		t.Errorf("%v\n%s", err, out)
	}
	if strings.Count(out, ", best") != 1 || epochOf(t, filepath.Join(dir, "run", checkpointFolder, bestFile)) != 1 {
		t.Errorf("the best is not the first epoch alone:\n%s", out)
	}
	if out, _, err = runWith(t, context.Background(), []string{"-resume", filepath.Join(dir, "run")}); err != nil || strings.Contains(out, "Epoch [") || !strings.Contains(out, "all is trained, 6 steps") {
		t.Errorf("resumed: %v\n%s", err, out)
	}
}

// TestLines looks at the epoch lines of a network with two outputs and many epochs: a class reads
// down their columns, on 80 characters.
func TestLines(t *testing.T) {
	out, _, err := runWith(t, context.Background(), quick(t.TempDir(), "-model", "multi", "-limit", "6", "-epochs", "12", "-steps", "9"))
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	n := 0
	for line := range strings.Lines(out) {
		if !strings.Contains(line, " Loss: ") {
			continue
		}
		n++
		if len([]rune(line)) > 80 {
			t.Errorf("%d characters: %s", len([]rune(line)), line)
		}
		for _, word := range []string{"Loss: ", "Val: ", "PSNR: ", " dB"} {
			i := strings.Index(line, word)
			if word == "Loss: " {
				i = strings.IndexAny(line, ".") // of the number
			}
			if was, ok := at[word]; ok && was != i {
				t.Errorf("%q stands at %d, and at %d in other lines: %s", word, i, was, line)
			}
			at[word] = i
		}
	}
	if n != 10 {
		t.Errorf("%d lines, want two for each of 5 epochs:\n%s", n, out)
	}
}

// TestOneColour trains on photographs of a single colour each, and one that all networks can draw
// exactly: nothing may be infinite or no number where JSON cannot hold it.
func TestOneColour(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	for i := range 6 {
		p := vision.NewRGB(90, 80)
		for j := range p.Pix {
			p.Pix[j] = uint8(51 * i)
		}
		if err := vision.WritePNG(filepath.Join(data, fmt.Sprintf("c%d.png", i)), p); err != nil {
			t.Fatal(err)
		}
	}
	for _, loss := range []string{"psnr", "ssim"} {
		out := filepath.Join(dir, loss)
		if _, log, err := runWith(t, context.Background(), []string{"-data", data, "-model", "multi", "-epochs", "1", "-loss", loss, "-repeat", "2", "-tensorboard", "-out", out}); err != nil || log != "" {
			t.Fatalf("%v\n%s", err, log)
		}
		r, err := report.Read(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range r.Interpolation {
			for i, psnr := range p.PSNR {
				if psnr != nil {
					t.Errorf("-loss %s, %s at size %d: %v dB, want null", loss, p.Name, i, *psnr)
				}
			}
		}
		for _, o := range r.Networks[0].Outputs {
			if len(o.Epochs) != 1 || o.Epochs[0].PSNR == nil || math.IsNaN(*o.Epochs[0].PSNR) || len(o.Rows) == 0 || !o.Rows[0].Bicubic.Same {
				t.Errorf("-loss %s: output %+v", loss, o)
			}
		}
		var config map[string]any
		text, err := os.ReadFile(filepath.Join(out, runs.ConfigFile))
		if err == nil {
			err = json.Unmarshal(text, &config)
		}
		if list, ok := config["bicubic_psnr"].([]any); err != nil || !ok || len(list) != 2 || list[0] != nil {
			t.Errorf("%s: %v, %v, want null", runs.ConfigFile, config["bicubic_psnr"], err)
		}
	}
}

// TestRepeat trains with two seeds on one split.
func TestRepeat(t *testing.T) {
	dir := t.TempDir()
	out, _, err := runWith(t, context.Background(), quick(dir, "-model", "multi", "-seed", "5", "-repeat", "2", "-epochs", "1"))
	if err != nil || !strings.Contains(out, "\n  ± of 2 seeds ") {
		t.Fatalf("%v\n%s", err, out)
	}
	run := filepath.Join(dir, "run")
	r, err := report.Read(run)
	if err != nil {
		t.Fatal(err)
	}
	var psnr []float64
	for _, seed := range []string{"seed-5", "seed-6"} {
		c, err := runs.Read(filepath.Join(run, seed))
		if err != nil || c.Split() != 5 || fmt.Sprint("seed-", c.Seed) != seed || c.Repeat != 1 {
			t.Errorf("%s: %+v, %v", seed, c.Flags, err)
		}
		row, err := os.ReadFile(filepath.Join(run, seed, runs.MetricsFile))
		if err != nil {
			t.Fatal(err)
		}
		var v float64
		fmt.Sscan(strings.Split(strings.Split(string(row), "\n")[1], ",")[5], &v)
		psnr = append(psnr, v)
		// Alone, with the settings that it left, it is the same.
		again := filepath.Join(t.TempDir(), "again")
		if _, _, err := runWith(t, context.Background(), []string{"-config", filepath.Join(run, seed, runs.ConfigFile), "-out", again}); err != nil {
			t.Fatal(err)
		}
		if results(t, again) != results(t, filepath.Join(run, seed)) {
			t.Errorf("%s alone is another training", seed)
		}
	}
	s := r.Networks[0].Outputs[0].Repeats
	if want := report.NewSpread(psnr); s == nil || s.N != 2 || !(math.Abs(s.Mean-want.Mean) < 1e-3) || !(math.Abs(s.Deviation-want.Deviation) < 1e-3) || want.Deviation == 0 {
		t.Errorf("spread %+v, want %+v", s, want)
	}
}

// TestRepeatRandom wants random features to be those of each training's own seed.
func TestRepeatRandom(t *testing.T) {
	s := &session{options: parse(t, []string{"-model", "vgg", "-random-features", "-repeat", "2"})}
	all, err := s.prepareAll()
	if err != nil {
		t.Fatal(err)
	}
	x := recipe.Pixels(1, 1, 3, 16, 16)
	for _, r := range all {
		alone, err := frozen.New(superres.VGGFeatures, s.Options, r.flags.Seed, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(r.extractor.See(x).Data(), alone.See(x).Data()) {
			t.Errorf("seed %d has the random features of another", r.flags.Seed)
		}
	}
}

// trained returns what tells whether a training wrote again what it leaves and goes on from.
func trained(t *testing.T, dir string) (list []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, checkpointFolder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{runs.ConfigFile, runs.WeightsFile, runs.MetricsFile, runs.StepsFile, runs.TimesFile} {
		files = append(files, filepath.Join(dir, name))
	}
	for _, path := range files {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprint(path, info.Size(), info.ModTime()))
	}
	return list
}

// TestReport makes the report of a run again: pages, tables and pictures that were lost come back,
// and nothing else changes.
func TestReport(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := runWith(t, context.Background(), quick(dir, "-model", "all", "-limit", "6", "-epochs", "1", "-random-features")); err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(dir, "run")
	before, err := report.Read(run)
	if err != nil || len(before.Networks) != 7 || len(before.Warnings) != 1 {
		t.Fatal(before, err)
	}
	for _, n := range before.Networks {
		if c, err := runs.Read(filepath.Join(run, n.Name)); err != nil || c.Model != n.Name || n.Random != (n.Name == "vgg" || n.Name == "clip") {
			t.Errorf("%s: random features %v, %v", n.Name, n.Random, err)
		}
	}
	weights := results(t, filepath.Join(run, "dilated"))
	for _, name := range []string{report.DataFile, report.PageFile, report.PictureFolder, "epochs.csv", "multi/" + runs.PredictionsFile} {
		if err := os.RemoveAll(filepath.Join(run, name)); err != nil {
			t.Fatal(err)
		}
	}
	was := trained(t, filepath.Join(run, "dilated"))
	if _, log, err := runWith(t, context.Background(), []string{"-report", run}); err != nil {
		t.Fatal(err, log)
	}
	if is := trained(t, filepath.Join(run, "dilated")); !slices.Equal(is, was) {
		t.Errorf("files after -report: %v, want %v", is, was)
	}
	after, err := report.Read(run)
	if err != nil {
		t.Fatal(err)
	}
	// How long it took to make it, and how many checkpoints the process wrote, are its own.
	after.Facts, before.Facts = nil, nil
	for _, n := range append(slices.Clone(before.Networks), after.Networks...) {
		n.Facts = n.Facts[:2]
	}
	x, _ := json.Marshal(before)
	y, _ := json.Marshal(after)
	if string(x) != string(y) {
		t.Errorf("the report is another:\n%s\nwant\n%s", y, x)
	}
	if results(t, filepath.Join(run, "dilated")) != weights {
		t.Error("the weights or tables have changed")
	}
	for _, name := range []string{report.PageFile, "epochs.csv", "multi/" + runs.PredictionsFile} {
		if _, err := os.Stat(filepath.Join(run, name)); err != nil {
			t.Error(err)
		}
	}
	page, err := os.Stat(filepath.Join(run, report.PageFile))
	if err != nil || page.Size() > 15<<20 {
		t.Errorf("the page has %v bytes, want less than 15 MB: %v", page.Size(), err)
	}
}

// TestNaN resumes a training that has diverged: it must diverge again, and keep the good weights.
func TestNaN(t *testing.T) {
	dir := t.TempDir()
	_, _, err := runWith(t, context.Background(), quick(dir, "-lr", "1e30", "-save-every", "1"))
	run := filepath.Join(dir, "run")
	before, readErr := os.ReadFile(filepath.Join(run, runs.WeightsFile))
	if err == nil || readErr != nil {
		t.Fatal(err, readErr)
	}
	_, _, again := runWith(t, context.Background(), []string{"-resume", run})
	if again == nil || again.Error() != err.Error() {
		t.Errorf("resumed: %v, want %v", again, err)
	}
	after, err := os.ReadFile(filepath.Join(run, runs.WeightsFile))
	if err != nil || string(after) != string(before) {
		t.Errorf("the weights have changed (%v)", err)
	}
	// A step that makes infinite weights leaves no checkpoint, and other seeds are tried all the same.
	dir = t.TempDir()
	if _, _, err := runWith(t, context.Background(), quick(dir, "-limit", "4", "-lr", "1e39", "-save-every", "1", "-repeat", "2")); err == nil || !strings.Contains(err.Error(), "seed 0") || !strings.Contains(err.Error(), "seed 1") {
		t.Errorf("two seeds: %v", err)
	}
	for _, seed := range []string{"seed-0", "seed-1"} {
		if files, err := filepath.Glob(filepath.Join(dir, "run", seed, checkpointFolder, "*")); err != nil || len(files) > 0 {
			t.Errorf("checkpoints with infinite weights: %v, %v", files, err)
		}
	}
	o := parse(t, quick(t.TempDir()))
	s := &session{options: o}
	all, err := s.prepareAll()
	if err != nil {
		t.Fatal(err)
	}
	if err := train.LoadWeights(filepath.Join(run, runs.WeightsFile), all[0].model); err != nil {
		t.Error(err)
	}
	for _, p := range all[0].model.Parameters() {
		for i, v := range p.Data().Data() {
			if v-v != 0 {
				t.Fatalf("%s[%d] is %v", p.Name, i, v)
			}
		}
	}
}

// TestHistory has checkpoints with histories that cannot be: errors, and no panic in the tables.
func TestHistory(t *testing.T) {
	epoch := `{"Epoch":1,"Steps":2,"Train":[0.1,0.2],"Val":[0.1,0.2],"PSNR":[10,null],"Seconds":1.5}`
	for text, want := range map[string]string{
		"":                              "expected a history of epochs",
		`{"epochs":null}`:               "expected a history of 1 epochs, found 0",
		`{"epochs":[{}]}`:               "expected epoch 1 with 2 outputs in its history, found epoch 0",
		`{"epochs":[` + epoch + `,{}]}`: "expected a history of 1 epochs, found 2",
		`{"epochs":[` + strings.Replace(epoch, "[0.1,0.2]", "[0.1]", 1) + `]}`: "found epoch 1 with 1, 2 and 2",
		`{"epochs":[` + epoch + `],"seconds":2}`:                               "",
	} {
		var h history
		err := h.restore(map[string]string{historyText: text}, 1, 2)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
		if h.seconds() != 3.5 && err == nil {
			t.Errorf("%v seconds, want those of the epoch and of the one in progress, 3.5", h.seconds())
		}
		if err == nil && h.metricsTable(2) != "epoch,train_mid,train_large,val_mid,val_large,val_psnr_mid,val_psnr_large\n1,0.1,0.2,0.1,0.2,10.0000,inf\n" {
			t.Errorf("%q", h.metricsTable(2))
		}
	}
	// An epoch that was stopped, and not validated, has as many columns.
	h := history{partial: &pastEpoch{Epoch: train.Epoch{Epoch: 1, Train: []float64{0.1, 0.2}}}}
	if rows, err := csv.NewReader(strings.NewReader(h.metricsTable(2))).ReadAll(); err != nil || len(rows) != 2 {
		t.Errorf("%v, %v", rows, err)
	}
}

// TestLoop wants the settings to reach the training loop.
func TestLoop(t *testing.T) {
	for loss, want := range map[string]float32{"mse": 0.25, "l1": 0.5} {
		s := &session{options: parse(t, strings.Fields("-epochs 3 -steps 7 -lr 0.5 -clip-norm 2 -early-stop 4 -warmup 2 -without fuse -loss "+loss)), batch: 4}
		all, err := s.prepareAll()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.makeLoop(all[0], 10); err != nil {
			t.Fatal(err)
		}
		l := all[0].loop
		if all[0].total != 7 || l.Epochs != 3 || l.MaxSteps != 7 || l.ClipNorm != 2 || l.Patience != 4 || l.Optimizer.LearningRate() != 0.5 || l.Schedule(1) != 0.25 || l.Schedule(3) != 0.5 || fmt.Sprint(l.Without) != "[fuse]" || l.Plain {
			t.Errorf("%d steps, %+v", all[0].total, l)
		}
		y, grey := tensor.New(1, 3, 16, 16), tensor.New(1, 3, 16, 16)
		tensor.Fill(grey, 0.5)
		if got := l.Loss(superres.Output{Mid: autograd.Constant(y)}, superres.Output{Mid: autograd.Constant(grey)})[0].Data().Data()[0]; got != want {
			t.Errorf("-loss %s of black and grey: %v, want %v", loss, got, want)
		}
	}
}

// TestBatches wants what trains to be shuffled by the seed and altered, and what validates to be
// whole, upright and in its order.
func TestBatches(t *testing.T) {
	var photos *photographs
	first := func(epoch int, args string) (training, validation *tensor.Tensor) {
		s := &session{options: parse(t, strings.Fields("-limit 10 -split-seed 3 "+args)), out: io.Discard, log: io.Discard, batch: 20}
		all, err := s.prepareAll()
		if err != nil {
			t.Fatal(err)
		}
		if photos == nil {
			if photos, err = findPhotographs(s.options, s.log); err == nil {
				err = photos.read(context.Background(), s.options, s.log)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		s.photos = photos
		if err := s.makeLoop(all[0], photos.train.Len()); err != nil {
			t.Fatal(err)
		}
		if err := (&trainer{session: s, modelRun: all[0]}).data(context.Background()); err != nil {
			t.Fatal(err)
		}
		for b := range all[0].loop.Train.Epoch(epoch) {
			training = b.Input.Photo.Data().Clone()
		}
		for b := range all[0].loop.Validation.Epoch(epoch) {
			validation = b.Input.Photo.Data().Clone()
		}
		return training, validation
	}
	same := func(a, b *tensor.Tensor) bool { return slices.Equal(a.Data(), b.Data()) }
	ordered, val := first(1, "-shuffle=false")
	if want := squaresOf(photos.train, 0, photos.train.Len()); !same(ordered, want) {
		t.Error("-shuffle=false: not in their order")
	}
	if want := squaresOf(photos.val, 0, photos.val.Len()); !same(val, want) {
		t.Error("what validates is not as it was read")
	}
	shuffled, _ := first(1, "")
	for what, args := range map[string]string{"the next epoch": "", "another seed": "-seed 1", "altered": "-augment flips,rotations", "not shuffled": "-shuffle=false"} {
		epoch := 1
		if args == "" {
			epoch = 2
		}
		other, validation := first(epoch, args)
		if same(other, shuffled) {
			t.Errorf("%s: the same batch", what)
		}
		if !same(validation, val) {
			t.Errorf("%s: what validates has changed", what)
		}
	}
	patches, validation := first(1, "-crop 24")
	if fmt.Sprint(patches.Shape()) != "[8 3 24 24]" || !same(validation, val) {
		t.Errorf("-crop 24: patches %v, and squares %v to validate with", patches.Shape(), validation.Shape())
	}

	// The sum tells other photographs, other names and another order.
	sum := photos.sum()
	for what, change := range map[string]func(p *photographs){
		"a pixel to train on":      func(p *photographs) { p.train.X[5]++ },
		"a pixel to validate with": func(p *photographs) { p.val.X[5]++ },
		"a name":                   func(p *photographs) { p.val.Names[0] += "x" },
	} {
		train, val := *photos.train, *photos.val
		train.X, val.X, val.Names = slices.Clone(train.X), slices.Clone(val.X), slices.Clone(val.Names)
		other := &photographs{train: &train, val: &val}
		if other.sum() != sum {
			t.Fatal("a copy has another sum")
		}
		other.known = ""
		if change(other); other.sum() == sum {
			t.Errorf("%s was changed, and the sum is the same", what)
		}
	}
}

// TestAlteredFeatures wants features that were kept to be passed over for photographs that are
// altered.
func TestAlteredFeatures(t *testing.T) {
	e, err := frozen.New(superres.VGGFeatures, runs.Defaults().Options, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := newFeatures(e)
	f.kept = make([]float32, f.size) // zeros
	b := vision.Batch{X: recipe.Pixels(1, 1, 3, 72, 72), Index: []int{0}}
	if !slices.Equal(f.of(b).Data().Data(), f.kept) {
		t.Error("what was kept is not taken")
	}
	b.Altered = true
	if !slices.Equal(f.of(b).Data().Data(), e.See(b.X).Data()) {
		t.Error("altered: not the features of what is shown")
	}
}

// TestMakeOut wants every trace of a run in a folder to keep others away, also in the folders of
// single networks, and nothing to be left of what cannot begin.
func TestMakeOut(t *testing.T) {
	for _, inner := range []string{"", "multi", "multi/seed-1"} {
		for _, name := range []string{runs.ConfigFile, runs.WeightsFile, checkpointFolder} {
			dir := t.TempDir()
			inside := filepath.Join(dir, inner)
			if err := os.MkdirAll(filepath.Join(inside, name), 0o777); err != nil {
				t.Fatal(err)
			}
			if _, err := makeOut(dir, []string{inside}); err == nil || !strings.Contains(err.Error(), filepath.Join(inside, name)+" of an earlier run") {
				t.Errorf("%s in a folder %q: %v", name, inner, err)
			}
		}
	}
	// The command names the folders of its trainings.
	dir := t.TempDir()
	inside := filepath.Join(dir, "run", "seed-1", checkpointFolder)
	if err := os.MkdirAll(inside, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, _, err := runWith(t, context.Background(), quick(dir, "-model", "multi", "-repeat", "2")); err == nil || !strings.Contains(err.Error(), inside+" of an earlier run") {
		t.Errorf("a training of one seed is there: %v", err)
	}
	above := filepath.Join(t.TempDir(), "a")
	undo, err := makeOut(filepath.Join(above, "b"), nil)
	if err != nil {
		t.Fatal(err)
	}
	undo()
	if _, err := os.Stat(above); err == nil {
		t.Error("a folder was left")
	}
}
