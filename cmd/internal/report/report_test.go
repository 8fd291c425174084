package report

import (
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"pixelgrad/testdata/photos"
	"pixelgrad/vision"
)

func ptr(v float64) *float64 { return &v }

// example makes the report of a run of seven networks in dir, with pictures.
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
		Title: "Seven networks that enlarge photographs", Command: "train -model all -epochs 10", Start: time.Date(2026, 1, 2, 15, 4, 0, 0, time.UTC),
		Facts:         []Fact{{"processor", "2 threads, AVX-512"}, {"time", "12 min 30 s"}, {"memory", "812 MB"}, {"go", "go1.26.0 linux/amd64"}, {"seed", "0"}},
		Data:          Data{Source: "the program's own photographs", Split: "162 photographs to train on and 40 to validate with, a fifth of the 202", Train: 160, Val: 40, Skipped: 2},
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
	titles := []string{"SuperResNet", "SuperResNetMulti", "SuperResNetResidualBlock", "SuperResNetDilated", "SuperResNetWithVGG", "SuperResNetWithCLIP", "SuperResNetGlobalResidual"}
	for i, title := range titles {
		n := &Network{Step: i + 2, Name: fmt.Sprintf("net%d", i), Title: title, About: "Two convolutions look at each pixel and its neighbourhood, the features are enlarged, and a 1×1 convolution makes colours of them.", Parameters: 38979 + i*10000, Epochs: 10, Inputs: inputs,
			Random: i == 5, Facts: []Fact{{"time", "21 s"}, {"memory", "140 MB"}, {"checkpoints", "1,234 in 12 min 34 s, 12.3% of the time"}}}
		switch i {
		case 5:
			n.Step = 8
		case 6:
			n.Step = 0 // the workshop does not have it
		}
		for k := range 2 {
			if (i == 0 || i == 6) && k == 1 {
				break
			}
			o := Output{Name: []string{"mid", "large"}[k], Side: 144 << k, Rows: rows[k], Bicubic: ptr(1 / (27.04 - 3.2*float64(k))), Source: []Source{{1, 0.0405 + 0.004*float64(k)}, {10, 0.0361 + 0.004*float64(k)}}}
			for e := 1; e <= 10; e++ {
				v := 0.037 + 0.004*float64(k) + 0.012*math.Exp(-float64(e)/3) - 0.0003*float64(i)
				o.Epochs = append(o.Epochs, Epoch{e, v - 0.0007, ptr(v), ptr(1 / v)})
			}
			n.Outputs = append(n.Outputs, o)
		}
		n.Diagram = &Diagram{Width: 760, Height: 1400, Boxes: []Box{{50, 60, 90, 36, "input", []string{"photograph"}}, {230, 60, 130, 50, "trained", []string{"conv 3×3, 3→64", "1,792 parameters"}}, {420, 60, 80, 36, "fixed", []string{"ReLU"}}},
			Arrows: []Arrow{{[][2]float64{{95, 60}, {120, 60}, {140, 60}, {165, 60}}, "3×72×72", 100, 50}, {[][2]float64{{295, 60}, {320, 60}, {350, 60}, {380, 60}}, "64×72×72", 300, 50}}}
		r.Networks = append(r.Networks, n)
	}
	w := &Words{Network: "SuperResNetMulti"}
	for i := range 8 {
		w.Texts = append(w.Texts, fmt.Sprintf("a photograph of thing number %d on a table", i+1))
		w.Names = append(w.Names, fmt.Sprintf("thing_%d", i))
		w.Photos = append(w.Photos, rows[0][i%4].Truth)
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

// page writes a report and returns its page.
func page(t *testing.T, r *Report, dir string) string {
	t.Helper()
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, PageFile))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPage(t *testing.T) {
	dir := t.TempDir()
	r := example(t, dir)
	r.Data.Samples[0].Name = "<script>alert(1)</script>"
	text := page(t, r, dir)
	for _, want := range []string{
		"<h2><span>Step 1</span> The data</h2>", `<a href="#net-net6"><span>+</span> SuperResNetGlobalResidual</a>`, "<h2><span>Beyond the workshop</span> SuperResNetGlobalResidual</h2>", "<span>Step 7</span> Side by side", "<span>Step 8</span> Pictures and words",
		"<b>26.72 dB</b> 0.32 dB less than bicubic interpolation", "SuperResNetWithCLIP (random features)",
		"Its figures mean nothing", "get them with: go run ./cmd/weights get clip-vit-b32", "&lt;script&gt;alert(1)",
		`<td>0.0361</td>`, "on the photographs of PASCAL VOC 2007: 0.0405 after epoch 1, 0.0361 after epoch 10",
		"<span>-model</span> <span>all</span>", "Beside each description is the photograph itself.", "<div>a photograph of thing number 2 on a table<figure", "the axis begins at 23", "812 MB",
		"a fifth of the 202. Of these, 2 could not be read, which leaves 160 and 40.", `y="275.0">10</text>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// One file that asks for nothing, with each picture once.
	for _, never := range []string{"http://", "https://", "<script>alert", " src=", "@import", "style=\""} {
		if strings.Contains(text, never) {
			t.Errorf("the page has %q", never)
		}
	}
	used := regexp.MustCompile(`<use href="#([^"]+)"`).FindAllStringSubmatch(text, -1)
	if len(used) < 100 {
		t.Errorf("%d pictures are shown", len(used))
	}
	for _, u := range used {
		if n := strings.Count(text, `<image id="`+u[1]+`"`); n != 1 {
			t.Fatalf("picture %s is in the page %d times", u[1], n)
		}
	}
	if compare := text[strings.Index(text, `id="compare"`):]; strings.Index(compare, "with random features mean nothing") > strings.Index(compare, "<table") {
		t.Error("Step 7 says of random features only below the figures that they mean nothing")
	}
	order := []string{`id="data"`, `id="net-net0"`, `id="net-net4"`, `id="net-net6"`, `id="compare"`, `id="net-net5"`, `id="words"`, `id="end"`}
	for i := 1; i < len(order); i++ {
		if strings.Index(text, order[i-1]) > strings.Index(text, order[i]) {
			t.Errorf("%s comes after %s", order[i-1], order[i])
		}
	}
	for _, code := range []string{Style, Script} {
		if !strings.Contains(html.UnescapeString(text), hash(code)) || !strings.Contains(text, code) {
			t.Error("the policy does not allow the page's own style or script")
		}
	}

	// What was read again makes the same page.
	again, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if page(t, again, dir) != text {
		t.Error("the report that was read makes another page")
	}
	if err := os.Remove(filepath.Join(dir, PictureFolder, "net-0-144.png")); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page(t, again, dir), "missing: net-0-144.png") {
		t.Error("a missing picture is not named")
	}
}

