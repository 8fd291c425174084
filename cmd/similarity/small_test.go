package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pixelgrad/internal/smallclip"
	"pixelgrad/vision"
)

// answer is what -json prints.
type answer struct {
	Images, Texts []string
	Cosine        [][]float64
	Softmax       [][]float64
	SoftmaxOver   string  `json:"softmax_over"`
	LogitScale    float64 `json:"logit_scale"`
}

func ask(t *testing.T, args ...string) (a answer) {
	t.Helper()
	out, err := runWith(t, append(args, "-json")...)
	if err == nil {
		err = json.Unmarshal([]byte(out), &a)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestSoftmax compares the shares with exp(scale · cosine) over their sum: by default over
// the texts for each picture, which is how CLIP chooses between labels.
func TestSoftmax(t *testing.T) {
	common := []string{"-clip-weights", smallclip.Write(t), "-gelu", "quick", "-heads", "2,2", "-images", folder(t, 2), "-text", "a cat", "-text", "a dog", "-text", "a tree"}
	plain := ask(t, common...)
	if plain.Softmax != nil || plain.SoftmaxOver != "" {
		t.Errorf("without -softmax: %+v", plain)
	}
	for over, want := range map[string]string{"": "texts", "texts": "texts", "pictures": "pictures"} {
		args := append(slices.Clone(common), "-softmax")
		if over != "" {
			args = append(args, "-over", over)
		}
		a := ask(t, args...)
		if a.SoftmaxOver != want || !(math.Abs(a.LogitScale-5) < 1e-5) || !slices.Equal(a.Cosine[2], plain.Cosine[2]) {
			t.Errorf("-over %s: over %q, scale %v", over, a.SoftmaxOver, a.LogitScale)
		}
		for i := range a.Texts {
			for j := range a.Images {
				sum := 0.0
				if want == "texts" {
					for k := range a.Texts {
						sum += math.Exp(5 * (a.Cosine[k][j] - a.Cosine[i][j]))
					}
				} else {
					for k := range a.Images {
						sum += math.Exp(5 * (a.Cosine[i][k] - a.Cosine[i][j]))
					}
				}
				if got := a.Softmax[i][j]; !(math.Abs(got-1/sum) < 1e-5) {
					t.Errorf("-over %s: share of text %d and picture %d is %v, want %v", over, i, j, got, 1/sum)
				}
			}
		}
	}
}

// TestMark: which of three labels fits my photograph? One of them is marked, and the shares
// next to it name what they are of. Over pictures each label has its mark.
func TestMark(t *testing.T) {
	common := []string{"-clip-weights", smallclip.Write(t), "-gelu", "quick", "-heads", "2,2", "-images", folder(t, 1), "-text", "a cat", "-text", "a dog", "-text", "a tree", "-softmax"}
	a := ask(t, common...)
	best := 0
	for i, row := range a.Cosine {
		if row[0] > a.Cosine[best][0] {
			best = i
		}
	}
	out, err := runWith(t, common...)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out, "\n")
	for i, line := range lines[1:4] {
		if marked := strings.Contains(line, "*"); marked != (i == best) {
			t.Errorf("%q: marked %v, although the best is label %d", line, marked, best)
		}
		if share := strconv.FormatFloat(100*a.Softmax[i][0], 'f', 1, 64) + "%"; !strings.HasSuffix(line, share) {
			t.Errorf("%q: want the share %s at its end", line, share)
		}
	}
	if !strings.Contains(out, "softmax of 5.0 · cosine over the texts for each picture, down a column") {
		t.Errorf("the axis is not named:\n%s", out)
	}
	out, err = runWith(t, append(common, "-over", "pictures")...)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out, "* 100.0%"); n != 3 || !strings.Contains(out, "over the pictures for each text, along a row") {
		t.Errorf("%d labels have the only picture as their best, want 3, and the axis named:\n%s", n, out)
	}
}

