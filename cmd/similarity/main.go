// Command similarity compares pictures with descriptions, as CLIP sees both.
//
//	similarity -images a.jpg,b.jpg -texts descriptions.txt
//
// prints a table with a row for each description and a column for each picture: the
// cosine of the angle between their embeddings. A good match has about 0.25 to 0.35,
// anything else about 0.1 to 0.2: CLIP's cosines are small, and only their differences
// tell. The best picture of each row is marked. With
//
//	similarity -predictions RUN -texts descriptions.tsv
//
// the pictures are what a network of an earlier training run makes of validation
// photographs, at 288×288. Its exit status is 0, 1 if something failed or was interrupted,
// and 2 for wrong flags.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"pixelgrad/clip"
	"pixelgrad/clip/bpe"
	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/pictures"
	"pixelgrad/cmd/internal/progress"
	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// options are the command line.
type options struct {
	frozen.Options // CLIP's alone
	images         string
	predictions    string
	texts          string
	out            string
	json           bool
	softmax        bool
	truncate       bool
	randomRun      bool // what -predictions names was trained with random features
	seed           uint64
	threads        int
}

const usage = `Compare pictures with descriptions, as CLIP sees both.

    go run ./cmd/similarity -images a.jpg,b.jpg|FOLDER -texts FILE [flags]
    go run ./cmd/similarity -predictions RUN -texts FILE.tsv [flags]

FILE has a description a line; FILE.tsv has the name of a validation photograph, a
tab and its description.

`

func main() {
	cli.Command{Name: "similarity", Run: func(ctx context.Context, args []string, s cli.Streams) error {
		o, err := parseFlags(args, s.Out)
		if err != nil {
			return err
		}
		return run(ctx, o, s.Out, s.Log)
	}}.Main()
}

func parseFlags(args []string, help io.Writer) (*options, error) {
	o := &options{}
	f := cli.NewFlags("similarity")
	o.AddCLIPFlags(f)
	f.StringVar(&o.CLIPWeights, "weights", "", "the same `file` as -clip-weights")
	f.StringVar(&o.images, "images", "", "pictures: `files` with commas between, or a folder")
	f.StringVar(&o.predictions, "predictions", "", "`folder` of a training run, whose network's predictions are the pictures")
	f.StringVar(&o.texts, "texts", "", "`file` of descriptions, one a line; with -predictions: name, tab, description")
	f.Out(&o.out, "draw the table as this PNG `file`")
	f.JSON(&o.json)
	f.BoolVar(&o.softmax, "softmax", false, "print beside each cosine the share of softmax(logit_scale · cosine) over the row")
	f.BoolVar(&o.truncate, "truncate", false, "cut descriptions that have more than 77 tokens, instead of refusing them")
	f.Seed(&o.seed, "random weights")
	f.Threads(&o.threads)
	if _, err := f.Parse(args, usage, help); err != nil {
		return nil, err
	}
	switch {
	case o.texts == "":
		return nil, cli.Usagef("-texts: expected a file of descriptions, found none")
	case (o.images == "") == (o.predictions == ""):
		return nil, cli.Usagef("expected pictures from either -images or -predictions")
	case o.out != "" && !strings.EqualFold(filepath.Ext(o.out), ".png"):
		return nil, cli.Usagef("-out %s: expected the name of a .png file", o.out)
	}
	return o, nil
}

// A subject is a picture with its name.
type subject struct {
	name    string
	picture *vision.RGB
}

