package vision

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// protocolGolden holds the output of testdata/golden/protocol.py.
type protocolGolden struct {
	Resized []struct {
		goldenSize
		Over, Under int
		Pix         []byte
	}
	Scored []struct {
		goldenSize
		Scale      int
		PSNR, SSIM float64
		GrayPSNR   float64 `json:"gray_psnr"`
		GraySSIM   float64 `json:"gray_ssim"`
		RGBPSNR    float64 `json:"rgb_psnr"`
	}
	Colours, Luma, Gray []byte
}

func readProtocol(t *testing.T) (g protocolGolden) {
	t.Helper()
	data, err := os.ReadFile("../testdata/golden/protocol.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Resized) < 20 || len(g.Scored) < 5 || len(g.Colours) < 3*1000 {
		t.Fatal("protocol.json has too little in it")
	}
	return g
}

// soft makes the picture of that name in protocol.py, which an enlargement comes near to.
func soft(w, h int) *RGB {
	distance := func(v, n int) int { return max(v%n-n/2, n/2-v%n) }
	noise, p := goldenPicture("noise", w, h), NewRGB(w, h)
	for y := range h {
		for x := range w {
			for c := range 3 {
				i := (y*w+x)*3 + c
				p.Pix[i] = uint8(100 + distance(x*(3+c)+2*y, 120) + distance(2*y*(4-c)+x, 90) + int(noise.Pix[i]>>4))
			}
		}
	}
	return p
}

// TestResizeMATLAB compares every level with exact fractions.
func TestResizeMATLAB(t *testing.T) {
	for _, c := range readProtocol(t).Resized {
		name := fmt.Sprintf("%s by %d/%d", c.goldenSize, c.Over, c.Under)
		q := ResizeMATLAB(goldenPicture(c.Kind, c.W, c.H), float64(c.Over)/float64(c.Under))
		if q.W != c.ToW || q.H != c.ToH {
			t.Errorf("%s: got %d×%d pixels, want %d×%d", name, q.W, q.H, c.ToW, c.ToH)
			continue
		}
		wrong := 0
		for i, v := range q.Pix {
			if v != c.Pix[i] {
				if wrong++; wrong == 1 {
					t.Errorf("%s: sample %d is %d, want %d", name, i, v, c.Pix[i])
				}
			}
		}
		if wrong > 1 {
			t.Errorf("%s: %d samples differ", name, wrong)
		}
	}
}

// The sides are ⌈scale·n⌉, although 1/3 is no binary fraction.
func TestSidesMATLAB(t *testing.T) {
	for n := 1; n <= 3000; n++ {
		for d := 2; d <= 4; d++ {
			if got, want := len(mirrored(n, 1/float64(d))), (n+d-1)/d; got != want {
				t.Fatalf("%d pixels by 1/%d: got %d, want %d", n, d, got, want)
			}
		}
	}
}

// Pictures of one colour keep it at every scale, mirrors and halves included.
func TestOneColourMATLAB(t *testing.T) {
	p := NewRGB(7, 5)
	for _, v := range []uint8{0, 1, 127, 254, 255} {
		for i := range p.Pix {
			p.Pix[i] = v
		}
		for _, scale := range []float64{0.07, 1.0 / 3, 0.5, 1, 1.7, 4} {
			if got := ResizeMATLAB(p, scale).Pix; !bytes.Equal(got, bytes.Repeat([]byte{v}, len(got))) {
				t.Errorf("level %d by %v: got %v", v, scale, got)
			}
		}
	}
}

// TestScores compares the whole chain: shrunk, enlarged, its border cut, and scored. The SSIM
// of the other implementation is in float64, ours in float32.
func TestScores(t *testing.T) {
	for _, c := range readProtocol(t).Scored {
		hr := soft(c.W, c.H)
		if c.Kind != "soft" {
			hr = goldenPicture(c.Kind, c.W, c.H)
		}
		sr := ResizeMATLAB(ResizeMATLAB(hr, 1/float64(c.Scale)), float64(c.Scale))
		for _, s := range []struct {
			what      string
			got, want float64
			tolerance float64
		}{
			{"PSNR of the luma", GrayPSNR(Luma(sr), Luma(hr), c.Scale), c.PSNR, 1e-9},
			{"PSNR of the grey", GrayPSNR(Gray(sr), Gray(hr), c.Scale), c.GrayPSNR, 1e-9},
			{"PSNR of the colours", RGBPSNR(sr, hr, c.Scale), c.RGBPSNR, 1e-9},
			{"SSIM of the luma", GraySSIM(Luma(sr), Luma(hr), c.Scale), c.SSIM, 2e-6},
			{"SSIM of the grey", GraySSIM(Gray(sr), Gray(hr), c.Scale), c.GraySSIM, 2e-6},
		} {
			if !(math.Abs(s.got-s.want) <= s.tolerance) {
				t.Errorf("%s %d×%d, ×%d: %s: got %v, want %v", c.Kind, c.W, c.H, c.Scale, s.what, s.got, s.want)
			}
		}
	}
}

func TestLuma(t *testing.T) {
	g := readProtocol(t)
	p := &RGB{W: len(g.Luma), H: 1, Pix: g.Colours}
	for what, planes := range map[string][2][]uint8{"Luma": {Luma(p).Pix, g.Luma}, "Gray": {Gray(p).Pix, g.Gray}} {
		for i, want := range planes[1] {
			if got := planes[0][i]; got != want {
				t.Errorf("%s of %v: got %d, want %d", what, p.Pix[3*i:][:3], got, want)
			}
		}
	}
	black, white := NewRGB(1, 1), &RGB{1, 1, []uint8{255, 255, 255}}
	if b, w := Luma(black).Pix[0], Luma(white).Pix[0]; b != 16 || w != 235 {
		t.Errorf("Luma of black %d and white %d, want 16 and 235", b, w)
	}
	for v := range 256 {
		if got := Gray(&RGB{1, 1, []uint8{uint8(v), uint8(v), uint8(v)}}).Pix[0]; int(got) != v {
			t.Errorf("Gray of the grey %d: got %d", v, got)
		}
	}
}

