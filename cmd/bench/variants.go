package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"slices"
	"time"

	"pixelgrad/cmd/internal/format"
)

// A peer is compared with at its best. One that can compute a model in several ways, or take its
// memory from several allocators, says so; a variant is a way with an allocator. Before the race
// a trial runs variants in processes of their own; the fastest for a training step and the fastest
// for a prediction enter the race, and beside them the plain variant: the first way with the
// system's allocator.

// An entry is what a peer's process does in the race.
type entry struct {
	variant          string // "" if the peer has one alone
	plain            bool   // whether it is how most people run the peer
	trains, predicts bool
	tried            float64 // seconds that a prediction took in the trial, or 0
}

// varies tells whether the peer has variants.
func (p peer) varies() bool { return len(p.ways)+len(p.allocators) > 0 }

// variant names a way with an allocator. "" is the only way, and the system's allocator.
func variant(way, allocator string) string {
	if way == "" || allocator == "" {
		return way + allocator
	}
	return way + ", " + allocator
}

// withVariant is how a peer is called that has variants.
func withVariant(title, variant string) string {
	if variant == "" {
		return title
	}
	return fmt.Sprintf("%s (%s)", title, variant)
}

// entries returns what of the peer enters the race, the plain variant last.
func (p peer) entries(ctx context.Context, o *options, m modelSpec, loss float64, log io.Writer) ([]entry, error) {
	plain := entry{plain: len(p.ways) > 0, trains: true, predicts: true}
	if plain.plain {
		plain.variant = p.ways[0]
	}
	if !p.varies() || o.trial == 0 {
		return []entry{plain}, nil
	}
	t := trial{options: o, peer: p, model: m.forTrial(), loss: loss, log: log}
	if t.model != m { // a smaller picture has another loss
		ours, err := beginOurs(ctx, o, t.model)
		if err != nil {
			return nil, err
		}
		ours.close()
		t.loss = ours.losses[0]
	}
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	whole, _ := m.work()
	part, _ := t.model.work()
	train, infer := t.fastest(tried.trainTime), t.fastest(tried.inferTime)
	var es []entry
	for _, found := range t.done {
		e := entry{variant: found.variant, trains: slices.Contains(train, found), predicts: slices.Contains(infer, found), tried: found.infer * whole / part}
		if (e.trains || e.predicts) && !(plain.plain && e.variant == plain.variant) {
			es = append(es, e)
		}
	}
	if plain.plain || len(es) == 0 {
		es = append(es, plain)
	}
	return es, nil
}

// A trial finds out which variants of a peer are the fastest.
type trial struct {
	options *options
	peer    peer
	model   modelSpec
	loss    float64 // that all must compute
	log     io.Writer
	done    []tried
}

// tried is what a variant takes, in seconds; 0 for what it does not do.
type tried struct {
	variant      string
	train, infer float64
}

func (v tried) trainTime() float64 { return v.train }
func (v tried) inferTime() float64 { return v.infer }

// fastest returns who is the fastest so far, and who is next if that is by a tenth or less: a
// trial is too short to tell those apart, and the race decides.
func (t *trial) fastest(seconds func(tried) float64) []tried {
	var able []tried
	for _, v := range t.done {
		if seconds(v) > 0 {
			able = append(able, v)
		}
	}
	slices.SortStableFunc(able, func(a, b tried) int { return cmp.Compare(seconds(a), seconds(b)) })
	if len(able) > 1 && seconds(able[1]) <= 1.1*seconds(able[0]) {
		return able[:2]
	}
	return able[:min(1, len(able))]
}

// run tries every way with the preferred allocator, and the fastest ways with the others.
func (t *trial) run(ctx context.Context) error {
	ways, allocators := t.peer.ways, append(slices.Clone(t.peer.allocators), "")
	if len(ways) == 0 {
		ways = []string{""}
	}
	for _, way := range ways {
		if err := t.try(ctx, variant(way, allocators[0])); err != nil {
			return err
		}
	}
	leading := append(first(t.fastest(tried.trainTime)), first(t.fastest(tried.inferTime))...)
	for _, way := range ways {
		if !slices.ContainsFunc(leading, func(v tried) bool { return v.variant == variant(way, allocators[0]) }) {
			continue
		}
		for _, allocator := range allocators[1:] {
			if err := t.try(ctx, variant(way, allocator)); err != nil {
				return err
			}
		}
	}
	return nil
}

// first returns the first one, if there is one.
func first(vs []tried) []tried { return vs[:min(1, len(vs)):min(1, len(vs))] }

// try runs a variant. Whatever keeps it from running leaves it out, and only it; that it computes
// something else, or answers what nobody understands, is an error.
func (t *trial) try(ctx context.Context, variant string) error {
	name := withVariant(t.peer.title, variant)
	limited, cancel := context.WithTimeout(ctx, time.Duration(t.options.trial)*time.Second)
	defer cancel()
	var messages bytes.Buffer
	c, err := meet(limited, t.options, t.model, t.peer, entry{variant: variant, trains: true, predicts: true}, &messages)
	found := tried{variant: variant}
	if err == nil {
		if err := c.agrees(t.model, t.loss); err != nil {
			c.close()
			return err
		}
		if c.trains {
			found.train, err = c.leastTime("train")
		}
		if err == nil {
			found.infer, err = c.leastTime("infer")
		}
		c.close() // and has written all its messages
	}
	var unable inability
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		t.done = append(t.done, found)
		fmt.Fprintf(t.log, "bench: %v: %s: %s\n", t.model, name, found)
	case limited.Err() != nil:
		fmt.Fprintf(t.log, "bench: %v: %s needs more than %d s for a trial: left out. -peer-trial gives it more\n", t.model, name, t.options.trial)
	case errors.As(err, &unable):
		fmt.Fprintf(t.log, "bench: %v: %s: %s: left out\n", t.model, name, format.Printable(string(unable)))
	case errors.Is(err, errEnded):
		fmt.Fprintf(t.log, "bench: %v: %v%s: left out\n", t.model, err, lastLine(messages.Bytes()))
	default:
		return alone(t.model, err)
	}
	return nil
}

// String is what the log says of it.
func (t tried) String() string {
	s := "prediction " + format.Milliseconds(t.infer)
	if t.train > 0 {
		s = "training step " + format.Milliseconds(t.train) + ", " + s
	}
	return s
}

// A trial measures for this many seconds, in turns that are a tenth of that at least.
const trialSeconds = 1.0

// leastTime returns the least time of a few training steps or predictions: what else runs on the
// machine only makes them longer.
func (c *contestant) leastTime(what string) (float64, error) {
	least, spent, n := math.Inf(1), 0.0, 1
	for turn := 0; turn < 2 || turn < 8 && spent < trialSeconds; turn++ {
		s, err := c.time(what, n)
		if err != nil {
			return 0, err
		}
		least = min(least, s)
		spent += s * float64(n)
		n = max(1, min(20, int(trialSeconds/10/s)))
	}
	return least, nil
}

// trialWork is how many operations a prediction of a trial has at most, if it can be of a part
// of the picture: a few seconds.
const trialWork = 1e12

// forTrial returns the model with a picture that is small enough for a trial.
func (m modelSpec) forTrial() modelSpec {
	predict, _ := m.work()
	if m.batch > 0 || predict <= trialWork {
		return m
	}
	shrink := math.Sqrt(trialWork / predict)
	side := func(n int) int { return max(2, int(float64(n)*shrink)) }
	m.picture = image.Pt(side(m.picture.X), side(m.picture.Y))
	return m
}
