package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/report"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/nn/optim"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// options are the command line.
type options struct {
	runs.Flags
	Out   string
	UI    string                  // address of the live page; "" for none
	archs []superres.Architecture // what Model names

	command string // the command line
	resume  bool   // go on with the run in Out
	remake  bool   // make the report of the run in Out again, and train nothing
}

const usage = `Train a network to enlarge photographs.

    go run ./cmd/train                     train SuperResNet, in seconds, on the
                                           photographs that are part of the program
    go run ./cmd/train -model all -ui      train every network, compare them, and
                                           watch them learn in the browser
    go run ./cmd/train -resume runs/NAME   go on with a run that was stopped or killed

A run leaves weights, losses, pictures and report.html, which shows it all, in a
folder under runs. Ctrl-C ends it after the step, and nothing is lost.

`

// parseFlags reads the command line. It returns flag.ErrHelp if help was asked
// for, which it has then written to help.
func parseFlags(args []string, help io.Writer) (*options, error) {
	args = joinUI(args)
	o, given, from, err := parseOnce(args, help, nil, nil)
	if err != nil {
		return nil, err
	}
	var c *runs.Config
	switch {
	case given["resume"] && given["report"], (given["resume"] || given["report"]) && (given["config"] || given["out"] || given["o"]):
		return nil, cli.Usagef("expected one of -resume, -report, -config and -out: the first two go on in the folder of a run, with its settings")
	case given["report"] && given["ui"]:
		return nil, cli.Usagef("-ui: expected a training to watch, found -report, which trains nothing: open the %s that it makes", report.PageFile)
	case given["resume"], given["report"]:
		if c, err = runs.Open(from.resume + from.report); err != nil { // one of them is empty
			return nil, err
		}
	case given["config"]:
		if c, err = runs.Load(from.config); err != nil {
			return nil, fmt.Errorf("-config: %w", err)
		}
	default:
		return o.finish()
	}
	forgetTold(&c.Flags)
	if _, _, _, err = parseOnce(nil, help, &c.Flags, nil); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(from.resume+from.report, cmp.Or(from.config, runs.ConfigFile)), err)
	}
	// Once more, on top of the settings of the file.
	if o, _, _, err = parseOnce(args, help, &c.Flags, given); err != nil {
		return nil, err
	}
	if given["resume"] || given["report"] {
		o.Out = from.resume + from.report
		o.resume, o.remake = true, given["report"]
	}
	if o, err = o.finish(); err != nil || !o.resume {
		return o, err
	}
	if name, run, asked := c.Flags.Difference(&o.Flags); name != "" {
		return nil, cli.Usagef("-%s: expected %s, as the run in %s has it, found %s; leave the flag out, or begin another run", name, run, o.Out, asked)
	}
	return o, nil
}

// commandLine writes arguments as they were typed.
func commandLine(args []string) string {
	line := "go run ./cmd/train"
	for _, a := range args {
		if strings.ContainsFunc(a, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) || a == "" {
			a = strconv.Quote(a)
		}
		line += " " + a
	}
	return line
}

// forgetTold takes out of the settings of a run what weights told that are not from a file: the flags
// for it are only about those, and the same weights tell it again.
func forgetTold(f *runs.Flags) {
	if f.VGGWeights == frozen.Embedded || f.RandomFeatures {
		f.VGGInput = ""
	}
	if f.RandomFeatures {
		f.CLIPOptions = frozen.CLIPOptions{}
	}
}

// sources are the flags that name files with settings.
type sources struct{ resume, report, config string }

// parseOnce reads the command line on top of settings, of which those are replaced that were given;
// nil stands for the defaults.
func parseOnce(args []string, help io.Writer, base *runs.Flags, replaced map[string]bool) (o *options, given map[string]bool, from sources, err error) {
	o = &options{command: commandLine(args)}
	f := cli.NewFlags("train")
	o.define(f, &from)
	if base != nil {
		o.Flags = *base
		if replaced["without"] { // which adds to a list
			o.Without = nil
		}
	}
	_, err = f.Parse(args, usage, help)
	given = map[string]bool{}
	f.Visit(func(x *flag.Flag) { given[x.Name] = true })
	return o, given, from, err
}

