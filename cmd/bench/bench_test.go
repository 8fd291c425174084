package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// fakePeer is a variable of the environment that makes a peer of this test's program. It
// says what the peer lacks, or the loss that it computes.
const fakePeer = "PIXELGRAD_FAKE_PEER"

// TestMain stands in for the command, which starts itself for each model, and for peers.
func TestMain(m *testing.M) {
	what, fake := os.LookupEnv(fakePeer)
	switch {
	case len(os.Args) > 1 && os.Args[1] == "-serve":
		main()
	case fake && len(os.Args) > 1 && strings.HasSuffix(os.Args[1], ".py"):
		serveFake(what)
	default:
		os.Exit(m.Run())
	}
}

func serveFake(what string) {
	loss, err := strconv.ParseFloat(what, 64)
	e := json.NewEncoder(os.Stdout)
	switch {
	case strings.HasPrefix(what, "{"):
		serveLibrary(what)
	case strings.HasPrefix(what, "only "):
		e.Encode(answer{Name: "Fake 1.0", Only: strings.Fields(what)[1:]})
	case err != nil:
		e.Encode(answer{Missing: what})
	case len(os.Args) == 2:
		e.Encode(answer{Name: "Fake 1.0"})
	default:
		answers(os.Stdin, os.Stdout, func(line string) (any, error) {
			return answer{Name: "Fake 1.0", Loss: loss, Seconds: 0.5, Bytes: 2e6}, nil
		})
	}
}

