package vision

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

// HeatMap is a table of numbers between texts and pictures, drawn in colours. Greater
// numbers are darker, and the greatest number of each row, or column, has a frame. The
// pictures are over the columns, the texts beside the rows.
type HeatMap struct {
	Title    string
	Subtitle string        // explains the numbers; may be empty
	Rows     []string      // texts
	Columns  []string      // names of the pictures
	Pictures []image.Image // over the columns
	Values   [][]float64   // rows of columns
	Format   string        // of a number, as for fmt; "" for "%.2f"
	ByColumn bool          // whether the greatest of each column has a frame, and not of each row
}

const (
	heatCell  = 92  // side of a cell and of a picture
	heatLabel = 260 // width of the texts
)

// Draw returns the map as a picture. It panics if Values does not have a row for each text
// and a column for each picture.
func (h *HeatMap) Draw() *image.RGBA {
	h.check()
	title := newText(gobold.TTF, 20, inkColor)
	label := newText(goregular.TTF, 14, inkColor)
	name := newText(goregular.TTF, 12, softColor)
	format := h.Format
	if format == "" {
		format = "%.2f"
	}
	left := gridMargin + heatLabel + gridGap
	width := left + len(h.Columns)*heatCell + gridMargin
	top := gridMargin + title.height + gridGap
	var subtitle []string
	if h.Subtitle != "" {
		subtitle = name.wrap(h.Subtitle, width-2*gridMargin, 4)
		top += len(subtitle) * name.height
	}
	body := top + name.height + heatCell + gridGap
	height := body + len(h.Rows)*heatCell + gridMargin
	dst := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(dst, dst.Bounds(), image.White, image.Point{}, draw.Src)

	title.draw(dst, gridMargin, gridMargin, width-2*gridMargin, false, h.Title)
	for i, line := range subtitle {
		name.draw(dst, gridMargin, gridMargin+title.height+gridGap/2+i*name.height, width-2*gridMargin, false, line)
	}
	for j, c := range h.Columns {
		x := left + j*heatCell
		name.draw(dst, x+2, top, heatCell-4, true, c)
		if h.Pictures[j] != nil {
			place(dst, image.Rect(x+2, top+name.height, x+heatCell-2, top+name.height+heatCell-4), h.Pictures[j])
		}
	}
	lo, hi := h.span()
	best := h.best()
	for i, row := range h.Values {
		y := body + i*heatCell
		lines := label.wrap(h.Rows[i], heatLabel, heatCell/label.height)
		for k, line := range lines {
			label.draw(dst, gridMargin, y+(heatCell-len(lines)*label.height)/2+k*label.height, heatLabel, false, line)
		}
		for j, v := range row {
			cell := image.Rect(left+j*heatCell, y, left+(j+1)*heatCell, y+heatCell).Inset(1)
			shade, ink := heatColor((v - lo) / (hi - lo))
			if best[i][j] {
				draw.Draw(dst, cell, image.NewUniform(inkColor), image.Point{}, draw.Src)
				cell = cell.Inset(3)
			}
			draw.Draw(dst, cell, image.NewUniform(shade), image.Point{}, draw.Src)
			ttf := goregular.TTF
			if best[i][j] {
				ttf = gobold.TTF
			}
			number := newText(ttf, 17, ink)
			number.draw(dst, left+j*heatCell, y+(heatCell-number.height)/2, heatCell, true, fmt.Sprintf(format, v))
		}
	}
	return dst
}

func (h *HeatMap) check() {
	ok := len(h.Values) == len(h.Rows) && len(h.Pictures) == len(h.Columns)
	for _, row := range h.Values {
		ok = ok && len(row) == len(h.Columns)
	}
	if !ok {
		panic(fmt.Sprintf("vision: HeatMap: %d rows of values, %d texts, %d names and %d pictures do not fit together", len(h.Values), len(h.Rows), len(h.Columns), len(h.Pictures)))
	}
}

// span returns the least and the greatest value. If there are no two different values, it
// returns numbers with a difference of 1.
func (h *HeatMap) span() (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, row := range h.Values {
		for _, v := range row {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if !(hi > lo) {
		return lo, lo + 1
	}
	return lo, hi
}

// best says which values have a frame.
func (h *HeatMap) best() [][]bool {
	best := make([][]bool, len(h.Values))
	for i, row := range h.Values {
		best[i] = make([]bool, len(row))
		if j := greatest(row); j >= 0 && !h.ByColumn {
			best[i][j] = true
		}
	}
	if h.ByColumn {
		for j := range h.Columns {
			column := make([]float64, len(h.Values))
			for i, row := range h.Values {
				column[i] = row[j]
			}
			if i := greatest(column); i >= 0 {
				best[i][j] = true
			}
		}
	}
	return best
}

// greatest returns the index of the greatest value, or -1 for an empty row.
func greatest(row []float64) int {
	best := -1
	for j, v := range row {
		if best < 0 || v > row[best] {
			best = j
		}
	}
	return best
}

// heatColor returns the colour for t between 0 and 1, from almost white to dark blue, and
// the colour of legible text on it.
func heatColor(t float64) (shade, ink color.Color) {
	if !(t >= 0) {
		t = 0
	}
	t = min(t, 1)
	mix := func(a, b float64) uint8 { return uint8(a + t*(b-a) + 0.5) }
	shade = color.RGBA{mix(243, 8), mix(247, 64), mix(252, 129), 255}
	if t > 0.5 {
		return shade, color.White
	}
	return shade, inkColor
}

// wrap breaks a text into lines of at most width pixels. If the text needs more than most
// lines, the last line ends in an ellipsis.
func (t *text) wrap(s string, width, most int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && font.MeasureString(t.face, longer).Ceil() > width {
			if len(lines) == most-1 {
				return append(lines, t.fit(line+" "+word+"…", width))
			}
			lines, longer = append(lines, line), word
		}
		line = longer
	}
	return append(lines, t.fit(line, width))
}
