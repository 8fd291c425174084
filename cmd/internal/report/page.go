package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"html/template"
	"io"
	"io/fs"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"pixelgrad/cmd/internal/format"
)

//go:embed page.html
var pageText string

// Style and Script are the style sheet and the script of every page.
var (
	//go:embed page.css
	Style string

	//go:embed page.js
	Script string
)

// maxPicture is how large a picture's file may be, in bytes: far more than 288×288 pixels need.
const maxPicture = 8 << 20

// Page writes the report as one HTML file that needs nothing else: pictures holds the files that
// it names. A picture that is missing is named in its place.
func (r *Report) Page(w io.Writer, pictures fs.FS) error {
	v := &view{Report: r, Sprite: r.sprite(pictures), Style: template.CSS(Style), Script: template.JS(Script)}
	v.Policy = "default-src 'none'; img-src data:; style-src " + hash(Style) + "; script-src " + hash(Script) + "; base-uri 'none'; form-action 'none'"
	return v.write(w)
}

// hash is how a Content-Security-Policy names a text of the page itself.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// sprite returns all pictures once, as SVG that others use: many places show the same picture.
func (r *Report) sprite(pictures fs.FS) template.HTML {
	var b strings.Builder
	b.WriteString(spriteBegin)
	seen := map[string]bool{}
	for _, p := range r.pictures() {
		if seen[p.File] || !fs.ValidPath(p.File) {
			continue
		}
		seen[p.File] = true
		data, err := readPicture(pictures, p.File)
		if err != nil {
			fmt.Fprintf(&b, `<text id="%s" x="4" y="16" font-size="11">%s</text>`, html.EscapeString(pictureID(p.File)), html.EscapeString("missing: "+p.File))
			continue
		}
		fmt.Fprintf(&b, `<image id="%s" width="%d" height="%d" href="data:image/png;base64,%s"/>`, html.EscapeString(pictureID(p.File)), p.Side, p.Side, base64.StdEncoding.EncodeToString(data))
	}
	b.WriteString(spriteEnd)
	return template.HTML(b.String())
}

const (
	spriteBegin = `<svg class="sprite" width="0" height="0" aria-hidden="true"><defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker>`
	spriteEnd   = `</defs></svg>`
)

func readPicture(pictures fs.FS, name string) ([]byte, error) {
	f, err := pictures.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPicture+1))
	if err == nil && (len(data) > maxPicture || !bytes.HasPrefix(data, []byte("\x89PNG"))) {
		err = fmt.Errorf("%s: expected a PNG of at most %d bytes", name, maxPicture)
	}
	return data, err
}

// pictures lists every picture of the report.
func (r *Report) pictures() []Picture {
	var all []Picture
	for _, s := range r.Data.Samples {
		all = append(all, s.Pictures...)
	}
	for _, n := range r.Networks {
		for _, s := range n.Inputs {
			all = append(all, s.Pictures...)
		}
		for _, o := range n.Outputs {
			for _, row := range o.Rows {
				all = append(all, row.Prediction, row.Bicubic, row.Truth)
			}
		}
	}
	if r.Words != nil {
		all = append(all, r.Words.Pictures...)
	}
	return slices.DeleteFunc(all, func(p Picture) bool { return p.File == "" })
}

// pictureID is what a picture is called in the page.
func pictureID(file string) string {
	return "p-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '.'
	}, file)
}

// A view is a report with what the template needs to show it.
type view struct {
	*Report
	Sprite template.HTML
	Style  template.CSS
	Script template.JS
	Policy string

	// Live says that the page is served while the training goes on, with style, script and
	// pictures apart.
	Live bool
}

func (v *view) write(w io.Writer) error { return v.template().ExecuteTemplate(w, "page", v) }

// Live writes the page for a server that has the style sheet, the scripts and the pictures.
func (r *Report) Live(w io.Writer) error {
	return (&view{Report: r, Live: true, Sprite: spriteBegin + spriteEnd}).write(w)
}

// A Section is a part of the page that changes as a whole. Its HTML is the element with its ID.
type Section struct{ ID, HTML string }

// Sections returns the parts of the live page, in its order.
func (r *Report) Sections() ([]Section, error) {
	v := &view{Report: r, Live: true}
	t := v.template()
	var all []Section
	add := func(id, name string, data any) error {
		var b strings.Builder
		err := t.ExecuteTemplate(&b, name, data)
		all = append(all, Section{id, b.String()})
		return err
	}
	for _, part := range []string{"nav", "data", "compare", "words", "end"} {
		if err := add(part, part, v); err != nil {
			return nil, err
		}
	}
	for _, n := range r.Networks {
		if err := add("net-"+n.Name, "network", []any{v, n}); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Files returns the names of the report's pictures, which a server may serve.
func (r *Report) Files() map[string]bool {
	files := map[string]bool{}
	for _, p := range r.pictures() {
		files[p.File] = true
	}
	return files
}

func (v *view) template() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"picture": func(p any, title, label string) template.HTML {
			if q, ok := p.(*Picture); ok {
				p = *q
			}
			return v.picture(p.(Picture), title, label)
		}, "crop": v.crop,
		"curves": curves, "bars": v.bars, "psnr": psnr, "loss": loss, "last": last, "thousands": format.Thousands[int],
		"diagram": func(n *Network) template.HTML { return n.Diagram.svg("diagram of " + n.Title) },
		"time":    func(t time.Time) string { return t.Format("2 January 2006, 15:04") },
		"better":  better, "heat": heat, "best": best,
		"pair": func(a, b any) []any { return []any{a, b} },
	}).Parse(pageText))
}

