package main

import (
	"context"
	"errors"
	"fmt"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// bicubic is the name of what all networks are compared with.
const bicubic = superres.BicubicName

// A network enlarges pictures.
type network struct {
	name     string
	upscaler *superres.Upscaler // nil for bicubic, which every row has anyway
}

// networks lists the names for -n.
func networks() []string {
	names := []string{superres.FastName}
	for _, a := range superres.Architectures {
		names = append(names, a.Name)
	}
	return names
}

// open returns the network that -n and -m name. say is told what was found in a file of
// weights, a line at a time.
func open(o *options, say func(line string)) (*network, error) {
	path, flag := runs.WeightsPath(o.weights), "-m"
	if path == "" {
		if o.network == "" || o.network == bicubic {
			return &network{name: bicubic}, nil
		}
		path, flag = o.network, "-n"
	}
	u, name, err := runs.Upscaler(path, superres.Options{Scale: o.scale, Network: o.network, Say: say})
	var scale *superres.ScaleError
	switch {
	case errors.As(err, &scale):
		return nil, cli.Usagef("-s %d: %s does not enlarge so; expected -s %s", o.scale, scale.Network, scale.List())
	case err != nil:
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return &network{name, u}, nil
}

// enlargeBicubic is what every network is compared with.
func enlargeBicubic(ctx context.Context, p *vision.RGB, scale int) (*vision.RGB, error) {
	return vision.ResizeMATLAB(p, float64(scale)), cli.Interrupted(ctx)
}

// enlarge returns what the network makes of a picture.
func (n *network) enlarge(ctx context.Context, p *vision.RGB) (*vision.RGB, error) {
	m, err := n.upscaler.Upscale(ctx, p)
	if err != nil {
		return nil, err
	}
	return vision.FromImage(m), nil
}
