package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
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

// A text is a description with the line of its file that it is from, and the name of
// the photograph that it describes, if the file says so.
type text struct {
	line       int
	name, text string
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
		t := text{line: n, text: line}
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

// openImages reads pictures: files with commas between, or all of a folder. It says in log
// what it passes over there.
func openImages(ctx context.Context, list string, log io.Writer) ([]subject, error) {
	files, err := pictures.Files(list, func(line string) { fmt.Fprintln(log, line) })
	if err != nil {
		return nil, fmt.Errorf("-images: %w", err)
	}
	var subjects []subject
	for _, f := range files {
		if err := cli.Interrupted(ctx); err != nil {
			return nil, err
		}
		p, err := vision.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("-images: %w", err)
		}
		subjects = append(subjects, subject{pictures.Name(f), p})
	}
	return subjects, nil
}

// predictions returns what the network of a training run makes of the photographs that
// texts, lines of file, name, at 288×288. random says that it leans on random features.
func predictions(ctx context.Context, dir, file string, texts []text) (subjects []subject, random bool, err error) {
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
	eye, err := frozen.New(arch.Features, c.Options, c.Seed)
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
			return nil, false, fmt.Errorf("%s:%d: expected the name of a photograph that the run validated with (seed %d), found %q; there are %s", file, t.line, c.Seed, t.name, some(set.Val))
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
