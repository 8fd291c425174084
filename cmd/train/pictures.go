package main

import (
	"fmt"

	"pixelgrad/autograd"
	"pixelgrad/vision"
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
	return vision.WritePNG(r.path(samplesFile), grid.Draw())
}

// writePredictions draws what the model makes of some validation photographs,
// between its input and the truth, for each output.
func (r *report) writePredictions() error {
	val := r.photos.val
	grid := vision.Grid{Title: fmt.Sprintf("%s: predictions for validation photographs", r.arch.Title), Cell: 288}
	sides := []int{val.Sizes.Mid, val.Sizes.Large}[:r.arch.Outputs]
	grid.Columns = append(grid.Columns, fmt.Sprintf("input, %d", val.Sizes.X))
	for _, side := range sides {
		grid.Columns = append(grid.Columns, fmt.Sprintf("prediction, %d", side), fmt.Sprintf("bicubic, %d", side), fmt.Sprintf("ground truth, %d", side))
	}
	for i := range min(shown, val.Len()) {
		input := val.Picture(i, val.Sizes.X)
		row := vision.GridRow{Name: val.Names[i], Cells: []vision.GridCell{{Image: input}}}
		x := input.Tensor()
		predictions := r.model.Forward(autograd.Inference(x))
		for j, side := range sides {
			truth := val.Picture(i, side)
			target, bicubic := truth.Tensor(), vision.Bicubic(x, side, side)
			db := func(p float64) string { return fmt.Sprintf("%.2f dB", p) }
			row.Cells = append(row.Cells,
				vision.GridCell{Image: vision.FromTensor(predictions[j].Data(), 0), Caption: db(vision.PSNR(predictions[j].Data(), target))},
				vision.GridCell{Image: vision.FromTensor(bicubic, 0), Caption: db(vision.PSNR(bicubic, target))},
				vision.GridCell{Image: truth})
		}
		for _, p := range predictions {
			p.Free()
		}
		grid.Rows = append(grid.Rows, row)
	}
	return vision.WritePNG(r.path(predictionsFile), grid.Draw())
}
