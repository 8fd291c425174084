package main

import (
	"flag"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"pixelgrad/vision/superres"
)

// options are the command line.
type options struct {
	Model          string  `json:"model"`
	Data           string  `json:"data"` // "" for the photographs that are part of the program
	Epochs         int     `json:"epochs"`
	Batch          int     `json:"batch"`
	LR             float64 `json:"lr"`
	Seed           uint64  `json:"seed"`
	Threads        int     `json:"threads"`
	Limit          int     `json:"limit"`
	Shuffle        bool    `json:"shuffle"`
	Steps          int     `json:"steps"`
	Init           string  `json:"init"`
	Out            string  `json:"-"`
	SkipBad        bool    `json:"skip_bad"`
	VGGWeights     string  `json:"vgg_weights"`
	VGGLayer       string  `json:"vgg_layer"`
	CLIPWeights    string  `json:"clip_weights"`
	RandomFeatures bool    `json:"random_features"`

	archs []superres.Architecture // what Model names
}

const usage = `Train a network to enlarge photographs.

    go run ./cmd/train [flags]

Without flags it trains SuperResNet for ten epochs on the photographs that are
part of the program, and leaves weights, losses and pictures in a folder under
runs. Ctrl-C ends it after the step, and nothing is lost. -model all trains
every network on the same photographs and compares them.

`

// modelNames lists the models with commas.
func modelNames() string {
	var names []string
	for _, a := range superres.Architectures {
		names = append(names, a.Name)
	}
	return strings.Join(names, ", ")
}

// parseFlags reads the command line. It returns flag.ErrHelp if help was asked
// for, which it has then written to help.
func parseFlags(args []string, help io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("train", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.Model, "model", "superresnet", "the `network` to train: "+modelNames()+" or all")
	f.StringVar(&o.Data, "data", "", "`folder` of photographs, PASCAL VOC's layout or plain; default: those in the program")
	f.IntVar(&o.Epochs, "epochs", 10, "how many times every photograph is shown")
	f.IntVar(&o.Batch, "batch", 0, "photographs in a step; 0: 16, or 4 when fewer than 1,000 train,\nso that ten epochs teach something")
	f.Float64Var(&o.LR, "lr", 0.001, "learning `rate` of Adam")
	f.Uint64Var(&o.Seed, "seed", 0, "seed of the initial weights, the order and the split")
	f.IntVar(&o.Threads, "threads", 0, "goroutines that share the work; 0: one a processor; results do not depend on it")
	f.IntVar(&o.Limit, "limit", 0, "use only the first `N` photographs; 0: all")
	f.BoolVar(&o.Shuffle, "shuffle", true, "show the photographs in another order in each epoch")
	f.IntVar(&o.Steps, "steps", 0, "stop after `N` steps; 0: after all epochs")
	f.StringVar(&o.Init, "init", "", "start from the weights in this .safetensors or .pth `file`")
	f.StringVar(&o.Out, "out", "", "`folder` for the results; default: runs/<model>-<time>")
	f.BoolVar(&o.SkipBad, "skip-bad", false, "leave out photographs that cannot be read, and count them")
	f.StringVar(&o.VGGWeights, "vgg-weights", "", "`file` with VGG16's weights; default: where 'weights get vgg16' puts it")
	f.StringVar(&o.VGGLayer, "vgg-layer", "relu2_2", "the `layer` of VGG16 whose features are used: relu2_2 or relu1_2")
	f.StringVar(&o.CLIPWeights, "clip-weights", "", "`file` with CLIP's weights; default: where 'weights get clip-vit-b32' puts it")
	f.BoolVar(&o.RandomFeatures, "random-features", false, "use VGG16 and CLIP with random weights: to see the code run, not to judge it")
	if err := f.Parse(args); err == flag.ErrHelp {
		fmt.Fprint(help, usage)
		f.SetOutput(help)
		f.PrintDefaults()
		return nil, err
	} else if err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q: all settings are flags, as in -data %s", f.Arg(0), f.Arg(0))
	}
	if o.Model == "all" {
		o.archs = superres.Architectures
	} else {
		arch, err := superres.Find(o.Model)
		if err != nil {
			return nil, fmt.Errorf("-model: %w, or all", err)
		}
		o.archs = []superres.Architecture{arch}
	}
	if o.Out == "" {
		o.Out = fmt.Sprintf("runs/%s-%s", o.Model, time.Now().Format("20060102-150405"))
	}
	return o, o.check()
}

// maxThreads is more than any machine has processors.
const maxThreads = 4096

// check returns an error that names the first flag with an impossible value.
func (o *options) check() error {
	for _, f := range []struct {
		name  string
		value int
		least int
		want  string
	}{
		{"epochs", o.Epochs, 1, "1 or more"},
		{"batch", o.Batch, 0, "a positive number, or 0 for the default"},
		{"threads", o.Threads, 0, "a positive number, or 0 for one a processor"},
		{"limit", o.Limit, 0, "a positive number, or 0 for all photographs"},
		{"steps", o.Steps, 0, "a positive number, or 0 for all epochs"},
	} {
		if f.value < f.least {
			return fmt.Errorf("-%s %d: expected %s", f.name, f.value, f.want)
		}
	}
	if o.Threads > maxThreads {
		return fmt.Errorf("-threads %d: expected at most %d", o.Threads, maxThreads)
	}
	if o.Limit == 1 {
		return fmt.Errorf("-limit 1: expected at least 2 photographs, one to train on and one to validate with, or 0 for all")
	}
	if !(o.LR > 0) || math.IsInf(o.LR, 0) {
		return fmt.Errorf("-lr %v: expected a positive number such as 0.001", o.LR)
	}
	if o.VGGLayer != "relu2_2" && o.VGGLayer != "relu1_2" {
		return fmt.Errorf("-vgg-layer %s: expected relu2_2 or relu1_2", o.VGGLayer)
	}
	if o.Init != "" && len(o.archs) > 1 {
		return fmt.Errorf("-init %s: expected one -model that the weights are for, found -model all", o.Init)
	}
	return nil
}

// batchSize returns how many photographs make a step.
func (o *options) batchSize(train int) int {
	switch {
	case o.Batch > 0:
		return o.Batch
	case train < 1000:
		return 4
	}
	return 16
}

// outputs returns how many enlargements the models make at the most.
func (o *options) outputs() int {
	n := 0
	for _, a := range o.archs {
		n = max(n, a.Outputs)
	}
	return n
}
