package report

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pixelgrad/testdata/photos"
	"pixelgrad/vision"
)

func ptr(v float64) *float64 { return &v }

// example makes the report of a run of six networks in dir, with pictures.
func example(t *testing.T, dir string) *Report {
	t.Helper()
	set, err := vision.OpenFS(photos.FS, "photos", vision.DatasetOptions{Group: vision.PhotoOfCrop})
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, PictureFolder)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	save := func(name string, p *vision.RGB, psnr *float64) Picture {
		if err := vision.WritePNG(filepath.Join(folder, name), p); err != nil {
			t.Fatal(err)
		}
		return Picture{File: name, Side: p.W, PSNR: psnr}
	}
	r := &Report{
		Title: "Six networks that enlarge photographs", Command: "train -model all -epochs 10", Start: time.Date(2026, 1, 2, 15, 4, 0, 0, time.UTC),
		Facts:         []Fact{{"processor", "2 threads, AVX-512"}, {"time", "12 min 30 s"}, {"memory", "812 MB"}, {"go", "go1.26.0 linux/amd64"}, {"seed", "0"}},
		Data:          Data{Source: "the program's own photographs", Split: "A fifth validates.", Train: 160, Val: 40, Skipped: 2},
		Interpolation: []Interpolation{{"bilinear", []*float64{ptr(25.9), ptr(22.6)}}, {"bicubic", []*float64{ptr(27.04), ptr(23.83)}}},
		LeftOut:       []Omission{{"SuperResNetWithCLIP", "there are no weights of CLIP; get them with: go run ./cmd/weights get clip-vit-b32"}},
	}
	var inputs []Sample
	var rows [2][]Row
	for i := range 4 {
		photo, err := set.Read(set.Val[i*3])
		if err != nil {
			t.Fatal(err)
		}
		name := set.Val[i*3].Name
		x, mid, large := vision.Resize(photo, 72, 72), vision.Resize(photo, 144, 144), vision.Resize(photo, 288, 288)
		s := Sample{Name: name, Pictures: []Picture{save(fmt.Sprintf("sample-%d-72.png", i), x, nil), save(fmt.Sprintf("sample-%d-144.png", i), mid, nil), save(fmt.Sprintf("sample-%d-288.png", i), large, nil)}}
		r.Data.Samples = append(r.Data.Samples, s)
		inputs = append(inputs, Sample{name, s.Pictures[:1]})
		for k, truth := range s.Pictures[1:] {
			side := 144 << k
			bicubic := save(fmt.Sprintf("bicubic-%d-%d.png", i, side), vision.Resize(x, side, side), ptr(26.5+float64(i)))
			rows[k] = append(rows[k], Row{Name: name, Prediction: save(fmt.Sprintf("net-%d-%d.png", i, side), vision.ResizeBilinear(x, side, side), ptr(25.25+float64(i))), Bicubic: bicubic, Truth: truth, Crop: Crop{0.3, 0.3, 1. / 3}})
		}
	}
	titles := []string{"SuperResNet", "SuperResNetMulti", "SuperResNetResidualBlock", "SuperResNetDilated", "SuperResNetWithVGG", "SuperResNetWithCLIP"}
	for i, title := range titles {
		n := &Network{Step: i + 2, Name: fmt.Sprintf("net%d", i), Title: title, About: "Two convolutions look at each pixel and its neighbourhood, the features are enlarged, and a 1×1 convolution makes colours of them.", Parameters: 38979 + i*10000, Epochs: 10, Inputs: inputs,
			Random: i == 5, Facts: []Fact{{"time", "21 s"}, {"steps", "400"}, {"memory", "140 MB"}}}
		if i == 5 {
			n.Step = 8
		}
		for k := range 2 {
			if i == 0 && k == 1 {
				break
			}
			o := Output{Name: []string{"mid", "large"}[k], Side: 144 << k, Rows: rows[k], Bicubic: ptr(1 / (27.04 - 3.2*float64(k))), Source: []Source{{1, 0.0405 + 0.004*float64(k)}, {10, 0.0361 + 0.004*float64(k)}}}
			for e := 1; e <= 10; e++ {
				v := 0.037 + 0.004*float64(k) + 0.012*math.Exp(-float64(e)/3) - 0.0003*float64(i)
				o.Epochs = append(o.Epochs, Epoch{e, v - 0.0007, ptr(v), ptr(1 / v)})
			}
			n.Outputs = append(n.Outputs, o)
		}
		n.Diagram = &Diagram{Width: 560, Height: 120, Boxes: []Box{{50, 60, 90, 36, "input", []string{"photograph"}}, {230, 60, 130, 50, "trained", []string{"conv 3×3, 3→64", "1,792 parameters"}}, {420, 60, 80, 36, "fixed", []string{"ReLU"}}},
			Arrows: []Arrow{{[][2]float64{{95, 60}, {120, 60}, {140, 60}, {165, 60}}, "3×72×72", 100, 50}, {[][2]float64{{295, 60}, {320, 60}, {350, 60}, {380, 60}}, "64×72×72", 300, 50}}}
		r.Networks = append(r.Networks, n)
	}
	w := &Words{Network: "SuperResNetMulti"}
	for i := range 8 {
		w.Texts = append(w.Texts, fmt.Sprintf("a photograph of thing number %d on a table", i+1))
		w.Names = append(w.Names, fmt.Sprintf("thing_%d", i))
		w.Pictures = append(w.Pictures, rows[1][i%4].Prediction)
		var row []float64
		for j := range 8 {
			v := 0.15 + 0.01*float64((i*j)%5)
			if i == j {
				v = 0.29
			}
			row = append(row, v)
		}
		w.Cosine = append(w.Cosine, row)
	}
	r.Words = w
	return r
}

func TestPage(t *testing.T) {
	dir := t.TempDir()
	if d := os.Getenv("REPORT_DEMO"); d != "" {
		dir = d
	}
	r := example(t, dir)
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
}
