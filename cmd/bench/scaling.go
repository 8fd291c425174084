package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"time"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/internal/recipe"
	"pixelgrad/nn/optim"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// A scalingResult is what training steps of a model take for more and for larger
// photographs.
type scalingResult struct {
	Model   string         `json:"model"`
	Batches []scalingPoint `json:"batches"`
	Sides   []scalingPoint `json:"sides"`
}

// A scalingPoint is one of them.
type scalingPoint struct {
	Batch  int     `json:"batch"`
	Side   int     `json:"side"` // pixels
	Step   float64 `json:"step_seconds"`
	Memory float64 `json:"peak_bytes"`
}

// measureScaling has a process for each point, and asks them in turn, in no particular
// order.
func measureScaling(ctx context.Context, o *options) (*scalingResult, error) {
	r := &scalingResult{Model: o.scaling}
	for _, n := range []int{1, 2, 4, 8, 16} {
		r.Batches = append(r.Batches, scalingPoint{Batch: n, Side: 72})
	}
	for _, side := range []int{36, 72, 144} {
		r.Sides = append(r.Sides, scalingPoint{Batch: 16, Side: side})
	}
	type state struct {
		*process
		each  int
		times []float64
	}
	states := map[scalingPoint]*state{} // by batch and side: one point is in both lists
	for _, pt := range append(r.Batches, r.Sides...) {
		if states[pt] != nil {
			continue
		}
		p, err := self(ctx, nil, "-serve", o.scaling, "-threads", fmt.Sprint(o.threads), "-batch", fmt.Sprint(pt.Batch), "-side", fmt.Sprint(pt.Side))
		if err != nil {
			return nil, err
		}
		defer p.close()
		states[pt] = &state{process: p, each: 1}
	}
	for round := -1; round < o.rounds; round++ { // the first one only warms up
		for _, s := range states {
			var a answer
			if err := s.ask(&a, "train %d", s.each); err != nil {
				return nil, err
			}
			if round >= 0 {
				s.times = append(s.times, a.Seconds)
			}
			s.each = repetitions(2 * a.Seconds)
		}
	}
	for _, list := range [][]scalingPoint{r.Batches, r.Sides} {
		for i := range list {
			s := states[list[i]]
			var a answer
			if err := s.ask(&a, "memory"); err != nil {
				return nil, err
			}
			list[i].Step, list[i].Memory = median(s.times), a.Bytes
		}
	}
	return r, nil
}

// vocPhotographs is how many the training and validation lists of PASCAL VOC 2007 have.
const vocPhotographs = 5011

// A photosResult is how fast photographs become batches.
type photosResult struct {
	Dir         string `json:"dir"`
	Photographs int    `json:"photographs"`

	// Photographs a second that are read, decoded and resized: to 72 and 144 pixels, and
	// to 288 as well.
	TwoSizes   float64 `json:"two_sizes_per_second"`
	ThreeSizes float64 `json:"three_sizes_per_second"`

	// An epoch of SuperResNet's training in batches of 16 after that, and how much of
	// its time it waits for batches.
	Model string  `json:"model"`
	Batch int     `json:"batch"`
	Epoch float64 `json:"epoch_seconds"`
	Wait  float64 `json:"wait_seconds"`
}

