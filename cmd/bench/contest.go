package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

// figures are what a model takes. What was not measured is 0.
type figures struct {
	Train       float64 `json:"train_seconds,omitempty"`
	Infer       float64 `json:"infer_seconds,omitempty"`
	TrainMemory float64 `json:"train_peak_bytes,omitempty"` // of a process that trains and predicts
	InferMemory float64 `json:"infer_peak_bytes,omitempty"` // of one that has only predicted
	TrainShare  float64 `json:"train_of_peak,omitempty"`    // by the operations that work counts
	InferShare  float64 `json:"infer_of_peak,omitempty"`
}

// A peerResult is what a peer takes. The ratios are ours / the peer's; of times, the median
// of the rounds'.
type peerResult struct {
	Name  string `json:"name"`
	Plain bool   `json:"plain,omitempty"` // as most people run it, and not at its best
	figures
	TrainVariant     string  `json:"train_variant,omitempty"` // that is the fastest
	InferVariant     string  `json:"infer_variant,omitempty"`
	TrainRatio       float64 `json:"train_ratio,omitempty"`
	InferRatio       float64 `json:"infer_ratio,omitempty"`
	TrainMemoryRatio float64 `json:"train_memory_ratio,omitempty"`
	InferMemoryRatio float64 `json:"infer_memory_ratio,omitempty"`

	// TooSlow, if not 0, is how many seconds a prediction took of a peer that was then
	// left out.
	TooSlow float64 `json:"too_slow_seconds,omitempty"`

	own bool // whether it is another build of this command
}

// A modelResult is what a model takes here and in the peers.
type modelResult struct {
	Model   string  `json:"model"`
	Batch   int     `json:"batch,omitempty"`
	Picture string  `json:"picture,omitempty"` // the size of the one that is enlarged
	Peak    float64 `json:"peak_operations_per_second"`
	figures
	Peers []peerResult `json:"peers,omitempty"`
}

// A contestant is a process that runs a model: ours, or a peer's in one of its variants.
type contestant struct {
	*process
	entry
	title        string // of the library
	own          bool   // whether it is this command, or another build of it
	losses       []float64
	first        float64   // seconds that the first prediction took, or one in the trial
	train, infer []float64 // seconds, by round
	figures
}

// String is what messages call it.
func (c *contestant) String() string { return withVariant(c.title, c.variant) }

// An inability is why a contestant says that it cannot run.
type inability string

func (e inability) Error() string { return string(e) }

// ask sends a line and decodes the answer, unless that is an inability.
func (c *contestant) ask(a *answer, format string, args ...any) error {
	*a = answer{}
	if err := c.process.ask(a, format, args...); err != nil {
		return err
	}
	if a.Missing != "" {
		return inability(a.Missing)
	}
	return nil
}

// time asks how many seconds each of n training steps or predictions takes.
func (c *contestant) time(what string, n int) (float64, error) {
	var a answer
	if err := c.ask(&a, "%s %d", what, n); err != nil {
		return 0, err
	}
	if !(a.Seconds > 0) {
		return 0, fmt.Errorf("%v: asked for \"%s %d\", expected seconds above 0, it answered %v", c, what, n, a.Seconds)
	}
	return a.Seconds, nil
}

// begin lets the contestant predict for the first time, if it is to, and asks for the losses.
func (c *contestant) begin(predictsOnly bool) error {
	if c.predicts {
		if err := c.beginPredicting(predictsOnly); err != nil {
			return err
		}
	}
	if c.trains && !c.own {
		return c.askLoss("loss train")
	}
	return nil
}

func (c *contestant) beginPredicting(predictsOnly bool) error {
	var a answer
	start := time.Now()
	if predictsOnly { // then the loss takes a prediction, and no second one is needed
		if err := c.askLoss("loss"); err != nil {
			return err
		}
	} else if err := c.ask(&a, "infer 1"); err != nil {
		return err
	}
	c.first = time.Since(start).Seconds()
	if err := c.ask(&a, "memory"); err != nil {
		return err
	}
	c.InferMemory = a.Bytes
	if predictsOnly {
		return nil
	}
	return c.askLoss("loss")
}

func (c *contestant) askLoss(request string) error {
	var a answer
	if err := c.ask(&a, "%s", request); err != nil {
		return err
	}
	c.losses = append(c.losses, a.Loss)
	return nil
}

// finish computes the figures.
func (c *contestant) finish(m modelSpec, peak float64) error {
	predict, train := m.work()
	if c.predicts {
		c.Infer = median(c.infer)
		c.InferShare = predict / c.Infer / peak
	}
	if !c.trains {
		return nil
	}
	c.Train = median(c.train)
	c.TrainShare = train / c.Train / peak
	var a answer
	if err := c.ask(&a, "memory"); err != nil {
		return err
	}
	c.TrainMemory = a.Bytes
	return nil
}

