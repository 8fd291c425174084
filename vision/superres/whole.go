package superres

import (
	"context"

	"pixelgrad/tensor"
)

// readAll reads a picture, (1,c,h,w), by rows.
func readAll(ctx context.Context, x *tensor.Tensor, read func(row []float32) error) error {
	c, h, w := x.Dim(1), x.Dim(2), x.Dim(3)
	row := make([]float32, c*w)
	for y := range h {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := read(row); err != nil {
			return err
		}
		for i := range c {
			copy(x.Data()[(i*h+y)*w:][:w], row[i*w:])
		}
	}
	return nil
}

// writeAll writes a picture, (1,c,h,w), by rows.
func writeAll(ctx context.Context, x *tensor.Tensor, write func(row []float32) error) error {
	c, h, w := x.Dim(1), x.Dim(2), x.Dim(3)
	row := make([]float32, c*w)
	for y := range h {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i := range c {
			copy(row[i*w:], x.Data()[(i*h+y)*w:][:w])
		}
		if err := write(row); err != nil {
			return err
		}
	}
	return nil
}
