package main

import (
	"errors"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/gallery"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/nn"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// shown is how many validation photographs the pictures have.
const shown = 4

// writeSamples draws photographs at the sizes that they are prepared in, to check
// the preprocessing.
func (r *report) writeSamples() error {
	sizes := []int{vision.WorkshopSizes.X, vision.WorkshopSizes.Mid, vision.WorkshopSizes.Large}
	grid := vision.Grid{Title: "Samples: each photograph at the three sizes", Cell: vision.WorkshopSizes.Large}
	for _, s := range sizes {
		grid.Columns = append(grid.Columns, fmt.Sprintf("%d×%d", s, s))
	}
	left := shown
	for _, p := range r.photos.set.Val {
		photo, err := r.photos.set.Read(p)
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
	return vision.WritePNG(r.path(runs.SamplesFile), grid.Draw())
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
	y, err := r.forward(superres.Input{Photo: autograd.Constant(x), Features: r.valued.of(x, []int{i})}, s.Plain, s.Without)
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

// forward runs the trained model on one photograph.
func (r *modelRun) forward(in superres.Input, plain bool, without []string) (superres.Output, error) {
	if plain {
		return r.model.Forward(in), nil
	}
	if r.predictor == nil {
		var err error
		if r.predictor, err = compile.Predict(r.model.Forward, in, compile.Options{Without: without}); err != nil {
			return superres.Output{}, err
		}
	}
	return r.predictor.Run(in), nil
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
func (r *report) writePredictions() error {
	val := r.photos.val
	grid := vision.Grid{Title: fmt.Sprintf("%s: predictions for validation photographs", r.title), Cell: 288}
	grid.Columns = append(grid.Columns, fmt.Sprintf("input, %d", val.Sizes.X))
	sides := r.sides()[:r.arch.Outputs]
	for _, side := range sides {
		grid.Columns = append(grid.Columns, fmt.Sprintf("prediction, %d", side), fmt.Sprintf("bicubic, %d", side), fmt.Sprintf("ground truth, %d", side))
	}
	for i := range min(shown, val.Len()) {
		row := vision.GridRow{Name: val.Names[i], Cells: []vision.GridCell{{Image: val.Picture(i, val.Sizes.X)}}}
		predictions, err := r.predict(r.modelRun, i)
		if err != nil {
			return err
		}
		for j, side := range sides {
			row.Cells = append(row.Cells, predictions[j].cell(), r.bicubicPicture(i, side).cell(), vision.GridCell{Image: val.Picture(i, side)})
		}
		grid.Rows = append(grid.Rows, row)
	}
	return vision.WritePNG(r.path(runs.PredictionsFile), grid.Draw())
}

// compare prints what all models have reached in one table, and draws them side by
// side at each size.
func (s *session) compare(runs []*modelRun) error {
	fmt.Fprintln(s.out)
	t := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "model\tparameters\tmid loss\tlarge loss\tPSNR at 144\tPSNR at 288\tseconds\n")
	number := func(v []float64, i int, format string) string {
		if i >= len(v) {
			return "–"
		}
		return fmt.Sprintf(format, v[i])
	}
	var trained []*modelRun
	for _, r := range runs {
		if r.val == nil {
			continue
		}
		trained = append(trained, r)
		title := r.title
		if r.wasStopped {
			title += ", stopped early"
		}
		val, psnr := r.val, r.psnr
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%.0f\n", title, format.Thousands(nn.Count(r.model)),
			number(val, 0, "%.4f"), number(val, 1, "%.4f"), number(psnr, 0, "%.2f dB"), number(psnr, 1, "%.2f dB"), r.seconds)
	}
	inverse := []float64{1 / s.bicubic[0], 1 / s.bicubic[1]}
	fmt.Fprintf(t, "bicubic interpolation\t–\t%.4f\t%.4f\t%.2f dB\t%.2f dB\t–\n", inverse[0], inverse[1], s.bicubic[0], s.bicubic[1])
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "Losses are those of the validation photographs after the last epoch.")
	if len(trained) == 0 {
		return nil
	}
	var errs []error
	for j, side := range s.sides() {
		name := filepath.Join(s.Out, fmt.Sprintf("comparison_%d.png", side))
		if err := s.writeComparison(name, trained, j); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	_, err := io.WriteString(s.out, fmt.Sprintf("The networks side by side: comparison_144.png and comparison_288.png in %s.\n", s.Out))
	return err
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
