package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/nn/train"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// golden are the files of testdata/golden/protocol.py, with their scores.
type golden struct {
	Files []struct {
		Name       string
		HR, LR     []byte
		PSNR, SSIM float64
		RGBPSNR    float64 `json:"rgb_psnr"`
	}
}

func readGolden(t *testing.T) (g golden) {
	t.Helper()
	data, err := os.ReadFile("../../testdata/golden/protocol.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &g); err != nil || len(g.Files) != 2 {
		t.Fatalf("%d files, %v; want 2", len(g.Files), err)
	}
	return g
}

// folder writes the golden pictures, with LR or without, and returns the folder.
func folder(t *testing.T, withLR bool) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range readGolden(t).Files {
		write(t, filepath.Join(dir, "HR", f.Name+".png"), f.HR)
		if withLR {
			write(t, filepath.Join(dir, "LR", f.Name+".png"), f.LR)
		}
	}
	return dir
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// evaluate runs the command, and returns its exit status and what it printed.
func evaluate(t *testing.T, args ...string) (status int, out, log string) {
	t.Helper()
	var o, l bytes.Buffer
	c := cli.Command{Name: "eval", Run: func(ctx context.Context, args []string, s cli.Streams) error {
		opts, err := parseFlags(args, s.Out)
		if err != nil {
			return err
		}
		return run(ctx, opts, s.Out, s.Log)
	}}
	status = c.Status(t.Context(), args, cli.Streams{Out: &o, Log: &l})
	return status, o.String(), l.String()
}

// scored is evaluate with -json, of a command that succeeds.
func scored(t *testing.T, args ...string) (r result) {
	t.Helper()
	status, out, log := evaluate(t, append(args, "-json")...)
	if status != 0 {
		t.Fatalf("%q: status %d, messages %s", args, status, log)
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
	return r
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

// TestGolden compares bicubic with an independent implementation: the small pictures given, made,
// and made of a plain folder. SSIM has the precision of float32.
func TestGolden(t *testing.T) {
	g := readGolden(t)
	for what, dir := range map[string]string{
		"with LR":      folder(t, true),
		"without LR":   folder(t, false),
		"plain folder": filepath.Join(folder(t, false), "HR"),
	} {
		r := scored(t, "-data", dir, "-s", "2")
		if len(r.Pictures) != 2 || r.Network != bicubic || len(r.Convention) == 0 || (r.LowResolution == "LR") != (what == "with LR") {
			t.Fatalf("%s: got %+v", what, r)
		}
		var psnr, ssim float64
		for i, p := range r.Pictures {
			want := g.Files[i]
			psnr, ssim = psnr+want.PSNR/2, ssim+want.SSIM/2
			if p.Name != want.Name || p.Network != nil || !near(float64(p.Bicubic.PSNR), want.PSNR, 1e-9) || !near(*p.Bicubic.SSIM, want.SSIM, 2e-6) {
				t.Errorf("%s: %s: got %v dB, SSIM %v; want %s, %v dB, %v", what, p.Name, p.Bicubic.PSNR, *p.Bicubic.SSIM, want.Name, want.PSNR, want.SSIM)
			}
		}
		if m := r.Mean.Bicubic; !near(float64(m.PSNR), psnr, 1e-9) || !near(*m.SSIM, ssim, 2e-6) {
			t.Errorf("%s: mean: got %v dB, SSIM %v; want %v dB, %v", what, m.PSNR, *m.SSIM, psnr, ssim)
		}
		r = scored(t, "-data", dir, "-s", "2", "-rgb")
		for i, p := range r.Pictures {
			if want := g.Files[i].RGBPSNR; !near(float64(p.Bicubic.PSNR), want, 1e-9) || p.Bicubic.SSIM != nil {
				t.Errorf("%s: %s: RGB: got %v dB, SSIM %v; want %v dB and none", what, p.Name, p.Bicubic.PSNR, p.Bicubic.SSIM, want)
			}
		}
	}
}

// Both forms of table, each with its convention.
func TestTables(t *testing.T) {
	dir := folder(t, true)
	const luma, rgb = "luma of BT.601 (16 to 235)", "red, green and blue together"
	status, out, log := evaluate(t, "-data", dir)
	if lines := strings.Split(out, "\n"); status != 0 || len(lines) != 4+1+2+1+1 || !strings.HasPrefix(lines[4], "picture") || !strings.HasPrefix(lines[7], "mean") {
		t.Errorf("status %d, messages %s, table:\n%s", status, log, out)
	}
	for _, want := range []string{luma, "border of 2 pixels", "11×11", "SSIM", "×2", "low resolution: LR", "38×34"} {
		if !strings.Contains(out, want) {
			t.Errorf("the table lacks %q:\n%s", want, out)
		}
	}
	if _, out, _ := evaluate(t, "-data", dir, "-rgb"); !strings.Contains(out, rgb) || strings.Contains(out, luma) || strings.Contains(out, "SSIM") {
		t.Errorf("-rgb:\n%s", out)
	}
	for flag, columns := range map[string]string{"-rgb=false": "picture,width,height,bicubic_psnr_y,bicubic_ssim_y", "-rgb": "picture,width,height,bicubic_psnr_rgb"} {
		_, out, log := evaluate(t, "-data", dir, "-csv", flag)
		rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		if err != nil || len(rows) != 3 || strings.Join(rows[0], ",") != columns || !strings.Contains(log, "levels 0 to 255") {
			t.Errorf("%s: %v, messages %q, rows\n%s", flag, err, log, out)
		}
	}
}

// saved returns a file with the random weights of a model.
func saved(t *testing.T, m superres.Model) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), runs.WeightsFile)
	if err := train.SaveWeights(path, m, nil); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestNetwork compares the scores of a network with those of what it makes of the pictures on the
