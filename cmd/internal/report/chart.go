package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
)

// The charts are SVG of a fixed size in units, which the page scales to its width. Their colours
// are those of the page's style sheet.
const (
	chartWidth, chartHeight = 480.0, 300.0
	left, right             = 68.0, 14.0
	top, bottom             = 14.0, 42.0
)

// A curve is a line through points, one for an epoch. Points that are not finite interrupt it.
type curve struct {
	class string // in the style sheet: "train", "val", "line", "source"
	name  string
	x, y  []float64
}

func (c *curve) add(epoch int, y float64) {
	c.x, c.y = append(c.x, float64(epoch)), append(c.y, y)
}

// level is a line of the same height at all epochs, to compare with.
func level(class, name string, y float64) curve {
	return curve{class, name, []float64{1, math.Inf(1)}, []float64{y, y}}
}

// lineChart draws curves over epochs, of which the axis has at least epochs. form is how a value
// is written. It is empty if there is nothing to draw yet.
func lineChart(title, yLabel, form string, epochs float64, curves []curve) template.HTML {
	xMax, lo, hi := max(2.0, epochs), math.Inf(1), math.Inf(-1)
	drawn := false
	for _, c := range curves {
		for i, y := range c.y {
			if !finite(y) {
				continue
			}
			lo, hi = min(lo, y), max(hi, y)
			if finite(c.x[i]) {
				xMax = max(xMax, c.x[i])
			}
			drawn = drawn || c.class == "train" || c.class == "val"
		}
	}
	if !drawn {
		return ""
	}
	if hi-lo < 1e-9*max(1, math.Abs(hi)) {
		lo, hi = lo-0.5*math.Abs(lo)-1e-6, hi+0.5*math.Abs(hi)+1e-6
	}
	margin := 0.06 * (hi - lo)
	lo, hi = lo-margin, hi+margin
	px := func(x float64) float64 { return left + (min(x, xMax)-1)/(xMax-1)*(chartWidth-left-right) }
	py := func(y float64) float64 { return top + (hi-y)/(hi-lo)*(chartHeight-top-bottom) }

	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart" role="img" aria-label="%s" viewBox="0 0 %.0f %.0f">`, html.EscapeString(title), chartWidth, chartHeight)
	for _, t := range ticks(lo, hi, 6) {
		fmt.Fprintf(&b, `<path class="grid" d="M%.1f %.1fH%.1f"/><text class="tick y" x="%.1f" y="%.1f">%s</text>`, left, py(t.at), chartWidth-right, left-6, py(t.at)+4, t.label)
	}
	for _, t := range wholeTicks(1, xMax, 10) {
		fmt.Fprintf(&b, `<path class="grid" d="M%.1f %.1fV%.1f"/><text class="tick" x="%.1f" y="%.1f">%s</text>`, px(t.at), top, chartHeight-bottom, px(t.at), chartHeight-bottom+17, t.label)
	}
	fmt.Fprintf(&b, `<text class="axis" x="%.1f" y="%.1f">epoch</text>`, (left+chartWidth-right)/2, chartHeight-6)
	fmt.Fprintf(&b, `<text class="axis" transform="translate(13 %.1f) rotate(-90)">%s</text>`, (top+chartHeight-bottom)/2, html.EscapeString(yLabel))
	for _, c := range curves {
		pen := "M"
		var path, points strings.Builder
		for i, y := range c.y {
			if !finite(y) {
				pen = "M"
				continue
			}
			fmt.Fprintf(&path, "%s%.1f %.1f", pen, px(c.x[i]), py(y))
			pen = "L"
			if !strings.HasPrefix(c.class, "line") && len(c.y) <= 60 {
				fmt.Fprintf(&points, `<circle class="%s" cx="%.1f" cy="%.1f" r="3"><title>%s, epoch %.0f: `+form+`</title></circle>`, c.class, px(c.x[i]), py(y), html.EscapeString(c.name), c.x[i], y)
			}
		}
		if c.class != "source" {
			fmt.Fprintf(&b, `<path class="curve %s" d="%s"/>`, c.class, path.String())
		}
		b.WriteString(points.String())
	}
	b.WriteString("</svg>")
	b.WriteString(`<p class="legend">`)
	for _, c := range curves {
		if len(c.y) > 0 {
			fmt.Fprintf(&b, `<span><i class="%s"></i>%s</span>`, c.class, html.EscapeString(c.name))
		}
	}
	b.WriteString(`</p>`)
	return template.HTML(b.String())
}

