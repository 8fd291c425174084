// Command similarity compares pictures with descriptions, as CLIP sees both.
//
//	similarity -images a.jpg,b.jpg -texts descriptions.txt
//
// prints a table with a row for each description and a column for each picture: the
// cosine of the angle between their embeddings. A good match has about 0.25 to 0.35,
// anything else about 0.1 to 0.2: CLIP's cosines are small, and only their differences
// tell. The best description of each picture is marked;
//
//	similarity -images photo.jpg -text "a cat" -text "a dog" -text "a car" -softmax
//
// also shares 100% among the descriptions of a picture, as CLIP is used to choose between
// labels. -over pictures compares the pictures of each description instead. With
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
	"io"
	"os"
	"path/filepath"
	"strings"

	"pixelgrad/clip/bpe"
	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/pictures"
	"pixelgrad/cmd/internal/words"
	"pixelgrad/tensor"
)

// options are the command line.
type options struct {
	frozen.Options // CLIP's alone
	images         []string
	predictions    string
	texts          string   // a file
	text           []string // descriptions
	out            string
	json           bool
	softmax        bool
	over           axis
	truncate       bool
	randomRun      bool // what -predictions names was trained with random features
	seed           uint64
	threads        int
}

const usage = `Compare pictures with descriptions, as CLIP sees both.

    go run ./cmd/similarity -images a.jpg,b.jpg|FOLDER -texts FILE [flags]
    go run ./cmd/similarity -images a.jpg -text "a cat" -text "a dog" -softmax [flags]
    go run ./cmd/similarity -predictions RUN -texts FILE.tsv [flags]

FILE has a description a line; FILE.tsv has the name of a validation photograph, a
tab and its description. -images and -text may be repeated.

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
	f.Func("images", "pictures: `files` and folders with commas between; may be repeated", func(list string) error {
		o.images = append(o.images, list)
		return nil
	})
	f.StringVar(&o.predictions, "predictions", "", "`folder` of a training run, whose network's predictions are the pictures")
	f.StringVar(&o.texts, "texts", "", "`file` of descriptions, one a line; with -predictions: name, tab, description")
	f.Func("text", "a `description`, beside those of -texts; may be repeated", func(text string) error {
		o.text = append(o.text, text)
		return nil
	})
	f.Out(&o.out, "draw the table as this PNG `file`")
	f.JSON(&o.json)
	f.BoolVar(&o.softmax, "softmax", false, "print beside each cosine the share of softmax(logit_scale · cosine) over the texts for each\npicture, or over what -over says")
	f.Func("over", "what is compared, marked and shared: the `texts` for each picture (the default), or the\npictures for each text", func(name string) (err error) {
		o.over, err = parseAxis(name)
		return err
	})
	f.BoolVar(&o.truncate, "truncate", false, "cut descriptions that have more than 77 tokens, instead of refusing them")
	f.Seed(&o.seed, "random weights")
	f.Threads(&o.threads)
	if _, err := f.Parse(args, usage, help); err != nil {
		return nil, err
	}
	switch {
	case o.texts == "" && len(o.text) == 0:
		return nil, cli.Usagef("-texts: expected a file of descriptions, or -text and a description, found none")
	case o.predictions != "" && len(o.text) > 0:
		return nil, cli.Usagef("-text %q: expected -texts FILE with -predictions, where names of photographs stand before the descriptions", o.text[0])
	case (len(o.images) == 0) == (o.predictions == ""):
		return nil, cli.Usagef("expected pictures from either -images or -predictions")
	case o.out != "" && !strings.EqualFold(filepath.Ext(o.out), ".png"):
		return nil, cli.Usagef("-out %s: expected the name of a .png file", o.out)
	}
	return o, nil
}

// run compares them. Results go to out, messages to log.
func run(ctx context.Context, o *options, out, log io.Writer) error {
	tensor.SetThreads(o.threads)
	say := func(line string) { fmt.Fprintln(log, line) }
	texts, err := o.descriptions()
	if err != nil {
		return err
	}
	if err := words.Check(texts, o.truncate); err != nil {
		if errors.As(err, new(*bpe.TooLongError)) {
			return fmt.Errorf("%w; see -truncate", err)
		}
		return err
	}
	var subjects []words.Picture
	if o.predictions != "" {
		var random bool
		subjects, random, err = predictions(ctx, o.predictions, texts, say)
		o.randomRun = random
	} else {
		subjects, err = openImages(ctx, o.images, say)
	}
	if err != nil {
		return err
	}
	if err := o.checkOut(texts, subjects); err != nil {
		return err
	}
	compared, err := words.Compare(ctx, texts, subjects, words.Options{Options: o.Options, Seed: o.seed, Truncate: o.truncate, Say: say})
	if err != nil {
		return err
	}
	r := newResult(subjects, texts, compared, o)
	switch {
	case o.RandomFeatures:
		r.warning = atRandom
	case o.randomRun:
		r.warning = runAtRandom
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

// maxDrawn is how many rows or columns are drawn: more make a picture of gigabytes.
const maxDrawn = 300

// checkOut returns an error if the picture cannot be drawn, or would be drawn over
// something that is read, before time is spent on it.
func (o *options) checkOut(texts []words.Text, subjects []words.Picture) error {
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
	inputs := []string{o.texts, o.CLIPWeights}
	for _, list := range o.images { // none with -predictions
		files, _ := pictures.Files(list, nil)
		inputs = append(inputs, files...)
	}
	folder, err := os.Stat(filepath.Dir(o.out))
	if err != nil {
		return err
	}
	for _, input := range inputs {
		if info, err := os.Stat(input); err == nil && os.SameFile(info, there) {
			return fmt.Errorf("-out %s: expected another file than those that are read, found one of them", o.out)
		}
	}
	for _, list := range o.images {
		if info, err := os.Stat(list); err == nil && info.IsDir() && os.SameFile(info, folder) {
			return fmt.Errorf("-out %s: expected a folder other than that of the pictures, where it would be replaced or read the next time", o.out)
		}
	}
	return nil
}