// picture shows a picture, with a label and its PSNR under it if there are such.
func (v *view) picture(p Picture, title, label string) template.HTML {
	caption := html.EscapeString(label)
	if text := psnrOf(p); text != "" && label != "" {
		caption += " <b>" + text + "</b>"
	}
	return v.figure(p, title, fmt.Sprintf("0 0 %d %d", p.Side, p.Side), "", caption)
}

// crop shows a part of a picture, enlarged without smoothing: its pixels are what is looked at.
func (v *view) crop(p Picture, c Crop, title string) template.HTML {
	s := float64(p.Side)
	return v.figure(p, title, fmt.Sprintf("%.3f %.3f %.3f %.3f", c.X*s, c.Y*s, c.Side*s, c.Side*s), " pixels", "")
}

func (v *view) figure(p Picture, title, box, class, caption string) template.HTML {
	if p.File == "" {
		return ""
	}
	content := fmt.Sprintf(`<use href="#%s"/>`, html.EscapeString(pictureID(p.File)))
	if v.Live {
		content = fmt.Sprintf(`<image width="%d" height="%d" href="/pictures/%s?%s"/>`, p.Side, p.Side, html.EscapeString(url.PathEscape(p.File)), url.QueryEscape(p.Version))
	}
	if caption != "" {
		caption = "<figcaption>" + caption + "</figcaption>"
	}
	return template.HTML(fmt.Sprintf(`<figure class="picture%s" data-title="%s"><svg role="img" aria-label="%s" viewBox="%s">%s</svg>%s</figure>`, class, html.EscapeString(title), html.EscapeString(title), box, content, caption))
}

func psnrOf(p Picture) string {
	switch {
	case p.Same:
		return "∞ dB"
	case p.PSNR != nil:
		return psnr(p.PSNR)
	}
	return ""
}

// psnr formats decibels; nil is infinite or not known.
func psnr(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.2f dB", *v)
}

// loss formats a loss.
func loss(v any) string {
	switch v := v.(type) {
	case float64:
		return fmt.Sprintf("%.4f", v)
	case *float64:
		if v != nil {
			return fmt.Sprintf("%.4f", *v)
		}
	}
	return "–"
}

// last returns the PSNR of the last epoch that was validated; nil if none was.
func last(o Output) *float64 {
	for _, e := range slices.Backward(o.Epochs) {
		if e.Val != nil {
			return e.PSNR
		}
	}
	return nil
}

// curves draws the losses of an output.
func curves(n *Network, o Output) template.HTML {
	training := curve{class: "train", name: "training"}
	validation := curve{class: "val", name: "validation"}
	for _, e := range o.Epochs {
		training.x, training.y = append(training.x, float64(e.Epoch)), append(training.y, e.Train)
		v := math.NaN()
		if e.Val != nil {
			v = *e.Val
		}
		validation.x, validation.y = append(validation.x, float64(e.Epoch)), append(validation.y, v)
	}
	all := []curve{training, validation}
	if len(o.Epochs) > 0 && o.Bicubic != nil {
		end := float64(max(o.Epochs[len(o.Epochs)-1].Epoch, 2))
		all = append(all, curve{class: "line", name: "bicubic interpolation", x: []float64{1, end}, y: []float64{*o.Bicubic, *o.Bicubic}})
	}
	if len(o.Epochs) > 0 && len(o.Source) > 0 {
		source := curve{class: "source", name: "the workshop's source, training"}
		for _, s := range o.Source {
			if s.Epoch <= max(n.Epochs, 1) {
				source.x, source.y = append(source.x, float64(s.Epoch)), append(source.y, s.Loss)
			}
		}
		all = append(all, source)
	}
	return lineChart(fmt.Sprintf("losses of %s at %d", n.Title, o.Side), "loss, 1/PSNR (1/dB)", all)
}

// short leaves out of a title what all networks are called.
func short(title string) string {
	if s := strings.TrimPrefix(title, "SuperResNet"); s != "" {
		return s
	}
	return title
}

// bars compares all networks with plain interpolation at size number i.
func (v *view) bars(i int) template.HTML {
	var all []bar
	value := func(p *float64) float64 {
		if p == nil {
			return math.NaN()
		}
		return *p
	}
	for _, n := range v.Interpolation {
		if i < len(n.PSNR) {
			all = append(all, bar{"plain", n.Name, value(n.PSNR[i])})
		}
	}
	for _, n := range v.Networks {
		if i < len(n.Outputs) && len(n.Outputs[i].Epochs) > 0 {
			class := "network"
			if n.Random {
				class = "random"
			}
			all = append(all, bar{class, short(n.Title), value(last(n.Outputs[i]))})
		}
	}
	return barChart("PSNR of all networks", all)
}

// better says how a network compares with bicubic interpolation.
func better(o Output) string {
	p := last(o)
	if p == nil || o.Bicubic == nil {
		return ""
	}
	d := *p - 1 / *o.Bicubic
	word := "more"
	if d < 0 {
		word = "less"
	}
	return fmt.Sprintf("%.2f dB %s than bicubic interpolation", math.Abs(d), word)
}

// heat is the class of a cosine's colour, from 0 to 9.
func heat(w *Words, v float64) string {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, row := range w.Cosine {
		lo, hi = min(lo, slices.Min(row)), max(hi, slices.Max(row))
	}
	k := int(9.999 * (v - lo) / max(hi-lo, 1e-9))
	return fmt.Sprintf("h%d", max(0, min(9, k)))
}

// best reports whether the cosine in column j is the greatest of its row.
func best(row []float64, j int) bool { return row[j] == slices.Max(row) }
