package superres

import (
	"context"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/tensor"
)

// An engine runs a network on a picture of one size. It is for one goroutine at a time.
type engine interface {
	// run asks read for the h rows of the picture in turn, each as c planes of w pixels in [0,1],
	// and gives write the scale·h rows of the result in turn.
	run(ctx context.Context, read, write func(row []float32) error) error
	bytes() int64 // what run takes
}

// newEngine returns an engine that keeps the whole picture.
func newEngine(net func(x *autograd.Value) *autograd.Value, channels, h, w, rows int, memory int64) (engine, error) {
	x := tensor.NewUninitialized(1, channels, h, w)
	program, err := compile.Predict(net, autograd.Constant(x), compile.Options{})
	return &whole{x, program}, err
}

type whole struct {
	x       *tensor.Tensor
	program *compile.Prediction[*autograd.Value, *autograd.Value]
}

func (e *whole) bytes() int64 { return int64(e.program.Bytes()) }

func (e *whole) run(ctx context.Context, read, write func(row []float32) error) error {
	if err := readAll(ctx, e.x, read); err != nil {
		return err
	}
	return writeAll(ctx, e.program.Run(autograd.Constant(e.x)).Data(), write)
}
