package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/report"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/internal/memory"
	"pixelgrad/internal/recipe"
	"pixelgrad/nn/train"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/vgg"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// quick are flags for a run of a few steps.
func quick(dir string, more ...string) []string {
	return append([]string{"-limit", "10", "-epochs", "2", "-out", filepath.Join(dir, "run")}, more...)
}

func runWith(t *testing.T, ctx context.Context, args []string) (out, log string, err error) {
	t.Helper()
	o, err := parseFlags(args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var outB, logB bytes.Buffer
	err = run(ctx, o, &outB, &logB)
	return outB.String(), logB.String(), err
}

// TestRun trains for two short epochs and looks at everything that is left.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	out, log, err := runWith(t, context.Background(), quick(dir))
	if err != nil {
		t.Fatal(err)
	}
	if log != "" {
		t.Errorf("messages: %s", log)
	}
	for _, want := range []string{"38,915 parameters", "2 epochs, 4 steps of 4", "bicubic", "Epoch [1/2], Mid Loss: 0.", "Epoch [2/2], Mid Loss: 0.", "PSNR: ", "open report.html"} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
	at := func(name string) string { return filepath.Join(dir, "run", name) }
	var config map[string]any
	text, err := os.ReadFile(at(runs.ConfigFile))
	if err == nil {
		err = json.Unmarshal(text, &config)
	}
	if err != nil || config["model"] != "superresnet" || config["batch_used"] != 4. || config["train_photographs"] != 8. {
		t.Errorf("%s: %v, %v", runs.ConfigFile, config, err)
	}
	table := func(name, head string, rows int) [][]string {
		f, err := os.Open(at(name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		all, err := csv.NewReader(f).ReadAll()
		if err != nil || len(all) != rows+1 || strings.Join(all[0], ",") != head {
			t.Fatalf("%s: %v, %v; want %d rows under %s", name, all, err, rows, head)
		}
		return all[1:]
	}
	for _, row := range table(runs.MetricsFile, "epoch,train_mid,val_mid,val_psnr_mid", 2) {
		var loss, psnr float64 // the two photographs that validate are one batch
		fmt.Sscan(row[2], &loss)
		fmt.Sscan(row[3], &psnr)
		if !(math.Abs(loss*psnr-1) < 1e-4) {
			t.Errorf("%s: val_mid %v and val_psnr_mid %v: want 1/PSNR", runs.MetricsFile, loss, psnr)
		}
	}
	table(runs.StepsFile, "step,loss_mid,learning_rate", 4)
	table(runs.TimesFile, "epoch,seconds", 2)
	for _, name := range []string{runs.SamplesFile, runs.PredictionsFile, runs.LossFile} {
		f, err := os.Open(at(name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if m, err := png.Decode(f); err != nil || m.Bounds().Dx() < 500 || m.Bounds().Dy() < 300 || flat(m) {
			t.Errorf("%s: %v: want a picture of some size", name, err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, "run"))
	if err != nil || len(entries) != 16 {
		t.Errorf("%d files in the run's folder, want 16: %v", len(entries), entries)
	}

	// A second run does not write over the first, and can start from its weights.
	if _, _, err := runWith(t, context.Background(), quick(dir)); err == nil || !strings.Contains(err.Error(), "earlier run") {
		t.Errorf("a run into the same folder: %v", err)
	}
	again := t.TempDir()
	if out, _, err := runWith(t, context.Background(), quick(again, "-init", at(runs.WeightsFile), "-steps", "1")); err != nil || !strings.Contains(out, "1 step of 4") || !strings.Contains(out, "from "+at(runs.WeightsFile)) {
		t.Errorf("a run from weights: %v\n%s", err, out)
	}
	// From a file with two networks under prefixes, a key takes one.
	weights, err := safetensors.Open(at(runs.WeightsFile))
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	var two []safetensors.Named
	for _, name := range weights.Names() {
		w, err := weights.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		two = append(two, safetensors.Named{Name: "mine." + name, Tensor: w}, safetensors.Named{Name: "yours." + name, Tensor: w})
	}
	both := filepath.Join(again, "both.safetensors")
	if err := safetensors.WriteFile(both, two, nil); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"mine": `removed the prefix "mine." of the names`, "": `found 2: "mine", "yours"; give the key`, "other": `found the key "other"; there is "mine" (6 tensors), "yours" (6 tensors)`} {
		_, log, err := runWith(t, context.Background(), quick(t.TempDir(), "-init", both, "-init-key", key, "-steps", "1"))
		if text := fmt.Sprint(log, err); !strings.Contains(text, both+": ") || !strings.Contains(text, want) || (err == nil) != (key == "mine") {
			t.Errorf("-init-key %q: %v, %q; want %q", key, err, log, want)
		}
	}
	// The first step from there begins where the other run ended.
	if first, last := lastLoss(t, filepath.Join(again, "run", runs.StepsFile)), lastLoss(t, at(runs.StepsFile)); first > last*1.1 {
		t.Errorf("the first loss from trained weights is %v, the last one before was %v", first, last)
	}
}

func lastLoss(t *testing.T, path string) float64 {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	v := strings.Split(lines[len(lines)-1], ",")[1]
	var f float64
	if err := json.Unmarshal([]byte(v), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// flat reports whether a picture has one colour.
func flat(m image.Image) bool {
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y += 7 {
		for x := b.Min.X; x < b.Max.X; x += 7 {
			if m.At(x, y) != m.At(b.Min.X, b.Min.Y) {
				return false
			}
		}
	}
	return true
}

// TestCropsStayTogether looks for crops of one photograph on both sides of the split.
func TestCropsStayTogether(t *testing.T) {
	o, err := parseFlags([]string{"-limit", "120"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	p, err := findPhotographs(o, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	trains := map[string]bool{}
	crops := 0
	for _, photo := range p.set.Train {
		if trains[vision.PhotoOfCrop(photo.Name)] {
			crops++
		}
		trains[vision.PhotoOfCrop(photo.Name)] = true
	}
	for _, photo := range p.set.Val {
		if trains[vision.PhotoOfCrop(photo.Name)] {
			t.Errorf("%s validates, other crops of the same photograph train", photo.Name)
		}
	}
	if crops == 0 {
		t.Error("no photograph with several crops among these: the test sees nothing")
	}
}

// TestModels trains a model of each kind for one step: two outputs, frozen features.
func TestModels(t *testing.T) {
	dir := t.TempDir()
	out, log, err := runWith(t, context.Background(), quick(dir, "-model", "all", "-random-features", "-steps", "1"))
	if err != nil {
		t.Fatal(err, log)
	}
	for _, want := range []string{"Large Loss: 0.", "PSNR: ", "SuperResNetWithCLIP (random features)", "random weights, for demonstration", "computed once", "SuperResNetGlobalResidual reaches", "bicubic interpolation", "open report.html"} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
	for _, name := range []string{"comparison_144.png", "comparison_288.png", "dilated/" + runs.WeightsFile, "vgg/" + runs.PredictionsFile, "clip/" + runs.LossFile, "global/" + runs.WeightsFile} {
		if _, err := os.Stat(filepath.Join(dir, "run", name)); err != nil {
			t.Error(err)
		}
	}
	head, err := os.ReadFile(filepath.Join(dir, "run", "multi", runs.MetricsFile))
	if err != nil || !strings.HasPrefix(string(head), "epoch,train_mid,train_large,val_mid,val_large,val_psnr_mid,val_psnr_large\n1,") {
		t.Errorf("%s: %v, %s", runs.MetricsFile, err, head)
	}
}

// TestNoFrozenWeights: nothing was downloaded. VGG16's features are in the program; one
// model says how to get CLIP, all are trained without it.
func TestNoFrozenWeights(t *testing.T) {
	t.Setenv("PIXELGRAD_WEIGHTS", t.TempDir())
	_, _, err := runWith(t, context.Background(), quick(t.TempDir(), "-model", "clip"))
	if err == nil || !strings.Contains(err.Error(), "weights get clip-vit-b32") || !strings.Contains(err.Error(), "-random-features") {
		t.Errorf("no weights: %v", err)
	}
	dir := t.TempDir()
	out, log, err := runWith(t, context.Background(), quick(dir, "-model", "vgg", "-steps", "1"))
	if err != nil || log != "" || strings.Contains(out, "random") || !strings.Contains(out, "VGG16's relu2_2 of 10 photographs") {
		t.Errorf("-model vgg: %v\n%s\n%s", err, out, log)
	}
	c, err := runs.Read(filepath.Join(dir, "run"))
	if err != nil || c.VGGWeights != "embedded" || c.VGGInput != "pixels" {
		t.Fatalf("%s: weights %q, input %q, error %v; want embedded, pixels", runs.ConfigFile, c.VGGWeights, c.VGGInput, err)
	}
	// It goes on with them: what the weights told is not a flag that differs.
	for _, flag := range []string{"-resume", "-report"} {
		if _, err := parseFlags([]string{flag, filepath.Join(dir, "run")}, io.Discard); err != nil {
			t.Errorf("%s: %v", flag, err)
		}
	}
	// What the run leaned on is what its configuration leads to.
	e, err := frozen.New(superres.VGGFeatures, c.Options, c.Seed, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := vgg.Pretrained("relu2_2")
	if err != nil {
		t.Fatal(err)
	}
	x := recipe.Pixels(1, 1, 3, 72, 72)
	if got, want := e.See(x), m.Features(m.Normalize(x), "relu2_2")[0]; !slices.Equal(got.Data(), want.Data()) {
		t.Error("the configuration of a run leads to other features than those in the program")
	}
	dir = t.TempDir()
	out, log, err = runWith(t, context.Background(), quick(dir, "-model", "all", "-steps", "1"))
	if err != nil || strings.Contains(out+log, "random") || !strings.Contains(out, "SuperResNetWithVGG reaches") || strings.Contains(out, "WithCLIP") {
		t.Errorf("all without weights: %v\n%s\n%s", err, out, log)
	}
	const left = "SuperResNetWithCLIP is left out: it needs the weights of CLIP ViT-B/32; get them with: go run ./cmd/weights get clip-vit-b32\n"
	if log != left {
		t.Errorf("all without weights: messages %q, want %q", log, left)
	}
	r, err := report.Read(filepath.Join(dir, "run"))
	if err != nil || len(r.LeftOut) != 2 || r.LeftOut[0].What != "SuperResNetWithCLIP" || r.LeftOut[1].What != step8 {
		t.Errorf("left out on the page: %+v, %v", r, err)
	}
}

// TestSeed wants the same losses from the same seed, and others from another.
func TestSeed(t *testing.T) {
	steps := func(seed string, more ...string) string {
		dir := t.TempDir()
		if _, _, err := runWith(t, context.Background(), quick(dir, append(more, "-seed", seed, "-steps", "3")...)); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "run", runs.StepsFile))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if a, b := steps("1"), steps("1", "-threads", "3"); a != b {
		t.Errorf("the same seed with 3 threads:\n%s\nwant\n%s", b, a)
	}
	if steps("1") == steps("2") {
		t.Error("another seed gave the same losses")
	}
}

// cancelAfter is a context that is cancelled when somebody has asked so often.
type cancelAfter struct {
	context.Context
	left int
}

func (c *cancelAfter) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	out, _, err := runWith(t, &cancelAfter{context.Background(), 41}, quick(dir, "-threads", "1", "-epochs", "50"))
	if err != nil || !strings.Contains(out, "It was stopped after step") || !strings.Contains(out, " of 100.\nGo on with: go run ./cmd/train -resume ") {
		t.Errorf("%v\n%s", err, out)
	}
	if !strings.Contains(out, " s, stopped\n") {
		t.Errorf("the last epoch is not called stopped:\n%s", out)
	}
	for _, name := range []string{runs.WeightsFile, runs.MetricsFile, runs.StepsFile, runs.PredictionsFile, runs.LossFile} {
		if _, err := os.Stat(filepath.Join(dir, "run", name)); err != nil {
			t.Error(err)
		}
	}
	// Its report has the same epoch, and nothing is written that the training goes on from.
	was := trained(t, filepath.Join(dir, "run"))
	before, err := report.Read(filepath.Join(dir, "run"))
	if err != nil {
		t.Fatal(err)
	}
	if _, log, err := runWith(t, context.Background(), []string{"-report", filepath.Join(dir, "run")}); err != nil || log != "" {
		t.Fatal(err, log)
	}
	if is := trained(t, filepath.Join(dir, "run")); !slices.Equal(is, was) {
		t.Errorf("files after -report: %v, want %v", is, was)
	}
	if after, err := report.Read(filepath.Join(dir, "run")); err != nil || len(after.Networks) != 1 || len(after.Networks[0].Outputs[0].Epochs) != len(before.Networks[0].Outputs[0].Epochs) || after.Networks[0].Stopped != before.Networks[0].Stopped {
		t.Errorf("the report is another: %+v, %v", after, err)
	}
	// Others are not begun.
	dir = t.TempDir()
	if _, _, err := runWith(t, &cancelAfter{context.Background(), 41}, quick(dir, "-threads", "1", "-repeat", "2", "-epochs", "50")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "run", "seed-0", runs.WeightsFile)); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "run", "seed-1")); err == nil {
		t.Error("the second training was begun after an interrupt")
	}
}

func TestDiverged(t *testing.T) {
	dir := t.TempDir()
	_, _, err := runWith(t, context.Background(), quick(dir, "-lr", "1e30"))
	var diverged *train.DivergedError
	if !errors.As(err, &diverged) || !strings.Contains(err.Error(), "step 2") {
		t.Errorf("error %v, want one that names step 2", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "run", runs.WeightsFile)); err != nil {
		t.Errorf("the last good weights: %v", err)
	}
}

func TestBadPhotographs(t *testing.T) {
	data, out := t.TempDir(), t.TempDir()
	for i := range 6 {
		p := vision.NewRGB(80, 60)
		for j := range p.Pix {
			p.Pix[j] = uint8(i*40 + j%37)
		}
		if err := vision.WritePNG(filepath.Join(data, string(rune('a'+i))+".png"), p); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(data, "broken.jpg"), []byte("\xff\xd8\xff\xe0 no photograph"), 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{"-data", data, "-epochs", "1", "-out", filepath.Join(out, "run")}
	_, _, err := runWith(t, context.Background(), args)
	if err == nil || !strings.Contains(err.Error(), "broken.jpg") || !strings.Contains(err.Error(), "-skip-bad") {
		t.Errorf("a broken photograph: %v", err)
	}
	if _, err := os.Stat(filepath.Join(out, "run")); err == nil {
		t.Error("a run that did not begin left its folder behind")
	}
	_, log, err := runWith(t, context.Background(), append(args, "-skip-bad"))
	if err != nil || !strings.Contains(log, "broken.jpg") || !strings.Contains(log, "1 of 7 photographs were left out") {
		t.Errorf("-skip-bad: %v\n%s", err, log)
	}
}

func TestParseFlags(t *testing.T) {
	for args, want := range map[string]string{
		"-batch -1":             "-batch -1",
		"-lr NaN":               "-lr NaN",
		"-lr Inf":               "-lr +Inf",
		"-lr -1":                "-lr -1",
		"-lr 0":                 "-lr 0",
		"-epochs 0":             "-epochs 0",
		"-steps -3":             "-steps -3",
		"-limit -3":             "-limit -3",
		"-threads -3":           "-threads -3",
		"-model resnet":         "there is superresnet",
		"photos":                `"photos"`,
		"-nonsense":             "nonsense",
		"-seed x":               "-seed",
		"-init-key model":       "expected -init with the file",
		"-init w -model all":    "expected one -model",
		"-loss l2":              "-loss: ",
		"-schedule slow":        "-schedule: ",
		"-clip-norm -1":         "-clip-norm -1",
		"-clip-norm NaN":        "-clip-norm NaN",
		"-crop 73":              "-crop 73",
		"-crop 3 -loss ssim":    "-loss ssim compares squares of",
		"-crop 25 -model vgg":   "expected an even number for SuperResNetWithVGG",
		"-save-every 0":         "-save-every",
		"-augment flips,mirror": "-augment",
		"-repeat 0":             "-repeat 0",
	} {
		if _, err := parseFlags(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that has %q", args, err, want)
		}
	}
	if o := parse(t, []string{"-ui", "-lr", "0.5"}); o.UI != defaultUI || o.LR != 0.5 || o.SaveEvery != (runs.Every{Time: 5 * time.Minute}) {
		t.Errorf("-ui without an address: %+v", o)
	}
	var help strings.Builder
	if _, err := parseFlags([]string{"-help"}, &help); err != flag.ErrHelp || !strings.Contains(help.String(), "-skip-bad") {
		t.Errorf("-help: %v\n%s", err, help.String())
	}
}

// TestMemoryIsRefused wants what the machine cannot hold to be refused before anything is
// trained, and the other networks to be trained all the same.
func TestMemoryIsRefused(t *testing.T) {
	defer func(f func() (int64, string)) { freeMemory = f }(freeMemory)
	free := int64(1 << 20)
	freeMemory = func() (int64, string) { return free, memory.Machine }
	dir := t.TempDir()
	_, _, err := runWith(t, context.Background(), quick(dir))
	if err == nil || !strings.Contains(err.Error(), "-batch 4") || !strings.Contains(err.Error(), "1.0 MB") {
		t.Errorf("with 1 MB of free memory: error %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "run")); err == nil {
		t.Error("a folder for the results was left")
	}
	free = 50 << 20 // enough for all but the largest
	out, log, err := runWith(t, context.Background(), quick(dir, "-model", "all", "-steps", "1"))
	if err == nil || !strings.Contains(err.Error(), "SuperResNetDilated") || !strings.Contains(log, "SuperResNetDilated") || !strings.Contains(out, "SuperResNetMulti reaches") {
		t.Errorf("with 50 MB of free memory: %v\n%s\n%s", err, log, out)
	}
	if r, err := report.Read(filepath.Join(dir, "run")); err != nil || len(r.Waiting) != 0 || !slices.ContainsFunc(r.LeftOut, func(o report.Omission) bool {
		return o.What == "SuperResNetDilated" && strings.Contains(o.Why, "free memory")
	}) {
		t.Errorf("the report does not say why it was left out: %+v, %v", r, err)
	}
	freeMemory = func() (int64, string) { return 0, memory.Unknown }
	if _, _, err := runWith(t, context.Background(), quick(t.TempDir(), "-steps", "1")); err != nil {
		t.Errorf("on a system that does not say what is free: %v", err)
	}
}

// TestSquaresAreRefused wants squares that do not fit to be refused before a photograph is
// read, with a -limit that fits.
func TestSquaresAreRefused(t *testing.T) {
	defer func(f func() (int64, string)) { freeMemory = f }(freeMemory)
	data, out := t.TempDir(), filepath.Join(t.TempDir(), "run")
	for i := range 2000 { // no pictures: whoever reads them says so
		if err := os.WriteFile(filepath.Join(data, fmt.Sprintf("%04d.jpg", i)), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"-data", data, "-batch", "1", "-steps", "1", "-out", out}
	start := func(free int64, more ...string) error {
		freeMemory = func() (int64, string) { return free, memory.Container }
		_, _, err := runWith(t, context.Background(), append(args, more...))
		return err
	}
	const each = 3 * (72*72 + 144*144) // SuperResNet has one output
	err := start(100_000_000)
	if err == nil {
		t.Fatal("155.5 MB of squares in 100 MB: no error")
	}
	for _, want := range []string{"155.5 MB for the squares of 2,000 photographs", "for a training step", "found 100.0 MB " + memory.Container} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a folder for the results was left")
	}
	_, advice, _ := strings.Cut(err.Error(), "choose -limit ")
	limit, err := strconv.Atoi(advice)
	if err != nil || limit*each > 90_000_000 || limit*each < 50_000_000 {
		t.Fatalf("-limit %q would need %d bytes, want most of 100 MB less a step", advice, limit*each)
	}
	if err := start(100_000_000, "-limit", advice); err == nil || !strings.Contains(err.Error(), "photographs cannot be used") {
		t.Errorf("with -limit %s: error %v, want one about the photographs", advice, err)
	}
	if err := start(1 << 40); err == nil || !strings.Contains(err.Error(), "photographs cannot be used") {
		t.Errorf("with 1 TB: error %v, want one about the photographs", err)
	}
}

// TestNotes wants what is odd about the data to be said, and names without a photograph to be
// left out with -skip-bad alone.
func TestNotes(t *testing.T) {
	data, out := t.TempDir(), t.TempDir()
	images, lists := filepath.Join(data, "JPEGImages"), filepath.Join(data, "ImageSets", "Main")
	for _, dir := range []string{images, lists} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 6 {
		p := vision.NewRGB(80, 60)
		for j := range p.Pix {
			p.Pix[j] = uint8(i*40 + j%37)
		}
		if err := vision.WritePNG(filepath.Join(images, fmt.Sprintf("img %d.png", i)), p); err != nil {
			t.Fatal(err)
		}
	}
	for file, text := range map[string]string{
		filepath.Join(images, "a.heic"):    "",
		filepath.Join(lists, "train.txt"):  "img 0\r\nimg 1.png\r\nimg 2 -1\r\nimg 3\r\nimg 4\r\n",
		filepath.Join(lists, "val.txt"):    "img 4\nimg 5\nimg 5.png 1\nimg 6\n",
		filepath.Join(lists, "readme.txt"): "",
	} {
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"-data", data, "-steps", "1", "-out", filepath.Join(out, "run")}
	if _, _, err := runWith(t, context.Background(), args); err == nil || !strings.Contains(err.Error(), `"img 6" (line 4)`) || !strings.Contains(err.Error(), "-skip-bad") {
		t.Errorf("a name without a photograph: error %v", err)
	}
	text, log, err := runWith(t, context.Background(), append(args, "-skip-bad"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"JPEGImages: 1 file was passed over: .heic\n",
		`val.txt: 1 name has no photograph and is left out: "img 6" (line 4)`,
		`val.txt: 1 photograph is listed again and used once: "img 5" (lines 2 and 3)`,
		`train.txt and val.txt: 1 photograph is on both lists and only validates: "img 4" (lines 5 and 1)`,
	} {
		if strings.Count(log, want) != 1 {
			t.Errorf("messages lack %q, or have it twice:\n%s", want, log)
		}
	}
	if want := "4 photographs to train on and 2 to validate with"; !strings.Contains(text, want) {
		t.Errorf("output lacks %q:\n%s", want, text)
	}
}

// TestPlainRun trains on the plain tape, and wants the compiled run's losses.
func TestPlainRun(t *testing.T) {
	losses := func(more ...string) string {
		dir := t.TempDir()
		out, _, err := runWith(t, context.Background(), quick(dir, append(more, "-steps", "3")...))
		if err != nil {
			t.Fatal(err)
		}
		if plain := len(more) > 0 && more[0] == "-plain"; plain != strings.Contains(out, "not planned") {
			t.Errorf("%q: the line about memory:\n%s", more, out)
		}
		text, err := os.ReadFile(filepath.Join(dir, "run", runs.StepsFile))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	want := losses()
	for _, more := range [][]string{{"-plain"}, {"-without", "all"}} {
		if got := losses(more...); got != want {
			t.Errorf("%q: losses\n%s, compiled\n%s", more, got, want)
		}
	}
	if _, err := parseFlags([]string{"-plain", "-without", "fuse"}, io.Discard); err == nil || !strings.Contains(err.Error(), "-plain") {
		t.Errorf("-plain with -without: %v", err)
	}
}
