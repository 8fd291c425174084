package main

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func mustParse(t *testing.T, args ...string) *options {
	t.Helper()
	o, err := parseFlags(args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestGraphs draws every network and looks for what each pass should have done.
func TestGraphs(t *testing.T) {
	for model, want := range map[string][]string{
		"superresnet": {"as written", "exchange", "conv + relu · conv1", "∂ MSE, ∂ Sigmoid", "16×64×72×72"},
		"residual":    {"conv + add + relu · block1.conv2", "conv of enlarged + relu · block3.conv1"},
		"dilated":     {"conv dilation 4 + relu · block1.conv4"},
		"clip":        {"target, large", "features"},
		"global":      {"UpsampleBicubic", "conv · residual"},
	} {
		path := filepath.Join(t.TempDir(), "graph.svg")
		var out strings.Builder
		if err := run(context.Background(), mustParse(t, "-model", model, "-o", path), &out); err != nil {
			t.Fatalf("%s: %v", model, err)
		}
		svg, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		d := xml.NewDecoder(strings.NewReader(string(svg)))
		text := ""
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: the picture is not well-formed: %v", model, err)
			}
			if s, ok := token.(xml.CharData); ok {
				text += string(s) + "\n"
			}
		}
		for _, w := range want {
			if !strings.Contains(out.String()+text, w) {
				t.Errorf("%s: neither the text nor the picture has %q:\n%s", model, w, out.String())
			}
		}
		if !strings.Contains(text, "As written") || !strings.Contains(text, "After “memory”") {
			t.Errorf("%s: the picture lacks the first or the last graph", model)
		}
	}
}

func TestPredictionAndDot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "graph.dot")
	var out strings.Builder
	if err := run(context.Background(), mustParse(t, "-model", "multi", "-predict", "-batch", "1", "-without", "fuse", "-o", path), &out); err != nil {
		t.Fatal(err)
	}
	dot, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(dot), "digraph") || strings.Contains(string(dot), "∂") || !strings.Contains(string(dot), "packed") {
		t.Errorf("the graphs of a prediction:\n%s", dot)
	}
	if strings.Contains(out.String(), "conv + relu") {
		t.Errorf("-without fuse has steps of that pass:\n%s", out.String())
	}
}

func TestWrongFlags(t *testing.T) {
	for _, args := range [][]string{{"-model", "alexnet"}, {"-batch", "0"}, {"-side", "7"}, {"-without", "speed"}, {"-o", "graph.png"}, {"superresnet"}} {
		if _, err := parseFlags(args, io.Discard); err == nil || !strings.Contains(err.Error(), args[len(args)-1]) {
			t.Errorf("%q: error %v, want one that names %s", args, err, args[len(args)-1])
		}
	}
	var help strings.Builder
	if _, err := parseFlags([]string{"-help"}, &help); err == nil || !strings.Contains(help.String(), "-without") {
		t.Errorf("-help: %v, %q", err, help.String())
	}
	o := mustParse(t, "-o", filepath.Join(t.TempDir(), "none", "graph.svg"))
	if err := run(context.Background(), o, io.Discard); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a folder that is not there: %v", err)
	}
}
