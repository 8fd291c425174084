package vision

import (
	"encoding/json"
	"os"
	"testing"
)

// TestResizeBilinearGolden compares with Pillow; testdata/golden/vgg.py has the cases.
func TestResizeBilinearGolden(t *testing.T) {
	data, err := os.ReadFile("../testdata/golden/vgg_preprocess.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Bilinear []struct {
			goldenSize
			Crop [4]int
			Pix  []byte
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Bilinear) == 0 {
		t.Fatal("vgg_preprocess.json has no cases")
	}
	for _, c := range file.Bilinear {
		whole := ResizeBilinear(goldenPicture(c.Kind, c.W, c.H), c.ToW, c.ToH)
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
