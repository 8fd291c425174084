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
	t := &trial{options: o, peer: p, model: m.forTrial(), loss: loss, log: log}
	if t.model != m { // a smaller picture has another loss
		ours, err := beginOurs(ctx, o, t.model)
		if err != nil {
			return nil, err
		}
		ours.close()
		t.loss = ours.losses[0]
	}
	defer t.close()
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	whole, _ := m.work()
	part, _ := t.model.work()
	train, infer := t.fastest((*tried).trainTime), t.fastest((*tried).inferTime)
	var es []entry
	for _, v := range t.field {
		e := entry{variant: v.variant, trains: slices.Contains(train, v), predicts: slices.Contains(infer, v), tried: v.infer * whole / part}
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
	field   []*tried
}

// A tried variant has the least times that it needed, in seconds; 0 for what it does not do.
type tried struct {
	*contestant
	end          func() // its process
	messages     bytes.Buffer
	train, infer float64
}

func (v *tried) trainTime() float64 { return v.train }
func (v *tried) inferTime() float64 { return v.infer }

// closeTimes is how much longer the second may take to enter the race, too. A trial is too short
// to tell such two apart, and its processes do both: who only predicts in the race can find the
// system's allocator slower than after training.
const closeTimes = 1.25

// fastest returns who is the fastest so far, and who is second if that is close.
func (t *trial) fastest(seconds func(*tried) float64) []*tried {
	var able []*tried
	for _, v := range t.field {
		if seconds(v) > 0 {
			able = append(able, v)
		}
	}
	slices.SortStableFunc(able, func(a, b *tried) int { return cmp.Compare(seconds(a), seconds(b)) })
	n := min(1, len(able))
	if len(able) > 1 && seconds(able[1]) <= closeTimes*seconds(able[0]) {
		n = 2
	}
	return able[:n]
}

// run tries every way with the preferred allocator, and the fastest ways with the others.
func (t *trial) run(ctx context.Context) error {
	ways, allocators := t.peer.ways, append(slices.Clone(t.peer.allocators), "")
	if len(ways) == 0 {
		ways = []string{""}
	}
	for _, way := range ways {
		if err := t.admit(ctx, variant(way, allocators[0])); err != nil {
			return err
		}
	}
	if len(ways) > 1 {
		if err := t.time(ctx); err != nil || len(allocators) == 1 {
			return err
		}
		t.keepFastest()
	}
	for _, way := range ways {
		if !slices.ContainsFunc(t.field, func(v *tried) bool { return v.variant == variant(way, allocators[0]) }) {
			continue
		}
		for _, allocator := range allocators[1:] {
			if err := t.admit(ctx, variant(way, allocator)); err != nil {
				return err
			}
		}
	}
	return t.time(ctx)
}

// keepFastest lets all but the two that lead end: each takes the memory of a model in training.
func (t *trial) keepFastest() {
	train, infer := t.fastest((*tried).trainTime), t.fastest((*tried).inferTime)
	t.field = slices.DeleteFunc(t.field, func(v *tried) bool {
		if len(train) > 0 && v == train[0] || len(infer) > 0 && v == infer[0] {
			return false
		}
		v.end()
		return true
	})
}

// close ends all processes.
func (t *trial) close() {
	for _, v := range t.field {
		v.end()
	}
}

// admit starts a variant, if that takes no longer than the limit.
func (t *trial) admit(ctx context.Context, variant string) error {
	limited, cancel := context.WithCancelCause(ctx)
	limit := time.AfterFunc(time.Duration(t.options.trial)*time.Second, func() {
		cancel(inability(fmt.Sprintf("it needs more than %d s, which -peer-trial can change", t.options.trial)))
	})
	v := &tried{end: func() { cancel(nil) }}
	c, err := meet(limited, t.options, t.model, t.peer, entry{variant: variant, trains: true, predicts: true}, &v.messages)
	if !limit.Stop() && err != nil {
		err = context.Cause(limited)
	}
	if err != nil {
		v.end()
		return t.leaveOut(ctx, withVariant(t.peer.title, variant), v, err)
	}
	v.contestant = c
	v.end = func() {
		c.close()
		cancel(nil)
	}
	t.field = append(t.field, v)
	return c.agrees(t.model, t.loss)
}

// leaveOut says on the log why a variant cannot run: that leaves out only this one. An error that
// is not of that kind, such as an answer that nobody understands, it returns.
func (t *trial) leaveOut(ctx context.Context, name string, v *tried, err error) error {
	var unable inability
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &unable):
		fmt.Fprintf(t.log, "bench: %v: %s: %s: left out\n", t.model, name, format.Printable(string(unable)))
	case errors.Is(err, errEnded):
		fmt.Fprintf(t.log, "bench: %v: %v%s: left out\n", t.model, err, lastLine(v.messages.Bytes()))
	default:
		return alone(t.model, err)
	}
	return nil
}

// A trial has so many turns, each of about so many seconds.
const (
	trialTurns   = 4
	trialSeconds = 0.25
)

// time has all take turns, and remembers the least times: what else runs on the machine only
// makes them longer.
func (t *trial) time(ctx context.Context) error {
	for _, v := range t.field {
		v.train, v.infer = 0, 0 // anew, beside those who have joined
	}
	for range trialTurns {
		for _, v := range slices.Clone(t.field) {
			err := v.turn(t.least((*tried).trainTime), t.least((*tried).inferTime))
			if err == nil {
				continue
			}
			v.end() // and has written all its messages
			t.field = slices.DeleteFunc(t.field, func(other *tried) bool { return other == v })
			if err := t.leaveOut(ctx, v.String(), v, err); err != nil {
				return err
			}
		}
	}
	for _, v := range t.field {
		fmt.Fprintf(t.log, "bench: %v: %v: %s\n", t.model, v, v.times())
	}
	return nil
}

// least returns the least time of all so far, or 0.
func (t *trial) least(seconds func(*tried) float64) float64 {
	for _, v := range t.fastest(seconds) {
		return seconds(v)
	}
	return 0
}

// turn times some training steps and predictions.
func (v *tried) turn(leastTrain, leastInfer float64) error {
	if v.trains {
		if err := v.measure("train", &v.train, leastTrain); err != nil {
			return err
		}
	}
	return v.measure("infer", &v.infer, leastInfer)
}

// measure remembers the least time, unless another needs a third of it: then there is no hope.
func (v *tried) measure(what string, mine *float64, least float64) error {
	n := 1
	if *mine > 0 {
		if *mine > 3*least {
			return nil
		}
		n = max(1, min(20, int(trialSeconds / *mine)))
	}
	time.Sleep(betweenTurns)
	s, err := v.contestant.time(what, n)
	if err == nil && (*mine == 0 || s < *mine) {
		*mine = s
	}
	return err
}

// times is what the log says of it.
func (v *tried) times() string {
	s := "prediction " + format.Milliseconds(v.infer)
	if v.train > 0 {
		s = "training step " + format.Milliseconds(v.train) + ", " + s
	}
	return s
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