// plain tape. Their small sides are odd.
func TestNetwork(t *testing.T) {
	dir := folder(t, true)
	rng := rand.New(rand.NewPCG(3, 0))
	single, multi, withVGG := superres.NewSuperResNet(rng), superres.NewSuperResNetMulti(rng), superres.NewSuperResNetWithVGG(rng, 128)
	eye, err := frozen.New(superres.VGGFeatures, runs.Defaults().Options, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]superres.Model{"superresnet": single, "multi": multi, "vgg": withVGG} {
		path := saved(t, m)
		for _, scale := range []string{"2", "4"} {
			if name == "superresnet" && scale == "4" {
				continue
			}
			data, s := dir, int(scale[0]-'0')
			if s == 4 {
				data = filepath.Join(dir, "HR") // smaller pictures of 9×8 and 9×7 pixels
			}
			r := scored(t, "-data", data, "-s", scale, "-n", name, "-m", path)
			if r.Network != name || r.Weights != path {
				t.Errorf("%s: the table is of %s, %s", name, r.Network, r.Weights)
			}
			for _, p := range r.Pictures {
				hr, err := vision.ReadFile(filepath.Join(dir, "HR", p.Name+".png"))
				if err != nil {
					t.Fatal(err)
				}
				hr = vision.CropToMultiple(hr, s)
				small := vision.ResizeMATLAB(hr, 1/float64(s))
				in := superres.Input{Photo: autograd.Constant(small.Tensor())}
				if name == "vgg" {
					in.Photo = autograd.Constant(even(small).Tensor())
					in.Features = autograd.Constant(eye.See(in.Photo.Data()))
				}
				made := m.Forward(in)
				y := made.Mid
				if s == 4 {
					y = made.Large
				}
				enlarged := vision.CropTo(vision.FromTensor(y.Data(), 0), hr.W, hr.H)
				plane := vision.Luma
				if p.Name == "grey" {
					plane = vision.Gray
				}
				if want := vision.GrayPSNR(plane(enlarged), plane(hr), s); !near(float64(p.Network.PSNR), want, 0.01) {
					t.Errorf("%s ×%d: %s: got %v dB, want %v", name, s, p.Name, p.Network.PSNR, want)
				}
			}
			if r.Mean.Network == nil || r.Mean.Bicubic.PSNR == r.Mean.Network.PSNR {
				t.Errorf("%s ×%d: mean %+v", name, s, r.Mean)
			}
		}
	}
}

// TestRecognized scores networks that nobody names: the weights tell which they are.
func TestRecognized(t *testing.T) {
	dir := folder(t, true)
	rng := rand.New(rand.NewPCG(6, 0))
	own := saved(t, superres.NewSuperResNet(rng))
	named, found := scored(t, "-data", dir, "-n", "superresnet", "-m", own), scored(t, "-data", dir, "-m", own)
	if found.Network != "weights" || found.Mean.Network.PSNR != named.Mean.Network.PSNR {
		t.Errorf("got %s, %v dB; want weights, as the file is called, %v dB", found.Network, found.Mean.Network.PSNR, named.Mean.Network.PSNR)
	}
	compact := filepath.Join(t.TempDir(), "compact.x2.safetensors")
	if err := train.SaveWeights(compact, superres.NewSRVGGNetCompact(rng, 3, 4, 1, 2, superres.PReLU), nil); err != nil {
		t.Fatal(err)
	}
	if r := scored(t, "-data", dir, "-m", compact); r.Network != "compact.x2" || r.Mean.Network == nil {
		t.Errorf("an SRVGGNetCompact: got %+v", r)
	}
	if r := scored(t, "-data", dir, "-n", superres.FastName); r.Network != superres.FastName || r.Mean.Network == nil {
		t.Errorf("-n fast: got %+v", r)
	}
}

