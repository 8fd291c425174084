package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"pixelgrad/autograd"
	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/pictures"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/nn/train"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// A text is a description, and the name of the photograph that it describes, if a file says
// so.
type text struct {
	from       string // the file and the line, or the flag
	name, text string
}

// descriptions returns those of -texts and then those of -text.
func (o *options) descriptions() ([]text, error) {
	var texts []text
	if o.texts != "" {
		var err error
		if texts, err = readTexts(o.texts, o.predictions != ""); err != nil {
			return nil, err
		}
	}
	for _, s := range o.text {
		from := "-text " + format.Cut(format.Printable(s), 40)
		switch {
		case len(s) > maxTexts:
			return nil, fmt.Errorf("%s: expected a description of at most %d bytes, found %d", from, maxTexts, len(s))
		case !utf8.ValidString(s):
			return nil, fmt.Errorf("%s: expected a description in UTF-8, found other bytes", from)
		case strings.TrimSpace(s) == "":
			return nil, fmt.Errorf("-text: expected a description, found %q", format.Cut(s, 40))
		}
		texts = append(texts, text{from: from, text: s})
	}
	return texts, nil
}

// maxTexts is how large a file of descriptions may be, in bytes.
const maxTexts = 4 << 20

// readTexts reads descriptions, one a line; named ones have a name and a tab before
// them. Blank lines are passed over.
func readTexts(path string, named bool) ([]text, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("-texts: expected a file of descriptions: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxTexts {
		return nil, fmt.Errorf("-texts %s: expected a file of at most %d bytes with a description a line, found %v of %d bytes", path, maxTexts, info.Mode().Type(), info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("-texts: %w", err)
	}
	var texts []text
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	lines.Buffer(nil, maxTexts+1)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r")
		t := text{from: fmt.Sprintf("%s:%d", path, n), text: line}
		if strings.TrimSpace(line) == "" {
			continue
		}
		if !utf8.ValidString(line) {
			return nil, fmt.Errorf("%s:%d: expected a description in UTF-8, found other bytes; convert the file", path, n)
		}
		if named {
			name, words, ok := strings.Cut(line, "\t")
			if !ok || strings.TrimSpace(words) == "" {
				return nil, fmt.Errorf("%s:%d: expected a photograph's name, a tab and a description, found %q", path, n, format.Cut(line, 40))
			}
			t.name, t.text = strings.TrimSpace(name), words
		}
		texts = append(texts, t)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(texts) == 0 {
		return nil, fmt.Errorf("-texts %s: expected a description a line, found an empty file", path)
	}
	return texts, nil
}

// openImages reads pictures: the files and folders of all lists. One that is named more than
// once is there once. say is told what is passed over, a line at a time.
func openImages(ctx context.Context, lists []string, say func(line string)) ([]subject, error) {
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
	var subjects []subject
	for i, f := range files {
		if err := cli.Interrupted(ctx); err != nil {
			return nil, err
		}
		p, err := vision.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("-images: %w", err)
		}
		subjects = append(subjects, subject{names[i], p})
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
func predictions(ctx context.Context, dir string, texts []text, say func(line string)) (subjects []subject, random bool, err error) {
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
	for _, t := range texts {
		if err := cli.Interrupted(ctx); err != nil {
			return nil, false, err
		}
		i := slices.IndexFunc(set.Val, func(p vision.Photo) bool { return p.Name == t.name })
		if i < 0 {
			return nil, false, fmt.Errorf("%s: expected the name of a photograph that the run validated with (seed %d), found %q; there are %s", t.from, c.Seed, t.name, some(set.Val))
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
		subjects = append(subjects, subject{t.name, vision.FromTensor(model.Forward(in).Large.Data(), 0)})
	}
	return subjects, c.RandomFeatures && eye != nil, nil
}

// some names a few photographs.
func some(photos []vision.Photo) string {
	var names []string
	for _, p := range photos[:min(len(photos), 5)] {
		names = append(names, p.Name)
	}
	if more := len(photos) - len(names); more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names, ", "), more)
	}
	return strings.Join(names, ", ")
}
