package superres

import (
	"context"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
)

// An engine runs a network on a picture of one size. It is for one goroutine at a time.
type engine interface {
	// run asks read for the h rows of the picture in turn, each as c planes of w pixels in [0,1],
	// and gives write the scale·h rows of the result in turn.
	run(ctx context.Context, read, write func(row []float32) error) error
	bytes() int64 // what run takes
}

// newEngine returns an engine that computes some rows at a time.
func newEngine(net func(x *autograd.Value) *autograd.Value, channels, h, w, rows int, memory int64) (engine, error) {
	p, err := compile.PredictRows(net, channels, h, w, compile.RowOptions{Rows: rows, Memory: int(memory)})
	if err != nil {
		return nil, err
	}
	return rowEngine{p}, nil
}

type rowEngine struct{ program *compile.RowProgram }

func (e rowEngine) bytes() int64 { return int64(e.program.Bytes()) }

func (e rowEngine) run(ctx context.Context, read, write func(row []float32) error) error {
	return e.program.Run(ctx,
		func(_ int, pixels []float32) error { return read(pixels) },
		func(_ int, pixels []float32) error { return write(pixels) })
}