// TestImages: -images may be repeated, and each is a file, a folder, or several with commas,
// which names may have themselves.
func TestImages(t *testing.T) {
	dir := folder(t, 2) // a.png, b.png
	commas := filepath.Join(t.TempDir(), "one, two.png")
	other := filepath.Join(t.TempDir(), "a.png")
	for i, path := range []string{commas, other} {
		p := vision.NewRGB(9, 9)
		p.Pix[0] = uint8(50 * (i + 1))
		if err := vision.WritePNG(path, p); err != nil {
			t.Fatal(err)
		}
	}
	a, b := filepath.Join(dir, "a.png"), filepath.Join(dir, "b.png")
	weights := smallclip.Write(t)
	for _, c := range []struct {
		images, want []string
		said         string
	}{
		{[]string{dir}, []string{"a", "b"}, ""},
		{[]string{b, a}, []string{"b", "a"}, ""},
		{[]string{b + "," + a}, []string{"b", "a"}, ""},
		{[]string{commas}, []string{"one, two"}, ""},
		{[]string{b + "," + commas + "," + a}, []string{"b", "one, two", "a"}, ""},
		{[]string{b, dir, commas}, []string{"b", "a", "one, two"}, "1 files are named more than once"},
		{[]string{commas + "," + dir}, []string{"one, two", "a", "b"}, ""},
		{[]string{a, other}, []string{a, other}, ""}, // names of which two are alike
		{[]string{b, b, b}, []string{"b"}, "2 files"},
	} {
		args := []string{"-clip-weights", weights, "-gelu", "plain", "-heads", "2,2", "-text", "a cat", "-json"}
		for _, list := range c.images {
			args = append(args, "-images", list)
		}
		o, err := parseFlags(args, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		var out, log bytes.Buffer
		var got answer
		if err := run(context.Background(), o, &out, &log); err != nil {
			t.Errorf("%q: %v", c.images, err)
			continue
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || !slices.Equal(got.Images, c.want) {
			t.Errorf("%q: %q, %v; want %q", c.images, got.Images, err, c.want)
		}
		if !strings.Contains(log.String(), c.said) || c.said == "" && log.Len() > 0 {
			t.Errorf("%q: said %q, want %q in it", c.images, log.String(), c.said)
		}
	}
}

// TestTexts: descriptions of the file come first, then those of the command line.
func TestTexts(t *testing.T) {
	file := write(t, "texts.txt", "a cat\na dog\n")
	a := ask(t, "-clip-weights", smallclip.Write(t), "-gelu", "plain", "-heads", "2,2", "-images", folder(t, 1), "-text", "a tree, in the rain", "-texts", file)
	if want := []string{"a cat", "a dog", "a tree, in the rain"}; !slices.Equal(a.Texts, want) {
		t.Errorf("%q, want %q", a.Texts, want)
	}
	for arg, want := range map[string]string{" ": "-text: expected a description", "\xff": "expected a description in UTF-8", "&nbsp;": "-text &nbsp;: expected a description", strings.Repeat("word ", 90): "92 tokens"} {
		if _, err := runWith(t, "-images", folder(t, 1), "-text", arg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("-text %q: error %v, want one that has %q", arg, err, want)
		}
	}
}

// TestTold: what the weights do not show is asked for, said, or taken from beside them.
func TestTold(t *testing.T) {
	weights := smallclip.Write(t)
	try := func(args ...string) (cosine [][]float64, log string, err error) {
		o, err := parseFlags(append([]string{"-clip-weights", weights, "-images", folder(t, 2), "-text", "a cat", "-json"}, args...), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		var out, messages bytes.Buffer
		if err := run(context.Background(), o, &out, &messages); err != nil {
			return nil, "", err
		}
		var a answer
		if err := json.Unmarshal(out.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		return a.Cosine, messages.String(), nil
	}
	if _, _, err := try(); err == nil || !strings.Contains(err.Error(), "-heads") {
		t.Errorf("heads that nothing tells: error %v, want one that has -heads", err)
	}
	_, log, err := try("-heads", "2,2")
	if err != nil || !strings.Contains(log, "assumed: plain GELU") || !strings.Contains(log, "-gelu") {
		t.Errorf("%v, said %q, want what was assumed", err, log)
	}
	quick, log, err := try("-heads", "2,2", "-gelu", "quick")
	if err != nil || log != "" {
		t.Errorf("%v, said %q, want nothing", err, log)
	}
	plain, _, err := try("-heads", "2,2", "-gelu", "plain")
	if err != nil || slices.Equal(plain[0], quick[0]) {
		t.Errorf("plain GELU: %v, cosines %v and %v", err, plain, quick)
	}
	config := filepath.Join(filepath.Dir(weights), "open_clip_config.json")
	if err := os.WriteFile(config, []byte(`{"model_cfg":{"quick_gelu":true,"vision_cfg":{"width":8,"head_width":4},"text_cfg":{"heads":2}}}`), 0o666); err != nil {
		t.Fatal(err)
	}
	beside, log, err := try()
	if err != nil || !slices.Equal(beside[0], quick[0]) || !strings.Contains(log, "open_clip_config.json") {
		t.Errorf("a file beside: %v, said %q, cosines %v, want %v", err, log, beside, quick)
	}
}