// define defines the flags.
func (o *options) define(f *cli.Flags, from *sources) {
	d := runs.Defaults()
	f.Group("Data")
	f.StringVar(&o.Data, "data", d.Data, cli.Photos+"; default: those in the program")
	f.Int(&o.Limit, "limit", d.Limit, 2, math.MaxInt, "at least 2 photographs, one to train on and one to validate with, or 0 for all", "use only the first `N` photographs; 0: all")
	f.BoolVar(&o.SkipBad, "skip-bad", d.SkipBad, "leave out photographs that cannot be read or are only in a list, and count them")
	f.Batch(&o.Batch, d.Batch, "; 0: 16, or 4 when fewer than 1,000 train,\nso that ten epochs teach something")
	f.BoolVar(&o.Shuffle, "shuffle", d.Shuffle, "show the photographs in another order in each epoch")
	f.TextVar(&o.Augment, "augment", d.Augment, "alter what is trained on, each epoch in another way: a `list` of flips,rotations")
	f.Int(&o.Crop, "crop", d.Crop, 1, vision.WorkshopSizes.X, fmt.Sprintf("1 to %d pixels, or 0 for whole squares", vision.WorkshopSizes.X), "train on patches whose side has `N` pixels of the input; 0: whole squares")
	f.Func("split-seed", "seed of the split into photographs to train on and to validate with; default: -seed", func(s string) error {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return fmt.Errorf("expected a number that is not negative, found %.40q", s)
		}
		o.SplitSeed = &n
		return nil
	})

	f.Group("Network")
	f.StringVar(&o.Model, "model", d.Model, "the `network` to train: "+strings.Join(runs.Models(), ", ")+" or all; or "+runs.Fast+",\nwhich enlarges pictures of any size")
	f.Int(&o.Scale, "scale", d.Scale, 2, 4, "2, 3 or 4", "how many `times` larger -model fast makes pictures; default: 2")
	f.StringVar(&o.Init, "init", d.Init, "start from the weights in this .safetensors or .pth `file`; those of fast may be\nfor another scale")
	f.StringVar(&o.InitKey, "init-key", d.InitKey, "the `path` of the dictionary in -init that holds the network;\ndefault: the one that fits")
	o.AddFlags(f)

	f.Group("Training")
	f.Int(&o.Epochs, "epochs", d.Epochs, 1, maxEpochs, fmt.Sprintf("1 to %d", maxEpochs), "how many times every photograph is shown")
	f.Int(&o.Steps, "steps", d.Steps, 1, math.MaxInt, "a positive number, or 0 for all epochs", "stop after `N` steps; 0: after all epochs")
	f.StringVar(&o.Loss, "loss", d.Loss, "the `loss` that is minimised: "+names(superres.Losses, func(k superres.LossKind) string { return k.Name }))
	f.Positive(&o.LR, "lr", d.LR, "learning `rate` of Adam")
	f.StringVar(&o.Schedule, "schedule", d.Schedule, "the `schedule` by which the rate changes: "+names(optim.Schedules, func(k optim.ScheduleKind) string { return k.Name }))
	f.Int(&o.WarmUp, "warmup", d.WarmUp, 1, math.MaxInt, "a positive number of steps, or 0", "let the rate rise over the first `N` steps; 0: not")
	f.Float64Var(&o.ClipNorm, "clip-norm", d.ClipNorm, "shorten gradients to the length `X` if they are longer; 0: never")
	f.Int(&o.EarlyStop, "early-stop", d.EarlyStop, 1, math.MaxInt, "a positive number of epochs, or 0", "stop when the validation loss has not fallen for `N` epochs; 0: never")
	f.Seed(&o.Seed, "the initial weights, the order and the split")
	f.Int(&o.Repeat, "repeat", d.Repeat, 1, 1000, "1 to 1000", "train each network `N` times, with seeds that count up, on the same split")
	f.Threads(&o.Threads)
	f.BoolVar(&o.Plain, "plain", d.Plain, "run the network on autograd's plain tape, as it is written, and not compiled")
	f.Without(&o.Without)
	f.Check(o.check)

	f.Group("Output")
	f.Out(&o.Out, "`folder` for the results; default: runs/<model>-<time>")
	f.Func("resume", "go on with the run in this `folder`, where it was stopped or killed", named(&from.resume))
	f.Func("report", "make the report of the run in this `folder` again, and train nothing", named(&from.report))
	f.Func("config", "take the settings from this `file`, such as the config.json of a run; flags come on top", named(&from.config))
	f.BoolFunc("ui", "serve the report while training, at this `address`; without one: "+defaultUI, func(s string) error {
		if s == "true" { // no address
			s = defaultUI
		}
		return named(&o.UI)(s)
	})
	o.SaveEvery = d.SaveEvery
	f.TextVar(&o.SaveEvery, "save-every", d.SaveEvery, "save a checkpoint after each epoch, and each time after `N` steps, as in 500, or some time, as in 90s")
	f.BoolVar(&o.TensorBoard, "tensorboard", d.TensorBoard, "write losses and pictures for TensorBoard, too")
	f.StringVar(&o.Descriptions, "descriptions", d.Descriptions, "`file` with a description of photographs a line: name, tab, text; default: of ten in the program")
}

