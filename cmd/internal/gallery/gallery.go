// Package gallery makes the pictures of a report: photographs as they are prepared, what the
// networks make of them, plain interpolation and the truth.
//
// Files are called by numbers, because photographs may be called anything. One that several
// places of the report show, as a truth is shown for every network, is written once.
package gallery

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/report"
	"pixelgrad/vision"
)

// A Gallery is the folder of a report's pictures. It may be used by one goroutine at a time.
type Gallery struct {
	dir     string
	set     *vision.Dataset
	val     *vision.Cache
	crops   []report.Crop             // of the photographs that are shown
	written map[string]report.Picture // by file
}

// New makes the folder of pictures in dir, the folder of a run. Its pictures are of the first
// shown photographs of val, which are those of set that validate.
func New(dir string, set *vision.Dataset, val *vision.Cache, shown int) (*Gallery, error) {
	g := &Gallery{dir: filepath.Join(dir, report.PictureFolder), set: set, val: val, written: map[string]report.Picture{}}
	for i := range min(shown, val.Len()) {
		input := val.Picture(i, val.Sizes.X)
		x, y, side := Busiest(input)
		whole := float64(input.W)
		g.crops = append(g.crops, report.Crop{X: float64(x) / whole, Y: float64(y) / whole, Side: float64(side) / whole})
	}
	if err := os.MkdirAll(g.dir, 0o777); err != nil {
		return nil, fmt.Errorf("%s: expected a folder that can be made, for the pictures of the report: %w", g.dir, err)
	}
	return g, nil
}

// write writes a picture, unless it is there already.
func (g *Gallery) write(file string, p *vision.RGB, psnr *float64, same bool) (report.Picture, error) {
	sum := sha256.Sum256(p.Pix) // the side is in the file's name
	out := report.Picture{File: file, Side: p.W, PSNR: psnr, Same: same, Version: hex.EncodeToString(sum[:6])}
	if g.written[file].Version != out.Version {
		if err := vision.WritePNG(filepath.Join(g.dir, file), p.RGBA()); err != nil {
			return out, err
		}
	}
	g.written[file] = out
	return out, nil
}

// photo writes photograph i at a size.
func (g *Gallery) photo(i, side int) (report.Picture, error) {
	file := fmt.Sprintf("photo-%d-%d.png", i, side)
	if p, ok := g.written[file]; ok {
		return p, nil
	}
	p, err := g.square(i, side)
	if err != nil {
		return report.Picture{}, err
	}
	return g.write(file, p, nil, false)
}

// bicubic writes what bicubic interpolation makes of photograph i.
func (g *Gallery) bicubic(i, side int) (report.Picture, error) {
	file := fmt.Sprintf("bicubic-%d-%d.png", i, side)
	if p, ok := g.written[file]; ok {
		return p, nil
	}
	y := vision.Bicubic(g.val.Picture(i, g.val.Sizes.X).Tensor(), side, side)
	psnr := vision.PSNR(y, g.val.Picture(i, side).Tensor())
	return g.write(file, vision.FromTensor(y, 0), decibels(psnr), math.IsInf(psnr, 1))
}

// decibels returns a PSNR for a report; nil if it is infinite, or no number.
func decibels(psnr float64) *float64 {
	if math.IsInf(psnr, 0) || math.IsNaN(psnr) {
		return nil
	}
	return &psnr
}

// Samples returns the photographs at all sizes that they are prepared in, also at one that the
// cache has not: it is left out of a photograph that cannot be read again, which is no reason
// for a report to fail.
func (g *Gallery) Samples() ([]report.Sample, error) {
	s := g.val.Sizes
	all, err := g.Inputs()
	if err != nil {
		return nil, err
	}
	for i := range all {
		for _, side := range []int{cmp.Or(s.Mid, vision.WorkshopSizes.Mid), cmp.Or(s.Large, vision.WorkshopSizes.Large)} {
			p, err := g.photo(i, side)
			if errors.Is(err, errUnread) {
				continue
			}
			if err != nil {
				return nil, err
			}
			all[i].Pictures = append(all[i].Pictures, p)
		}
	}
	return all, nil
}

var errUnread = errors.New("the photograph cannot be read again")

