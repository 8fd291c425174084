package vision

import (
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each pixel of a small picture becomes a block of its own colour. Nothing is drawn where
// no picture was given.
func TestGridPixels(t *testing.T) {
	p := goldenPicture("noise", 6, 6)
	g := &Grid{Rows: []GridRow{{Cells: []GridCell{{Image: p}, {}, {Image: p.RGBA()}}}}, Cell: 24}
	m := g.Draw()
	if want := image.Rect(0, 0, 2*gridMargin+3*24+2*gridGap, 2*gridMargin+24); m.Bounds() != want {
		t.Fatalf("the grid is %v, want %v", m.Bounds(), want)
	}
	for y := range 24 {
		for x := range 24 {
			want := p.At(x/4, y/4)
			for _, left := range []int{gridMargin, gridMargin + 2*(24+gridGap)} {
				if got := m.At(left+x, gridMargin+y); got != want {
					t.Fatalf("pixel %d,%d of the picture at %d is %v, want %v", x, y, left, got, want)
				}
			}
			if got := m.RGBAAt(gridMargin+24+gridGap+x, gridMargin+y); got != (color.RGBA{255, 255, 255, 255}) {
				t.Fatalf("pixel %d,%d of the empty cell is %v, want white", x, y, got)
			}
		}
	}
}

// Texts have space of their own. No caption overlaps a picture, and no letter crosses the
// edge.
func TestGridTexts(t *testing.T) {
	grey := NewRGB(40, 40)
	for i := range grey.Pix {
		grey.Pix[i] = 200
	}
	long := strings.Repeat("very long ", 20)
	g := &Grid{Title: long, Columns: []string{long, "b", "c"}, Rows: []GridRow{
		{Name: long, Cells: []GridCell{{grey, long + "\n" + long}, {grey, "28.10 dB"}}},
		{Name: "two", Cells: []GridCell{{grey, ""}}},
	}}
	m := g.Draw()
	full, ink := 0, 0
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			switch c := m.RGBAAt(x, y); {
			case c == color.RGBA{200, 200, 200, 255}:
				full++
			case c.R < 200:
				ink++
				if x < gridMargin-1 || x > m.Bounds().Dx()-gridMargin || y < gridMargin || y > m.Bounds().Dy()-gridMargin {
					t.Fatalf("ink in the margin at %d,%d of %v", x, y, m.Bounds())
				}
			}
		}
	}
	if full < 3*40*40 || ink < 500 {
		t.Errorf("%d grey pixels and %d of text, want at least %d and 500", full, ink, 3*40*40)
	}
	if empty := (&Grid{}).Draw(); empty.Bounds().Empty() {
		t.Error("an empty grid has no pixels")
	}
}

func TestGridScales(t *testing.T) {
	flat := NewRGB(90, 30) // wide and larger than its cell
	for i := range flat.Pix {
		flat.Pix[i] = 50
	}
	m := (&Grid{Cell: 30, Rows: []GridRow{{Cells: []GridCell{{Image: flat}}}}}).Draw()
	for y, want := range map[int]uint8{9: 255, 10: 50, 15: 50, 19: 50, 20: 255} {
		if got := m.RGBAAt(gridMargin+15, gridMargin+y); got.R != want || got.A != 255 {
			t.Errorf("row %d of the cell is %v, want %d", y, got, want)
		}
	}
}

func TestWritePNG(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.png")
	p := goldenPicture("smooth", 8, 6)
	if err := WritePNG(path, p); err != nil {
		t.Fatal(err)
	}
	q, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d, _ := apart(q.Pix, p.Pix); d != 0 || q.W != 8 || q.H != 6 {
		t.Error("another picture was read than was written")
	}
	empty := filepath.Join(t.TempDir(), "empty.png")
	if err := WritePNG(empty, image.NewRGBA(image.Rectangle{})); err == nil || !strings.Contains(err.Error(), empty) {
		t.Errorf("error %v, want one that names %s", err, empty)
	}
	if entries, err := os.ReadDir(filepath.Dir(empty)); err != nil || len(entries) > 0 {
		t.Errorf("%v is left behind (%v)", entries, err)
	}
}
