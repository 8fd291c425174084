// Command train teaches a network to enlarge photographs.
//
//	go run ./cmd/train
//
// trains SuperResNet for ten epochs on the photographs that are part of the
// program; -help lists the flags. It leaves in its run folder:
//
//	config.json           the flags and what they led to
//	metrics.csv           an epoch a line: losses and PSNR
//	steps.csv             a step a line: losses
//	weights.safetensors   the network, under PyTorch's names
//	samples.png           photographs at the three sizes
//	predictions.png       input, prediction, bicubic and truth of four photographs
//	loss.png              losses over epochs
//
// Its exit status is 0, also after Ctrl-C, 1 if something failed, and 2 for wrong
// flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"

	"pixelgrad/nn"
	"pixelgrad/nn/optim"
	"pixelgrad/nn/train"
	"pixelgrad/simd"
	"pixelgrad/tensor"
	"pixelgrad/vision"
)

func main() {
	o, err := parseFlags(os.Args[1:], os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "train: %v (-help lists the flags)\n", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // so that a second Ctrl-C ends the process at once
	if err := run(ctx, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "train: %v\n", err)
		os.Exit(1)
	}
}

// run trains a model. Results go to out, messages to log.
func run(ctx context.Context, o *options, out, log io.Writer) error {
	tensor.SetThreads(o.Threads)
	model := o.arch.New(rand.New(rand.NewPCG(o.Seed, 0)))
	if o.Init != "" {
		if err := train.LoadWeights(o.Init, model); err != nil {
			return fmt.Errorf("-init: %w", err)
		}
	}
	if err := checkOut(o.Out); err != nil {
		return err
	}
	photos, err := openPhotographs(ctx, o, log)
	if err != nil {
		os.Remove(o.Out) // if it is empty
		if ctx.Err() != nil {
			fmt.Fprintln(out, "Interrupted while reading photographs; nothing was trained.")
			return nil
		}
		return err
	}
	batch := o.batchSize(photos.train.Len())
	trainSet := batches{vision.NewLoader(photos.train, batch, o.Seed, o.Shuffle), o.arch.Outputs}
	valSet := batches{vision.NewLoader(photos.val, batch, o.Seed, false), o.arch.Outputs}
	total := o.Epochs * trainSet.Batches()
	if o.Steps > 0 {
		total = min(total, o.Steps)
	}
	mid, large := vision.Baselines(photos.val, o.Threads)
	r := &report{options: o, out: out, log: log, model: model, photos: photos, batch: batch, total: total, bicubic: []float64{mid.Bicubic.PSNR, large.Bicubic.PSNR}[:o.arch.Outputs]}
	if err := r.begin(); err != nil {
		return err
	}
	loop := train.Loop{
		Model:      model,
		Loss:       nn.PSNRLoss,
		Optimizer:  optim.NewAdam(model.Parameters(), o.LR),
		Train:      trainSet,
		Validation: valSet,
		Epochs:     o.Epochs,
		MaxSteps:   o.Steps,
		OnStep:     r.step,
		OnValidate: r.validate,
		OnEpoch:    r.epoch,
	}
	steps, err := loop.Run(ctx)
	interrupted := ctx.Err() != nil && steps < total
	return errors.Join(err, r.end(steps, interrupted))
}

// summary says what is going to be done.
func (r *report) summary() {
	o := r.options
	fmt.Fprintf(r.out, "%s, %s parameters\n", o.arch.Title, thousands(nn.Count(r.model)))
	fmt.Fprintf(r.out, "  data      %s\n", r.photos.set.Rule)
	fmt.Fprintf(r.out, "  training  %d epochs, %s steps of %d photographs, learning rate %v, seed %d\n", o.Epochs, thousands(r.total), min(r.batch, r.photos.train.Len()), o.LR, o.Seed)
	if o.Init != "" {
		fmt.Fprintf(r.out, "  weights   from %s\n", o.Init)
	}
	fmt.Fprintf(r.out, "  machine   %d threads, SIMD level %v\n", tensor.Threads(), simd.Current())
	fmt.Fprintf(r.out, "  bicubic   %s on the validation photographs: what plain interpolation reaches\n", decibels(r.bicubic))
	fmt.Fprintf(r.out, "  results   in %s\n\n", o.Out)
}

// thousands writes a number with commas: 38,915.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// decibels writes the PSNR of each output with the side it is for.
func decibels(psnr []float64) string {
	s := ""
	for i, p := range psnr {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%.2f dB (loss %.4f) at %d", p, inverse(p), 144<<i)
	}
	return s
}

// inverse is 1/PSNR, the loss that belongs to a PSNR in dB.
func inverse(psnr float64) float64 {
	if psnr == 0 {
		return math.Inf(1)
	}
	return 1 / psnr
}