// TestRun takes the network from the folder of a run.
func TestRun(t *testing.T) {
	dir, data := t.TempDir(), folder(t, true)
	m := superres.NewSuperResNetMulti(rand.New(rand.NewPCG(4, 0)))
	if err := train.SaveWeights(filepath.Join(dir, runs.WeightsFile), m, nil); err != nil {
		t.Fatal(err)
	}
	if status, _, log := evaluate(t, "-data", data, "-m", dir); status != 1 || !strings.Contains(log, runs.ConfigFile) {
		t.Errorf("without a config.json: status %d, messages %s", status, log)
	}
	bare := scored(t, "-data", data, "-m", dir, "-n", "multi")
	c := runs.Config{Flags: runs.Defaults()}
	c.Model = "multi"
	if err := c.Write(dir); err != nil {
		t.Fatal(err)
	}
	r := scored(t, "-data", data, "-m", dir)
	if r.Network != "multi" || r.Mean.Network.PSNR != bare.Mean.Network.PSNR {
		t.Errorf("got %s with %v dB, want multi with %v", r.Network, r.Mean.Network.PSNR, bare.Mean.Network.PSNR)
	}
	withVGG := superres.NewSuperResNetWithVGG(rand.New(rand.NewPCG(4, 0)), 64)
	other := t.TempDir()
	if err := train.SaveWeights(filepath.Join(other, runs.WeightsFile), withVGG, nil); err != nil {
		t.Fatal(err)
	}
	c.Model, c.VGGLayer = "vgg", "relu1_2" // a setting that only config.json has
	if err := c.Write(other); err != nil {
		t.Fatal(err)
	}
	if r := scored(t, "-data", data, "-m", other); r.Network != "vgg" || r.Mean.Network == nil {
		t.Errorf("with relu1_2: got %+v", r)
	}
	if status, _, log := evaluate(t, "-data", data, "-m", dir, "-n", "dilated"); status != 1 || !strings.Contains(log, "multi") {
		t.Errorf("-n of another network: status %d, messages %s", status, log)
	}
}

// TestBadPictures: what cannot be scored is named and left out, and the status is 1.
func TestBadPictures(t *testing.T) {
	dir := folder(t, true)
	g := readGolden(t)
	write(t, filepath.Join(dir, "HR", "alone.png"), g.Files[0].HR)
	write(t, filepath.Join(dir, "HR", "damaged.png"), g.Files[0].HR[:300])
	write(t, filepath.Join(dir, "HR", "misfit.png"), g.Files[0].HR)
	write(t, filepath.Join(dir, "LR", "misfit.png"), g.Files[1].LR)
	write(t, filepath.Join(dir, "LR", "nobody's.png"), g.Files[1].LR)
	write(t, filepath.Join(dir, "HR", "narrow.png"), g.Files[0].HR)
	if err := vision.WritePNG(filepath.Join(dir, "LR", "narrow.png"), vision.NewRGB(18, 17)); err != nil {
		t.Fatal(err)
	}
	if err := vision.WritePNG(filepath.Join(dir, "HR", "tiny.png"), vision.NewRGB(20, 14)); err != nil {
		t.Fatal(err)
	}
	status, out, log := evaluate(t, "-data", dir, "-json")
	var r result
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if status != 1 || len(r.Pictures) != 2 || strings.Join(r.Failed, " ") != "alone damaged misfit narrow tiny" || !near(float64(r.Mean.Bicubic.PSNR), (g.Files[0].PSNR+g.Files[1].PSNR)/2, 1e-9) {
		t.Errorf("status %d, got %+v", status, r)
	}
	for _, want := range []string{
		filepath.Join("HR", "alone.png") + ": expected a smaller picture of the same name in LR",
		filepath.Join("HR", "damaged.png") + ": ",
		filepath.Join("LR", "misfit.png") + ": expected 19×17 pixels",
		"found 18×15",
		filepath.Join("HR", "tiny.png") + ": expected a picture of at least 15×15 pixels",
		"1 pictures have no partner in HR and are passed over: nobody's",
		"5 of 7 pictures are left out, and the mean is without them: alone, damaged, misfit, narrow, tiny",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("messages lack %q:\n%s", want, log)
		}
	}
}