func mustParse(t *testing.T, args ...string) *options {
	t.Helper()
	o, err := parseFlags(args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestParseFlags(t *testing.T) {
	for args, want := range map[string]string{
		"-batch 0":          "-batch 0",
		"-rounds 0":         "-rounds 0",
		"-threads -1":       "-threads -1",
		"-models nanet":     "there is superresnet",
		"-models vgg16@":    `found "vgg16@"`,
		"-models vgg16@0":   `found "vgg16@0"`,
		"-models all@1@2":   `found "all@1@2"`,
		"-models fast@2":    `as in fast@512x512, found "fast@2"`,
		"-models rrdb@1x9":  `found "rrdb@1x9"`,
		"-models rrdb@8x9x": `found "rrdb@8x9x"`,
		"-kernels (":        "missing closing )",
		"-scaling vgg16":    "there is superresnet",
		"fast":              `"fast"`,
	} {
		if _, err := parseFlags(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that has %q", args, err, want)
		}
	}
	if _, err := parseFlags([]string{"-h"}, io.Discard); err != flag.ErrHelp {
		t.Errorf("-h: %v", err)
	}
	if o := mustParse(t); o.threads == 0 || o.peer != "" || !o.kernels.MatchString("Add") {
		t.Errorf("without flags: %+v", o)
	}
	if o := mustParse(t, "-kernels", "none"); o.kernels != nil {
		t.Errorf("-kernels none: %v", o.kernels)
	}
}

func batched(name string, batch int) modelSpec { return modelSpec{name: name, batch: batch} }

func enlarging(name string, w, h int) modelSpec {
	return modelSpec{name: name, picture: image.Pt(w, h)}
}

func TestParseModels(t *testing.T) {
	for list, want := range map[string][]modelSpec{
		"none":                      nil,
		"vgg16@1":                   {batched("vgg16", 1)},
		"multi,vitb32,multi@8":      {batched("multi", 16), batched("vitb32", 16), batched("multi", 8)},
		"frozen,frozen@1,vgg16@16":  {batched("vgg16", 16), batched("vitb32", 16), batched("vgg16", 1), batched("vitb32", 1)},
		"superresnet,none,vitb32@1": {batched("superresnet", 16), batched("vitb32", 1)},
		"fast@30x20,rrdb,fast":      {enlarging("fast", 30, 20), enlarging("rrdb", 512, 512), enlarging("fast", 512, 512), enlarging("fast", 1600, 1250)},
		"fast,fast@512x512":         {enlarging("fast", 512, 512), enlarging("fast", 1600, 1250)},
	} {
		if got := mustParse(t, "-models", list).models; !slices.Equal(got, want) {
			t.Errorf("-models %s: %v, want %v", list, got, want)
		}
	}
	if got := mustParse(t, "-models", "all,vgg16", "-batch", "2").models; len(got) != 8 || got[0] != batched("superresnet", 2) || got[7] != batched("vgg16", 2) {
		t.Errorf("-models all,vgg16: %v", got)
	}
}

// TestServeModel asks a model's process all that it is asked.
func TestServeModel(t *testing.T) {
	o, err := parseFlags([]string{"-serve", "superresnet", "-batch", "1"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(context.Background(), o, strings.NewReader("loss\ntrain 1\ninfer 2\nmemory\n"), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var answers []answer
	for d := json.NewDecoder(&out); ; {
		var a answer
		if err := d.Decode(&a); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	if len(answers) != 4 || !(answers[0].Loss > 0.05 && answers[0].Loss < 0.2) || !(answers[1].Seconds > 0) || !(answers[2].Seconds > 0) || !(answers[3].Bytes > 1e6) {
		t.Errorf("answers %+v", answers)
	}
	if err := run(context.Background(), o, strings.NewReader("sing\n"), io.Discard, io.Discard); err == nil {
		t.Error("an unknown request: no error")
	}
}

// TestViTRecipe compares what CLIP's image tower makes of one picture with what PyTorch
// computed from testdata/peers/cases.py.
func TestViTRecipe(t *testing.T) {
	var out bytes.Buffer
	if err := run(context.Background(), mustParse(t, "-serve", "vitb32", "-batch", "1"), strings.NewReader("loss\n"), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var a answer
	const want = 0.8867616653442383
	if err := json.Unmarshal(out.Bytes(), &a); err != nil || !(math.Abs(a.Loss-want) <= lossTolerance*want) {
		t.Errorf("%s (%v), want a loss of %v", out.Bytes(), err, want)
	}
}

// TestServeEnlarger compares what each network makes of a picture with what PyTorch computed from
// testdata/peers/cases.py.
func TestServeEnlarger(t *testing.T) {
	for m, want := range map[modelSpec]float64{
		enlarging("fast", 9, 7):    0.312758930732787,
		enlarging("compact", 6, 5): 0.30297286300140974,
		enlarging("rrdb", 3, 2):    0.2751632384980136,
	} {
		var out bytes.Buffer
		if err := run(context.Background(), mustParse(t, m.serving()...), strings.NewReader("loss\ninfer 1\n"), &out, io.Discard); err != nil {
			t.Fatal(err)
		}
		var loss, infer answer
		d := json.NewDecoder(&out)
		if err := errors.Join(d.Decode(&loss), d.Decode(&infer)); err != nil || !(math.Abs(loss.Loss-want) <= lossTolerance*want) || !(infer.Seconds > 0) {
			t.Errorf("%v: %+v, %+v (%v), want a loss of %v and a time", m, loss, infer, err, want)
		}
	}
	if err := run(context.Background(), mustParse(t, "-serve", "fast", "-picture", "9"), strings.NewReader(""), io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), `found "9"`) {
		t.Errorf("no size: %v", err)
	}
}

// withPeer runs the command with this test's program as the Python of two scripts.
func withPeer(t *testing.T, what string, args ...string) (out, log string, err error) {
	t.Helper()
	t.Setenv(fakePeer, what)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return runWithPeer(t, program, args...)
}

func runWithPeer(t *testing.T, program string, args ...string) (out, log string, err error) {
	t.Helper()
	script := filepath.Join(t.TempDir(), "peer.py")
	if err := os.WriteFile(script, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	o := mustParse(t, append([]string{"-kernels", "none", "-models", "superresnet@1", "-rounds", "1", "-peer", program, "-peer-scripts", script}, args...)...)
	var outB, logB bytes.Buffer
	err = run(context.Background(), o, strings.NewReader(""), &outB, &logB)
	return outB.String(), logB.String(), err
}

func TestMissingPeer(t *testing.T) {
	for _, c := range []struct {
		name, want string
		run        func() (out, log string, err error)
	}{
		{"no such program", "there-is-no-python cannot be run", func() (string, string, error) {
			return runWithPeer(t, "there-is-no-python")
		}},
		{"no library", ": no library here; left out", func() (string, string, error) { return withPeer(t, "no library here") }},
	} {
		out, log, err := c.run()
		if err != nil || strings.Count(log, c.want) != 1 || !strings.Contains(log, "measured alone") {
			t.Errorf("%s: error %v, messages %q, want one that has %q", c.name, err, log, c.want)
		}
		if !strings.Contains(out, "superresnet@1 | training step") || strings.Contains(out, "theirs") {
			t.Errorf("%s: expected ours alone, found:\n%s", c.name, out)
		}
	}
}

// TestInterrupted has a context that is done: nothing is measured or printed.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, args := range [][]string{{"-models", "none"}, {"-kernels", "none"}, {"-kernels", "none", "-models", "none", "-photos", "../../testdata/photos"}} {
		var out bytes.Buffer
		if err := run(ctx, mustParse(t, args...), strings.NewReader(""), &out, io.Discard); err == nil || err.Error() != "interrupted" || out.Len() != 0 {
			t.Errorf("%q: error %v, output %q", args, err, out.String())
		}
	}
}

func TestMissingScript(t *testing.T) {
	o := mustParse(t, "-kernels", "none", "-peer", "python3", "-peer-scripts", "nowhere.py")
	if err := run(context.Background(), o, strings.NewReader(""), io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "nowhere.py") {
		t.Errorf("error %v, want one that names the script", err)
	}
}

// TestAgainst compares the models with those of another build: this one.
func TestAgainst(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	o := mustParse(t, "-kernels", "none", "-models", "superresnet@1", "-rounds", "1", "-against", program)
	if err := run(context.Background(), o, strings.NewReader(""), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), filepath.Base(program)) || strings.Count(out.String(), "MB") < 4 {
		t.Errorf("the table lacks the other build:\n%s", out.String())
	}
	o = mustParse(t, "-kernels", "none", "-against", "nowhere")
	if err := run(context.Background(), o, strings.NewReader(""), io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("a file that is not there: %v", err)
	}
}

// ourLoss returns what superresnet@1 computes.
func ourLoss(t *testing.T) float64 {
	t.Helper()
	var b bytes.Buffer
	if err := run(context.Background(), mustParse(t, "-serve", "superresnet", "-batch", "1"), strings.NewReader("loss\n"), &b, io.Discard); err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(b.Bytes(), &a); err != nil {
		t.Fatal(err)
	}
	return a.Loss
}

// TestPeer has a peer that computes another loss, and one that computes the same.
func TestPeer(t *testing.T) {
	out, _, err := withPeer(t, "0.25")
	if err == nil || !strings.Contains(err.Error(), "Fake 1.0 computes 0.25 from the same weights") || out != "" {
		t.Errorf("another loss: error %v, output %q", err, out)
	}
	out, log, err := withPeer(t, fmt.Sprint(ourLoss(t)))
	if err != nil {
		t.Fatalf("%v; messages %q", err, log)
	}
	for _, want := range []string{"| Fake 1.0 ", "| 500.0 ms (0.0", "| 2 MB ", "In brackets: ours / theirs", "| the fastest runtime | which is |", "| prediction    | 0.0"} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
}

// TestOnly has a peer that does not run the model.
func TestOnly(t *testing.T) {
	if p := (peer{only: []string{"fast", "rrdb"}}); p.runs(batched("superresnet", 1)) || !p.runs(enlarging("rrdb", 2, 2)) || !(peer{}).runs(batched("superresnet", 1)) {
		t.Error("a peer runs the models that it lists, and all if it lists none")
	}
	out, log, err := withPeer(t, "only another")
	if err != nil || strings.Contains(out, "Fake") || !strings.Contains(out, "superresnet@1 | training step") {
		t.Errorf("error %v, messages %q, expected ours alone, found:\n%s", err, log, out)
	}
}

// TestKernels runs each kernel that is measured once.
func TestKernels(t *testing.T) {
	ks := kernels(regexp.MustCompile("."), 1)
	for _, k := range ks {
		if k.unit != "GFLOP/s" && k.unit != "GB/s" || !(k.each > 0) {
			t.Errorf("%s: %v %s", k.name, k.each, k.unit)
		}
		k.make()()
	}
	if some := kernels(regexp.MustCompile("^conv.*3→64.*forward"), 1); len(some) != 2 || some[0].name != "FMA peak" {
		t.Errorf("of %d kernels, the forward convolutions 3→64 are %d, want the peak and one", len(ks), len(some))
	}
}

// TestWork compares operations with what is known of the architectures.
func TestWork(t *testing.T) {
	for name, want := range map[string]float64{
		"superresnet": 2 * (5184*9*64*(3+64) + 4*5184*64*3),
		"vgg16":       2 * 15.470e9,
		"vitb32":      2 * 4.41e9,
	} {
		if got, _ := work(name); !(math.Abs(got-want) <= 0.005*want) {
			t.Errorf("%s: %v operations, want about %v", name, got, want)
		}
	}
	for m, want := range map[modelSpec]float64{
		batched("vgg16", 3):          3 * 2 * 15.470e9,
		enlarging("fast", 10, 20):    200 * 2 * 50_400, // one for each weight of its convolutions
		enlarging("compact", 10, 20): 200 * 2 * 1_209_024,
		enlarging("rrdb", 10, 20):    200 * 2 * (16_572_096 + 36_864*(4+16+16) + 1728*16),
	} {
		if got, _ := m.work(); !(math.Abs(got-want) <= 0.005*want) {
			t.Errorf("%v: %v operations, want about %v", m, got, want)
		}
	}
	for _, name := range trained() {
		if predict, train := work(name); !(train > 2*predict && train < 3*predict) {
			t.Errorf("%s: a training step has %v operations, a prediction %v", name, train, predict)
		}
	}
}

func TestPrint(t *testing.T) {
	var out strings.Builder
	printResults(&out, results{CPU: "Some CPU", Go: "go", Threads: 2,
		Levels: []levelResult{{"avx2", []kernelResult{
			{"FMA peak", "GFLOP/s", 100, 200, 2, 1, 1}, {"Add", "GB/s", 50, 70, 1.4, 0, 0}, {"conv" + winogradMark, "GFLOP/s", 130, 250, 1.92, 1.3, 1.25},
		}}},
		Models: []modelResult{
			{Model: "superresnet", Batch: 16, Peak: 2e11, figures: figures{Train: 0.1, Infer: 0.02, TrainMemory: 1e8, InferMemory: 5e7, TrainShare: 0.5},
				Peers: []peerResult{
					{Name: "A", figures: figures{Train: 0.4, Infer: 0.06}, TrainRatio: 0.25, InferRatio: 0.333, TrainVariant: "fast", InferVariant: "faster"},
					{Name: "A", Plain: true, figures: figures{Train: 0.8}, TrainRatio: 0.125},
					{Name: "B", figures: figures{Infer: 0.04}, InferRatio: 0.5},
					{Name: "C", figures: figures{Infer: 0.03}, InferRatio: 0.667, InferVariant: "odd"},
					{Name: "Mine", figures: figures{Infer: 0.01}, InferRatio: 2, own: true},
				}},
			{Model: "fast", Picture: "512x512", figures: figures{Infer: 0.03}, Peers: []peerResult{{Name: "A", figures: figures{Infer: 0.06}, InferRatio: 0.5}}},
			{Model: "vitb32", Batch: 1, figures: figures{Infer: 0.07}, Peers: []peerResult{{Name: "A", TooSlow: 61}}},
		},
		Scaling: &scalingResult{"superresnet", []scalingPoint{{1, 72, 0.01, 3e7}, {2, 72, 0.019, 4e7}}, []scalingPoint{{16, 36, 0.03, 4e7}, {16, 72, 0.12, 4e7}}},
		Photos:  &photosResult{"photos", 500, 250, 200, "superresnet", 16, 4, 0.02},
	})
	for _, want := range []string{
		"| FMA peak       | GFLOP/s | 100.0    | 100%    |", "| Add            | GB/s    | 50.0 ", "| 1.92", "Of Winograd's way", "Some CPU, 2 threads",
		"| model          | ours / theirs | A at its best | which is | the fastest runtime | which is |",
		"| superresnet@16 | training step | 0.250         | fast     |                     |          |",
		"|                | prediction    | 0.333         | faster   | 0.667               | C (odd)  |",
		"| ours     | A, best          | A, plain         | B               | C               | Mine            | A               |",
		"| 100.0 ms | 400.0 ms (0.250) | 800.0 ms (0.125) |                 |                 |                 |                 |",
		"| 60.0 ms (0.500) |", "vitb32@1: A needed 61 s", "| fast@512x512 ", "| 1.90 ", "| 4.00 ", "| 25.1 ", "0.50%",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, out.String())
		}
	}
}

func TestMedian(t *testing.T) {
	if m := median([]float64{5, 1, 3}); m != 3 {
		t.Errorf("median of three: %v", m)
	}
	if m := median([]float64{4, 1, 3, 2}); m != 2.5 {
		t.Errorf("median of four: %v", m)
	}
}

// TestRotated: in as many rounds as there are contestants, each is once in every place.
func TestRotated(t *testing.T) {
	all := []*contestant{{title: "a"}, {title: "b"}, {title: "c"}}
	seen := map[string]bool{}
	for round := range all {
		for place, c := range rotated(all, round) {
			seen[fmt.Sprint(c.title, place)] = true
		}
	}
	if len(seen) != 9 {
		t.Errorf("contestants and places: %v; want each in every place", seen)
	}
	if c := rotated(all, -1)[0]; c != all[0] {
		t.Errorf("%s is the first to warm up, want %s", c.title, all[0].title)
	}
}
