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
// the same models run in that Python's PyTorch and ONNX Runtime, in turn with ours, after a
// check that all compute the same loss from the same weights. What is not installed
// is left out. Two more tables are made on demand: -scaling shows that a training
// step's time grows with the number of pixels and no faster, -photos how fast
// photographs are read:
//
//	go run ./cmd/bench -kernels none -models none -scaling superresnet -photos DIR
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"

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
	scaling string
	photos  string

	serve string // what a process started by this one is to do
	side  int    // of the photographs that it does it with
}

// results are what a run measures.
type results struct {
	CPU     string        `json:"cpu"`
	Go      string        `json:"go"`
	Threads int           `json:"threads"`
	Levels  []levelResult `json:"levels,omitempty"`
	Models  []modelResult `json:"models,omitempty"`

	Scaling *scalingResult `json:"scaling,omitempty"`
	Photos  *photosResult  `json:"photos,omitempty"`
}

func main() {
	o, err := parseFlags(os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintf(os.Stderr, "bench: %v (-help lists the flags)\n", err)
		os.Exit(2)
	}
	if err := run(o, os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func parseFlags(args []string, help io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	var models, kernels string
	f.BoolVar(&o.json, "json", false, "print the results as JSON")
	f.StringVar(&kernels, "kernels", ".", "measure at every level the kernels whose names match this `regexp`; none")
	f.StringVar(&models, "models", "superresnet", "`names` of models to measure, with commas between: "+modelNames()+";\nall for those that are trained, frozen for the others, none; NAME@BATCH for another batch")
	f.IntVar(&o.batch, "batch", 16, "photographs in a batch, where -models does not say it")
	f.IntVar(&o.threads, "threads", 0, "threads; 0: one a processor")
	f.IntVar(&o.rounds, "rounds", 7, "how often each is measured; the median counts")
	f.StringVar(&o.peer, "peer", "", "`python` with PyTorch to compare the models with, and with ONNX Runtime if that is installed too")
	f.StringVar(&o.scripts, "peer-scripts", "testdata/peers/torch_bench.py,testdata/peers/onnx_bench.py", "the `files` that the peer runs, with commas between")
	f.StringVar(&o.scaling, "scaling", "", "time training steps of this `model` for several batches and sizes of photographs")
	f.StringVar(&o.photos, "photos", "", "time how the photographs in this `folder` become batches")
	f.StringVar(&o.serve, "serve", "", "used by the command itself")
	f.IntVar(&o.side, "side", 72, "used by the command itself")
	if err := f.Parse(args); err == flag.ErrHelp {
		fmt.Fprint(help, "Measure the kernels and models on this machine.\n\n    go run ./cmd/bench [flags]\n\n")
		f.SetOutput(help)
		f.PrintDefaults()
		return nil, err
	} else if err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if o.batch < 1 || o.rounds < 1 || o.threads < 0 || o.threads > 1024 || o.side < 2 || o.side%2 != 0 {
		return nil, fmt.Errorf("-batch %d -rounds %d -threads %d: expected a positive batch and rounds, and 0 to 1024 threads", o.batch, o.rounds, o.threads)
	}
	var err error
	if o.models, err = parseModels(models, o.batch); err != nil {
		return nil, err
	}
	if kernels != "none" {
		if o.kernels, err = regexp.Compile(kernels); err != nil {
			return nil, fmt.Errorf("-kernels: expected a regular expression such as 'conv.*forward', or none: %w", err)
		}
	}
	if o.scaling != "" {
		if _, err := superres.Find(o.scaling); err != nil {
			return nil, fmt.Errorf("-scaling: %w", err)
		}
	}
	if o.threads == 0 {
		o.threads = runtime.GOMAXPROCS(0)
	}
	return o, nil
}

func run(o *options, in io.Reader, out, log io.Writer) error {
	tensor.SetThreads(o.threads)
	switch {
	case o.serve == "kernels":
		return serveKernels(o, in, out)
	case o.serve != "":
		return serveModel(o, in, out)
	}
	peers, err := findPeers(o, log) // now, not after minutes
	if err != nil {
		return err
	}
	if o.photos != "" {
		if _, err := vision.OpenDir(o.photos, vision.DatasetOptions{}); err != nil {
			return fmt.Errorf("-photos: %w", err)
		}
	}
	r := results{CPU: cpuName(), Go: runtime.Version(), Threads: o.threads}
	if o.kernels != nil {
		for _, l := range simd.Available() {
			fmt.Fprintf(log, "kernels at level %v …\n", l)
			lr, err := measureLevel(o, l)
			if err != nil {
				return err
			}
			r.Levels = append(r.Levels, lr)
		}
	}
	for _, m := range o.models {
		fmt.Fprintf(log, "model %v …\n", m)
		mr, err := measureModel(o, m, peers, log)
		if err != nil {
			return err
		}
		r.Models = append(r.Models, mr)
	}
	if o.scaling != "" {
		fmt.Fprintf(log, "scaling of %s …\n", o.scaling)
		if r.Scaling, err = measureScaling(o); err != nil {
			return err
		}
	}
	if o.photos != "" {
		fmt.Fprintf(log, "photographs in %s …\n", o.photos)
		if r.Photos, err = measurePhotos(o); err != nil {
			return err
		}
	}
	if o.json {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	printResults(out, r)
	return nil
}

// median returns the middle one of some measurements.
func median(v []float64) float64 {
	s := slices.Clone(v)
	slices.Sort(s)
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