// run compares them. Results go to out, messages to log.
func run(ctx context.Context, o *options, out, log io.Writer) error {
	tensor.SetThreads(o.threads)
	texts, err := readTexts(o.texts, o.predictions != "")
	if err != nil {
		return err
	}
	tokens, err := tokenize(o.texts, texts, o.truncate)
	if err != nil {
		return err
	}
	var subjects []subject
	if o.predictions != "" {
		var random bool
		subjects, random, err = predictions(ctx, o.predictions, o.texts, texts)
		o.randomRun = random
	} else {
		subjects, err = openImages(ctx, o.images, log)
	}
	if err != nil {
		return err
	}
	if err := o.checkOut(texts, subjects); err != nil {
		return err
	}
	model, err := frozen.CLIP(o.Options, o.seed, clip.Options{Vision: true, Text: true})
	if err != nil {
		return err
	}
	images, err := encodeImages(ctx, model, subjects)
	if err != nil {
		return err
	}
	words, err := encodeTexts(ctx, model, tokens)
	if err != nil {
		return fmt.Errorf("%s: %w", o.texts, err)
	}
	r := newResult(subjects, texts, clip.Cosine(words, images), model.LogitScale())
	switch {
	case o.RandomFeatures:
		r.warning = atRandom
	case o.randomRun:
		r.warning = runAtRandom
	}
	for i, row := range r.Cosine {
		for j, v := range row {
			if math.IsNaN(v) {
				return fmt.Errorf("the cosine of %q and %s is no number: expected CLIP's weights, found some that give embeddings without a direction", r.Texts[i], r.Images[j])
			}
		}
	}
	if o.out != "" {
		if err := r.draw(o.out, subjects); err != nil {
			return err
		}
	}
	if o.json {
		if r.warning != "" {
			fmt.Fprintf(log, "similarity: %s\n", r.warning)
		}
		return json.NewEncoder(out).Encode(r)
	}
	return r.print(out, o)
}

// tokenize turns descriptions into tokens; an error names the line.
func tokenize(file string, texts []text, truncate bool) ([][]int, error) {
	t := bpe.New()
	ids := make([][]int, len(texts))
	for i, text := range texts {
		var err error
		if ids[i], err = t.Tokenize(text.text, bpe.Options{Truncate: truncate}); err != nil {
			hint := ""
			var long *bpe.TooLongError
			if errors.As(err, &long) {
				hint = "; see -truncate"
			}
			return nil, fmt.Errorf("%s:%d: %w%s", file, text.line, err, hint)
		}
		if ids[i][1] == bpe.EndOfText {
			return nil, fmt.Errorf("%s:%d: expected a description, found %q, of which no word is left", file, text.line, text.text)
		}
	}
	return ids, nil
}

// together is how many pictures or descriptions are encoded at a time.
const together = 16

// encodeImages returns an embedding for each picture. Shape: (n,embed).
func encodeImages(ctx context.Context, m *clip.Model, subjects []subject) (*tensor.Tensor, error) {
	bar := progress.New(len(subjects), "Looking at pictures")
	defer bar.Close()
	c := m.Config()
	all := tensor.New(len(subjects), c.Embed)
	for i := 0; i < len(subjects); i += together {
		if err := cli.Interrupted(ctx); err != nil {
			return nil, err
		}
		n := min(together, len(subjects)-i)
		photos := make([]*vision.RGB, n)
		for j := range photos {
			photos[j] = subjects[i+j].picture
		}
		x, err := clip.Preprocess(c.Vision.ImageSize, photos...)
		if err != nil {
			return nil, err
		}
		y := m.EncodeImage(x)
		copy(all.Data()[i*c.Embed:], y.Data())
		tensor.Release(x)
		tensor.Release(y)
		bar.Set(i+n, "")
	}
	return all, nil
}

// encodeTexts returns an embedding for each description. Shape: (n,embed).
func encodeTexts(ctx context.Context, m *clip.Model, ids [][]int) (*tensor.Tensor, error) {
	embed := m.Config().Embed
	all := tensor.New(len(ids), embed)
	for i := 0; i < len(ids); i += together {
		if err := cli.Interrupted(ctx); err != nil {
			return nil, err
		}
		y, err := m.EncodeText(ids[i:min(i+together, len(ids))])
		if err != nil {
			return nil, err
		}
		copy(all.Data()[i*embed:], y.Data())
		tensor.Release(y)
	}
	return all, nil
}

