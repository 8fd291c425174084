package words

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pixelgrad/clip"
	"pixelgrad/clip/bpe"
	"pixelgrad/cmd/internal/files"
	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/internal/smallclip"
	"pixelgrad/tensor"
	"pixelgrad/testdata/photos"
	"pixelgrad/vision"
)

// write makes a file of descriptions.
func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "d.tsv")
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// validating returns the names of the program's own photographs that validate.
func validating(t *testing.T, seed uint64) []string {
	t.Helper()
	set, err := vision.OpenFS(photos.FS, "photos", vision.DatasetOptions{Seed: seed, Group: vision.PhotoOfCrop})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range set.Val {
		names = append(names, p.Name)
	}
	return names
}

func TestRead(t *testing.T) {
	path := write(t, "\ufeffcow_0\ta cow\r\n\n  \n dog \ta dog \tand a cat")
	got, err := Read(path, true)
	want := []Text{{path + ":1", "cow_0", "a cow"}, {path + ":4", "dog", "a dog \tand a cat"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	got, err = Read(path, false)
	if err != nil || len(got) != 2 || got[0] != (Text{path + ":1", "", "cow_0\ta cow"}) {
		t.Errorf("without names: %q, %v", got, err)
	}
	for content, want := range map[string]string{
		"":                              "d.tsv: expected a description a line, found an empty file",
		"\n\n":                          "an empty file",
		"a\tb\nc d\n":                   "d.tsv:2: expected a photograph's name, a tab and a description, found \"c d\"",
		"a\t \n":                        "d.tsv:1: expected a photograph's name",
		"\ta cow\n":                     "d.tsv:1: expected a photograph's name",
		"a\tb\n\nc\t\xff\n":             "d.tsv:3: expected a description in UTF-8",
		"a\x00b\n":                      "d.tsv:1",
		strings.Repeat("a", MaxBytes+1): "at most 4194304 bytes",
	} {
		path := write(t, content)
		if _, err := Read(path, true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: error %v, want one that has %q", content, err, want)
		}
	}
	for _, path := range []string{t.TempDir(), "gone.tsv"} {
		if _, err := Read(path, true); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", path, err)
		}
	}
}

// TestEmbedded: ten descriptions come with the program, each of a photograph that validates
// with seed 0, and short enough for CLIP.
func TestEmbedded(t *testing.T) {
	texts := Embedded()
	if len(texts) != 10 {
		t.Errorf("%d descriptions, want 10", len(texts))
	}
	if _, err := Find(texts, validating(t, 0), 0); err != nil {
		t.Error(err)
	}
	if err := Check(texts, false); err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(photos.Descriptions) {
		if strings.Count(line, "\t") != 1 {
			t.Errorf("%q has not one tab", line)
		}
	}
}

// TestChoose: of the program's own descriptions those are taken whose photographs validate, and
// the others are named; of a file, all must validate.
func TestChoose(t *testing.T) {
	for _, c := range []struct {
		seed  uint64
		own   bool
		want  int // descriptions
		why   []string
		never string
	}{
		{0, true, 10, nil, "seed"},
		{2, true, 5, []string{"of the 10 photographs that have a description, 5 do not validate with seed 2: ", "-seed 0", "-descriptions FILE"}, ""},
		{3, true, 0, []string{"9 do not validate with seed 3"}, ""}, // one alone is compared with nothing
		{4, true, 0, []string{"10 do not validate with seed 4", "cow_0"}, ""},
		{0, false, 0, []string{"the program are of its own photographs", "-descriptions FILE"}, "seed"},
	} {
		names := validating(t, c.seed)
		got, err := Choose("", c.own, names, c.seed)
		if err != nil || len(got.Texts) != c.want || len(got.At) != c.want || (got.Omitted == "") != (c.why == nil) {
			t.Errorf("seed %d, own %v: %d descriptions of %d photographs, omitted %q, %v; want %d", c.seed, c.own, len(got.Texts), len(got.At), got.Omitted, err, c.want)
			continue
		}
		for i, text := range got.Texts {
			if names[got.At[i]] != text.Name || strings.Contains(got.Omitted, text.Name) {
				t.Errorf("seed %d: photograph %d is %s, that of %q is %s; omitted: %s", c.seed, i, names[got.At[i]], text.Text, text.Name, got.Omitted)
			}
		}
		for _, want := range c.why {
			if !strings.Contains(got.Omitted, want) {
				t.Errorf("seed %d: omitted because %q, want %q in it", c.seed, got.Omitted, want)
			}
		}
		if c.never != "" && strings.Contains(got.Omitted, c.never) {
			t.Errorf("seed %d: omitted because %q, which has %q", c.seed, got.Omitted, c.never)
		}
	}

	names := []string{"a", "b", "c", "d", "e", "f", "\x1b[2J"}
	got, err := Choose(write(t, "c\ta cow\na\ta dog\nc\ta horse\n"), false, names, 5)
	if err != nil || !slices.Equal(got.At, []int{2, 0, 2}) || got.Texts[1].Text != "a dog" || got.Omitted != "" {
		t.Errorf("a file: %+v, %v", got, err)
	}
	for content, want := range map[string]string{
		"a\ta cow\nx\x1b\ta dog\ny\ta cat\n": `d.tsv:2: expected the name of a photograph that the run validated with (seed 5), found "x\x1b"; there are a, b, c, d, e, and 2 more`,
		"a\t" + strings.Repeat("word ", 90):  "d.tsv:1: ",
		"a\t&nbsp;\n":                        "d.tsv:1: expected a description",
		strings.Repeat("a\ta cow\n", 31):     "d.tsv: expected at most 30 descriptions, which a page has room for, found 31",
		"a cow\n":                            "d.tsv:1",
	} {
		got, err := Choose(write(t, content), true, names, 5)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, error %v; want one that has %q", content, got, err, want)
		}
	}
	if _, err := Find([]Text{{"-", "a", ""}}, []string{"\x1b[2J"}, 0); err == nil || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("names of others: error %q", err)
	}
}

