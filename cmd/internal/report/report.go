// Package report makes one page of a training run: the data, each network with its diagram,
// losses, curves and pictures, all networks side by side, and the words that CLIP finds for the
// pictures.
//
// A Report is plain data, in JSON in the folder of the run, beside the pictures that it names.
// Page writes it as HTML: as one file that needs nothing else, or for a server that has the
// pictures. The page works without JavaScript, except that pictures are then not enlarged by a
// click and the slider between two of them does not move.
//
// Read report.go first, then page.html, and chart.go for the curves and bars.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"pixelgrad/internal/atomicfile"
)

// The files of a report, in the folder of a run.
const (
	DataFile      = "report.json"
	PageFile      = "report.html"
	PictureFolder = "pictures"
)

// A Report is what the page shows. What is not known yet is empty, and left out of the page.
type Report struct {
	Title    string    `json:"title"`
	Command  string    `json:"command"` // the command line
	Start    time.Time `json:"start"`
	Facts    []Fact    `json:"facts"`    // machine, time, memory
	Warnings []string  `json:"warnings"` // what makes all figures doubtful

	Data          Data            `json:"data"`
	Interpolation []Interpolation `json:"interpolation"`
	Networks      []*Network      `json:"networks"`
	Waiting       []string        `json:"waiting"` // titles of networks that are not trained yet
	LeftOut       []Omission      `json:"left_out"`
	Words         *Words          `json:"words"`
}

// A Fact is a name with a value.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Data says what was trained on.
type Data struct {
	Source  string   `json:"source"`
	Split   string   `json:"split"` // how many of them train and validate, by which rule
	Train   int      `json:"train"`
	Val     int      `json:"val"`
	Skipped int      `json:"skipped"`
	Samples []Sample `json:"samples"`

	// Side and Scale are of a network for pictures of any size, which learns from squares of Side
	// pixels to make them Scale times larger; 0 for the networks of the workshop.
	Side  int `json:"side,omitempty"`
	Scale int `json:"scale,omitempty"`
}

// A Sample is a photograph at the sizes that it is prepared in.
type Sample struct {
	Name     string    `json:"name"`
	Pictures []Picture `json:"pictures"`
}

// A Picture is a PNG file in PictureFolder.
type Picture struct {
	File string   `json:"file"`
	Side int      `json:"side"` // pixels
	PSNR *float64 `json:"psnr"` // dB, compared with the truth; nil for the truth, for inputs, and if infinite
	Same bool     `json:"same"` // as the truth: the PSNR is infinite

	// Version changes whenever the file does, so that no browser shows an old one.
	Version string `json:"version,omitempty"`
}

// Interpolation is what plain interpolation reaches on the validation photographs.
type Interpolation struct {
	Name string     `json:"name"`
	PSNR []*float64 `json:"psnr"` // dB, for each size; nil if infinite
}

// A Network is one of the networks with what became of it.
type Network struct {
	Step       int      `json:"step"` // of the workshop; 0 for a network that it does not have
	Name       string   `json:"name"` // as -model has it
	Title      string   `json:"title"`
	About      string   `json:"about"`  // a sentence
	Random     bool     `json:"random"` // it leans on random features: its figures mean nothing
	Diagram    *Diagram `json:"diagram"`
	Parameters int      `json:"parameters"`
	Epochs     int      `json:"epochs"`    // planned
	LossName   string   `json:"loss_name"` // as -loss has it; "" is "psnr", which is 1/PSNR
	LossAxis   string   `json:"loss_axis"` // what the axis of its curves says, such as "loss: the mean squared error"; "" for 1/PSNR
	Facts      []Fact   `json:"facts"`
	Seconds    float64  `json:"seconds"` // that the training took
	Bytes      int64    `json:"bytes"`   // of memory that it took
	Stopped    string   `json:"stopped"` // why it ended early; "" if it did not
	Outputs    []Output `json:"outputs"`
	Inputs     []Sample `json:"inputs"` // the photographs of the outputs' rows, as the network sees them
}