// measurePhotos does with photographs what cmd/train does.
func measurePhotos(ctx context.Context, o *options) (*photosResult, error) {
	set, err := vision.OpenDir(o.photos, vision.DatasetOptions{})
	if err != nil {
		return nil, fmt.Errorf("-photos: %w", err)
	}
	list := append(set.Train, set.Val...)
	r := &photosResult{Dir: o.photos, Photographs: len(list), Batch: o.batch}
	two := vision.WorkshopSizes
	two.Large = 0
	var cache *vision.Cache
	build := func(sizes vision.Sizes) (float64, error) {
		start := time.Now()
		c, err := vision.BuildCache(ctx, set, list, vision.CacheOptions{Sizes: sizes, Threads: o.threads})
		if err != nil {
			return 0, fmt.Errorf("-photos: %w", err)
		}
		if sizes == two {
			cache = c
		}
		return float64(len(list)) / time.Since(start).Seconds(), nil
	}
	var rates [2][]float64
	for range o.rounds {
		for i, sizes := range []vision.Sizes{two, vision.WorkshopSizes} {
			rate, err := build(sizes)
			if err != nil {
				return nil, err
			}
			rates[i] = append(rates[i], rate)
		}
	}
	r.TwoSizes, r.ThreeSizes = median(rates[0]), median(rates[1])

	// The quickest of the models waits for the largest share of its time.
	arch := superres.Architectures[0]
	r.Model = arch.Name
	m := arch.New(rand.New(rand.NewPCG(0, 0)))
	recipe.FillWeights(m, 0)
	adam := optim.NewAdam(m.Parameters(), 0.001)
	loader := vision.NewLoader(cache, o.batch, vision.LoaderOptions{Shuffle: true})
	programs := map[int]*compile.Training[superres.Input, superres.Output]{} // by batch
	for epoch := range 2 {                                                   // the first one warms up
		var wait time.Duration
		begin := time.Now()
		last := begin
		for _, b := range until(ctx, loader.Epoch(epoch)) {
			wait += time.Since(last)
			in, target := superres.Input{Photo: autograd.Constant(b.X)}, superres.Output{Mid: autograd.Constant(b.Mid)}
			p := programs[b.X.Dim(0)]
			if p == nil {
				var err error
				if p, err = compile.Train(m.Forward, superres.Loss, in, target, compile.Options{}); err != nil {
					return nil, err
				}
				programs[b.X.Dim(0)] = p
			}
			step(m, p, adam, in, target)
			last = time.Now()
		}
		r.Epoch, r.Wait = time.Since(begin).Seconds(), wait.Seconds()
	}
	return r, nil
}

// until ends a sequence when ctx is done.
func until[K, V any](ctx context.Context, seq iter.Seq2[K, V]) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for k, v := range seq {
			if ctx.Err() != nil || !yield(k, v) {
				return
			}
		}
	}
}

// printScaling shows whether time grows faster than the work.
func printScaling(out io.Writer, r *scalingResult) {
	fmt.Fprintf(out, "\nTraining steps of %s\n\n", r.Model)
	t := newTable(out, "photographs", "pixels", "step", "a photograph", "a pixel", "photographs ×", "pixels ×", "time ×", "peak memory")
	for _, list := range [][]scalingPoint{r.Batches, r.Sides} {
		first := list[0]
		for _, p := range list {
			t.row(fmt.Sprint(p.Batch), fmt.Sprintf("%d×%d", p.Side, p.Side), format.Milliseconds(p.Step), format.Milliseconds(p.Step/float64(p.Batch)),
				fmt.Sprintf("%.0f ns", 1e9*p.Step/float64(p.Batch*p.Side*p.Side)),
				fmt.Sprint(p.Batch/first.Batch), fmt.Sprint(p.Side*p.Side/(first.Side*first.Side)),
				fmt.Sprintf("%.2f", p.Step/first.Step), format.Megabytes(p.Memory))
		}
	}
	t.end()
}

func printPhotos(out io.Writer, r *photosResult, threads int) {
	fmt.Fprintf(out, "\nPhotographs: %d of %s, decoded and resized by %d threads\n\n", r.Photographs, r.Dir, threads)
	t := newTable(out, "squares", "photographs a second", fmt.Sprintf("seconds for VOC 2007's %d", vocPhotographs))
	t.row("72, 144", fmt.Sprintf("%.0f", r.TwoSizes), fmt.Sprintf("%.1f", vocPhotographs/r.TwoSizes))
	t.row("72, 144, 288", fmt.Sprintf("%.0f", r.ThreeSizes), fmt.Sprintf("%.1f", vocPhotographs/r.ThreeSizes))
	t.end()
	fmt.Fprintf(out, "\nAn epoch of %s in batches of %d then takes %.2f s, of which it waits %.1f ms for batches: %.2f%%\n", r.Model, r.Batch, r.Epoch, 1000*r.Wait, 100*r.Wait/r.Epoch)
}
