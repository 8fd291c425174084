package main

import (
	"fmt"
	"image"
	"io"
	"text/tabwriter"

	"pixelgrad/clip"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/words"
	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// An axis says what is compared with each other.
type axis string

const (
	overTexts    axis = ""         // the texts for each picture: which label fits it
	overPictures axis = "pictures" // the pictures for each text: which one it describes
)

func parseAxis(name string) (axis, error) {
	switch name {
	case "texts":
		return overTexts, nil
	case "pictures":
		return overPictures, nil
	}
	return overTexts, fmt.Errorf("expected texts or pictures, found %s", format.Printable(name))
}

// name is what is compared.
func (a axis) name() string {
	if a == overPictures {
		return "pictures"
	}
	return "texts"
}

// legend says so in words.
func (a axis) legend() string {
	if a == overPictures {
		return "the pictures for each text, along a row"
	}
	return "the texts for each picture, down a column"
}

// A result is the table: its JSON form is what -json prints.
type result struct {
	Images []string    `json:"images"`
	Texts  []string    `json:"texts"`
	Cosine [][]float64 `json:"cosine"` // a row for each text
	*Shares

	shares  [][]float64
	best    [][]bool // the greatest of what is compared
	over    axis
	scale   float64
	warning string // what is random, if anything
}

// Shares are what -softmax adds to the JSON.
type Shares struct {
	Softmax    [][]float64 `json:"softmax"`      // a row for each text
	Over       string      `json:"softmax_over"` // texts: columns add up to 1; pictures: rows do
	LogitScale float64     `json:"logit_scale"`
}

// newResult makes a table.
func newResult(subjects []words.Picture, texts []words.Text, compared *words.Result, o *options) *result {
	cosine, scale := compared.Cosine, compared.LogitScale
	r := &result{scale: float64(scale), over: o.over}
	for _, s := range subjects {
		r.Images = append(r.Images, s.Name)
	}
	for _, t := range texts {
		r.Texts = append(r.Texts, t.Text)
	}
	r.Cosine = words.Rows(cosine)
	if r.over == overPictures {
		r.shares = words.Rows(clip.Probabilities(cosine, scale))
	} else {
		r.shares = words.Rows(transposed(clip.Probabilities(transposed(cosine), scale)))
	}
	r.best = make([][]bool, len(texts))
	for i := range r.best {
		r.best[i] = make([]bool, len(subjects))
	}
	if r.over == overPictures {
		for i, row := range r.Cosine {
			r.best[i][greatest(row)] = true
		}
	} else {
		for j, column := range words.Rows(transposed(cosine)) {
			r.best[greatest(column)][j] = true
		}
	}
	if o.softmax {
		r.Shares = &Shares{r.shares, r.over.name(), r.scale}
	}
	return r
}

func transposed(x *tensor.Tensor) *tensor.Tensor {
	n, m := x.Dim(0), x.Dim(1)
	y := tensor.New(m, n)
	for i := range n {
		for j := range m {
			y.Data()[j*n+i] = x.Data()[i*m+j]
		}
	}
	return y
}

// greatest returns where the greatest number is.
func greatest(v []float64) int {
	at := 0
	for i, x := range v {
		if x > v[at] {
			at = i
		}
	}
	return at
}

const (
	explained = "cosine of the angle between embeddings; a good match has about 0.25 to 0.35, others about 0.1 to 0.2"
	atRandom  = "RANDOM WEIGHTS: these numbers mean nothing"

	runAtRandom = "the run's network leans on RANDOM FEATURES: its pictures are a demonstration"
)

// print writes the table for people.
func (r *result) print(out io.Writer, o *options) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "description")
	for _, name := range r.Images {
		fmt.Fprintf(w, "\t%s", format.Cut(format.Printable(name), 18))
	}
	fmt.Fprintln(w)
	hits := 0
	for i, row := range r.Cosine {
		fmt.Fprint(w, format.Cut(format.Printable(r.Texts[i]), 44))
		for j, v := range row {
			mark := " "
			if r.best[i][j] {
				mark = "*"
				if i == j {
					hits++
				}
			}
			fmt.Fprintf(w, "\t%.3f%s", v, mark)
			if o.softmax {
				fmt.Fprintf(w, " %5.1f%%", 100*r.shares[i][j])
			}
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n* the best of %s; %s\n", r.over.legend(), explained)
	if o.softmax {
		fmt.Fprintf(out, "%% softmax of %.1f · cosine over %s: these add up to 100%%\n", r.scale, r.over.legend())
	}
	if o.predictions != "" {
		who, whose := "pictures", "description"
		if r.over == overPictures {
			who, whose = "descriptions", "picture"
		}
		fmt.Fprintf(out, "%d of %d %s find their own %s\n", hits, len(r.Texts), who, whose)
	}
	if r.warning != "" {
		fmt.Fprintln(out, r.warning)
	}
	if o.out != "" {
		fmt.Fprintf(out, "drawn in %s\n", o.out)
	}
	return nil
}

// draw writes the heat map.
func (r *result) draw(path string, subjects []words.Picture) error {
	h := &vision.HeatMap{
		Title:    "Descriptions and pictures",
		Subtitle: explained + "; framed: the best of " + r.over.legend(),
		Rows:     r.Texts, Columns: r.Images, Values: r.Cosine, Format: "%.3f", ByColumn: r.over == overTexts,
	}
	if r.warning != "" {
		h.Title += " – " + r.warning
	}
	for _, s := range subjects {
		h.Pictures = append(h.Pictures, image.Image(s.RGB))
	}
	return vision.WritePNG(path, h.Draw())
}
