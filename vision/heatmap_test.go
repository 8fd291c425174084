package vision

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"golang.org/x/image/font/gofont/goregular"
)

func heat() *HeatMap {
	p := NewRGB(20, 20)
	for i := range p.Pix {
		p.Pix[i] = 200
	}
	return &HeatMap{
		Title: "Map", Subtitle: "numbers", Rows: []string{"a text", strings.Repeat("very long ", 60)},
		Columns: []string{"one", "two", "three"}, Pictures: []image.Image{p, nil, p},
		Values: [][]float64{{0.1, 0.2, 0.3}, {0.3, 0.1, 0.2}},
	}
}

// TestHeatMap checks the colours of the cells. The least number is light, the greatest one
// dark, and the greatest number of a row has a frame.
func TestHeatMap(t *testing.T) {
	m := heat().Draw()
	b := m.Bounds()
	at := func(row, column int) (middle, edge color.RGBA) {
		x := b.Max.X - gridMargin - (3-column)*heatCell
		y := b.Max.Y - gridMargin - (2-row)*heatCell
		return m.RGBAAt(x+10, y+10), m.RGBAAt(x+2, y+heatCell/2)
	}
	light, lightEdge := at(0, 0)
	dark, darkEdge := at(0, 2)
	if !(light.R > 230 && dark.R < 30) {
		t.Errorf("the least value has the colour %v, the greatest %v", light, dark)
	}
	if lightEdge != light || darkEdge == dark {
		t.Errorf("frames: %v around %v, %v around %v", lightEdge, light, darkEdge, dark)
	}
	if middle, edge := at(1, 0); middle != dark || edge != darkEdge {
		t.Errorf("the greatest of the second row has the colours %v, %v; want %v, %v", middle, edge, dark, darkEdge)
	}
}

// TestHeatMapByColumn: the greatest number of each column has the frame.
func TestHeatMapByColumn(t *testing.T) {
	h := heat() // 0.1 0.2 0.3 over 0.3 0.1 0.2
	h.ByColumn = true
	m := h.Draw()
	b := m.Bounds()
	for row, want := range [][]bool{{false, true, true}, {true, false, false}} {
		for column, want := range want {
			x := b.Max.X - gridMargin - (3-column)*heatCell
			y := b.Max.Y - gridMargin - (2-row)*heatCell
			if framed := m.RGBAAt(x+10, y+10) != m.RGBAAt(x+2, y+heatCell/2); framed != want {
				t.Errorf("row %d, column %d: frame %v, want %v", row, column, framed, want)
			}
		}
	}
}

func TestHeatMapOfOneValue(t *testing.T) {
	h := &HeatMap{Rows: []string{"a"}, Columns: []string{"b"}, Pictures: make([]image.Image, 1), Values: [][]float64{{0.25}}}
	if b := h.Draw().Bounds(); b.Dx() < heatCell || b.Dy() < heatCell {
		t.Errorf("size %v", b)
	}
}

func TestHeatMapMustFit(t *testing.T) {
	h := heat()
	h.Values[1] = h.Values[1][:2]
	defer func() {
		if recover() == nil {
			t.Error("no panic for a row that is too short")
		}
	}()
	h.Draw()
}

func TestWrap(t *testing.T) {
	h := newText(goregular.TTF, 14, color.Black)
	lines := h.wrap("one two three four five six seven eight nine ten", 100, 3)
	if len(lines) != 3 || !strings.HasSuffix(lines[2], "…") || !strings.HasPrefix(lines[0], "one") {
		t.Errorf("wrap: %q", lines)
	}
	if lines := h.wrap("", 100, 3); len(lines) != 1 || lines[0] != "" {
		t.Errorf("wrap of nothing: %q", lines)
	}
}