// TestUnfinished: whatever is not known yet is left out, and nothing fails.
func TestUnfinished(t *testing.T) {
	dir := t.TempDir()
	for _, r := range []*Report{
		{},
		{Networks: []*Network{{Step: 2, Name: "a"}, {Step: 3, Name: "b", Outputs: []Output{{Side: 144}}}}},
		{Networks: []*Network{{Step: 2, Name: "a", Outputs: []Output{{Side: 144, Epochs: []Epoch{{Epoch: 1, Train: 0}}, Rows: []Row{{Name: "x", Prediction: Picture{Same: true, File: "../../etc/passwd"}}}}}}}},
		{Networks: []*Network{{Step: 2, Name: "a", Outputs: []Output{{Side: 144, Epochs: []Epoch{{Epoch: 1, Train: 0.04, Val: ptr(0.04)}, {Epoch: 2, Train: 0.04}}}}}}, Words: &Words{}},
	} {
		if text := page(t, r, dir); !strings.Contains(text, "</html>") || strings.Contains(text, "NaN") {
			t.Errorf("%+v: the page is cut off or has NaN", r)
		}
		if _, err := r.Sections(); err != nil {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// TestWaiting: what is not trained yet is named, and nothing is promised of what has ended.
func TestWaiting(t *testing.T) {
	a, b := &Network{Step: 2, Name: "a", Title: "A", Stopped: "It failed."}, &Network{Step: 3, Name: "b", Title: "B", Stopped: "It failed."}
	r := &Report{Networks: []*Network{a, b}}
	has := func(want string, there bool) {
		t.Helper()
		if text := page(t, r, t.TempDir()); strings.Contains(text, want) != there {
			t.Errorf("%q is on the page: %v, want %v", want, !there, there)
		}
	}
	has("No network has finished an epoch.", true)
	has("What was left out", false)
	r.Waiting = []string{"C & D"}
	has("<span>C &amp; D, not trained yet</span>", true)
	has("<b>C &amp; D</b>: it was not trained yet when this page was written; -resume goes on with it", true)
	has("Follows when the first network has finished an epoch.", true)
	sections, err := r.Sections()
	if end := sections[len(sections)-1].HTML; err != nil || !strings.Contains(end, "<b>C &amp; D</b>: it is trained later") {
		t.Errorf("while it is trained: %v, %s", err, end)
	}
}

func TestReadBad(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), DataFile) {
		t.Errorf("an empty folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, DataFile), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), DataFile) {
		t.Errorf("no JSON: %v", err)
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		most   int
		want   string
	}{
		{0, 10, 5, "0 2 4 6 8 10"},
		{0.0361, 0.0452, 6, "0.038 0.040 0.042 0.044"},
		{23.1, 27.8, 5, "24 25 26 27"},
		{-1, 1, 4, "-1.0 -0.5 0.0 0.5 1.0"},
	} {
		var got []string
		for _, k := range ticks(c.lo, c.hi, c.most) {
			got = append(got, k.label)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("ticks(%v, %v, %d) = %s, want %s", c.lo, c.hi, c.most, s, c.want)
		}
	}
}

// network returns the section of a network that has one output, o, at 144×144, in a report where
// bicubic interpolation reaches 27 dB.
func network(t *testing.T, n Network, o Output) string {
	t.Helper()
	n.Name, n.Title, o.Side = "a", "A", 144
	n.Outputs = []Output{o}
	r := &Report{Networks: []*Network{&n, {Name: "b"}}, Interpolation: []Interpolation{{"bilinear", []*float64{ptr(25)}}, {"bicubic", []*float64{ptr(27)}}}}
	all, err := r.Sections()
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, s := range all {
		text += s.HTML
	}
	return text
}

func TestFigures(t *testing.T) {
	epochs := func(n int, loss float64, psnr *float64) (all []Epoch) {
		for e := 1; e <= n; e++ {
			all = append(all, Epoch{e, loss, &loss, psnr})
		}
		return all
	}
	for _, c := range []struct {
		name  string
		n     Network
		o     Output
		want  []string
		never []string
	}{
		{"seeds", Network{}, Output{Epochs: epochs(2, 0.037, ptr(27.1)), Repeats: &Spread{3, 27.37, 0.0312}},
			[]string{"<b>27.37 ± 0.03 dB, 3 seeds</b> 0.37 dB more than bicubic", "<td>27.37 ± 0.03 dB, 3 seeds</td>", ">27.37 ± 0.03 dB</text>", "over 3 trainings"}, nil},
		{"one seed", Network{}, Output{Epochs: epochs(2, 0.037, ptr(27.1)), Repeats: &Spread{1, 27.1, 0}},
			[]string{"<b>27.10 dB</b>"}, []string{"±", "seeds"}},
		{"1/PSNR", Network{}, Output{Epochs: epochs(2, 0.0369, ptr(27.1)), Bicubic: ptr(1 / 27.), Source: []Source{{1, 0.0405}}},
			[]string{"loss: 1/PSNR (1/dB)", "Here it is 1/PSNR", `<i class="source">`, "<td>0.0370</td>", "<td>0.0405</td>", "PSNR (dB)"}, nil},
		{"another loss", Network{LossName: "mse", LossAxis: "loss: the mean squared error"}, Output{Epochs: epochs(2, 0.00195, ptr(27.1))},
			[]string{">loss: the mean squared error</th>", "<td>0.00195</td>", "<b>27.10 dB</b> 0.10 dB more", "<td>27.00</td>"}, []string{"source", "loss: 1/PSNR"}},
		{"infinite", Network{}, Output{Epochs: epochs(2, 0, nil)},
			[]string{"<b>∞ dB</b>", "<td>∞</td>", ">∞ dB</text>", "<td>∞ dB</td>"}, []string{"NaN", "Inf", "than bicubic"}},
		{"in progress", Network{Epochs: 30}, Output{Epochs: epochs(3, 0.037, ptr(26))},
			[]string{"3 of 30 epochs so far", `<text class="tick" x="466.0" y="275.0">10</text>`}, nil},
		{"long", Network{Epochs: 100}, Output{Epochs: epochs(100, 0.037, ptr(26))},
			[]string{"<tr><td>1</td>", "<tr><td>5</td>", "<tr><td>100</td>", "Some of 100 epochs"}, []string{"<tr><td>6</td>", "so far"}},
		{"stopped", Network{Epochs: 10, Stopped: "Stopped after epoch 3."}, Output{Epochs: epochs(3, 0.037, ptr(26))},
			[]string{"Stopped after epoch 3."}, []string{"so far"}},
	} {
		text := network(t, c.n, c.o)
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page lacks %q", c.name, want)
			}
		}
		for _, never := range c.never {
			if strings.Contains(text, never) {
				t.Errorf("%s: the page has %q", c.name, never)
			}
		}
	}
}

func TestWholeTicks(t *testing.T) {
	for _, c := range []struct {
		hi   float64
		want string
	}{{2, "1 2"}, {3, "1 2 3"}, {10, "1 2 3 4 5 6 7 8 9 10"}, {30, "1 5 10 15 20 25 30"}, {100, "1 10 20 30 40 50 60 70 80 90 100"}} {
		var got []string
		for _, k := range wholeTicks(1, c.hi, 10) {
			got = append(got, k.label)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("up to %v: %s, want %s", c.hi, s, c.want)
		}
	}
}