// squares returns n different pictures.
func squares(n int) []Picture {
	var all []Picture
	for i := range n {
		p := vision.NewRGB(32, 32)
		for j := range p.Pix {
			p.Pix[j] = uint8(j * (2*i + 1))
		}
		all = append(all, Picture{fmt.Sprintf("picture %d", i), p})
	}
	return all
}

func small(t *testing.T) Options {
	return Options{Options: frozen.Options{CLIPWeights: smallclip.Write(t), CLIPOptions: frozen.CLIPOptions{GELU: clip.QuickGELU, VisionHeads: 2, TextHeads: 2}}}
}

// TestCompare: the cosines are those of embeddings made one at a time, for more texts and
// pictures than are encoded together, and the same again for any number of threads.
func TestCompare(t *testing.T) {
	o := small(t)
	texts, pictures := []Text{}, squares(together+2)
	for i := range together + 3 {
		texts = append(texts, Text{Text: fmt.Sprintf("number %d of some things", i)})
	}
	r, err := Compare(context.Background(), texts, pictures, o)
	if err != nil {
		t.Fatal(err)
	}
	rows := Rows(r.Cosine)
	if len(rows) != len(texts) || len(rows[0]) != len(pictures) || !(math.Abs(float64(r.LogitScale)-5) < 1e-4) {
		t.Fatalf("%d rows of %d, scale %v", len(rows), len(rows[0]), r.LogitScale)
	}
	m, err := clip.Load(o.CLIPWeights, clip.Options{Vision: true, Text: true, GELU: clip.QuickGELU, VisionHeads: 2, TextHeads: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range [][2]int{{0, 0}, {1, 2}, {together, together}, {together + 2, together + 1}} {
		x, err := m.Preprocess(pictures[at[1]].RGB)
		if err != nil {
			t.Fatal(err)
		}
		ids, err := bpe.New().Tokenize(texts[at[0]].Text, bpe.Options{})
		if err != nil {
			t.Fatal(err)
		}
		y, err := m.EncodeText([][]int{ids})
		if err != nil {
			t.Fatal(err)
		}
		want := float64(clip.Cosine(y, m.EncodeImage(x)).Data()[0])
		if got := rows[at[0]][at[1]]; !(math.Abs(got-want) < 1e-5) {
			t.Errorf("text %d, picture %d: %v, want %v", at[0], at[1], got, want)
		}
	}
	if rows[0][0] == rows[0][1] || rows[0][0] == rows[1][0] {
		t.Errorf("different texts and pictures have the same cosine %v", rows[0][0])
	}
	defer tensor.SetThreads(tensor.Threads())
	tensor.SetThreads(3)
	again, err := Compare(context.Background(), texts, pictures, o)
	if err != nil || !reflect.DeepEqual(Rows(again.Cosine), rows) {
		t.Errorf("with 3 threads: %v, and other cosines", err)
	}
}

func TestCompareFails(t *testing.T) {
	t.Setenv(files.Environment, t.TempDir())
	texts, pictures := []Text{{From: "d.tsv:1", Text: "a cat"}}, squares(1)
	var missing *frozen.MissingError
	if _, err := Compare(context.Background(), texts, pictures, Options{}); !errors.As(err, &missing) || missing.Name != files.CLIP.Name {
		t.Errorf("no weights: error %v, want one that they are missing", err)
	}
	if _, err := Compare(context.Background(), texts, pictures, Options{Options: frozen.Options{CLIPWeights: "gone.pt"}}); err == nil || errors.As(err, &missing) || !strings.Contains(err.Error(), "gone.pt") {
		t.Errorf("a wrong path: error %v", err)
	}
	long := []Text{{From: "d.tsv:7", Text: strings.Repeat("word ", 90)}}
	o := small(t)
	if _, err := Compare(context.Background(), long, pictures, o); !errors.As(err, new(*bpe.TooLongError)) || !strings.Contains(err.Error(), "d.tsv:7") {
		t.Errorf("a long text: error %v", err)
	}
	o.Truncate = true
	if _, err := Compare(context.Background(), long, pictures, o); err != nil {
		t.Errorf("a text that is cut: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Compare(ctx, texts, pictures, o); err == nil || err.Error() != "interrupted" {
		t.Errorf("interrupted: error %v", err)
	}
}
