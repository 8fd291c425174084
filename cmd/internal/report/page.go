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
		all = append(all, r.Words.Photos...)
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

// Sections returns the parts of the page, in its order.
func (r *Report) Sections() ([]Section, error) {
	v := &view{Report: r, Live: true}
	t := v.template()
	var all []Section
	var failed error
	add := func(id, name string, data any) {
		var b strings.Builder
		if err := t.ExecuteTemplate(&b, name, data); err != nil && failed == nil {
			failed = err
		}
		all = append(all, Section{id, b.String()})
	}
	networks := func(last bool) {
		for _, n := range r.Networks {
			if (n.Step == 8) == last {
				add("net-"+n.Name, "network", []any{v, n})
			}
		}
	}
	add("top", "top", v)
	add("data", "data", v)
	networks(false)
	add("compare", "compare", v)
	networks(true)
	add("words", "words", v)
	add("end", "end", v)
	return all, failed
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
		"losses": losses, "bars": v.bars, "loss": loss, "rows": rows, "result": result, "state": state, "thousands": format.Thousands[int],
		"diagram": func(n *Network) template.HTML { return n.Diagram.svg("diagram of " + n.Title) },
		"time":    day, "heat": heat, "best": best, "fields": strings.Fields,
		"bare": func(decibels string) string { return strings.TrimSuffix(decibels, " dB") },
		"pair": func(a, b any) []any { return []any{a, b} },
	}).Parse(pageText))
}

// picture shows a picture, with a label and its PSNR under it if there are such.
func (v *view) picture(p Picture, title, label string) template.HTML {
	caption := html.EscapeString(label)
	if text := psnrOf(p); text != "" && label != "" {
		caption += " <b>" + text + "</b>"
		title += ", " + text
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
		return decibels(math.Inf(1))
	case p.PSNR != nil:
		return decibels(*p.PSNR)
	}
	return ""
}

// decibels writes a PSNR, which is infinite for what is the same as the truth.
func decibels(v float64) string {
	if math.IsInf(v, 1) {
		return "∞ dB"
	}
	return fmt.Sprintf("%.2f dB", v)
}

// known returns a PSNR that is nil if it is infinite.
func known(v *float64) float64 {
	if v == nil {
		return math.Inf(1)
	}
	return *v
}

// day writes when a training began; a report without that says nothing.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2 January 2006, 15:04")
}

// Reached returns the PSNR after an epoch; "" if it was not validated.
func (e Epoch) Reached() string {
	if e.Val == nil {
		return ""
	}
	return decibels(known(e.PSNR))
}

// last returns the last epoch that was validated, or one without Val.
func last(o Output) Epoch {
	for _, e := range slices.Backward(o.Epochs) {
		if e.Val != nil {
			return e
		}
	}
	return Epoch{}
}

// reached returns what an output has reached, in dB, with its deviation if it was trained with
// several seeds; NaN if it was not validated.
func reached(o Output) (psnr, deviation float64) {
	e := last(o)
	switch {
	case o.Repeats != nil && o.Repeats.N > 1:
		return o.Repeats.Mean, o.Repeats.Deviation
	case e.Val == nil:
		return math.NaN(), 0
	}
	return known(e.PSNR), 0
}

// result writes what an output has reached; "" if it was not validated.
func result(o Output) string {
	if r := o.Repeats; r != nil && r.N > 1 {
		return fmt.Sprintf("%.2f ± %.2f dB, %d seeds", r.Mean, r.Deviation, r.N)
	}
	return last(o).Reached()
}

// loss writes a loss of an output with as many digits as all of its losses need.
func loss(o Output, v any) string {
	least := 1.0
	for _, e := range o.Epochs {
		if e.Train > 0 {
			least = min(least, e.Train)
		}
	}
	digits := max(4, min(8, 2-int(math.Floor(math.Log10(least)))))
	switch v := v.(type) {
	case float64:
		return fmt.Sprintf("%.*f", digits, v)
	case *float64:
		if v != nil {
			return fmt.Sprintf("%.*f", digits, *v)
		}
	}
	return "–"
}

// manyRows is how many epochs a table has at most.
const manyRows = 24

// rows returns the epochs that the table of an output has: all, or every second, fifth, tenth …
// with the first and the last.
func rows(o Output) []Epoch {
	step := 1
	for i := 0; (len(o.Epochs)+step-1)/step > manyRows; i++ {
		step = []int{2, 5, 10}[i%3] * int(math.Pow10(i/3))
	}
	var some []Epoch
	for i, e := range o.Epochs {
		if i == 0 || i == len(o.Epochs)-1 || e.Epoch%step == 0 {
			some = append(some, e)
		}
	}
	return some
}

// state says how far a network is that is not ready.
func state(n *Network) string {
	done := 0
	for _, o := range n.Outputs {
		done = max(done, len(o.Epochs))
	}
	switch {
	case n.Stopped != "" || n.Epochs == 0 || done >= n.Epochs:
		return ""
	case done == 0:
		return "No epoch is finished yet."
	}
	return fmt.Sprintf("%d of %d epochs so far.", done, n.Epochs)
}

const psnrAxis = "loss: 1/PSNR (1/dB)"

// Axis says what a network's losses are.
func (n *Network) Axis() string {
	if n.LossAxis != "" {
		return n.LossAxis
	}
	return psnrAxis
}

