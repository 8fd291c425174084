package main

import (
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/internal/recipe"
	"pixelgrad/nn/optim"
	"pixelgrad/tensor"
	"pixelgrad/vision/superres"
)

// answer is what a process that runs a model says.
type answer struct {
	Loss    float64 `json:"loss,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
	Bytes   float64 `json:"bytes,omitempty"`
	Rate    float64 `json:"rate,omitempty"` // operations a second
	Name    string  `json:"name,omitempty"`
	Trains  bool    `json:"trains,omitempty"`
	Missing string  `json:"missing,omitempty"` // why a peer cannot run

	// Only lists the models that a peer runs. Without it, it runs all.
	Only []string `json:"only,omitempty"`

	// Ways and Allocators are what a peer can be tried with: see variants.go.
	Ways       []string `json:"ways,omitempty"`
	Allocators []string `json:"allocators,omitempty"`
}

// A modelSpec is a model with the number of pictures that it gets at a time, or with the size of
// the one picture that it enlarges.
type modelSpec struct {
	name    string
	batch   int
	picture image.Point
}

// String is how the command line names it.
func (m modelSpec) String() string { return m.name + "@" + m.amount() }

// amount is what the peers are told to run it with.
func (m modelSpec) amount() string {
	if m.batch > 0 {
		return strconv.Itoa(m.batch)
	}
	return sizeText(m.picture)
}

// serving are the flags of a process of ours that runs it.
func (m modelSpec) serving() []string {
	if m.batch > 0 {
		return []string{"-serve", m.name, "-batch", m.amount()}
	}
	return []string{"-serve", m.name, "-picture", m.amount()}
}

// predictsOnly tells whether it is not trained here.
func (m modelSpec) predictsOnly() bool {
	return m.batch == 0 || slices.Contains(frozen, m.name)
}

// frozen lists the networks that are only used and not trained. They see 224×224 pixels.
var frozen = []string{vggName, vitName}

// modelNames lists the models with commas.
func modelNames() string {
	names := append(trained(), frozen...)
	for _, e := range enlargers {
		names = append(names, e.name)
	}
	return strings.Join(names, ", ")
}

// trained lists the models that are trained here.
func trained() []string {
	var names []string
	for _, a := range superres.Architectures {
		names = append(names, a.Name)
	}
	return names
}

// parseModels reads a list of models such as "all,vgg16@1,fast@512x512".
func parseModels(list string, batch int) ([]modelSpec, error) {
	groups := map[string][]string{"none": nil, "all": trained(), "frozen": frozen}
	var specs []modelSpec
	add := func(m modelSpec) {
		if !slices.Contains(specs, m) {
			specs = append(specs, m)
		}
	}
	for word := range strings.SplitSeq(list, ",") {
		name, number, has := strings.Cut(word, "@")
		if e := findEnlarger(name); e != nil {
			sizes := e.sizes
			if has {
				size, ok := parseSize(number)
				if !ok {
					return nil, fmt.Errorf("-models: expected %[1]s@WIDTHxHEIGHT with sides from 2 to %[2]d pixels, as in %[1]s@%[3]s, found %[4]q", name, mostSide, sizeText(quarter), word)
				}
				sizes = []image.Point{size}
			}
			for _, size := range sizes {
				add(modelSpec{name: name, picture: size})
			}
			continue
		}
		m := modelSpec{batch: batch}
		if has {
			n, err := strconv.Atoi(number)
			if err != nil || n < 1 {
				return nil, fmt.Errorf("-models: expected NAME@BATCH with a batch of 1 or more pictures, as in vgg16@1, found %q", word)
			}
			m.batch = n
		}
		names, isGroup := groups[name]
		if !isGroup {
			if !slices.Contains(append(trained(), frozen...), name) {
				return nil, fmt.Errorf("-models: unknown model %q: there is %s; all, frozen and none are groups of them", name, modelNames())
			}
			names = []string{name}
		}
		for _, m.name = range names {
			add(m)
		}
	}
	return specs, nil
}

// serveModel runs one of our models and answers as the peers do, see
// testdata/peers/protocol.py.
func serveModel(o *options, requests io.Reader, out io.Writer) error {
	switch o.serve {
	case vggName:
		return serveVGG(o, requests, out)
	case vitName:
		return serveViT(o, requests, out)
	}
	if e := findEnlarger(o.serve); e != nil {
		return serveEnlarger(o, e, requests, out)
	}
	arch, err := superres.Find(o.serve)
	if err != nil {
		return err
	}
	m := arch.New(rand.New(rand.NewPCG(0, 0)))
	recipe.FillWeights(m, 0)
	in, target := example(arch, o.batch, o.side)
	adam := optim.NewAdam(m.Parameters(), 0.001)
	options := compile.Options{Arena: &compile.Arena{}, Without: o.without}
	predict, err := compile.Predict(m.Forward, in, options)
	if err != nil {
		return fmt.Errorf("-without: %w", err)
	}
	var train *compile.Training[superres.Input, superres.Output] // compiled when it is asked for
	return serve(o, requests, out, func() float64 {
		predict.WeightsChanged()
		sum := 0.0
		for _, l := range superres.Loss(predict.Run(in), target) {
			sum += float64(l.Data().Data()[0])
		}
		return sum
	}, func() {
		if train == nil {
			if train, err = compile.Train(m.Forward, superres.Loss, in, target, options); err != nil {
				panic(err) // options have been checked
			}
		}
		step(m, train, adam, in, target)
	}, func() {
		predict.Run(in)
	})
}

// step is a training step.
func step(m superres.Model, p *compile.Training[superres.Input, superres.Output], o *optim.Adam, in superres.Input, target superres.Output) {
	p.Forward(in)
	p.Loss(target)
	p.Backward()
	o.Step()
	o.ZeroGrad()
}

// serve answers questions about a model, and what the processor's peak is. train is nil
// if the model only predicts.
func serve(o *options, in io.Reader, out io.Writer, loss func() float64, train, infer func()) error {
	timed := func(n int, f func()) answer {
		start := time.Now()
		for range n {
			f()
		}
		return answer{Seconds: time.Since(start).Seconds() / float64(n)}
	}
	var peakKernel threadedKernel
	return answers(in, out, func(line string) (any, error) {
		var word string
		n := 1
		fmt.Sscan(line, &word, &n)
		switch {
		case word == "loss":
			return answer{Loss: loss()}, nil
		case word == "train" && train != nil:
			return timed(n, train), nil
		case word == "infer":
			return timed(n, infer), nil
		case word == "peak":
			if peakKernel.fs == nil {
				peakKernel = peak().threaded(o.threads)
			}
			return answer{Rate: 1e9 * peakKernel.measure(o.threads)}, nil
		case word == "memory":
			return answer{Bytes: peakMemory()}, nil
		}
		return nil, fmt.Errorf("unknown request %q", line)
	})
}

// example makes what a model sees and what it is compared with, by the recipe of
// testdata/golden/models.py: the features are as large as the frozen network's.
func example(a superres.Architecture, n, side int) (superres.Input, superres.Output) {
	picture := func(seed, scale int) *autograd.Value {
		return autograd.Constant(recipe.Pixels(seed, n, 3, scale*side, scale*side))
	}
	in, target := superres.Input{Photo: picture(50, 1)}, superres.Output{Mid: picture(51, 2)}
	if a.Outputs == 2 {
		target.Large = picture(52, 4)
	}
	switch a.Features {
	case superres.VGGFeatures:
		in.Features = autograd.Constant(recipe.Pixels(60, n, 128, side/2, side/2))
	case superres.CLIPFeatures:
		in.Features = autograd.Constant(tensor.Scale(0.5, recipe.Numbers(60, n, 512)))
	}
	return in, target
}
