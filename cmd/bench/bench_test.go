package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"strings"
	"testing"
)

func TestParseFlags(t *testing.T) {
	for args, want := range map[string]string{
		"-batch 0":      "-batch 0",
		"-rounds 0":     "-rounds 0",
		"-threads -1":   "-threads -1",
		"-models nanet": "there is superresnet",
		"fast":          `"fast"`,
	} {
		if _, err := parseFlags(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that has %q", args, err, want)
		}
	}
	if _, err := parseFlags([]string{"-h"}, io.Discard); err != flag.ErrHelp {
		t.Errorf("-h: %v", err)
	}
	if o, err := parseFlags([]string{"-models", "all"}, io.Discard); err != nil || len(o.models) == 0 || o.threads == 0 {
		t.Errorf("-models all: %+v, %v", o, err)
	}
}

// TestServeModel asks a model's process all that it is asked.
func TestServeModel(t *testing.T) {
	o, err := parseFlags([]string{"-serve", "superresnet", "-batch", "1"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(o, strings.NewReader("loss\ntrain 1\ninfer 2\nmemory\n"), &out, io.Discard); err != nil {
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
	if err := run(o, strings.NewReader("sing\n"), io.Discard, io.Discard); err == nil {
		t.Error("an unknown request: no error")
	}
}

// TestKernels runs each kernel that is measured once.
func TestKernels(t *testing.T) {
	for _, k := range kernels() {
		if k.unit != "GFLOP/s" && k.unit != "GB/s" || !(k.each > 0) {
			t.Errorf("%s: %v %s", k.name, k.each, k.unit)
		}
		k.make()()
	}
}

func TestPrint(t *testing.T) {
	var out strings.Builder
	printResults(&out, results{CPU: "Some CPU", Go: "go", Threads: 2,
		Levels: []levelResult{{"avx2", []kernelResult{{"FMA peak", "GFLOP/s", 100, 200, 1, 1}, {"Add", "GB/s", 50, 70, 0, 0}}}},
		Models: []modelResult{{Model: "superresnet", Batch: 16, Train: 0.1, Infer: 0.02, Memory: 1e8, Peer: "PyTorch", PeerTrain: 0.4, TrainRatio: 0.25}},
	})
	for _, want := range []string{"| FMA peak | GFLOP/s | 100.0    | 100%", "| Add      | GB/s    | 50.0 ", "100.0 ms | 400.0 ms | 0.250", "Some CPU, 2 threads"} {
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
