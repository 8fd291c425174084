package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	"pixelgrad/autograd"
	"pixelgrad/cmd/internal/progress"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/nn/train"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// photographs are the data of a run: two sets of squares.
type photographs struct {
	set        *vision.Dataset
	train, val *vision.Cache
}

// openPhotographs finds the photographs and makes the squares that o's models
// need. A broken photograph is named before anything is trained.
func openPhotographs(ctx context.Context, o *options, log io.Writer) (*photographs, error) {
	set, err := o.Photographs()
	if err != nil {
		return nil, err
	}
	p := &photographs{set: set}
	sizes := vision.WorkshopSizes
	if o.outputs() < 2 {
		sizes.Large = 0
	}
	all := len(p.set.Train) + len(p.set.Val)
	bar := progress.New(all, "Reading photographs")
	defer bar.Close()
	build := func(list []vision.Photo, before int) (*vision.Cache, error) {
		return vision.BuildCache(ctx, p.set, list, vision.CacheOptions{
			Sizes: sizes, Threads: o.Threads, SkipBad: o.SkipBad,
			Progress: func(done, total int) { bar.Set(before+done, "") },
		})
	}
	var failed [2]error
	p.train, failed[0] = build(p.set.Train, 0)
	p.val, failed[1] = build(p.set.Val, len(p.set.Train))
	if err := errors.Join(failed[:]...); err != nil {
		bar.Close()
		if !o.SkipBad {
			return nil, fmt.Errorf("%w\n  -skip-bad leaves them out", err)
		}
		return nil, err
	}
	bar.Close()
	skipped := append(p.train.Skipped, p.val.Skipped...)
	for _, err := range skipped {
		fmt.Fprintf(log, "left out: %v\n", err)
	}
	if n := len(skipped); n > 0 {
		fmt.Fprintf(log, "%d of %d photographs were left out\n", n, all)
	}
	return p, nil
}

// batch is what a model of superres learns from in a step.
type batch = train.Batch[superres.Input, superres.Output]

// batches turns a loader's batches into the training loop's.
type batches struct {
	*vision.Loader
	outputs  int
	features *features // nil for a model that needs none
}

func (b batches) Epoch(epoch int) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		for _, photos := range b.Loader.Epoch(epoch) {
			next := batch{
				Input:  superres.Input{Photo: autograd.Constant(photos.X), Features: b.features.of(photos.X, photos.Index)},
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

// makeOut makes the folder for the results, and refuses one that has some: nothing
// that took hours is to be written over. undo takes away again what was made, unless
// something has been put there.
func makeOut(dir string) (undo func(), err error) {
	var made []string
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil || filepath.Dir(d) == d {
			break
		}
		made = append(made, d)
	}
	undo = func() {
		for _, d := range made {
			os.Remove(d) // fails unless it is empty
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		undo()
		return nil, fmt.Errorf("-out %s: expected a folder that can be made: %w", dir, err)
	}
	for _, name := range []string{runs.ConfigFile, runs.WeightsFile} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return nil, fmt.Errorf("-out %s: expected a folder without results, found %s of an earlier run; choose another folder", dir, name)
		}
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		undo()
		return nil, fmt.Errorf("-out %s: expected a folder that can be written to: %w", dir, err)
	}
	probe.Close()
	return undo, os.Remove(probe.Name())
}