// maxEpochs is more than anybody waits for; steps are counted in an int.
const maxEpochs = 1_000_000

// named sets p to what a flag names. An empty name is most likely that of a variable of the shell
// that is not set.
func named(p *string) func(string) error {
	return func(s string) error {
		if s == "" {
			return errors.New("expected a name, found nothing")
		}
		*p = s
		return nil
	}
}

func names[T any](list []T, name func(T) string) string {
	var all []string
	for _, x := range list {
		all = append(all, name(x))
	}
	return strings.Join(all, ", ")
}

// check looks at single flags.
func (o *options) check() error {
	if _, err := superres.FindLoss(o.Loss); err != nil {
		return fmt.Errorf("-loss: %w", err)
	}
	if _, err := optim.FindSchedule(o.Schedule); err != nil {
		return fmt.Errorf("-schedule: %w", err)
	}
	if !(o.ClipNorm >= 0) || math.IsInf(o.ClipNorm, 0) {
		return fmt.Errorf("-clip-norm %v: expected a positive number, or 0", o.ClipNorm)
	}
	return nil
}

// finish looks at flags together, and fills in what follows from them.
func (o *options) finish() (*options, error) {
	if o.Plain && len(o.Without) > 0 {
		return nil, cli.Usagef("-plain -without %s: expected one of the two: the plain tape has no passes", strings.Join(o.Without, ","))
	}
	switch {
	case o.Model == runs.Fast:
		if o.Scale == 0 {
			o.Scale = 2
		}
		o.archs = []superres.Architecture{superres.FastArchitecture(o.Scale)}
	case o.Scale != 0:
		return nil, cli.Usagef("-scale %d: expected -model %s, found %s, which has the sizes of the workshop", o.Scale, runs.Fast, o.Model)
	case o.Model == runs.All:
		o.archs = superres.Architectures
	default:
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
	if err := o.checkCrop(); err != nil {
		return nil, cli.Usage(err)
	}
	// The run can be resumed, and its settings used, from any folder.
	for _, path := range []*string{&o.Data, &o.Init, &o.VGGWeights, &o.CLIPWeights, &o.Descriptions} {
		if *path == "" || path == &o.VGGWeights && *path == frozen.Embedded {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return nil, err
		}
		*path = absolute
	}
	if o.Out == "" {
		o.Out = fmt.Sprintf("runs/%s-%s", o.Model, time.Now().Format("20060102-150405"))
	}
	return o, nil
}

// checkCrop says whether patches are large enough for the loss and the networks.
func (o *options) checkCrop() error {
	if o.Crop == 0 {
		return nil
	}
	if o.Scale > 0 && o.Crop > squareSide {
		return fmt.Errorf("-crop %d: expected at most %d for %s, the side of its squares", o.Crop, squareSide, runs.Fast)
	}
	if loss, err := superres.FindLoss(o.Loss); err == nil && 2*o.Crop < loss.Side {
		return fmt.Errorf("-crop %d: expected %d or more: -loss %s compares squares of %d pixels of the enlargement", o.Crop, (loss.Side+1)/2, o.Loss, loss.Side)
	}
	for _, a := range o.archs {
		if a.Features == superres.VGGFeatures && o.Crop%2 != 0 {
			return fmt.Errorf("-crop %d: expected an even number for %s: VGG16's features have half the size", o.Crop, a.Title)
		}
	}
	return nil
}

// defaultUI is where the live page is if -ui names no other address: on this machine alone.
const defaultUI = "127.0.0.1:8080"

// joinUI joins -ui with the address behind it, if there is one: package flag takes a value that
// may be left out behind a = alone.
func joinUI(args []string) []string {
	var joined []string
	for _, a := range args {
		if n := len(joined); n > 0 && (joined[n-1] == "-ui" || joined[n-1] == "--ui") && !strings.HasPrefix(a, "-") {
			joined[n-1] += "=" + a
			continue
		}
		joined = append(joined, a)
	}
	return joined
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

// alteration is what is done to the photographs that are trained on.
func (o *options) alteration() vision.Alteration {
	return vision.Alteration{Crop: o.Crop, Flips: o.Augment.Flips, Rotations: o.Augment.Rotations}
}
