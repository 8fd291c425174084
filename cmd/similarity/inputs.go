package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"pixelgrad/autograd"
	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/pictures"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/cmd/internal/words"
	"pixelgrad/nn/train"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// descriptions returns those of -texts and then those of -text.
func (o *options) descriptions() ([]words.Text, error) {
	var texts []words.Text
	if o.texts != "" {
		var err error
		if texts, err = words.Read(o.texts, o.predictions != ""); err != nil {
			return nil, fmt.Errorf("-texts: %w", err)
		}
	}
	for _, s := range o.text {
		from := "-text " + format.Cut(format.Printable(s), 40)
		switch {
		case len(s) > words.MaxBytes:
			return nil, fmt.Errorf("%s: expected a description of at most %d bytes, found %d", from, words.MaxBytes, len(s))
		case !utf8.ValidString(s):
			return nil, fmt.Errorf("%s: expected a description in UTF-8, found other bytes", from)
		case strings.TrimSpace(s) == "":
			return nil, fmt.Errorf("-text: expected a description, found %q", format.Cut(s, 40))
		}
		texts = append(texts, words.Text{From: from, Text: s})
	}
	return texts, nil
}

// openImages reads pictures: the files and folders of all lists. One that is named more than
// once is there once. say is told what is passed over, a line at a time.
func openImages(ctx context.Context, lists []string, say func(line string)) ([]words.Picture, error) {
	var files []string
	there := map[string]bool{}
	again := 0
	for _, list := range lists {
		more, err := pictures.Files(list, say)
		if err != nil {
			return nil, fmt.Errorf("-images: %w", err)
		}
		for _, f := range more {
			key := filepath.Clean(f)
			if absolute, err := filepath.Abs(f); err == nil {
				key = absolute
			}
			if there[key] {
				again++
				continue
			}
			there[key] = true
			files = append(files, f)
		}
	}
	if again > 0 {
		say(fmt.Sprintf("-images: %d files are named more than once, and compared once", again))
	}
	names := namesOf(files)
	var subjects []words.Picture
	for i, f := range files {
		if err := cli.Interrupted(ctx); err != nil {
			return nil, err
		}
		p, err := vision.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("-images: %w", err)
		}
		subjects = append(subjects, words.Picture{Name: names[i], RGB: p})
	}
	return subjects, nil
}

// namesOf returns what the pictures are called: their names without folder and extension, or,
// of several that would be called alike, with both.
func namesOf(files []string) []string {
	count := map[string]int{}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = pictures.Name(f)
		count[names[i]]++
	}
	for i, f := range files {
		if count[names[i]] > 1 {
			names[i] = f
		}
	}
	return names
}

// predictions returns what the network of a training run makes of the photographs that texts
// name, at 288×288. random says that it leans on random features. say is told
// what was found in files of weights.
func predictions(ctx context.Context, dir string, texts []words.Text, say func(line string)) (subjects []words.Picture, random bool, err error) {
	c, err := runs.Read(dir)
	if err != nil {
		return nil, false, fmt.Errorf("-predictions: %w", err)
	}
	arch, err := superres.Find(c.Model)
	if err != nil {
		return nil, false, err
	}
	if arch.Outputs < 2 {
		return nil, false, fmt.Errorf("-predictions %s: expected a network that enlarges to 288×288, found %s, which stops at 144×144; train another -model", dir, arch.Title)
	}
	set, err := c.Photographs()
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", filepath.Join(dir, runs.ConfigFile), err)
	}
	eye, err := frozen.New(arch.Features, c.Options, c.Seed, nil)
	if err != nil {
		return nil, false, err
	}
	rng := rand.New(rand.NewPCG(c.Seed, 0))
	var model superres.Model
	if eye == nil {
		model = arch.New(rng)
	} else {
		model = arch.NewWithFeatures(rng, eye.Channels)
	}
	if err := train.LoadWeights(filepath.Join(dir, runs.WeightsFile), model); err != nil {
		return nil, false, err
	}
	names := make([]string, len(set.Val))
	for i, p := range set.Val {
		names[i] = p.Name
	}
	at, err := words.Find(texts, names, c.Seed)
	if err != nil {
		return nil, false, err
	}
	for _, i := range at {
		if err := cli.Interrupted(ctx); err != nil {
			return nil, false, err
		}
		photo, err := set.Read(set.Val[i])
		if err != nil {
			return nil, false, err
		}
		side := vision.WorkshopSizes.X
		x := vision.Resize(photo, side, side).Tensor()
		in := superres.Input{Photo: autograd.Constant(x)}
		if eye != nil {
			in.Features = autograd.Constant(eye.See(x))
		}
		subjects = append(subjects, words.Picture{Name: names[i], RGB: vision.FromTensor(model.Forward(in).Large.Data(), 0)})
	}
	return subjects, c.RandomFeatures && eye != nil, nil
}
