// Command bench measures how fast this machine runs the project's kernels and
// models.
//
//	go run ./cmd/bench
//
// It first measures how many multiply-adds the processor can do at all, at each
// SIMD level, on one thread and on all; then each kernel, as billions of operations
// or bytes a second and, for those that compute, as a share of that peak; then
// training steps and predictions of the models. With
//
//	go run ./cmd/bench -peer python3
//
// the same models run in PyTorch, in turn with ours, after a check that both compute
// the same loss from the same weights.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"pixelgrad/simd"
	"pixelgrad/tensor"
	"pixelgrad/vision/superres"
)

// options are the command line.
type options struct {
	json    bool
	kernels bool
	models  []string
	batch   int
	threads int
	rounds  int
	peer    string
	script  string

	serve string // what a process started by this one is to do
}

// results are what a run measures.
type results struct {
	CPU     string        `json:"cpu"`
	Go      string        `json:"go"`
	Threads int           `json:"threads"`
	Levels  []levelResult `json:"levels,omitempty"`
	Models  []modelResult `json:"models,omitempty"`
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
	var models string
	f.BoolVar(&o.json, "json", false, "print the results as JSON")
	f.BoolVar(&o.kernels, "kernels", true, "measure the kernels at every level")
	f.StringVar(&models, "models", "superresnet", "`names` of models to measure, with commas between; all; none; or vgg16")
	f.IntVar(&o.batch, "batch", 16, "photographs in a batch")
	f.IntVar(&o.threads, "threads", 0, "threads; 0: one a processor")
	f.IntVar(&o.rounds, "rounds", 7, "how often each is measured; the median counts")
	f.StringVar(&o.peer, "peer", "", "`python` with PyTorch, to compare the models with")
	f.StringVar(&o.script, "peer-script", "testdata/peers/torch_bench.py", "the `file` that the peer runs")
	f.StringVar(&o.serve, "serve", "", "used by the command itself")
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
	if o.batch < 1 || o.rounds < 1 || o.threads < 0 || o.threads > 1024 {
		return nil, fmt.Errorf("-batch %d -rounds %d -threads %d: expected a positive batch and rounds, and 0 to 1024 threads", o.batch, o.rounds, o.threads)
	}
	switch models {
	case "none":
	case "all":
		for _, a := range superres.Architectures {
			o.models = append(o.models, a.Name)
		}
	default:
		o.models = strings.Split(models, ",")
	}
	for _, m := range o.models {
		if m == vggName {
			continue
		}
		if _, err := superres.Find(m); err != nil {
			return nil, fmt.Errorf("-models: %w", err)
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
	case o.serve == vggName:
		return serveVGG(o, in, out)
	case o.serve != "":
		return serveModel(o, in, out)
	}
	r := results{CPU: cpuName(), Go: runtime.Version(), Threads: o.threads}
	if o.kernels {
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
		fmt.Fprintf(log, "model %s …\n", m)
		mr, err := measureModel(o, m)
		if err != nil {
			return err
		}
		r.Models = append(r.Models, mr)
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
