package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/vision/superres"
)

// options are the command line.
type options struct {
	runs.Flags
	Out   string
	archs []superres.Architecture // what Model names
}

const usage = `Train a network to enlarge photographs.

    go run ./cmd/train [flags]

Without flags it trains SuperResNet for ten epochs on the photographs that are
part of the program, and leaves weights, losses and pictures in a folder under
runs. Ctrl-C ends it after the step, and nothing is lost. -model all trains
every network on the same photographs and compares them.

`

// parseFlags reads the command line. It returns flag.ErrHelp if help was asked
// for, which it has then written to help.
func parseFlags(args []string, help io.Writer) (*options, error) {
	o := &options{}
	f := cli.NewFlags("train")
	f.StringVar(&o.Model, "model", "superresnet", "the `network` to train: "+strings.Join(runs.Models(), ", ")+" or all")
	f.StringVar(&o.Data, "data", "", cli.Photos+"; default: those in the program")
	f.Int(&o.Epochs, "epochs", 10, 1, math.MaxInt, "1 or more", "how many times every photograph is shown")
	f.Batch(&o.Batch, 0, "; 0: 16, or 4 when fewer than 1,000 train,\nso that ten epochs teach something")
	f.Positive(&o.LR, "lr", 0.001, "learning `rate` of Adam")
	f.Seed(&o.Seed, "the initial weights, the order and the split")
	f.Threads(&o.Threads)
	f.Int(&o.Limit, "limit", 0, 2, math.MaxInt, "at least 2 photographs, one to train on and one to validate with, or 0 for all", "use only the first `N` photographs; 0: all")
	f.BoolVar(&o.Shuffle, "shuffle", true, "show the photographs in another order in each epoch")
	f.Int(&o.Steps, "steps", 0, 1, math.MaxInt, "a positive number, or 0 for all epochs", "stop after `N` steps; 0: after all epochs")
	f.StringVar(&o.Init, "init", "", "start from the weights in this .safetensors or .pth `file`")
	f.StringVar(&o.InitKey, "init-key", "", "the `path` of the dictionary in -init that holds the network;\ndefault: the one that fits")
	f.Out(&o.Out, "`folder` for the results; default: runs/<model>-<time>")
	f.BoolVar(&o.SkipBad, "skip-bad", false, "leave out photographs that cannot be read or are only in a list, and count them")
	f.BoolVar(&o.Plain, "plain", false, "run the network on autograd's plain tape, as it is written, and not compiled")
	f.Without(&o.Without)
	o.AddFlags(f)
	if _, err := f.Parse(args, usage, help); err != nil {
		return nil, err
	}
	if o.Plain && len(o.Without) > 0 {
		return nil, cli.Usagef("-plain -without %s: expected one of the two: the plain tape has no passes", strings.Join(o.Without, ","))
	}
	if o.Model == "all" {
		o.archs = superres.Architectures
	} else {
		arch, err := superres.Find(o.Model)
		if err != nil {
			return nil, cli.Usagef("-model: %w, or all", err)
		}
		o.archs = []superres.Architecture{arch}
	}
	if o.Init != "" && len(o.archs) > 1 {
		return nil, cli.Usagef("-init %s: expected one -model that the weights are for, found -model all", o.Init)
	}
	if o.InitKey != "" && o.Init == "" {
		return nil, cli.Usagef("-init-key %s: expected -init with the file that has this key", o.InitKey)
	}
	if o.Out == "" {
		o.Out = fmt.Sprintf("runs/%s-%s", o.Model, time.Now().Format("20060102-150405"))
	}
	return o, nil
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