// LossAbout explains the loss of the networks.
func (r *Report) LossAbout() string {
	axis := psnrAxis
	for i, n := range r.Networks {
		if i > 0 && n.Axis() != axis {
			return "The networks differ in it; each says which it has."
		}
		axis = n.Axis()
	}
	if axis == psnrAxis {
		return "Here it is 1/PSNR: 27 dB are a loss of 0.0370."
	}
	return "Here it is " + strings.TrimPrefix(axis, "loss: ") + "."
}

// epochsShown is where the axis of a network's curves ends: where the training will, or, as long
// as that is far, not so far that the curves are small.
func epochsShown(n *Network, o Output) float64 {
	done := len(o.Epochs)
	if n.Stopped != "" {
		return float64(done)
	}
	return float64(min(max(n.Epochs, done), max(10, 2*done)))
}

// losses draws the losses of an output.
func losses(n *Network, o Output) template.HTML {
	training := curve{class: "train", name: "training"}
	validation := curve{class: "val", name: "validation"}
	for _, e := range o.Epochs {
		training.add(e.Epoch, e.Train)
		if e.Val != nil {
			validation.add(e.Epoch, *e.Val)
		}
	}
	all := []curve{training, validation}
	end := epochsShown(n, o)
	if o.Bicubic != nil {
		all = append(all, level("line", "bicubic interpolation", *o.Bicubic))
	}
	source := curve{class: "source", name: "the workshop's source, training"}
	for _, s := range o.Source {
		if float64(s.Epoch) <= end {
			source.add(s.Epoch, s.Loss)
		}
	}
	return lineChart(fmt.Sprintf("losses of %s at %d", n.Title, o.Side), n.Axis(), "%.4g", end, append(all, source))
}

// PSNRs draws the PSNR of output number k after each epoch.
func (v *view) PSNRs(n *Network, o Output, k int) template.HTML {
	validation := curve{class: "val", name: "validation"}
	for _, e := range o.Epochs {
		if e.Val != nil {
			validation.add(e.Epoch, known(e.PSNR))
		}
	}
	all := []curve{validation}
	for _, p := range v.Interpolation {
		if k < len(p.PSNR) && p.PSNR[k] != nil {
			all = append(all, level(lineOf(p), p.Name+" interpolation", *p.PSNR[k]))
		}
	}
	return lineChart(fmt.Sprintf("PSNR of %s at %d", n.Title, o.Side), "PSNR (dB)", "%.2f dB", epochsShown(n, o), all)
}

func lineOf(p Interpolation) string {
	if p.Name == "bicubic" {
		return "line"
	}
	return "line other"
}

// short leaves out of a title what all networks are called.
func short(title string) string {
	if s := strings.TrimPrefix(title, "SuperResNet"); s != "" {
		return s
	}
	return title
}

// bars compares all networks with interpolation at size number k.
func (v *view) bars(k int) template.HTML {
	var all []bar
	for _, p := range v.Interpolation {
		if k < len(p.PSNR) {
			all = append(all, bar{"plain", p.Name, known(p.PSNR[k]), 0})
		}
	}
	for _, n := range v.Networks {
		if k < len(n.Outputs) && len(n.Outputs[k].Epochs) > 0 {
			class := "network"
			if n.Random {
				class = "random"
			}
			psnr, deviation := reached(n.Outputs[k])
			all = append(all, bar{class, short(n.Title), psnr, deviation})
		}
	}
	return barChart("PSNR of all networks", all)
}

// Going reports whether a network is still trained, or will be.
func (r *Report) Going() bool {
	return len(r.Waiting) > 0 || slices.ContainsFunc(r.Networks, func(n *Network) bool { return n.Stopped == "" })
}

// Photo returns the photograph that text i describes; nil if it is not shown.
func (w *Words) Photo(i int) *Picture {
	if i >= len(w.Photos) {
		return nil
	}
	return &w.Photos[i]
}

// AnyRandom reports whether a network leans on random features.
func (r *Report) AnyRandom() bool {
	return slices.ContainsFunc(r.Networks, func(n *Network) bool { return n.Random })
}

// Better says how a network compares with bicubic interpolation at size number k.
func (r *Report) Better(o Output, k int) string {
	p, _ := reached(o)
	for _, i := range r.Interpolation {
		if i.Name != "bicubic" || k >= len(i.PSNR) {
			continue
		}
		d := p - known(i.PSNR[k])
		switch {
		case !finite(d): // one of them is not known, or infinite
		case math.Abs(d) < 0.005:
			return "as bicubic interpolation"
		case d > 0:
			return fmt.Sprintf("%.2f dB more than bicubic interpolation", d)
		default:
			return fmt.Sprintf("%.2f dB less than bicubic interpolation", -d)
		}
	}
	return ""
}

// heat is the class of a cosine's colour, from 0 to 9.
func heat(w *Words, v float64) string {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, row := range w.Cosine {
		for _, x := range row {
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	k := int(9.999 * (v - lo) / max(hi-lo, 1e-9))
	return fmt.Sprintf("h%d", max(0, min(9, k)))
}

// best reports whether the cosine in column j is the greatest of its row.
func best(row []float64, j int) bool { return row[j] == slices.Max(row) }
