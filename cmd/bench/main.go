// Command bench measures how fast this machine runs the project's kernels and
// models.
//
//	go run ./cmd/bench
//
// It first measures how many multiply-adds the processor can do at all, at each
// SIMD level, on one thread and on all; then each kernel, as billions of operations
// or bytes a second and, for those that compute, as a share of that peak; then
// training steps and predictions of the models, with the memory they take. With
//
//	go run ./cmd/bench -models all,frozen,vgg16@1,vitb32@1 -peer python3
//
// the same models run in that Python's PyTorch, ONNX Runtime and OpenVINO, in turn with ours,
// after a check that all compute the same loss from the same weights. What is not installed
// is left out. A trial before finds out which of PyTorch's layouts, its compiler and the
// allocators that are installed make it fastest; plain PyTorch is measured beside it.
// Networks that enlarge whole pictures run beside ncnn, too:
//
//	go run ./cmd/bench -kernels none -models fast,compact,rrdb -peer python3
//
// Two more tables are made on demand: -scaling shows that a training
// step's time grows with the number of pixels and no faster, -photos how fast
// photographs are read:
//
//	go run ./cmd/bench -kernels none -models none -scaling superresnet -photos DIR
//
// Its exit status is 0, 1 if something failed or was interrupted, and 2 for wrong flags.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"slices"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/simd"
	"pixelgrad/tensor"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// options are the command line.
type options struct {
	json    bool
	kernels *regexp.Regexp // nil for none
	models  []modelSpec
	batch   int
	threads int
	rounds  int
	peer    string
	scripts string
	trial   int // seconds that a variant of the peer may be tried for
	against string
	scaling string
	photos  string
	without []string // passes of the compiler
	cost    bool

	serve   string // what a process started by this one is to do
	side    int    // of the photographs that it does it with
	picture string // size of the picture that it enlarges
}

// results are what a run measures.
type results struct {
	CPU     string        `json:"cpu"`
	Go      string        `json:"go"`
	Threads int           `json:"threads"`
	Levels  []levelResult `json:"levels,omitempty"`
	Models  []modelResult `json:"models,omitempty"`
	Costs   []costResult  `json:"costs,omitempty"`

	Scaling *scalingResult `json:"scaling,omitempty"`
	Photos  *photosResult  `json:"photos,omitempty"`
}

func main() {
	cli.Command{Name: "bench", Run: func(ctx context.Context, args []string, s cli.Streams) error {
		o, err := parseFlags(args, s.Out)
		if err != nil {
			return err
		}
		return run(ctx, o, s.In, s.Out, s.Log)
	}}.Main()
}

const usage = `Measure the kernels and models on this machine.

    go run ./cmd/bench [flags]

`

