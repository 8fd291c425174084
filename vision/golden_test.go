package vision

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"pixelgrad/tensor"
)

// golden holds the output of testdata/golden/resize.py.
type golden struct {
	Pillow string
	Resize []struct {
		goldenSize
		Crop [4]int // x, y, w, h of the result
		Pix  []byte
	}
	Bilinear, Bicubic []struct {
		goldenSize
		Values []float32
	}
	JPEG []struct {
		Name      string
		File, Pix []byte
		W, H      int
	}
}

type goldenSize struct {
	Kind string
	W, H int
	ToW  int `json:"to_w"`
	ToH  int `json:"to_h"`
}

func (s goldenSize) String() string {
	return fmt.Sprintf("%s %d×%d to %d×%d", s.Kind, s.W, s.H, s.ToW, s.ToH)
}

func readGolden(t testing.TB) (g golden) {
	t.Helper()
	data, err := os.ReadFile("../testdata/golden/resize.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Resize) == 0 || len(g.Bilinear) == 0 || len(g.Bicubic) == 0 || len(g.JPEG) == 0 {
		t.Fatal("resize.json has an empty section")
	}
	return g
}

// goldenPicture makes a picture in the same way as resize.py.
func goldenPicture(kind string, w, h int) *RGB {
	p := NewRGB(w, h)
	for i := range p.Pix {
		x, y, c := i/3%w, i/3/w, i%3
		switch kind {
		case "noise":
			p.Pix[i] = uint8((x*73856093 ^ y*19349663 ^ c*83492791) >> 7)
		case "stripes":
			if (x*(c+1)/5+y/3)%2 == 1 {
				p.Pix[i] = 255
			}
		case "smooth":
			p.Pix[i] = uint8((x*(c+2) + y*(5-c)) / 2)
		default:
			panic(kind)
		}
	}
	return p
}

// apart returns the largest difference, in levels, and its place.
func apart(got, want []uint8) (largest, at int) {
	for i, v := range got {
		if d := abs(int(v) - int(want[i])); d > largest {
			largest, at = d, i
		}
	}
	return largest, at
}

func TestResizeGolden(t *testing.T) {
	for _, c := range readGolden(t).Resize {
		whole := Resize(goldenPicture(c.Kind, c.W, c.H), c.ToW, c.ToH)
		x, y, w, h := c.Crop[0], c.Crop[1], c.Crop[2], c.Crop[3]
		var got []uint8
		for v := y; v < y+h; v++ {
			got = append(got, whole.Pix[(v*c.ToW+x)*3:][:3*w]...)
		}
		if len(got) != len(c.Pix) {
			t.Fatalf("%v: %d bytes, the golden file has %d", c.goldenSize, len(got), len(c.Pix))
		}
		if d, i := apart(got, c.Pix); d > 0 {
			t.Errorf("%v: sample %d is %d, Pillow's %d", c.goldenSize, i, got[i], c.Pix[i])
		}
	}
}

func TestInterpolateGolden(t *testing.T) {
	g := readGolden(t)
	check := func(name string, s goldenSize, got, want []float32) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%s %v: %d values, the golden file has %d", name, s, len(got), len(want))
		}
		for i, v := range got {
			if err := math.Abs(float64(v) - float64(want[i])); !(err <= 2e-6) {
				t.Errorf("%s %v: value %d is %v, PyTorch's %v", name, s, i, v, want[i])
				return
			}
		}
	}
	for _, c := range g.Bilinear {
		check("Bilinear", c.goldenSize, Bilinear(goldenPicture(c.Kind, c.W, c.H).Tensor(), c.ToH, c.ToW).Data(), c.Values)
	}
	for _, c := range g.Bicubic {
		check("BicubicTorch", c.goldenSize, BicubicTorch(goldenPicture(c.Kind, c.W, c.H).Tensor(), c.ToH, c.ToW).Data(), c.Values)
	}
}

// Every layout of JPEGs is decoded as in Pillow, except for the rounding of the inverse
// cosine transform.
func TestDecodeGolden(t *testing.T) {
	for _, c := range readGolden(t).JPEG {
		p, err := Decode(bytes.NewReader(c.File), c.Name)
		if err != nil {
			t.Error(err)
			continue
		}
		if p.W != c.W || p.H != c.H {
			t.Errorf("%s: %d×%d pixels, want %d×%d", c.Name, p.W, p.H, c.W, c.H)
			continue
		}
		d, i := apart(p.Pix, c.Pix)
		if d > 3 {
			t.Errorf("%s: sample %d (pixel %d,%d) is %d, Pillow's %d", c.Name, i, i/3%p.W, i/3/p.W, p.Pix[i], c.Pix[i])
		}
		t.Logf("%-22s largest difference %d", c.Name, d)
	}
}

// Bicubic is Resize between two conversions.
func TestBicubic(t *testing.T) {
	a, b := goldenPicture("noise", 9, 7), goldenPicture("stripes", 9, 7)
	x := tensor.New(2, 3, 7, 9)
	copy(x.Data(), a.Tensor().Data())
	copy(x.Data()[3*7*9:], b.Tensor().Data())
	y := Bicubic(x, 14, 18)
	for i, p := range []*RGB{a, b} {
		if want := Resize(p, 18, 14); !bytes.Equal(FromTensor(y, i).Pix, want.Pix) {
			t.Errorf("picture %d of the batch differs from Resize", i)
		}
	}
}