// A bar is a value with its name, and its standard deviation if it is a mean.
type bar struct {
	class, name      string
	value, deviation float64
}

// barChart draws horizontal bars of PSNR in dB. The axis does not begin at 0, because the
// differences that matter would not be seen; it says where it begins.
func barChart(title string, bars []bar) template.HTML {
	const (
		nameWidth  = 110.0
		valueWidth = 110.0
		rowHeight  = 27.0
	)
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, x := range bars {
		if finite(x.value) {
			lo, hi = min(lo, x.value), max(hi, x.value)
		}
	}
	if lo > hi {
		lo, hi = 0, 1 // all are infinite
	}
	lo = math.Max(0, math.Floor(lo-2))
	width := chartWidth - nameWidth - valueWidth
	height := rowHeight*float64(len(bars)) + 34
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart" role="img" aria-label="%s" viewBox="0 0 %.0f %.0f">`, html.EscapeString(title), chartWidth, height)
	scale := func(v float64) float64 { return (v - lo) / max(hi-lo, 1e-9) * width }
	for _, t := range ticks(lo, hi, 5) {
		x := nameWidth + scale(t.at)
		fmt.Fprintf(&b, `<path class="grid" d="M%.1f 0V%.1f"/><text class="tick" x="%.1f" y="%.1f">%s</text>`, x, height-32, x, height-18, t.label)
	}
	for i, x := range bars {
		y := rowHeight * float64(i)
		fmt.Fprintf(&b, `<text class="tick y" x="%.1f" y="%.1f">%s</text>`, nameWidth-8, y+18, html.EscapeString(x.name))
		end, text := 0.0, "–"
		switch {
		case math.IsInf(x.value, 1):
			end, text = width, decibels(x.value)
		case finite(x.value) && x.deviation > 0:
			end, text = scale(x.value), fmt.Sprintf("%.2f ± %.2f dB", x.value, x.deviation)
		case finite(x.value):
			end, text = scale(x.value), decibels(x.value)
		}
		if text != "–" {
			fmt.Fprintf(&b, `<rect class="bar %s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, x.class, nameWidth, y+5, max(end, 1), rowHeight-9)
		}
		fmt.Fprintf(&b, `<text class="value" x="%.1f" y="%.1f">%s</text>`, nameWidth+end+6, y+18, text)
	}
	fmt.Fprintf(&b, `<text class="axis" x="%.1f" y="%.1f">PSNR in dB; the axis begins at %s</text></svg>`, nameWidth+width/2, height-3, number(lo))
	return template.HTML(b.String())
}

func finite(v float64) bool { return v-v == 0 }

// A tick is a place on an axis.
type tick struct {
	at    float64
	label string
}

// ticks returns at most most round numbers from lo to hi: multiples of 1, 2 or 5 times a power
// of ten.
func ticks(lo, hi float64, most int) []tick {
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/float64(most))))
	for _, k := range []float64{1, 2, 5, 10} {
		if (hi-lo)/(k*step) <= float64(most) {
			step *= k
			break
		}
	}
	digits := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
	var all []tick
	for i := math.Ceil(lo/step-1e-9) + 0; i*step <= hi+1e-9*step; i++ {
		all = append(all, tick{i * step, fmt.Sprintf("%.*f", digits, i*step)})
	}
	return all
}

// wholeTicks are ticks at whole numbers, since there is no half epoch.
func wholeTicks(lo, hi float64, most int) []tick {
	var all []tick
	for _, t := range ticks(lo, hi, most) {
		if t.at == math.Trunc(t.at) {
			all = append(all, tick{t.at, fmt.Sprintf("%.0f", t.at)})
		}
	}
	if len(all) == 0 || all[0].at != lo {
		all = append([]tick{{lo, number(lo)}}, all...)
		if len(all) > 1 && all[1].at-lo < (hi-lo)/20 {
			all = append(all[:1], all[2:]...)
		}
	}
	return all
}

func number(v float64) string { return fmt.Sprintf("%.4g", v) }
