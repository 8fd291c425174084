package vision

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"strings"

	"github.com/nfnt/resize"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"pixelgrad/internal/atomicfile"
)

// Grid is a table of pictures for people, with a title over each column and a caption
// under each picture. It shows, for example, samples of a dataset, or a network's
// predictions between the input and the truth.
type Grid struct {
	Title   string   // over everything; may be empty
	Columns []string // over the columns; may be shorter than the rows
	Rows    []GridRow

	// Cell is the side of a cell in pixels; 0 means the side of the largest picture.
	// If it is a multiple of a smaller picture's side, all enlarged pixels of that
	// picture have the same size.
	Cell int
}

// GridRow is one line of a [Grid].
type GridRow struct {
	Name  string // over the row, on the left; may be empty
	Cells []GridCell
}

// GridCell is one picture with its caption. Either may be missing.
type GridCell struct {
	Image   image.Image
	Caption string // "\n" begins a new line
}

// The distances in a grid, in pixels.
const (
	gridMargin = 24 // around everything
	gridGap    = 12 // between pictures
)

var (
	inkColor  = color.Gray{Y: 0x22}
	softColor = color.Gray{Y: 0x66}
)

// Draw draws the grid on white. Pictures keep their aspect ratio. A picture smaller than
// its cell is enlarged by repeating pixels, so every pixel stays visible. A larger picture
// is made smaller with a smooth filter. Text that is too wide ends in "…". Draw panics if
// Cell is negative.
func (g *Grid) Draw() *image.RGBA {
	cell, columns := g.cell(), len(g.Columns)
	for _, r := range g.Rows {
		columns = max(columns, len(r.Cells))
	}
	em := min(max(cell/14, 12), 18)
	title := newText(gobold.TTF, em*5/4, inkColor)
	head := newText(gobold.TTF, em, inkColor)
	name := newText(goregular.TTF, em, inkColor)
	caption := newText(goregular.TTF, em-1, softColor)

	inner := columns*(cell+gridGap) - gridGap
	width := max(inner, 0) + 2*gridMargin
	// The first walk measures the height, the second one draws.
	var dst *image.RGBA
	walk := func() int {
		y := gridMargin
		if g.Title != "" {
			title.draw(dst, gridMargin, y, inner, false, g.Title)
			y += title.height + gridGap
		}
		if len(g.Columns) > 0 {
			for i, c := range g.Columns {
				head.draw(dst, gridMargin+i*(cell+gridGap), y, cell, true, c)
			}
			y += head.height + gridGap/2
		}
		for i, r := range g.Rows {
			if i > 0 {
				y += gridGap
			}
			if r.Name != "" {
				name.draw(dst, gridMargin, y, inner, false, r.Name)
				y += name.height + gridGap/3
			}
			lines := 0
			for j, c := range r.Cells {
				x := gridMargin + j*(cell+gridGap)
				if dst != nil && c.Image != nil {
					place(dst, image.Rect(x, y, x+cell, y+cell), c.Image)
				}
				if c.Caption == "" {
					continue
				}
				for k, line := range strings.Split(c.Caption, "\n") {
					caption.draw(dst, x, y+cell+gridGap/3+k*caption.height, cell, true, line)
					lines = max(lines, k+1)
				}
			}
			y += cell
			if lines > 0 {
				y += gridGap/3 + lines*caption.height
			}
		}
		return y + gridMargin
	}
	dst = nil
	height := walk()
	dst = image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(dst, dst.Bounds(), image.White, image.Point{}, draw.Src)
	walk()
	return dst
}

// cell returns the side of a cell.
func (g *Grid) cell() int {
	if g.Cell < 0 {
		panic(fmt.Sprintf("vision: Grid: cells of %d pixels", g.Cell))
	}
	if g.Cell > 0 {
		return g.Cell
	}
	side := 1
	for _, r := range g.Rows {
		for _, c := range r.Cells {
			if c.Image != nil {
				side = max(side, c.Image.Bounds().Dx(), c.Image.Bounds().Dy())
			}
		}
	}
	return side
}

// place draws a picture in the middle of a square cell, as large as possible.
func place(dst *image.RGBA, cell image.Rectangle, m image.Image) {
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	if w == 0 || h == 0 {
		return
	}
	side := cell.Dx()
	tw, th := side, side
	if w > h {
		th = max(1, side*h/w)
	} else {
		tw = max(1, side*w/h)
	}
	if p, ok := m.(*RGB); ok {
		m = p.RGBA() // the layout that is scaled and drawn fastest
	}
	if tw != w || th != h {
		filter := resize.Lanczos3
		if tw >= w && th >= h {
			filter = resize.NearestNeighbor
		}
		m = resize.Resize(uint(tw), uint(th), m, filter)
	}
	at := cell.Min.Add(image.Pt((side-tw)/2, (side-th)/2))
	draw.Draw(dst, image.Rectangle{Min: at, Max: at.Add(image.Pt(tw, th))}, m, m.Bounds().Min, draw.Over)
}

// text draws lines in one font, size and colour.
type text struct {
	face   font.Face
	color  image.Image
	height int // from line to line
	ascent int // from the top of a line to its baseline
}

// newText returns a text of a font. em is the font size in pixels.
func newText(ttf []byte, em int, c color.Color) *text {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic(fmt.Sprintf("vision: the font in golang.org/x/image: %v", err)) // it is part of the program
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: float64(em), DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic(fmt.Sprintf("vision: the font in golang.org/x/image: %v", err))
	}
	m := face.Metrics()
	return &text{face: face, color: image.NewUniform(c), height: (m.Ascent + m.Descent).Ceil() + 2, ascent: m.Ascent.Ceil()}
}

// draw writes one line at (x,y), in a box of the given width, on the left or centred. If
// dst is nil it does nothing.
func (t *text) draw(dst *image.RGBA, x, y, width int, centred bool, line string) {
	if dst == nil {
		return
	}
	line = t.fit(line, width)
	if centred {
		x += (width - font.MeasureString(t.face, line).Ceil()) / 2
	}
	d := font.Drawer{Dst: dst, Src: t.color, Face: t.face, Dot: fixed.P(x, y+t.ascent)}
	d.DrawString(line)
}

// fit shortens a line until it is at most width pixels wide.
func (t *text) fit(line string, width int) string {
	if font.MeasureString(t.face, line).Ceil() <= width {
		return line
	}
	letters := []rune(line)
	for n := len(letters) - 1; n > 0; n-- {
		short := strings.TrimRight(string(letters[:n]), " ") + "…"
		if font.MeasureString(t.face, short).Ceil() <= width {
			return short
		}
	}
	return ""
}

// WritePNG writes a picture as a PNG file. The file appears whole or not at all. An error
// names the file.
func WritePNG(path string, m image.Image) error {
	if err := atomicfile.Write(path, func(w io.Writer) error { return png.Encode(w, m) }); err != nil {
		return fmt.Errorf("vision: %w", err)
	}
	return nil
}