// An Output is one of the sizes that a network enlarges to.
type Output struct {
	Name    string   `json:"name"` // "mid" or "large"
	Side    int      `json:"side"`
	Epochs  []Epoch  `json:"epochs"`
	Source  []Source `json:"source"`  // what the workshop's source reports, if the loss is its loss
	Bicubic *float64 `json:"bicubic"` // 1/PSNR, as the losses; nil if they are something else
	Repeats *Spread  `json:"repeats"` // of the PSNR, in dB, if the network was trained with several seeds
	Rows    []Row    `json:"rows"`
}

// An Epoch is a point of the curves. Losses are in the unit of the network's loss.
type Epoch struct {
	Epoch int      `json:"epoch"`
	Train float64  `json:"train"`
	Val   *float64 `json:"val"`  // nil if it was not validated
	PSNR  *float64 `json:"psnr"` // dB, of all validation photographs together; nil without Val, and if infinite
}

// Source is a loss that the workshop's source reports after an epoch.
type Source struct {
	Epoch int     `json:"epoch"`
	Loss  float64 `json:"loss"`
}

// A Row has the pictures of one photograph.
type Row struct {
	Name       string  `json:"name"`
	Prediction Picture `json:"prediction"`
	Bicubic    Picture `json:"bicubic"`
	Truth      Picture `json:"truth"`
	Crop       Crop    `json:"crop"` // the part that shows most, in shares of the side
}

// A Crop is a square part of a picture, in shares of its side.
type Crop struct {
	X, Y, Side float64
}

// An Omission is what was left out, and why.
type Omission struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// Words compares pictures with descriptions, as CLIP sees both.
type Words struct {
	Network  string      `json:"network"` // whose predictions the pictures are
	Random   bool        `json:"random"`
	Texts    []string    `json:"texts"`
	Photos   []Picture   `json:"photos"` // that the texts describe; none if they are not shown
	Pictures []Picture   `json:"pictures"`
	Names    []string    `json:"names"`
	Cosine   [][]float64 `json:"cosine"` // a row for each text
}

// maxData is how large a report.json may be, in bytes: hundreds of times what one has.
const maxData = 64 << 20

// Read reads the report of a run's folder. Errors name the file.
func Read(dir string) (*Report, error) {
	path := filepath.Join(dir, DataFile)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: expected this file, which cmd/train leaves in the folder of a run, found none: name that folder", path)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > maxData:
		return nil, fmt.Errorf("%s: expected a file of at most %d bytes, found %v of %d", path, maxData, info.Mode().Type(), info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &Report{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: expected what cmd/train writes, found no such JSON (%w): train again", path, err)
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("%s: %w: train again", path, err)
	}
	return r, nil
}

// check looks at what page and tables build upon.
func (r *Report) check() error {
	if i := slices.Index(r.Networks, nil); i >= 0 {
		return fmt.Errorf("expected what cmd/train writes, found null for network %d", i+1)
	}
	w := r.Words
	if w == nil {
		return nil
	}
	if len(w.Cosine) != len(w.Texts) || len(w.Names) != len(w.Pictures) {
		return fmt.Errorf("expected a row of cosines for each text and a name for each picture, found %d rows for %d texts and %d names for %d pictures", len(w.Cosine), len(w.Texts), len(w.Names), len(w.Pictures))
	}
	for i, row := range w.Cosine {
		if len(row) != len(w.Pictures) {
			return fmt.Errorf("expected %d cosines, one for each picture, found %d for text %d", len(w.Pictures), len(row), i+1)
		}
	}
	return nil
}

// Write writes the report's data and its page into the folder of a run, whose pictures are there
// already. Each file appears whole or not at all.
func (r *Report) Write(dir string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(dir, DataFile), err)
	}
	if err := atomicfile.Write(filepath.Join(dir, DataFile), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	}); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, PageFile), func(w io.Writer) error {
		return r.Page(w, os.DirFS(filepath.Join(dir, PictureFolder)))
	})
}
