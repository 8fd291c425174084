package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"

	"pixelgrad/autograd"
	"pixelgrad/cmd/internal/progress"
	"pixelgrad/nn/train"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// photographs are the data of a run: two sets of squares.
type photographs struct {
	set        *vision.Dataset
	sizes      vision.Sizes
	train, val *vision.Cache // nil until read
	known      string        // what sum returned
}

// findPhotographs finds the photographs, and says in log what is odd about them.
func findPhotographs(o *options, log io.Writer) (*photographs, error) {
	set, err := o.Photographs()
	if err != nil {
		if errors.As(err, new(*vision.MissingError)) && !o.SkipBad {
			return nil, skippable(err)
		}
		return nil, err
	}
	for _, line := range set.Notes {
		fmt.Fprintln(log, line)
	}
	p := &photographs{set: set, sizes: vision.WorkshopSizes}
	if o.outputs() < 2 {
		p.sizes.Large = 0
	}
	if o.Scale > 0 {
		p.sizes = o.squares().Sizes()
	}
	return p, nil
}

// skippable adds to an error about photographs what leaves them out.
func skippable(err error) error { return fmt.Errorf("%w\n  -skip-bad leaves them out", err) }

// counts returns how many photographs train and validate: before they are read, how many are
// to be.
func (p *photographs) counts() (train, val int) {
	if p.train == nil {
		return len(p.set.Train), len(p.set.Val)
	}
	return p.train.Len(), p.val.Len()
}

// unread is how many bytes the squares will take; 0 once they are there.
func (p *photographs) unread() int64 {
	if p.train != nil {
		return 0
	}
	return p.sizes.Bytes(len(p.set.Train) + len(p.set.Val))
}

// read makes the squares. A broken photograph is named before anything is trained.
func (p *photographs) read(ctx context.Context, o *options, log io.Writer) error {
	all := len(p.set.Train) + len(p.set.Val)
	bar := progress.New(all, "Reading photographs")
	bar.Lines(log)
	defer bar.Close()
	build := func(list []vision.Photo, before int) (*vision.Cache, error) {
		progress := func(done, total int) { bar.Set(before+done, "") }
		if o.Scale > 0 {
			squares := o.squares()
			squares.Progress = progress
			if before > 0 {
				squares.Most = validationSquares
			}
			return vision.BuildSquares(ctx, p.set, list, squares)
		}
		return vision.BuildCache(ctx, p.set, list, vision.CacheOptions{Sizes: p.sizes, Threads: o.Threads, SkipBad: o.SkipBad, Progress: progress})
	}
	var failed [2]error
	var train, val *vision.Cache
	train, failed[0] = build(p.set.Train, 0)
	val, failed[1] = build(p.set.Val, len(p.set.Train))
	if err := errors.Join(failed[:]...); err != nil {
		bar.Close()
		if !o.SkipBad {
			return skippable(err)
		}
		return err
	}
	bar.Close()
	p.train, p.val = train, val
	skipped := append(p.train.Skipped, p.val.Skipped...)
	for _, err := range skipped {
		fmt.Fprintf(log, "left out: %v\n", err)
	}
	if n := len(skipped); n > 0 {
		fmt.Fprintf(log, "%d of %d photographs were left out\n", n, all)
	}
	return nil
}

// sum returns the SHA-256 of what the networks see, and of its names and order, in hexadecimal
// digits: a training that goes on must go on with the same photographs.
func (p *photographs) sum() string {
	if p.known != "" {
		return p.known
	}
	h := sha256.New()
	for _, c := range []*vision.Cache{p.train, p.val} {
		fmt.Fprintln(h, c.Len())
		for i, name := range c.Names {
			fmt.Fprintf(h, "%q\n", name)
			h.Write(c.Picture(i, c.Sizes.X).Pix)
		}
	}
	p.known = hex.EncodeToString(h.Sum(nil))
	return p.known
}

// A network for pictures of any size is trained on squares of photographs as they are. Their side is
// that of the smaller picture; -crop trains on parts of them, each epoch on others.
const (
	squareSide        = 64
	validationSquares = 4 // of a photograph
)

// squares says how photographs are cut for such a network.
func (o *options) squares() vision.SquareOptions {
	return vision.SquareOptions{Side: squareSide, Scale: o.Scale, Threads: o.Threads, SkipBad: o.SkipBad}
}

// batch is what a model of superres learns from in a step.
type batch = train.Batch[superres.Input, superres.Output]

// batches turns a loader's batches into the training loop's.
type batches struct {
	*vision.Loader
	outputs  int
	features *features // nil for a model that needs none
}

func (b batches) Epoch(epoch int) iter.Seq[batch] { return b.EpochFrom(epoch, 0) }

func (b batches) EpochFrom(epoch, first int) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		for _, photos := range b.Loader.EpochFrom(epoch, first) {
			next := batch{
				Input:  superres.Input{Photo: autograd.Constant(photos.X), Features: b.features.of(*photos)},
				Target: superres.Output{Mid: autograd.Constant(photos.Mid)},
				Size:   photos.X.Dim(0),
			}
			if b.outputs == 2 {
				next.Target.Large = autograd.Constant(photos.Large)
			}
			if !yield(next) {
				return
			}
		}
	}
}
