// Package words compares pictures with descriptions, as CLIP sees both.
//
// words.go has the descriptions and finds the photographs that they are of; compare.go has the
// comparison.
package words

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"pixelgrad/cmd/internal/format"
	"pixelgrad/testdata/photos"
)

// A Text is a description, and the name of the photograph that it describes, if a file says
// so.
type Text struct {
	From       string // the file and the line, or the flag
	Name, Text string
}

// MaxBytes is how large a file of descriptions may be.
const MaxBytes = 4 << 20

// Read reads a file of descriptions, one a line; named ones have a name and a tab before them.
// Blank lines are passed over. Errors name the file, and the line.
func Read(path string, named bool) ([]Text, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("expected a file of descriptions: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > MaxBytes {
		return nil, fmt.Errorf("%s: expected a file of at most %d bytes with a description a line, found %v of %d bytes", path, MaxBytes, info.Mode().Type(), info.Size())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxBytes)) // it may have grown
	if err != nil {
		return nil, err
	}
	return parse(path, data, named)
}

// parse reads what the file at path holds.
func parse(path string, data []byte, named bool) ([]Text, error) {
	var texts []Text
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	lines.Buffer(nil, MaxBytes+1)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r")
		t := Text{From: fmt.Sprintf("%s:%d", path, n), Text: line}
		if strings.TrimSpace(line) == "" {
			continue
		}
		if !utf8.ValidString(line) {
			return nil, fmt.Errorf("%s: expected a description in UTF-8, found other bytes; convert the file", t.From)
		}
		if named {
			name, words, ok := strings.Cut(line, "\t")
			if !ok || strings.TrimSpace(name) == "" || strings.TrimSpace(words) == "" {
				return nil, fmt.Errorf("%s: expected a photograph's name, a tab and a description, found %q", t.From, format.Cut(line, 40))
			}
			t.Name, t.Text = strings.TrimSpace(name), words
		}
		texts = append(texts, t)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(texts) == 0 {
		return nil, fmt.Errorf("%s: expected a description a line, found an empty file", path)
	}
	return texts, nil
}

// Embedded returns the descriptions that come with the program. They are of ten of its own
// photographs, which all validate with seed 0, and few of them with another seed.
func Embedded() []Text {
	texts, err := parse("descriptions.tsv", []byte(photos.Descriptions), true)
	if err != nil {
		panic(err) // it is part of the program
	}
	return texts
}

// Find returns where in names, those of the photographs that validate, the photograph of each
// text is. The error is about the first one that is not there.
func Find(texts []Text, names []string, seed uint64) ([]int, error) {
	at := make([]int, len(texts))
	for i, t := range texts {
		if at[i] = slices.Index(names, t.Name); at[i] < 0 {
			return nil, fmt.Errorf("%s: expected the name of a photograph that the run validated with (seed %d), found %s; there are %s", t.From, seed, format.Quote(t.Name), some(names))
		}
	}
	return at, nil
}

// A Choice is what a training run compares its pictures with.
type Choice struct {
	Texts []Text // none: nothing is compared
	At    []int  // of each text's photograph among those that validate

	// Omitted says why none of the descriptions, or not all, are used; "" if all are.
	Omitted string
}

// mostChosen is how many descriptions a page can show: a column for each picture, and megabytes
// for all of them.
const mostChosen = 30

// Choose returns the descriptions for a training run whose photographs that validate are called
// names. They are those of a file, which must all be of such photographs, few enough for a page,
// and short enough for CLIP. If file is "", they are those of [Embedded] whose photographs
// validate, if own says that the run has the program's own; with fewer than two there is nothing
// to compare.
func Choose(file string, own bool, names []string, seed uint64) (Choice, error) {
	if file == "" {
		return chooseEmbedded(own, names, seed), nil
	}
	texts, err := Read(file, true)
	if err != nil {
		return Choice{}, err
	}
	if len(texts) > mostChosen {
		return Choice{}, fmt.Errorf("%s: expected at most %d descriptions, which a page has room for, found %d; choose some of them", file, mostChosen, len(texts))
	}
	at, err := Find(texts, names, seed)
	if err != nil {
		return Choice{}, err
	}
	return Choice{Texts: texts, At: at}, Check(texts, false)
}

func chooseEmbedded(own bool, names []string, seed uint64) Choice {
	const others = "-descriptions FILE gives others: a line each, with a photograph's name, a tab and its description"
	if !own {
		return Choice{Omitted: "the descriptions that come with the program are of its own photographs; " + others}
	}
	var c Choice
	var missing []string
	all := Embedded()
	for _, t := range all {
		if i := slices.Index(names, t.Name); i >= 0 {
			c.Texts, c.At = append(c.Texts, t), append(c.At, i)
		} else {
			missing = append(missing, t.Name)
		}
	}
	if len(missing) > 0 {
		c.Omitted = fmt.Sprintf("of the %d photographs that have a description, %d do not validate with seed %d: %s; -seed 0 has all of them validate, and %s", len(all), len(missing), seed, strings.Join(missing, ", "), others)
	}
	if len(c.Texts) < 2 {
		c.Texts, c.At = nil, nil
	}
	return c
}

// some names a few photographs.
func some(names []string) string {
	var list []string
	for _, n := range names[:min(len(names), 5)] {
		list = append(list, format.Printable(format.Cut(n, 100)))
	}
	if more := len(names) - len(list); more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(list, ", ")
}
