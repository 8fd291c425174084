package vision

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nfnt/resize"
)

// difference collects the differences between two decoders or two resizers.
type difference struct {
	what      string
	largest   int
	sum       float64
	n, beyond int // samples in all, and those more than one level apart
}

func (d *difference) add(a, b *RGB) {
	for i, v := range a.Pix {
		e := int(math.Abs(float64(v) - float64(b.Pix[i])))
		d.largest = max(d.largest, e)
		d.sum += float64(e)
		if e > 1 {
			d.beyond++
		}
	}
	d.n += len(a.Pix)
}

// TestAgainstPillow measures the figures in docs/preprocessing.md on real photographs.
// testdata/golden/resize_photos.py makes the folder that it needs; without one it is
// skipped.
func TestAgainstPillow(t *testing.T) {
	dir := os.Getenv("PIXELGRAD_PILLOW")
	if dir == "" {
		t.Skip("PIXELGRAD_PILLOW is not set; testdata/golden/resize_photos.py says how to make what it names")
	}
	photos, err := filepath.Glob(filepath.Join(dir, "*.jpg"))
	if err != nil || len(photos) == 0 {
		t.Fatalf("%s: expected photographs *.jpg, found none (%v)", dir, err)
	}
	const (
		decode = iota
		decodeGo
		exact
		endToEnd
		nfnt8
		nfnt16
		enlarge
		enlargeNfnt
		kinds
	)
	total := [kinds]difference{
		decode:      {what: "JPEG decoding"},
		decodeGo:    {what: "JPEG decoding, repeated chroma"},
		exact:       {what: "Resize 72/144/288, same pixels"},
		endToEnd:    {what: "Resize 72/144/288, from JPEG"},
		nfnt8:       {what: "nfnt 72/144/288, 8 bits"},
		nfnt16:      {what: "nfnt 72/144/288, 16 bits"},
		enlarge:     {what: "Resize 72 to 144/288"},
		enlargeNfnt: {what: "nfnt 72 to 144/288, 16 bits"},
	}
	for _, photo := range photos {
		stem := strings.TrimSuffix(photo, ".jpg")
		read := func(suffix string) *RGB {
			p, err := ReadFile(stem + suffix)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		ours, theirs := read(".jpg"), read(".png")
		total[decode].add(ours, theirs)
		data, err := os.ReadFile(photo)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		total[decodeGo].add(fromRGBA64(plain.Bounds(), plain.(*image.YCbCr).RGBA64At), theirs)

		wide := func(p *RGB) *image.RGBA64 {
			q := image.NewRGBA64(p.Bounds())
			for y := range p.H {
				for x := range p.W {
					q.Set(x, y, p.At(x, y))
				}
			}
			return q
		}
		squares := []struct {
			n      int
			suffix string
		}{{72, "_72.png"}, {144, "_144.png"}, {288, "_288.png"}}
		for _, s := range squares {
			want := read(s.suffix)
			total[exact].add(Resize(theirs, s.n, s.n), want)
			total[endToEnd].add(Resize(ours, s.n, s.n), want)
			total[nfnt8].add(FromImage(resize.Resize(uint(s.n), uint(s.n), theirs.RGBA(), resize.Bicubic)), want)
			total[nfnt16].add(FromImage(resize.Resize(uint(s.n), uint(s.n), wide(theirs), resize.Bicubic)), want)
			if s.n > 72 {
				small, want := read("_72.png"), read("_72"+s.suffix)
				total[enlarge].add(Resize(small, s.n, s.n), want)
				total[enlargeNfnt].add(FromImage(resize.Resize(uint(s.n), uint(s.n), wide(small), resize.Bicubic)), want)
			}
		}
	}
	t.Logf("%d photographs; differences from Pillow in levels (0…255)", len(photos))
	for _, d := range total {
		t.Logf("%-32s largest %3d   mean %.4f   beyond one level %7.4f%%", d.what, d.largest, d.sum/float64(d.n), 100*float64(d.beyond)/float64(d.n))
	}
	if d := total[exact]; d.largest > 0 {
		t.Errorf("%s: %d levels from Pillow, want the same", d.what, d.largest)
	}
	if d := total[enlarge]; d.largest > 0 {
		t.Errorf("%s: %d levels from Pillow, want the same", d.what, d.largest)
	}
}
