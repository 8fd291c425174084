package main

import (
	"fmt"
	"image"
	"strings"

	"pixelgrad/autograd"
	"pixelgrad/cmd/internal/gallery"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// shown is how many validation photographs the pictures have; one in tests.
var shown = 4

// writeSamples draws photographs at the sizes that they are prepared in, to check
// the preprocessing.
func (t *trainer) writeSamples() error {
	if t.Scale > 0 {
		return t.writeSquares()
	}
	sizes := []int{vision.WorkshopSizes.X, vision.WorkshopSizes.Mid, vision.WorkshopSizes.Large}
	grid := vision.Grid{Title: "Samples: each photograph at the three sizes", Cell: vision.WorkshopSizes.Large}
	for _, s := range sizes {
		grid.Columns = append(grid.Columns, fmt.Sprintf("%d×%d", s, s))
	}
	left := shown
	for _, p := range t.photos.set.Val {
		photo, err := t.photos.set.Read(p)
		if err != nil {
			continue // left out of the data, too, and named there
		}
		row := vision.GridRow{Name: p.Name}
		for _, s := range sizes {
			row.Cells = append(row.Cells, vision.GridCell{Image: vision.Resize(photo, s, s)})
		}
		grid.Rows = append(grid.Rows, row)
		if left--; left == 0 {
			break
		}
	}
	return vision.WritePNG(t.path(runs.SamplesFile), grid.Draw())
}

// writeSquares draws squares of photographs, beside the same parts of the smaller ones.
func (t *trainer) writeSquares() error {
	val := t.photos.val
	grid := vision.Grid{Title: "Samples: squares of photographs", Cell: 288, Columns: []string{fmt.Sprintf("made smaller, %d", val.Sizes.X), fmt.Sprintf("as it is, %d", val.Sizes.Mid)}}
	for i := range min(shown, val.Len()) {
		grid.Rows = append(grid.Rows, vision.GridRow{Name: val.Names[i], Cells: []vision.GridCell{{Image: val.Picture(i, val.Sizes.X)}, {Image: val.Picture(i, val.Sizes.Mid)}}})
	}
	return vision.WritePNG(t.path(runs.SamplesFile), grid.Draw())
}

// A picture is an enlargement with its PSNR in dB.
type picture struct {
	*vision.RGB
	psnr float64
}

func (p picture) cell() vision.GridCell {
	return vision.GridCell{Image: p.RGB, Caption: fmt.Sprintf("%.2f dB", p.psnr)}
}

// predict enlarges validation photograph i with a model: a picture for each output.
func (s *session) predict(r *modelRun, i int) ([]picture, error) {
	val := s.photos.val
	x := val.Picture(i, val.Sizes.X).Tensor()
	y, err := r.loop.Predict(superres.Input{Photo: autograd.Constant(x), Features: r.valued.of(vision.Batch{X: x, Index: []int{i}})})
	if err != nil {
		return nil, err
	}
	var out []picture
	for j, p := range y.Sizes() {
		target := val.Picture(i, s.sides()[j]).Tensor()
		out = append(out, picture{vision.FromTensor(p.Data(), 0), vision.PSNR(p.Data(), target)})
	}
	return out, nil
}

// bicubicPicture is what plain interpolation makes of validation photograph i.
func (s *session) bicubicPicture(i, side int) picture {
	val := s.photos.val
	y := vision.Bicubic(val.Picture(i, val.Sizes.X).Tensor(), side, side)
	return picture{vision.FromTensor(y, 0), vision.PSNR(y, val.Picture(i, side).Tensor())}
}

// sides returns the sides of the enlargements that are predicted.
func (s *session) sides() []int {
	return []int{s.photos.val.Sizes.Mid, s.photos.val.Sizes.Large}[:s.outputs()]
}

// writePredictions draws what the model makes of some validation photographs,
// between its input and the truth, for each output.
func (t *trainer) writePredictions() error {
	val := t.photos.val
	grid := vision.Grid{Title: fmt.Sprintf("%s: predictions for validation photographs", t.title), Cell: 288}
	grid.Columns = append(grid.Columns, fmt.Sprintf("input, %d", val.Sizes.X))
	sides := t.sides()[:t.arch.Outputs]
	for _, side := range sides {
		grid.Columns = append(grid.Columns, fmt.Sprintf("prediction, %d", side), fmt.Sprintf("bicubic, %d", side), fmt.Sprintf("ground truth, %d", side))
	}
	for i := range min(shown, val.Len()) {
		row := vision.GridRow{Name: val.Names[i], Cells: []vision.GridCell{{Image: val.Picture(i, val.Sizes.X)}}}
		predictions, err := t.predict(t.modelRun, i)
		if err != nil {
			return err
		}
		for j, side := range sides {
			row.Cells = append(row.Cells, predictions[j].cell(), t.bicubicPicture(i, side).cell(), vision.GridCell{Image: val.Picture(i, side)})
		}
		grid.Rows = append(grid.Rows, row)
	}
	return vision.WritePNG(t.path(runs.PredictionsFile), grid.Draw())
}

// writeComparison draws, for each photograph, the input, what each model that has
// output number j makes of it, bicubic and the truth; and below them the part of
// the photograph that has most detail, enlarged.
func (s *session) writeComparison(name string, runs []*modelRun, j int) error {
	val, side := s.photos.val, s.sides()[j]
	grid := vision.Grid{Title: fmt.Sprintf("All networks at %d×%d", side, side), Cell: 288}
	grid.Columns = append(grid.Columns, fmt.Sprintf("input, %d", val.Sizes.X))
	var columns []*modelRun
	for _, r := range runs {
		if r.arch.Outputs > j {
			columns = append(columns, r)
			title := strings.TrimPrefix(r.title, "SuperResNet") // the columns are narrow
			if title == "" {
				title = r.title
			}
			grid.Columns = append(grid.Columns, title)
		}
	}
	grid.Columns = append(grid.Columns, "bicubic", "ground truth")
	for i := range min(shown, val.Len()) {
		input, truth := val.Picture(i, val.Sizes.X), val.Picture(i, side)
		row := vision.GridRow{Name: val.Names[i], Cells: []vision.GridCell{{Image: input}}}
		for _, r := range columns {
			predictions, err := s.predict(r, i)
			if err != nil {
				return err
			}
			row.Cells = append(row.Cells, predictions[j].cell())
		}
		row.Cells = append(row.Cells, s.bicubicPicture(i, side).cell(), vision.GridCell{Image: truth})
		x, y, part := gallery.Busiest(input)
		crops := vision.GridRow{}
		for _, c := range row.Cells {
			p := c.Image.(*vision.RGB)
			scale := p.W / input.W
			crops.Cells = append(crops.Cells, vision.GridCell{Image: crop(p, x*scale, y*scale, part*scale)})
		}
		grid.Rows = append(grid.Rows, row, crops)
	}
	return vision.WritePNG(name, grid.Draw())
}

// crop returns the square of a side at (x,y).
func crop(p *vision.RGB, x, y, side int) image.Image {
	c := vision.NewRGB(side, side)
	for i := range side {
		copy(c.Pix[3*i*side:3*(i+1)*side], p.Pix[3*((y+i)*p.W+x):])
	}
	return c
}