func TestBadInput(t *testing.T) {
	data := folder(t, true)
	weights := saved(t, superres.NewSuperResNet(rand.New(rand.NewPCG(0, 0))))
	onlyLR, byScale, ruined, twice := t.TempDir(), t.TempDir(), t.TempDir(), folder(t, true)
	write(t, filepath.Join(onlyLR, "LR", "a.png"), nil)
	write(t, filepath.Join(byScale, "x3", "HR", "a.png"), nil)
	write(t, filepath.Join(ruined, "a.png"), []byte("no picture"))
	write(t, filepath.Join(twice, "LR", "grey.jpg"), nil)
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, 2, "-data: expected a folder"},
		{[]string{"-data", data, "-s", "5"}, 2, "2, 3 or 4"},
		{[]string{"-data", data, "-json", "-csv"}, 2, "either -json or -csv"},
		{[]string{"-data", data, "-n", "multi"}, 2, "-m RUN or FILE"},
		{[]string{"-data", data, "-n", "bicubic", "-m", weights}, 2, "no weights"},
		{[]string{"-data", data, "-m", weights, "-s", "3"}, 2, "expected -s 2"},
		{[]string{"-data", data, "-n", "none", "-m", weights}, 2, "superresnet, multi"},
		{[]string{"-data", data, "-n", "superresnet", "-m", weights, "-s", "4"}, 2, "expected -s 2"},
		{[]string{"-data", data, "-n", "multi", "-m", weights, "-s", "3"}, 2, "expected -s 2 or 4"},
		{[]string{"-data", data, "-n", "dilated", "-m", weights}, 1, weights},
		{[]string{"-data", data, "-n", "multi", "-m", weights + "x"}, 1, weights + "x"},
		{[]string{"-data", filepath.Join(data, "none")}, 1, "expected a folder of pictures"},
		{[]string{"-data", filepath.Join(data, "HR", "grey.png")}, 1, "found a file"},
		{[]string{"-data", t.TempDir()}, 1, "expected a folder HR"},
		{[]string{"-data", byScale, "-s", "3"}, 1, "is it -data " + filepath.Join(byScale, "x3")},
		{[]string{"-data", onlyLR}, 1, "expected HR beside LR"},
		{[]string{"-data", twice}, 1, "expected one picture of a name"},
		{[]string{"-data", ruined}, 1, "none of 1 pictures can be scored"},
	} {
		if status, out, log := evaluate(t, c.args...); status != c.status || !strings.Contains(log, c.want) || out != "" {
			t.Errorf("%q: status %d, output %q, messages %q; want %d and %q", c.args, status, out, log, c.status, c.want)
		}
	}
}

// A picture that is its own enlargement has no errors: ∞ in the table, null in JSON, inf in CSV.
func TestEqual(t *testing.T) {
	dir := t.TempDir()
	if err := vision.WritePNG(filepath.Join(dir, "black.png"), vision.NewRGB(24, 24)); err != nil {
		t.Fatal(err)
	}
	if _, out, _ := evaluate(t, "-data", dir, "-s", "3"); !strings.Contains(out, "∞") {
		t.Errorf("table:\n%s", out)
	}
	if _, out, _ := evaluate(t, "-data", dir, "-s", "3", "-json"); !strings.Contains(out, `"psnr": null`) {
		t.Errorf("JSON:\n%s", out)
	}
	if _, out, _ := evaluate(t, "-data", dir, "-s", "3", "-csv"); !strings.Contains(out, ",inf,") {
		t.Errorf("CSV:\n%s", out)
	}
}

func TestDIV2K(t *testing.T) {
	dir := t.TempDir()
	g := readGolden(t).Files[0]
	write(t, filepath.Join(dir, "HR", "0801.png"), g.HR)
	write(t, filepath.Join(dir, "LR", "0801x2.png"), g.LR)
	if r := scored(t, "-data", dir, "-s", "2"); !near(float64(r.Mean.Bicubic.PSNR), g.PSNR, 1e-9) {
		t.Errorf("got %v dB, want %v", r.Mean.Bicubic.PSNR, g.PSNR)
	}
}

// even returns p with even sides: an odd one is one longer, and its last pixels are there twice.
func even(p *vision.RGB) *vision.RGB {
	q := vision.NewRGB(p.W+p.W%2, p.H+p.H%2)
	for y := range q.H {
		for x := range q.W {
			copy(q.Pix[3*(y*q.W+x):][:3], p.Pix[3*(min(y, p.H-1)*p.W+min(x, p.W-1)):])
		}
	}
	return q
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o, err := parseFlags([]string{"-data", folder(t, true)}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(ctx, o, &out, io.Discard); err == nil || err.Error() != "interrupted" || out.Len() != 0 {
		t.Errorf("error %v, output %q", err, out.String())
	}
}