// patience is how many seconds a peer's prediction may take, if ours does not take a tenth of
// that. PyTorch with the reference BLAS needs a minute for CLIP's tower, which says nothing
// about PyTorch.
const patience = 20

// lossTolerance is how much losses may differ, of the loss. It is float32's error after
// a dozen layers, and a tenth of what one wrong weight in a layer makes.
const lossTolerance = 1e-5

// agrees checks that a contestant computes the same loss as ours, wherever it computes it.
func (c *contestant) agrees(m modelSpec, loss float64) error {
	for _, theirs := range c.losses {
		if !(math.Abs(theirs-loss) <= lossTolerance*loss) {
			return fmt.Errorf("%v: the loss is %v, and %v computes %v from the same weights: expected them to differ by %v of it at most; one of the two is wrong, and nothing was timed", m, loss, c, theirs, lossTolerance)
		}
	}
	return nil
}

// beginOurs starts our process.
func beginOurs(ctx context.Context, o *options, m modelSpec) (*contestant, error) {
	p, err := self(ctx, nil, append(m.serving(), "-threads", fmt.Sprint(o.threads), "-without", strings.Join(o.without, ","))...)
	if err != nil {
		return nil, err
	}
	c := &contestant{process: p, title: "ours", own: true, entry: entry{trains: !m.predictsOnly(), predicts: true}}
	if err := c.begin(m.predictsOnly()); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// measureModel measures a model in a process of its own, in turn with the peers. All must
// compute the same loss before any is timed.
func measureModel(ctx context.Context, o *options, m modelSpec, peers []peer, log io.Writer) (modelResult, error) {
	r := modelResult{Model: m.name, Batch: m.batch}
	if m.batch == 0 {
		r.Picture = sizeText(m.picture)
	}
	ours, err := beginOurs(ctx, o, m)
	if err != nil {
		return r, err
	}
	defer ours.close()
	all := []*contestant{ours}
	var fields [][]*contestant // of each peer that runs the model
	for _, p := range peers {
		if !p.runs(m) {
			continue
		}
		entries, err := p.entries(ctx, o, m, ours.losses[0], log)
		if err != nil {
			return r, err
		}
		var field []*contestant
		for _, e := range entries {
			c, err := meet(ctx, o, m, p, e, os.Stderr)
			if err != nil {
				return r, alone(m, err)
			}
			defer c.close()
			if err := c.agrees(m, ours.losses[0]); err != nil {
				return r, err
			}
			field = append(field, c)
			if c.tooSlow(ours) {
				fmt.Fprintf(log, "bench: %v: %v computes the same, but needed %.0f s for a prediction, ours %.0f: left out. It is faster with a good BLAS, on Debian: apt install libopenblas0-pthread\n", m, c, c.first, ours.first)
				continue
			}
			all = append(all, c)
		}
		fields = append(fields, field)
	}
	if r.Peak, err = race(o.rounds, all); err != nil {
		return r, err
	}
	for _, c := range all {
		if err := c.finish(m, r.Peak); err != nil {
			return r, err
		}
	}
	r.figures = ours.figures
	for _, field := range fields {
		r.Peers = append(r.Peers, compare(ours, field)...)
	}
	return r, nil
}

// alone says of an error of a peer's process how to do without.
func alone(m modelSpec, err error) error {
	return fmt.Errorf("%v: %w; without -peer and -against ours is measured alone", m, err)
}

// tooSlow tells whether measuring a contestant would only try everybody's patience.
func (c *contestant) tooSlow(ours *contestant) bool { return c.first > max(patience, 10*ours.first) }

// compare returns what a peer takes in the variants that are its fastest, and if one is plain
// what that takes. The fastest are those of the race, in which the plain one runs, too: a
// trial is short and can be mistaken.
func compare(ours *contestant, field []*contestant) []peerResult {
	best := peerResult{Name: field[0].title, own: field[0].own}
	rs := make([]peerResult, 1, 2)
	for _, c := range field {
		if c.tooSlow(ours) {
			best.TooSlow = c.first
		} else {
			best.takeFaster(ours, c)
		}
		if c.plain {
			plain := peerResult{Name: c.title, Plain: true, InferVariant: c.variant}
			if c.tooSlow(ours) {
				plain.TooSlow = c.first
			} else {
				plain.takeFaster(ours, c)
			}
			rs = append(rs, plain)
		}
	}
	if best.Infer > 0 {
		best.TooSlow = 0
	}
	rs[0] = best
	return rs
}

// takeFaster takes over what a contestant does faster.
func (r *peerResult) takeFaster(ours, c *contestant) {
	if c.predicts && (r.Infer == 0 || c.Infer < r.Infer) {
		r.InferVariant = c.variant
		r.Infer, r.InferShare, r.InferMemory = c.Infer, c.InferShare, c.InferMemory
		r.InferRatio = median(quotients(ours.infer, c.infer))
		r.InferMemoryRatio = ours.InferMemory / c.InferMemory
	}
	if c.trains && (r.Train == 0 || c.Train < r.Train) {
		r.TrainVariant = c.variant
		r.Train, r.TrainShare, r.TrainMemory = c.Train, c.TrainShare, c.TrainMemory
		r.TrainRatio = median(quotients(ours.train, c.train))
		r.TrainMemoryRatio = ours.TrainMemory / c.TrainMemory
	}
}

// meet starts a peer's process, and has it do for the first time what it enters for, if it can.
func meet(ctx context.Context, o *options, m modelSpec, p peer, e entry, messages io.Writer) (*contestant, error) {
	threads := fmt.Sprint(o.threads)
	program, args := o.peer, []string{p.script, m.name, m.amount(), threads}
	switch {
	case p.build != "":
		program, args = p.build, append(m.serving(), "-threads", threads)
	case p.varies():
		args = append(args, e.variant)
	}
	process, err := start(ctx, withVariant(p.title, e.variant), peerEnv(o.threads), messages, program, args...)
	if err != nil {
		return nil, err
	}
	c := &contestant{process: process, title: p.title, own: p.build != "", entry: e}
	c.trains = c.trains && !m.predictsOnly()
	if !c.own {
		var a answer
		err = c.ask(&a, "version")
		c.trains = c.trains && a.Trains
	}
	if err == nil {
		err = c.begin(m.predictsOnly())
	}
	if err == nil && c.trains && !c.own { // what it compiles then is no part of a step
		_, err = c.time("train", 1)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	if e.tried > 0 {
		c.first = e.tried
	}
	return c, nil
}

// betweenTurns is time for the threads of who was timed last to fall asleep: OpenBLAS's
// wait awake for 30 ms.
const betweenTurns = 50 * time.Millisecond

// slow is how many seconds a prediction takes before which there is no warming up.
const slow = 10

// race times all contestants in turn, round after round, and returns the processor's peak,
// in operations a second.
func race(rounds int, all []*contestant) (peak float64, err error) {
	trainEach, inferEach := 1, 1
	var peaks []float64
	first := -1 // this round only warms up
	if all[0].first > slow {
		first = 0
	}
	for round := first; round < rounds; round++ {
		order := rotated(all, round)
		if err := turn(order, "train", trainEach); err != nil {
			return 0, err
		}
		if err := turn(order, "infer", inferEach); err != nil {
			return 0, err
		}
		var a answer
		time.Sleep(betweenTurns)
		if err := all[0].ask(&a, "peak"); err != nil {
			return 0, err
		}
		peaks = append(peaks, a.Rate)
		if round < 0 {
			slowTrain, slowInfer := 0.0, 0.0
			for _, c := range all {
				slowTrain = max(slowTrain, append(c.train, 0)[0])
				slowInfer = max(slowInfer, append(c.infer, 0)[0])
				c.train, c.infer = nil, nil
			}
			trainEach, inferEach = repetitions(slowTrain), repetitions(slowInfer)
		}
	}
	return median(peaks), nil
}

// rotated returns all in the order of a round: each is as often the first, who comes after a pause, as
// the others are.
func rotated(all []*contestant, round int) []*contestant {
	k := max(0, round) % len(all)
	return slices.Concat(all[k:], all[:k])
}

// turn has all who can train, or predict, each after the other.
func turn(all []*contestant, what string, n int) error {
	for _, c := range all {
		able, times := c.trains, &c.train
		if what == "infer" {
			able, times = c.predicts, &c.infer
		}
		if !able {
			continue
		}
		time.Sleep(betweenTurns)
		s, err := c.time(what, n)
		if err != nil {
			return err
		}
		*times = append(*times, s)
	}
	return nil
}

// repetitions returns how often in a round something is done: for about a second by the
// slowest, so that its first time after the others' turn does not count for much.
func repetitions(slowest float64) int {
	return max(1, min(20, int(math.Round(1/max(slowest, 0.01)))))
}

// quotients returns a[i]/b[i].
func quotients(a, b []float64) []float64 {
	q := make([]float64, len(a))
	for i := range q {
		q[i] = a[i] / b[i]
	}
	return q
}
