package gallery

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"pixelgrad/cmd/internal/report"
	"pixelgrad/tensor"
	"pixelgrad/testdata/photos"
	"pixelgrad/vision"
)

// few are some of the program's own photographs, of which four validate.
func few(t *testing.T, sizes vision.Sizes) (*vision.Dataset, *vision.Cache) {
	t.Helper()
	set, err := vision.OpenFS(photos.FS, "photos", vision.DatasetOptions{Limit: 20, Group: vision.PhotoOfCrop})
	if err != nil {
		t.Fatal(err)
	}
	return set, cache(t, set, sizes)
}

func cache(t *testing.T, set *vision.Dataset, sizes vision.Sizes) *vision.Cache {
	t.Helper()
	c, err := vision.BuildCache(context.Background(), set, set.Val, vision.CacheOptions{Sizes: sizes, SkipBad: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func open(t *testing.T, set *vision.Dataset, val *vision.Cache, shown int) (g *Gallery, dir string) {
	t.Helper()
	dir = t.TempDir()
	g, err := New(dir, set, val, shown)
	if err != nil {
		t.Fatal(err)
	}
	return g, dir
}

// read reads a picture of a report as it was written.
func read(t *testing.T, dir string, p report.Picture) *vision.RGB {
	t.Helper()
	m, err := vision.ReadFile(filepath.Join(dir, report.PictureFolder, p.File))
	if err != nil {
		t.Fatal(err)
	}
	if m.W != p.Side || m.H != p.Side {
		t.Errorf("%s has %d×%d pixels, the report says %d", p.File, m.W, m.H, p.Side)
	}
	return m
}

// near reports whether a PSNR of a report is that of two pictures.
func near(got *float64, a, b *tensor.Tensor) bool {
	return got != nil && math.Abs(*got-vision.PSNR(a, b)) < 1e-9
}

// dark is a bad prediction: the truth with half of its light.
func dark(truth *vision.RGB) Prediction {
	p := vision.NewRGB(truth.W, truth.H)
	for i, v := range truth.Pix {
		p.Pix[i] = v / 2
	}
	return Prediction{p, vision.PSNR(p.Tensor(), truth.Tensor())}
}

// TestRows: every file holds what the report says, with the PSNR that it says; what networks
// share is written once; a new prediction has a new version.
func TestRows(t *testing.T) {
	set, val := few(t, vision.WorkshopSizes)
	g, dir := open(t, set, val, 3)
	inputs, err := g.Inputs()
	if err != nil || len(inputs) != 3 {
		t.Fatalf("%d inputs, want 3: %v", len(inputs), err)
	}
	var first []report.Row
	for _, side := range []int{144, 288} {
		var predictions []Prediction
		for i := range inputs {
			predictions = append(predictions, dark(val.Picture(i, side)))
		}
		rows, err := g.Rows("multi", side, predictions)
		if err != nil || len(rows) != 3 {
			t.Fatalf("%d rows, want 3: %v", len(rows), err)
		}
		for i, row := range rows {
			input := read(t, dir, inputs[i].Pictures[0])
			prediction, bicubic, truth := read(t, dir, row.Prediction), read(t, dir, row.Bicubic), read(t, dir, row.Truth)
			if row.Name != val.Names[i] || inputs[i].Name != row.Name || input.W != 72 || truth.W != side {
				t.Errorf("row %d is called %q, with an input of %q, %d pixels", i, row.Name, inputs[i].Name, input.W)
			}
			if !slices.Equal(truth.Pix, val.Picture(i, side).Pix) || !slices.Equal(input.Pix, val.Picture(i, 72).Pix) {
				t.Errorf("row %d: input or truth are others", i)
			}
			if !slices.Equal(bicubic.Pix, vision.Resize(input, side, side).Pix) {
				t.Errorf("row %d: bicubic is another", i)
			}
			if !near(row.Prediction.PSNR, prediction.Tensor(), truth.Tensor()) || !near(row.Bicubic.PSNR, bicubic.Tensor(), truth.Tensor()) || row.Truth.PSNR != nil {
				t.Errorf("row %d: PSNR %v, %v and %v", i, row.Prediction.PSNR, row.Bicubic.PSNR, row.Truth.PSNR)
			}
			if c := row.Crop; !(c.X >= 0 && c.Y >= 0 && c.X+c.Side <= 1 && c.Y+c.Side <= 1) || math.Abs(c.Side-1./3) > 1e-9 {
				t.Errorf("row %d: the part %+v", i, c)
			}
			if row.Prediction.Same || row.Bicubic.Same || row.Truth.Same {
				t.Errorf("row %d: something is the same as the truth", i)
			}
		}
		first = rows
	}

	// Another network has files of its own for its predictions alone.
	files := func() int {
		entries, err := os.ReadDir(filepath.Join(dir, report.PictureFolder))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := files()
	if before != 3+2*3*3 {
		t.Errorf("%d files, want 3 inputs, and 2 sizes of 3 predictions, 3 bicubic and 3 truths", before)
	}
	same := []Prediction{dark(val.Picture(0, 288))}
	rows, err := g.Rows("vgg", 288, same)
	if err != nil || files() != before+1 || rows[0].Bicubic.File != first[0].Bicubic.File || rows[0].Truth != first[0].Truth {
		t.Errorf("%d files, %+v, %v; want the files of the first network and one", files(), rows, err)
	}

	// The next epoch.
	same[0].Picture.Pix[0] ^= 1
	again, err := g.Rows("vgg", 288, same)
	if err != nil || again[0].Prediction.Version == rows[0].Prediction.Version || again[0].Prediction.File != rows[0].Prediction.File {
		t.Errorf("a new prediction: %+v after %+v, %v", again[0].Prediction, rows[0].Prediction, err)
	}
	if p := read(t, dir, again[0].Prediction); !slices.Equal(p.Pix, same[0].Picture.Pix) {
		t.Error("the file has the prediction of before")
	}
	if last, err := g.Rows("vgg", 288, same); err != nil || last[0].Prediction.Version != again[0].Prediction.Version {
		t.Errorf("the same prediction has another version, %v", err)
	}
}

// TestSamples: all three sizes are shown, also where the cache has two, and a photograph that
// cannot be read is not taken for the next.
func TestSamples(t *testing.T) {
	for _, sizes := range []vision.Sizes{vision.WorkshopSizes, {X: 72, Mid: 144}} {
		set, val := few(t, sizes)
		g, dir := open(t, set, val, 100)
		samples, err := g.Samples()
		if err != nil || len(samples) != val.Len() {
			t.Fatalf("%d samples of %d photographs, %v", len(samples), val.Len(), err)
		}
		for i, s := range samples {
			photo, err := set.Read(set.Val[i])
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Pictures) != 3 || s.Name != set.Val[i].Name {
				t.Fatalf("%+v: sample %d is %+v", sizes, i, s)
			}
			for k, side := range []int{72, 144, 288} {
				if p := read(t, dir, s.Pictures[k]); p.W != side || !slices.Equal(p.Pix, vision.Resize(photo, side, side).Pix) {
					t.Errorf("%+v: sample %d at %d is another picture", sizes, i, side)
				}
			}
		}
	}

	// Two photographs have the same name, and the first of them is broken.
	set, files := flat(t, map[string]uint8{"a.png": 10, "b.jpg": 0, "b.png": 20, "c.png": 30, "d.png": 40})
	files["b.jpg"].Data = []byte("no picture")
	val := cache(t, set, vision.Sizes{X: 72, Mid: 144})
	if want := []string{"a", "b", "c", "d"}; !slices.Equal(val.Names, want) {
		t.Fatalf("%q, want %q", val.Names, want)
	}
	files["c.png"].Data = nil // and one is lost while the network is trained
	g, dir := open(t, set, val, 4)
	samples, err := g.Samples()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint8{10, 20, 30, 40} {
		pictures := samples[i].Pictures
		if i < 2 && len(pictures) != 3 || len(pictures) < 2 {
			t.Errorf("%s has %d sizes", samples[i].Name, len(pictures))
		}
		for _, p := range pictures {
			if got := read(t, dir, p).Pix[0]; got != want {
				t.Errorf("%s: %s has colour %d, want %d", samples[i].Name, p.File, got, want)
			}
		}
	}
}

// flat makes a set of photographs of one colour, all of which validate.
func flat(t *testing.T, colours map[string]uint8) (*vision.Dataset, fstest.MapFS) {
	t.Helper()
	files := fstest.MapFS{}
	for name, c := range colours {
		p := vision.NewRGB(20, 10)
		for i := range p.Pix {
			p.Pix[i] = c
		}
		var b bytes.Buffer
		if err := png.Encode(&b, p); err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: b.Bytes()}
	}
	set, err := vision.OpenFS(files, "flat", vision.DatasetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	set.Train, set.Val = nil, append(set.Train, set.Val...)
	slices.SortFunc(set.Val, func(a, b vision.Photo) int { return strings.Compare(a.File, b.File) })
	return set, files
}

// TestFlat: photographs of one colour are enlarged without an error, and what is infinite or no
// number is null in JSON.
func TestFlat(t *testing.T) {
	set, _ := flat(t, map[string]uint8{"a.png": 10, "b.png": 200})
	val := cache(t, set, vision.WorkshopSizes)
	g, _ := open(t, set, val, 2)
	rows, err := g.Rows("multi", 144, []Prediction{{val.Picture(0, 144), math.Inf(1)}, {val.Picture(1, 144), math.NaN()}})
	if err != nil {
		t.Fatal(err)
	}
	if p := rows[0].Prediction; p.PSNR != nil || !p.Same {
		t.Errorf("an infinite PSNR: %+v", p)
	}
	if p := rows[1].Prediction; p.PSNR != nil || p.Same {
		t.Errorf("a PSNR that is no number: %+v", p)
	}
	for _, row := range rows {
		if row.Bicubic.PSNR != nil || !row.Bicubic.Same {
			t.Errorf("bicubic of one colour: %+v", row.Bicubic)
		}
	}
	mid, large, err := vision.Baselines(t.Context(), val, 1)
	if err != nil {
		t.Fatal(err)
	}
	plain := Interpolation(mid, large)
	if text, err := json.Marshal([]any{rows, plain}); err != nil || !strings.Contains(string(text), `{"name":"bicubic","psnr":[null,null]}`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestInterpolation(t *testing.T) {
	set, val := few(t, vision.WorkshopSizes)
	_ = set
	mid, large, err := vision.Baselines(t.Context(), val, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := Interpolation(mid, large)
	if len(got) != 2 || got[0].Name != "bilinear" || got[1].Name != "bicubic" {
		t.Fatalf("%+v", got)
	}
	for i, want := range [][]float64{{mid.Bilinear.PSNR, large.Bilinear.PSNR}, {mid.Bicubic.PSNR, large.Bicubic.PSNR}} {
		for k := range want {
			if p := got[i].PSNR[k]; p == nil || *p != want[k] {
				t.Errorf("%s, size %d: %v, want %v", got[i].Name, k, p, want[k])
			}
		}
	}
	if one := Interpolation(mid); len(one[0].PSNR) != 1 {
		t.Errorf("one size: %+v", one)
	}
}

// TestHostileNames: whatever photographs are called, files have plain names, and a name in the
// report has nothing that a terminal obeys or that turns the direction of writing.
func TestHostileNames(t *testing.T) {
	set, _ := flat(t, map[string]uint8{
		`<img src=x onerror=alert(1)>.png`: 1, "=cmd|' ..png": 2, "a\u202egnp.png": 3, "CON.png": 4, "x\x1b[2J.png": 5, "new\nline.png": 6, "é \u2028.png": 7,
	})
	val := cache(t, set, vision.WorkshopSizes)
	g, dir := open(t, set, val, 7)
	samples, err := g.Samples()
	if err != nil || len(samples) != 7 {
		t.Fatalf("%d samples, %v", len(samples), err)
	}
	if _, err := g.Words("SuperResNetMulti", []string{"a\x1b"}, nil, val.Names[:1], []*vision.RGB{val.Picture(0, 288)}, [][]float64{{0.5}}); err != nil {
		t.Fatal(err)
	}
	for i, s := range samples {
		if plain := regexp.MustCompile(`^[^\p{C}\x{202e}]+$`); !plain.MatchString(s.Name) {
			t.Errorf("%q is called %q in the report", val.Names[i], s.Name)
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, report.PictureFolder))
	if err != nil {
		t.Fatal(err)
	}
	safe := regexp.MustCompile(`^[a-z]+-[0-9]+-[0-9]+\.png$`)
	for _, e := range entries {
		if !safe.MatchString(e.Name()) {
			t.Errorf("a file is called %q", e.Name())
		}
	}
}

func TestWords(t *testing.T) {
	set, val := few(t, vision.WorkshopSizes)
	g, dir := open(t, set, val, 1)
	pictures := []*vision.RGB{val.Picture(2, 288), val.Picture(0, 288)}
	w, err := g.Words("SuperResNetMulti", []string{"a cow", "a\tdog"}, []int{2, 0}, []string{"cow", "dog"}, pictures, [][]float64{{1, 2}, {3, 4}})
	if err != nil {
		t.Fatal(err)
	}
	if w.Network != "SuperResNetMulti" || !slices.Equal(w.Texts, []string{"a cow", `"a\tdog"`}) || !slices.Equal(w.Names, []string{"cow", "dog"}) || w.Cosine[1][0] != 3 {
		t.Errorf("%+v", w)
	}
	for i, p := range w.Pictures {
		if !slices.Equal(read(t, dir, p).Pix, pictures[i].Pix) || p.Version == "" {
			t.Errorf("picture %d is another: %+v", i, p)
		}
		if photo := val.Picture([]int{2, 0}[i], 144); !slices.Equal(read(t, dir, w.Photos[i]).Pix, photo.Pix) {
			t.Errorf("photograph %d is another: %+v", i, w.Photos[i])
		}
	}
}

// TestBusiest: the part with detail is found in a picture that has none elsewhere.
func TestBusiest(t *testing.T) {
	p := vision.NewRGB(72, 72)
	for y := 40; y < 64; y++ {
		for x := 10; x < 34; x++ {
			p.Pix[3*(y*72+x)] = uint8(255 * ((x + y) % 2))
		}
	}
	if x, y, side := Busiest(p); x != 10 || y != 40 || side != 24 {
		t.Errorf("%d,%d of side %d, want 10,40 of side 24", x, y, side)
	}
	if x, y, side := Busiest(vision.NewRGB(9, 9)); x != 0 || y != 0 || side != 3 {
		t.Errorf("a picture of one colour: %d,%d of side %d", x, y, side)
	}
}

// TestFails: errors name the file or the folder.
func TestFails(t *testing.T) {
	set, val := few(t, vision.WorkshopSizes)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := New(file, set, val, 1); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file in the folder's place: %v", err)
	}
	g, dir := open(t, set, val, 1)
	if err := os.Remove(filepath.Join(dir, report.PictureFolder)); err != nil {
		t.Fatal(err)
	}
	_, first := g.Inputs()
	_, second := g.Samples()
	_, third := g.Rows("multi", 144, []Prediction{dark(val.Picture(0, 144))})
	_, fourth := g.Words("", nil, nil, []string{""}, []*vision.RGB{val.Picture(0, 144)}, nil)
	for i, err := range []error{first, second, third, fourth} {
		if err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%d: no folder: error %v", i, err)
		}
	}
}