func parseFlags(args []string, help io.Writer) (*options, error) {
	o := &options{}
	f := cli.NewFlags("bench")
	var models, kernels string
	f.JSON(&o.json)
	f.StringVar(&kernels, "kernels", ".", "measure at every level the kernels whose names match this `regexp`; none")
	f.StringVar(&models, "models", "superresnet", "`names` of models to measure, with commas between: "+modelNames()+";\nall for those that are trained, frozen for VGG16 and CLIP, none; NAME@BATCH for another batch,\nNAME@WIDTHxHEIGHT for another picture of those that enlarge one")
	f.Batch(&o.batch, 16, ", where -models does not say it")
	f.Threads(&o.threads)
	f.Int(&o.rounds, "rounds", 7, 1, 1000, "a number from 1 to 1000", "how often each is measured; the median counts")
	f.StringVar(&o.peer, "peer", "", "`python` with PyTorch to compare the models with, and with ONNX Runtime, OpenVINO and ncnn if those are installed too;\nPyTorch at its best, which a trial finds, and as most run it")
	f.StringVar(&o.against, "against", "", "another build of this command, as a `file`: to compare the models with those of another state of the code")
	f.StringVar(&o.scripts, "peer-scripts", "testdata/peers/torch_bench.py,testdata/peers/onnx_bench.py,testdata/peers/openvino_bench.py,testdata/peers/ncnn_bench.py", "the `files` that the peer runs, with commas between")
	f.Int(&o.trial, "peer-trial", 180, 0, 3600, "a number of seconds from 0 to 3600", "how many seconds each variant of a peer may take to start, with its compilation, before a trial of which is the fastest;\nwith 0 only the plain one is measured")
	f.BoolVar(&o.cost, "cost", false, "instead of comparing the models, predict what they take from what they do, part by part, and compare that")
	f.StringVar(&o.scaling, "scaling", "", "time training steps of this `model` for several batches and sizes of photographs")
	f.StringVar(&o.photos, "photos", "", cli.Photos+": time how they become batches")
	f.Without(&o.without)
	f.StringVar(&o.serve, "serve", "", "used by the command itself")
	f.Int(&o.side, "side", 72, 2, 1024, "an even number from 2 to 1024", "used by the command itself")
	f.StringVar(&o.picture, "picture", "", "used by the command itself")
	if _, err := f.Parse(args, usage, help); err != nil {
		return nil, err
	}
	if o.side%2 != 0 {
		return nil, cli.Usagef("-side %d: expected an even number", o.side)
	}
	var err error
	if o.models, err = parseModels(models, o.batch); err != nil {
		return nil, cli.Usage(err)
	}
	if kernels != "none" {
		if o.kernels, err = regexp.Compile(kernels); err != nil {
			return nil, cli.Usagef("-kernels: expected a regular expression such as 'conv.*forward', or none: %w", err)
		}
	}
	if o.scaling != "" {
		if _, err := superres.Find(o.scaling); err != nil {
			return nil, cli.Usagef("-scaling: %w", err)
		}
	}
	if o.threads == 0 {
		o.threads = runtime.GOMAXPROCS(0)
	}
	return o, nil
}

// run measures what is asked for, or serves a process that does.
func run(ctx context.Context, o *options, in io.Reader, out, log io.Writer) error {
	tensor.SetThreads(o.threads)
	switch {
	case o.serve == "kernels":
		return serveKernels(o, in, out)
	case o.serve != "":
		return serveModel(o, in, out)
	}
	r, err := measure(ctx, o, log)
	if interrupted := cli.Interrupted(ctx); interrupted != nil {
		return interrupted // whatever a process that had to end has answered
	}
	if err != nil {
		return err
	}
	if o.json {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	printResults(out, r)
	return nil
}

// measure measures what is asked for.
func measure(ctx context.Context, o *options, log io.Writer) (results, error) {
	r := results{CPU: cpuName(), Go: runtime.Version(), Threads: o.threads}
	peers, err := findPeers(ctx, o, log) // now, not after minutes
	if err != nil {
		return r, err
	}
	if o.photos != "" {
		set, err := vision.OpenDir(o.photos, vision.DatasetOptions{})
		if err != nil {
			return r, fmt.Errorf("-photos: %w", err)
		}
		for _, line := range set.Notes {
			fmt.Fprintln(log, line)
		}
	}
	if o.kernels != nil {
		for _, l := range simd.Available() {
			fmt.Fprintf(log, "kernels at level %v …\n", l)
			lr, err := measureLevel(ctx, o, l)
			if err != nil {
				return r, err
			}
			r.Levels = append(r.Levels, lr)
		}
	}
	if o.cost {
		return r, measureCosts(ctx, o, &r, log)
	}
	for _, m := range o.models {
		fmt.Fprintf(log, "model %v …\n", m)
		mr, err := measureModel(ctx, o, m, peers, log)
		if err != nil {
			return r, err
		}
		r.Models = append(r.Models, mr)
	}
	if o.scaling != "" {
		fmt.Fprintf(log, "scaling of %s …\n", o.scaling)
		if r.Scaling, err = measureScaling(ctx, o); err != nil {
			return r, err
		}
	}
	if o.photos != "" {
		fmt.Fprintf(log, "photographs in %s …\n", o.photos)
		if r.Photos, err = measurePhotos(ctx, o); err != nil {
			return r, err
		}
	}
	return r, nil
}

// median returns the middle one of some measurements.
func median(v []float64) float64 {
	s := slices.Clone(v)
	slices.Sort(s)
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