// A result is the table: its JSON form is what -json prints.
type result struct {
	Images []string    `json:"images"`
	Texts  []string    `json:"texts"`
	Cosine [][]float64 `json:"cosine"` // a row for each text

	softmax [][]float64
	scale   float64
	warning string // what is random, if anything
}

func newResult(subjects []subject, texts []text, cosine *tensor.Tensor, scale float32) *result {
	r := &result{scale: float64(scale)}
	for _, s := range subjects {
		r.Images = append(r.Images, s.name)
	}
	shares := clip.Probabilities(cosine, scale)
	n := len(subjects)
	for i, t := range texts {
		r.Texts = append(r.Texts, t.text)
		row, share := make([]float64, n), make([]float64, n)
		for j := range n {
			row[j], share[j] = float64(cosine.Data()[i*n+j]), float64(shares.Data()[i*n+j])
		}
		r.Cosine = append(r.Cosine, row)
		r.softmax = append(r.softmax, share)
	}
	return r
}

// best returns where the greatest number of a row is.
func best(row []float64) int {
	at := 0
	for j, v := range row {
		if v > row[at] {
			at = j
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
		b := best(row)
		if b == i {
			hits++
		}
		for j, v := range row {
			mark := " "
			if j == b {
				mark = "*"
			}
			fmt.Fprintf(w, "\t%.3f%s", v, mark)
			if o.softmax {
				fmt.Fprintf(w, " %3.0f%%", 100*r.softmax[i][j])
			}
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n* the best picture of a row; %s\n", explained)
	if o.softmax {
		fmt.Fprintf(out, "%% softmax over the row of %.1f · cosine\n", r.scale)
	}
	if o.predictions != "" {
		fmt.Fprintf(out, "%d of %d descriptions find their own picture\n", hits, len(r.Texts))
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
func (r *result) draw(path string, subjects []subject) error {
	h := &vision.HeatMap{Title: "Descriptions and pictures", Subtitle: explained, Rows: r.Texts, Columns: r.Images, Values: r.Cosine, Format: "%.3f"}
	if r.warning != "" {
		h.Title += " – " + r.warning
	}
	for _, s := range subjects {
		h.Pictures = append(h.Pictures, image.Image(s.picture))
	}
	return vision.WritePNG(path, h.Draw())
}

// maxDrawn is how many rows or columns are drawn: more make a picture of gigabytes.
const maxDrawn = 300

// checkOut returns an error if the picture cannot be drawn, or would be drawn over
// something that is read, before time is spent on it.
func (o *options) checkOut(texts []text, subjects []subject) error {
	if o.out == "" {
		return nil
	}
	if len(texts) > maxDrawn || len(subjects) > maxDrawn {
		return fmt.Errorf("-out %s: expected at most %d descriptions and pictures to draw, found %d and %d", o.out, maxDrawn, len(texts), len(subjects))
	}
	if info, err := os.Stat(filepath.Dir(o.out)); err != nil || !info.IsDir() {
		return fmt.Errorf("-out %s: expected a folder %s to put it in, found none", o.out, filepath.Dir(o.out))
	}
	there, err := os.Stat(o.out)
	if err != nil {
		return nil
	}
	files, _ := pictures.Files(o.images, nil) // none with -predictions
	for _, input := range append(files, o.texts, o.CLIPWeights) {
		if info, err := os.Stat(input); err == nil && os.SameFile(info, there) {
			return fmt.Errorf("-out %s: expected another file than those that are read, found one of them", o.out)
		}
	}
	if dir, err := os.Stat(o.images); err == nil && dir.IsDir() {
		if info, err := os.Stat(filepath.Dir(o.out)); err == nil && os.SameFile(dir, info) {
			return fmt.Errorf("-out %s: expected a folder other than that of the pictures, where it would be replaced or read the next time", o.out)
		}
	}
	return nil
}
