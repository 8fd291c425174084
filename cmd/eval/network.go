package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/internal/memory"
	"pixelgrad/nn/train"
	"pixelgrad/tensor"
	"pixelgrad/tensor/weightfile"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// bicubic is the name of what all networks are compared with.
const bicubic = "bicubic"

// A network enlarges pictures.
type network struct {
	name string

	// enlarge returns p, scale times as large. It is nil for bicubic, which every row has anyway.
	enlarge func(ctx context.Context, p *vision.RGB, scale int) (*vision.RGB, error)
}

// networks lists the names for -n.
func networks() string {
	var names []string
	for _, a := range superres.Architectures {
		names = append(names, a.Name)
	}
	return strings.Join(names, ", ")
}

// open returns the network that -n and -m name. say is told what was found in a file of
// weights, a line at a time.
func open(o *options, say func(line string)) (*network, error) {
	if o.weights == "" {
		return &network{name: bicubic}, nil
	}
	name, path, eyes, err := findWeights(o)
	if err != nil {
		return nil, err
	}
	arch, err := superres.Find(name)
	if err != nil {
		return nil, cli.Usagef("-n: %w", err)
	}
	if !fits(arch, o.scale) {
		return nil, cli.Usagef("-s %d: %s does not enlarge so; expected -s %s", o.scale, arch.Title, scales(arch))
	}
	eye, err := frozen.New(arch.Features, eyes.Options, eyes.Seed, say)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(0, 0))
	var model superres.Model
	if eye == nil {
		model = arch.New(rng)
	} else {
		model = arch.NewWithFeatures(rng, eye.Channels)
	}
	if err := train.LoadWeightsFrom(path, model, weightfile.Options{Mapped: true, Say: say}); err != nil {
		return nil, fmt.Errorf("-m: %w", err)
	}
	e := &enlarger{model: model, features: arch.Features, eye: eye, arena: new(compile.Arena)}
	return &network{name, e.enlarge}, nil
}

// findWeights returns the name of the network, the file with its weights, and the settings of
// the run, which say what frozen network it leans on. Of a mere file these are the defaults.
func findWeights(o *options) (name, path string, settings runs.Flags, err error) {
	settings = runs.Defaults()
	info, err := os.Stat(o.weights)
	switch {
	case err != nil:
		return "", "", settings, fmt.Errorf("-m: expected the folder of a run or a file of weights: %w", err)
	case !info.IsDir() && o.network == "":
		return "", "", settings, cli.Usagef("-m %s: expected also -n NETWORK, one of %s, for a file of weights does not tell", o.weights, networks())
	case !info.IsDir():
		return o.network, o.weights, settings, nil
	}
	path = filepath.Join(o.weights, runs.WeightsFile)
	if _, err := os.Stat(filepath.Join(o.weights, runs.ConfigFile)); errors.Is(err, fs.ErrNotExist) && o.network != "" {
		return o.network, path, settings, nil
	}
	c, err := runs.Read(o.weights)
	if err != nil {
		return "", "", settings, fmt.Errorf("-m: %w", err)
	}
	if o.network != "" && o.network != c.Model {
		return "", "", settings, fmt.Errorf("-n %s: expected the network of the run %s, %s; leave -n out", o.network, o.weights, c.Model)
	}
	return c.Model, path, c.Flags, nil
}

func fits(a superres.Architecture, scale int) bool { return scale == 2 || scale == 4 && a.Outputs == 2 }

func scales(a superres.Architecture) string {
	if a.Outputs == 2 {
		return "2 or 4"
	}
	return "2"
}

// enlargeBicubic is what every network is compared with.
func enlargeBicubic(ctx context.Context, p *vision.RGB, scale int) (*vision.RGB, error) {
	return vision.ResizeMATLAB(p, float64(scale)), cli.Interrupted(ctx)
}

// freeMemory is what can still be taken, and what limits it; tests have less.
var freeMemory = memory.Free

// An enlarger runs a model on pictures of any size. Only one picture is enlarged at a time:
// the programs of all sizes share their memory.
type enlarger struct {
	model    superres.Model
	features superres.Features
	eye      *frozen.Extractor // nil for models without features
	arena    *compile.Arena
}

// enlarge runs the model on a whole picture. VGG16 halves its input; a picture with an odd side
// is given its last row or column once more, and what that becomes is cut off. CLIP sees the
// picture squeezed into a square, as in training.
func (e *enlarger) enlarge(ctx context.Context, p *vision.RGB, scale int) (*vision.RGB, error) {
	whole := p
	if e.features == superres.VGGFeatures {
		p = even(p)
	}
	in := superres.Input{Photo: autograd.Constant(p.Tensor())}
	switch e.features {
	case superres.VGGFeatures:
		in.Features = autograd.Constant(e.eye.See(in.Photo.Data()))
	case superres.CLIPFeatures:
		side := vision.WorkshopSizes.X
		in.Features = autograd.Constant(e.eye.See(vision.Resize(p, side, side).Tensor()))
	}
	if err := cli.Interrupted(ctx); err != nil {
		return nil, err
	}
	program, err := compile.Predict(func(in superres.Input) superres.Output {
		out := e.model.Forward(in)
		if scale == 2 {
			out.Large = nil
		}
		return out
	}, in, compile.Options{Arena: e.arena})
	if err != nil {
		return nil, err
	}
	if free, limit := freeMemory(); limit != memory.Unknown && int64(program.Bytes()) > free+int64(e.arena.Bytes()) {
		return nil, fmt.Errorf("%d×%d pixels: expected %s of free memory, found %s %s", p.W, p.H, format.Bytes(int64(program.Bytes())), format.Bytes(free), limit)
	}
	var y *tensor.Tensor
	if out := program.Run(in); scale == 2 {
		y = out.Mid.Data()
	} else {
		y = out.Large.Data()
	}
	return vision.CropTo(vision.FromTensor(y, 0), scale*whole.W, scale*whole.H), nil
}

// even returns p with even sides: an odd one is one longer, and its last pixels are there twice.
func even(p *vision.RGB) *vision.RGB {
	if p.W%2 == 0 && p.H%2 == 0 {
		return p
	}
	q := vision.NewRGB(p.W+p.W%2, p.H+p.H%2)
	for y := range q.H {
		row := p.Pix[3*p.W*min(y, p.H-1):][:3*p.W]
		n := copy(q.Pix[3*q.W*y:], row)
		copy(q.Pix[3*q.W*y+n:3*q.W*(y+1)], row[len(row)-3:])
	}
	return q
}
