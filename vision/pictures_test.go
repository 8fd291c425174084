package vision

import (
	"bytes"
	"encoding/json"
	"image/jpeg"
	"os"
	"strings"
	"testing"
)

// pictureCase is a file of testdata/golden/pictures.json, with the pixels that Pillow reads.
type pictureCase struct {
	Group, Name string
	File        []byte
	W, H        int
	Pix         []byte // nil: refused
	Same        bool   // the pixels are those of the case before
}

func readPictures(t testing.TB) []pictureCase {
	t.Helper()
	data, err := os.ReadFile("../testdata/golden/pictures.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Cases []pictureCase }
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) < 100 {
		t.Fatalf("pictures.json has %d cases", len(golden.Cases))
	}
	for i, c := range golden.Cases {
		if c.Same {
			golden.Cases[i].Pix = golden.Cases[i-1].Pix
		}
	}
	return golden.Cases
}

// bound is how many levels a picture may be off Pillow's. image/jpeg rounds its cosine
// transform differently from libjpeg; everything else is the same to the bit.
func (c pictureCase) bound() int {
	if c.Group == "jpeg" || strings.HasPrefix(c.Name, "JPEG") {
		if _, err := jpeg.Decode(bytes.NewReader(append(bytes.Clone(c.File), 0xff, 0xd9))); err == nil {
			return 3
		}
	}
	return 0
}

func TestDecodePictures(t *testing.T) {
	for _, c := range readPictures(t) {
		p, err := Decode(bytes.NewReader(c.File), "some.file")
		if c.Pix == nil {
			if err == nil || !strings.HasPrefix(err.Error(), "vision: some.file: expected") {
				t.Errorf("%s: error %v, want one that says what is read", c.Name, err)
			} else {
				t.Logf("%-40s %v", c.Name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if p.W != c.W || p.H != c.H {
			t.Errorf("%s: %d×%d pixels, Pillow's are %d×%d", c.Name, p.W, p.H, c.W, c.H)
			continue
		}
		if d, i := apart(p.Pix, c.Pix); d > c.bound() {
			t.Errorf("%s: sample %d (pixel %d,%d) is %d, Pillow's %d", c.Name, i, i/3%p.W, i/3/p.W, p.Pix[i], c.Pix[i])
		}
	}
}

// libjpeg takes four planes for YCCK if Adobe's marker has any number but 0.
func TestFourPlanesTransform(t *testing.T) {
	for _, c := range readPictures(t) {
		if c.Name != "CMYK, the first plane finer" {
			continue
		}
		at := bytes.Index(c.File, []byte("Adobe")) + 11
		var pix [3][]byte
		for i := range pix {
			file := bytes.Clone(c.File)
			file[at] = byte(i)
			p, err := Decode(bytes.NewReader(file), "some.file")
			if err != nil {
				t.Fatal(err)
			}
			pix[i] = p.Pix
		}
		if bytes.Equal(pix[0], pix[2]) || !bytes.Equal(pix[1], pix[2]) {
			t.Errorf("the numbers 0, 1, 2: 0 and 2 give the same pixels (%v), or 1 and 2 others", bytes.Equal(pix[0], pix[2]))
		}
		return
	}
	t.Fatal("no such case")
}
