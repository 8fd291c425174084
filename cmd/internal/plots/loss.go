// Package plots draws the curves that commands leave behind.
package plots

import (
	"fmt"
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"pixelgrad/internal/atomicfile"
)

// Curve is a loss after each epoch, from the first on.
type Curve struct {
	Name   string
	Values []float64
	Dashed bool
	Color  color.Color
}

// Line is a value to compare curves with, drawn over their whole width.
type Line struct {
	Name  string
	Value float64
}

// The colours are told apart in print and by the colour-blind: Okabe and Ito,
// "Color Universal Design", 2008.
var (
	Blue   = color.RGBA{0, 114, 178, 255}
	Orange = color.RGBA{230, 159, 0, 255}
	Green  = color.RGBA{0, 158, 115, 255}
	Red    = color.RGBA{213, 94, 0, 255}
	grey   = color.RGBA{110, 110, 110, 255}
)

// WriteLoss draws curves over epochs, and lines to compare them with, as a PNG file
// with a name for its vertical axis, which appears whole or not at all.
func WriteLoss(path, title, axis string, curves []Curve, lines []Line) error {
	plot.DefaultFont.Variant = "Sans"
	p := plot.New()
	p.Title.Text = title
	p.Title.TextStyle.Font.Size = vg.Points(15)
	p.Title.Padding = vg.Points(8)
	p.X.Label.Text = "epoch"
	p.Y.Label.Text = axis
	p.X.Tick.Marker = wholeTicks{}
	p.Legend.Top = true
	p.Legend.Padding = vg.Points(2)
	p.Legend.XOffs, p.Legend.YOffs = vg.Points(-6), vg.Points(-6)
	p.Add(plotter.NewGrid())

	last := 1.0
	for _, c := range curves {
		if len(c.Values) == 0 {
			continue
		}
		xy := make(plotter.XYs, len(c.Values))
		for i, v := range c.Values {
			xy[i] = plotter.XY{X: float64(i + 1), Y: v}
		}
		last = max(last, float64(len(c.Values)))
		line, points, err := plotter.NewLinePoints(xy)
		if err != nil {
			return fmt.Errorf("plots: %s: %w", c.Name, err)
		}
		line.Color, points.Color = c.Color, c.Color
		line.Width = vg.Points(2)
		points.Shape, points.Radius = draw.CircleGlyph{}, vg.Points(2.5)
		if c.Dashed {
			line.Dashes = []vg.Length{vg.Points(6), vg.Points(4)}
		}
		p.Add(line, points)
		p.Legend.Add(c.Name, line, points)
	}
	for _, l := range lines {
		line, err := plotter.NewLine(plotter.XYs{{X: 1, Y: l.Value}, {X: max(last, 2), Y: l.Value}})
		if err != nil {
			return fmt.Errorf("plots: %s: %w", l.Name, err)
		}
		line.Color, line.Width = grey, vg.Points(1.2)
		line.Dashes = []vg.Length{vg.Points(2), vg.Points(3)}
		p.Add(line)
		p.Legend.Add(l.Name, line)
	}
	p.X.Min, p.X.Max = 1, max(last, 2)
	margin := 0.05 * (p.Y.Max - p.Y.Min)
	p.Y.Min, p.Y.Max = p.Y.Min-margin, p.Y.Max+4*margin // room for the legend
	w, err := p.WriterTo(18*vg.Centimeter, 12*vg.Centimeter, "png")
	if err != nil {
		return fmt.Errorf("plots: %s: %w", path, err)
	}
	return atomicfile.Write(path, func(f io.Writer) error {
		_, err := w.WriteTo(f)
		return err
	})
}

// wholeTicks puts ticks at whole numbers, since there is no half epoch.
type wholeTicks struct{}

func (wholeTicks) Ticks(lo, hi float64) []plot.Tick {
	var ticks []plot.Tick
	step := 1
	for (hi-lo)/float64(step) > 12 {
		step *= 2
		if step == 4 {
			step = 5
		}
	}
	for e := int(lo); float64(e) <= hi; e++ {
		if e%step == 0 || step == 1 || e == 1 {
			ticks = append(ticks, plot.Tick{Value: float64(e), Label: fmt.Sprint(e)})
		}
	}
	return ticks
}