// square returns photograph i at a size: from the cache, or resized as there. The cache has the
// photographs of the dataset in their order, without those that could not be read.
func (g *Gallery) square(i, side int) (*vision.RGB, error) {
	if s := g.val.Sizes; side == s.X || side == s.Mid || side == s.Large {
		return g.val.Picture(i, side), nil
	}
	n := 0
	for _, p := range g.set.Val {
		if p.Name != g.val.Names[n] {
			continue
		}
		photo, err := g.set.Read(p)
		switch {
		case err != nil:
		case n == i:
			return vision.Resize(photo, side, side), nil
		default:
			n++
		}
	}
	return nil, errUnread
}

// Inputs returns the photographs as the networks see them, for the rows that [Gallery.Rows]
// makes.
func (g *Gallery) Inputs() ([]report.Sample, error) {
	all := make([]report.Sample, len(g.crops))
	for i := range all {
		p, err := g.photo(i, g.val.Sizes.X)
		if err != nil {
			return nil, err
		}
		all[i] = report.Sample{Name: format.Printable(g.val.Names[i]), Pictures: []report.Picture{p}}
	}
	return all, nil
}

// A Prediction is what a network makes of a photograph, with its PSNR in dB.
type Prediction struct {
	Picture *vision.RGB
	PSNR    float64
}

// Rows returns the pictures of a network's output of a side, beside plain interpolation and the
// truth: predictions[i] is of photograph i, and there are no more than are shown. network is what
// the network is called on the command line, and a part of the files' names. Later predictions of
// the same network replace these.
func (g *Gallery) Rows(network string, side int, predictions []Prediction) ([]report.Row, error) {
	var rows []report.Row
	for i, p := range predictions {
		row := report.Row{Name: format.Printable(g.val.Names[i]), Crop: g.crops[i]}
		var err error
		if row.Prediction, err = g.write(fmt.Sprintf("%s-%d-%d.png", network, i, side), p.Picture, decibels(p.PSNR), math.IsInf(p.PSNR, 1)); err != nil {
			return nil, err
		}
		if row.Bicubic, err = g.bicubic(i, side); err != nil {
			return nil, err
		}
		if row.Truth, err = g.photo(i, side); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Words returns the comparison of pictures with texts: cosine has a row for each text. network is
// the title of the one whose predictions the pictures are, of the photographs called names. The
// texts describe the photographs at at.
func (g *Gallery) Words(network string, texts []string, at []int, names []string, pictures []*vision.RGB, cosine [][]float64) (*report.Words, error) {
	w := &report.Words{Network: network, Cosine: cosine}
	for _, t := range texts {
		w.Texts = append(w.Texts, format.Printable(t))
	}
	for _, i := range at {
		photo, err := g.photo(i, cmp.Or(g.val.Sizes.Mid, vision.WorkshopSizes.Mid))
		if err != nil {
			return nil, err
		}
		w.Photos = append(w.Photos, photo)
	}
	for i, p := range pictures {
		picture, err := g.write(fmt.Sprintf("words-%d-%d.png", i, p.W), p, nil, false)
		if err != nil {
			return nil, err
		}
		w.Pictures, w.Names = append(w.Pictures, picture), append(w.Names, format.Printable(names[i]))
	}
	return w, nil
}

// Interpolation returns what plain interpolation reaches, for the sizes that networks enlarge
// to: the results of vision.Baselines, the smaller size first.
func Interpolation(sizes ...vision.Baseline) []report.Interpolation {
	bilinear, bicubic := report.Interpolation{Name: "bilinear"}, report.Interpolation{Name: "bicubic"}
	for _, b := range sizes {
		bilinear.PSNR = append(bilinear.PSNR, decibels(b.Bilinear.PSNR))
		bicubic.PSNR = append(bicubic.PSNR, decibels(b.Bicubic.PSNR))
	}
	return []report.Interpolation{bilinear, bicubic}
}

// Busiest returns where the square part of a picture lies whose pixels vary most, and its side:
// a third of the picture's.
func Busiest(p *vision.RGB) (x, y, side int) {
	side = p.W / 3
	most := -1.0
	for y0 := 0; y0+side <= p.H; y0 += 2 {
		for x0 := 0; x0+side <= p.W; x0 += 2 {
			sum, squares := 0.0, 0.0
			for i := y0; i < y0+side; i++ {
				for _, v := range p.Pix[3*(i*p.W+x0) : 3*(i*p.W+x0+side)] {
					sum += float64(v)
					squares += float64(v) * float64(v)
				}
			}
			if variance := squares - sum*sum/float64(3*side*side); variance > most {
				most, x, y = variance, x0, y0
			}
		}
	}
	return x, y, side
}
