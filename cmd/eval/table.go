package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/runs"
)

type decibels = runs.Decibels

// A score is what a picture, or the mean of all, is worth. SSIM is nil for all three colours.
type score struct {
	PSNR decibels `json:"psnr"`
	SSIM *float64 `json:"ssim,omitempty"`
}

// A row is about one picture.
type row struct {
	Name    string `json:"name"`
	Width   int    `json:"width"` // of what is compared, before the border is cut
	Height  int    `json:"height"`
	Network *score `json:"network,omitempty"` // nil for bicubic alone
	Bicubic score  `json:"bicubic"`
}

// A result is the table: its JSON form is what -json prints.
type result struct {
	Data          string   `json:"data"`
	Scale         int      `json:"scale"`
	Network       string   `json:"network"`
	Weights       string   `json:"weights,omitempty"`
	RGB           bool     `json:"rgb"`
	LowResolution string   `json:"low_resolution"`
	Convention    []string `json:"convention"`
	Pictures      []row    `json:"pictures"`
	Mean          row      `json:"mean"` // of the pictures' figures
	Failed        []string `json:"failed,omitempty"`
}

// convention says how the figures are made, so that nobody compares them with others. Its parts
// fit on a line each.
func convention(o *options) []string {
	border := fmt.Sprintf("levels 0 to 255, a border of %d pixels cut", o.scale)
	if o.rgb {
		return []string{"red, green and blue together, which is not to be compared with the luma", border}
	}
	return []string{
		"luma of BT.601 (16 to 235) as MATLAB's rgb2ycbcr, of grey files the grey itself",
		border + ", SSIM of 11×11 Gaussian windows, σ 1.5",
	}
}

// setMean sets the mean of the pictures' figures.
func (r *result) setMean() {
	mean := func(of func(row) score) score {
		var psnr, ssim float64
		for _, p := range r.Pictures {
			s := of(p)
			psnr += float64(s.PSNR)
			if s.SSIM != nil {
				ssim += *s.SSIM
			}
		}
		n := float64(len(r.Pictures))
		m := score{PSNR: decibels(psnr / n)}
		if !r.RGB {
			ssim /= n
			m.SSIM = &ssim
		}
		return m
	}
	r.Mean = row{Name: "mean", Bicubic: mean(func(p row) score { return p.Bicubic })}
	if r.Pictures[0].Network != nil {
		s := mean(func(p row) score { return *p.Network })
		r.Mean.Network = &s
	}
}

// columns returns what the scores of a row are called, and themselves.
func (r *result) columns(p row) (names []string, scores []score) {
	if p.Network != nil {
		names, scores = append(names, r.Network), append(scores, *p.Network)
	}
	return append(names, bicubic), append(scores, p.Bicubic)
}

// print writes the result as the command line asks.
func (r *result) print(o *options, out, log io.Writer) error {
	switch {
	case o.json:
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	case o.csv:
		fmt.Fprintln(log, r.title()) // not among the rows, where programs would trip over it
		return r.printCSV(out)
	}
	fmt.Fprintln(out, r.title())
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "picture\tpixels")
	names, _ := r.columns(r.Mean)
	for _, name := range names {
		fmt.Fprintf(w, "\t%s dB", format.Printable(name))
		if !r.RGB {
			fmt.Fprint(w, "\tSSIM")
		}
	}
	fmt.Fprintln(w)
	for i := range len(r.Pictures) + 1 {
		p, size := r.Mean, ""
		if i < len(r.Pictures) {
			p = r.Pictures[i]
			size = fmt.Sprintf("%d×%d", p.Width, p.Height)
		}
		fmt.Fprintf(w, "%s\t%s", format.Cut(format.Printable(p.Name), 32), size)
		_, scores := r.columns(p)
		for _, s := range scores {
			fmt.Fprintf(w, "\t%s", text(s.PSNR))
			if s.SSIM != nil {
				fmt.Fprintf(w, "\t%.4f", *s.SSIM)
			}
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// title says what the table is about, and by which convention.
func (r *result) title() string {
	return fmt.Sprintf("%s, ×%d; low resolution: %s\n%s", format.Printable(r.Data), r.Scale, r.LowResolution, strings.Join(r.Convention, "\n"))
}

// printCSV writes a line for each picture; the names of the columns tell the convention, too.
func (r *result) printCSV(out io.Writer) error {
	w := csv.NewWriter(out)
	kind := "y"
	if r.RGB {
		kind = "rgb"
	}
	head := []string{"picture", "width", "height"}
	names, _ := r.columns(r.Mean)
	for _, name := range names {
		head = append(head, name+"_psnr_"+kind)
		if !r.RGB {
			head = append(head, name+"_ssim_"+kind)
		}
	}
	w.Write(head)
	for _, p := range r.Pictures {
		line := []string{p.Name, strconv.Itoa(p.Width), strconv.Itoa(p.Height)}
		_, scores := r.columns(p)
		for _, s := range scores {
			line = append(line, strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(float64(s.PSNR), 'f', 4, 64)), "+")) // inf, as in the tables of a run
			if s.SSIM != nil {
				line = append(line, strconv.FormatFloat(*s.SSIM, 'f', 6, 64))
			}
		}
		w.Write(line)
	}
	w.Flush()
	return w.Error()
}

// text writes a PSNR.
func text(d decibels) string {
	if math.IsInf(float64(d), 1) {
		return "∞"
	}
	return fmt.Sprintf("%.2f", float64(d))
}
