package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pixelgrad/vision"
)

// write makes a file and returns its path.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// folder makes a folder of n small pictures.
func folder(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		p := vision.NewRGB(40, 30)
		for j := range p.Pix {
			p.Pix[j] = uint8(j*(i+1)) ^ uint8(i*50)
		}
		if err := vision.WritePNG(filepath.Join(dir, string(rune('a'+i))+".png"), p); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func runWith(t *testing.T, args ...string) (string, error) {
	t.Helper()
	o, err := parseFlags(args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = run(context.Background(), o, &out, io.Discard)
	return out.String(), err
}

// TestRun compares two pictures with three descriptions, with random weights.
func TestRun(t *testing.T) {
	texts := write(t, "texts.txt", "\ufeffa cat\n\na dog in the grass\r\na tree\n")
	dir := folder(t, 2)
	picture := filepath.Join(t.TempDir(), "matrix.png")
	out, err := runWith(t, "-random-features", "-images", dir, "-texts", texts, "-softmax", "-o", picture)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a dog in the grass", "a tree", "* the best picture", "0.25 to 0.35", "% softmax", "RANDOM WEIGHTS", "matrix.png"} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
	if n := strings.Count(out, "* "); n != 3+1 {
		t.Errorf("%d marks, want one for each of 3 rows and one in the legend:\n%s", n, out)
	}
	f, err := os.Open(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if m, err := png.Decode(f); err != nil || m.Bounds().Dx() < 300 {
		t.Errorf("the picture: %v", err)
	}

	out, err = runWith(t, "-random-features", "-images", filepath.Join(dir, "a.png")+","+filepath.Join(dir, "b.png"), "-texts", texts, "-json")
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Images, Texts []string
		Cosine        [][]float64
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Images) != 2 || r.Images[1] != "b" || len(r.Texts) != 3 || r.Texts[0] != "a cat" || len(r.Cosine) != 3 || len(r.Cosine[0]) != 2 {
		t.Fatalf("JSON: %v\n%s", err, out)
	}
	for _, row := range r.Cosine {
		for _, v := range row {
			if !(v >= -1 && v <= 1) {
				t.Errorf("cosine %v", v)
			}
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, args := range [][]string{
		{"-images", folder(t, 1), "-texts", write(t, "a.txt", "a cat\n")},
		{"-predictions", predictionsRun(t), "-texts", write(t, "b.tsv", "cow_0\ta cow\n")},
	} {
		o, err := parseFlags(append(args, "-random-features"), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := run(ctx, o, &out, io.Discard); err == nil || err.Error() != "interrupted" || out.Len() != 0 {
			t.Errorf("%q: error %v, output %q", args, err, out.String())
		}
	}
}

func TestBadInput(t *testing.T) {
	good := write(t, "good.txt", "a cat\n")
	odd := write(t, "odd.png", "a cat\n")
	images := folder(t, 1)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no texts":        {[]string{"-images", images, "-texts", "nowhere.txt"}, "nowhere.txt"},
		"empty texts":     {[]string{"-images", images, "-texts", write(t, "e.txt", "\n \n")}, "expected a description a line"},
		"not UTF-8":       {[]string{"-images", images, "-texts", write(t, "b.txt", "a cat\n\xff\xfe\n")}, "b.txt:2: expected a description in UTF-8"},
		"no words left":   {[]string{"-images", images, "-texts", write(t, "n.txt", "&nbsp;\n")}, "n.txt:1: expected a description"},
		"too long":        {[]string{"-images", images, "-texts", write(t, "l.txt", strings.Repeat("word ", 2000))}, "2002 tokens"},
		"-o over texts":   {[]string{"-random-features", "-images", images, "-texts", odd, "-o", odd}, "expected another file"},
		"-o nowhere":      {[]string{"-random-features", "-images", images, "-texts", good, "-o", "nowhere/x.png"}, "expected a folder nowhere"},
		"-o to draw all":  {[]string{"-random-features", "-images", images, "-texts", write(t, "m.txt", strings.Repeat("a cat\n", 301)), "-o", filepath.Join(t.TempDir(), "x.png")}, "at most 300"},
		"no picture":      {[]string{"-images", "gone.jpg", "-texts", good}, "gone.jpg"},
		"empty folder":    {[]string{"-images", t.TempDir(), "-texts", good}, "found an empty folder"},
		"texts a folder":  {[]string{"-images", images, "-texts", images}, "expected a file"},
		"no weights":      {[]string{"-images", images, "-texts", good, "-weights", "gone.pt"}, "weights get clip-vit-b32"},
		"wrong weights":   {[]string{"-images", images, "-texts", good, "-weights", good}, "good.txt"},
		"no run":          {[]string{"-predictions", images, "-texts", write(t, "p.tsv", "x\ty\n")}, "training run"},
		"no name":         {[]string{"-predictions", images, "-texts", good}, "good.txt:1: expected a photograph's name, a tab"},
		"one output only": {[]string{"-predictions", filepath.Dir(write(t, "config.json", `{"model":"superresnet"}`)), "-texts", write(t, "p.tsv", "x\ty\n")}, "288×288"},
		"broken config":   {[]string{"-predictions", filepath.Dir(write(t, "config.json", `{"model":`)), "-texts", write(t, "p.tsv", "x\ty\n")}, "config.json"},
		"no such photo":   {[]string{"-predictions", predictionsRun(t), "-texts", write(t, "p.tsv", "unicorn\ta unicorn\n")}, "unicorn"},
	} {
		if _, err := runWith(t, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that has %q", name, err, c.want)
		}
	}
}

func TestParseFlags(t *testing.T) {
	for args, want := range map[string]string{
		"":                                  "-texts",
		"-texts a":                          "-images or -predictions",
		"-texts a -images b -predictions c": "-images or -predictions",
		"-texts a -images b c":              `"c"`,
		"-texts a -images b -threads -1":    "-threads",
		"-texts a -images b -out c.txt":     "-out c.txt: expected the name of a .png",
	} {
		if _, err := parseFlags(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one that has %q", args, err, want)
		}
	}
	if _, err := parseFlags(strings.Fields("-texts a -images b -o c.txt"), io.Discard); err == nil || !strings.Contains(err.Error(), ".png") {
		t.Errorf("-o c.txt: %v", err)
	}
	if _, err := parseFlags([]string{"-help"}, io.Discard); err != flag.ErrHelp {
		t.Errorf("-help: %v", err)
	}
}