// Scores do not see the border, see the first pixel inside, and do not mind where in memory a
// plane lies.
func TestBorder(t *testing.T) {
	a, b := goldenPicture("noise", 20, 18), goldenPicture("noise", 20, 18)
	set := func(x, y int) {
		copy(b.Pix[(y*b.W+x)*3:], []uint8{b.Pix[(y*b.W+x)*3] ^ 128, 3, 200})
	}
	for _, at := range [][2]int{{0, 0}, {2, 9}, {17, 9}, {9, 2}, {9, 15}, {19, 17}} {
		set(at[0], at[1])
	}
	if got := GrayPSNR(Luma(a), Luma(b), 3); !math.IsInf(got, 1) {
		t.Errorf("PSNR of equal insides: got %v, want +Inf", got)
	}
	if got := RGBPSNR(a, b, 3); !math.IsInf(got, 1) {
		t.Errorf("RGB PSNR of equal insides: got %v, want +Inf", got)
	}
	if got := GraySSIM(Luma(a), Luma(b), 3); !(math.Abs(got-1) <= 1e-6) {
		t.Errorf("SSIM of equal insides: got %v, want 1", got)
	}
	if got := GrayPSNR(Luma(a), Luma(b), 2); !(got < 60) {
		t.Errorf("PSNR with a border of 2: got %v, want the differences seen", got)
	}
	wide := image.NewGray(image.Rect(-3, -5, 30, 30))
	for y := range 18 {
		copy(wide.Pix[wide.PixOffset(2, 1+y):], Luma(b).Pix[y*20:][:20])
	}
	part := wide.SubImage(image.Rect(2, 1, 22, 19)).(*image.Gray)
	if got, want := GrayPSNR(Luma(a), part, 1), GrayPSNR(Luma(a), Luma(b), 1); got != want {
		t.Errorf("PSNR of a part of a larger plane: got %v, want %v", got, want)
	}
}

func TestCropToMultiple(t *testing.T) {
	p := goldenPicture("noise", 11, 7)
	q := CropToMultiple(p, 4)
	if q.W != 8 || q.H != 4 {
		t.Fatalf("got %d×%d pixels, want 8×4", q.W, q.H)
	}
	for y := range q.H {
		for x := range q.W {
			if q.At(x, y) != p.At(x, y) {
				t.Fatalf("pixel (%d,%d): got %v, want %v", x, y, q.At(x, y), p.At(x, y))
			}
		}
	}
	if CropToMultiple(q, 2) != q {
		t.Error("a picture that fits was copied")
	}
}

func TestProtocolPanics(t *testing.T) {
	p, small := NewRGB(20, 20), NewRGB(20, 19)
	for what, f := range map[string]func(){
		"ResizeMATLAB, scale":    func() { ResizeMATLAB(p, 0) },
		"ResizeMATLAB, NaN":      func() { ResizeMATLAB(p, math.NaN()) },
		"ResizeMATLAB, infinity": func() { ResizeMATLAB(p, math.Inf(1)) },
		"ResizeMATLAB, empty":    func() { ResizeMATLAB(NewRGB(0, 3), 2) },
		"CropToMultiple":         func() { CropToMultiple(p, 0) },
		"CropTo":                 func() { CropTo(p, 21, 3) },
		"GrayPSNR, sizes":        func() { GrayPSNR(Luma(p), Luma(small), 0) },
		"GrayPSNR, border":       func() { GrayPSNR(Luma(p), Luma(p), 10) },
		"RGBPSNR, sizes":         func() { RGBPSNR(p, small, 0) },
		"GraySSIM, border":       func() { GraySSIM(Luma(p), Luma(p), 5) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			f()
		}()
	}
}

// TestPublished compares with what MATLAB made of Set5 and Set14: every sample of the low
// resolutions that are published with them, but for three along the edges.
// PIXELGRAD_BENCHMARK names a folder such as Set5/x2, with HR and LR; without it the test is skipped.
func TestPublished(t *testing.T) {
	dir := os.Getenv("PIXELGRAD_BENCHMARK")
	if dir == "" {
		t.Skip("PIXELGRAD_BENCHMARK is not set: it would name a folder with HR and LR")
	}
	files, err := filepath.Glob(filepath.Join(dir, "HR", "*.png"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no HR/*.png, %v", dir, err)
	}
	for _, f := range files {
		hr, err := ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		lr, err := ReadFile(filepath.Join(dir, "LR", filepath.Base(f)))
		if err != nil {
			t.Fatal(err)
		}
		got := ResizeMATLAB(hr, float64(lr.W)/float64(hr.W))
		const edge = 3
		wrong := 0
		for y := edge; y < lr.H-edge; y++ {
			for i := 3 * edge; i < 3*(lr.W-edge); i++ {
				if got.Pix[y*3*lr.W+i] != lr.Pix[y*3*lr.W+i] {
					wrong++
				}
			}
		}
		if wrong > 0 {
			t.Errorf("%s: %d samples differ", f, wrong)
		}
	}
	t.Logf("%d pictures", len(files))
}
