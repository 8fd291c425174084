package report

import (
	"fmt"
	"html"
	"html/template"
	"strings"
)

// A Diagram is a drawing of a network: boxes and the arrows between them, in pixels. It is data
// and not SVG so that the page can give it the colours of the light or the dark.
type Diagram struct {
	Width, Height float64
	Boxes         []Box
	Arrows        []Arrow
}

// A Box is an operation, or an input or output, around a middle.
type Box struct {
	X, Y, Width, Height float64
	Kind                string   // "input", "output", "trained", "fixed"
	Lines               []string // of its text
}

// An Arrow leads a shape from box to box: the control points of Bézier curves, 3·n + 1 of them.
type Arrow struct {
	Points [][2]float64
	Label  string // the shape
	X, Y   float64
}

// The sizes of a diagram's text, in pixels: whoever makes the boxes needs them.
const (
	NameSize   = 12.5 // of a box's first line, which is bold
	DetailSize = 11.5 // of its other lines, and of the shapes
	LineHeight = 15.0
)

// svg draws the diagram.
func (d *Diagram) svg(title string) template.HTML {
	if d == nil {
		return ""
	}
	var b, labels strings.Builder // labels are over all lines
	fmt.Fprintf(&b, `<svg class="diagram" role="img" aria-label="%s" viewBox="0 0 %.0f %.0f" width="%.0f">`, html.EscapeString(title), d.Width, d.Height, d.Width)
	for _, a := range d.Arrows {
		if len(a.Points) < 4 {
			continue
		}
		fmt.Fprintf(&b, `<path class="arrow" marker-end="url(#head)" d="M%.1f %.1f`, a.Points[0][0], a.Points[0][1])
		for i := 1; i+2 < len(a.Points); i += 3 {
			p := a.Points[i:]
			fmt.Fprintf(&b, "C%.1f %.1f %.1f %.1f %.1f %.1f", p[0][0], p[0][1], p[1][0], p[1][1], p[2][0], p[2][1])
		}
		b.WriteString(`"/>`)
		fmt.Fprintf(&labels, `<text class="shape" font-size="%g" x="%.1f" y="%.1f">%s</text>`, DetailSize, a.X, a.Y, html.EscapeString(a.Label))
	}
	for _, x := range d.Boxes {
		kind := x.Kind
		switch kind {
		case "input", "output", "trained", "fixed":
		default:
			kind = "fixed"
		}
		r := 5.0
		if kind == "input" || kind == "output" {
			r = min(x.Height/2, LineHeight)
		}
		fmt.Fprintf(&b, `<rect class="box %s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%.1f"/>`, kind, x.X-x.Width/2, x.Y-x.Height/2, x.Width, x.Height, r)
		for i, line := range x.Lines {
			class, size := "name", NameSize
			if i > 0 {
				class, size = "detail", DetailSize
			}
			y := x.Y + LineHeight*(float64(i)-float64(len(x.Lines)-1)/2) + 4
			fmt.Fprintf(&b, `<text class="%s" font-size="%g" x="%.1f" y="%.1f">%s</text>`, class, size, x.X, y, html.EscapeString(line))
		}
	}
	b.WriteString(labels.String())
	b.WriteString("</svg>")
	return template.HTML(b.String())
}
