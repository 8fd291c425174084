package main

import (
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// A fakeLibrary is a peer with variants. It is in fakePeer as JSON.
type fakeLibrary struct {
	Ways, Allocators []string
	Variants         map[string]fakeVariant
}

// A fakeVariant answers with these figures, or does not.
type fakeVariant struct {
	Train, Infer    float64
	Loss, TrainLoss float64
	Missing         string // its answer to train
	Ends            string // its last words before it ends instead of training
	Odd             string // its answer to infer, if it is no JSON
	Sleeps          bool
}

func serveLibrary(what string) {
	var l fakeLibrary
	if err := json.Unmarshal([]byte(what), &l); err != nil {
		panic(err)
	}
	if len(os.Args) == 2 {
		json.NewEncoder(os.Stdout).Encode(answer{Name: "Fake 1.0", Ways: l.Ways, Allocators: l.Allocators})
		return
	}
	v, ok := l.Variants[os.Args[5]]
	if !ok {
		panic("unexpected variant " + os.Args[5])
	}
	answers(os.Stdin, os.Stdout, func(line string) (any, error) {
		switch word := strings.TrimRight(line, " 0123456789"); word {
		case "version":
			return answer{Name: "Fake 1.0", Trains: true}, nil
		case "memory":
			return answer{Bytes: 2e6}, nil
		case "loss":
			return answer{Loss: v.Loss}, nil
		case "loss train":
			return answer{Loss: v.TrainLoss}, nil
		case "infer":
			if v.Odd != "" {
				fmt.Println(v.Odd)
			}
			return answer{Seconds: v.Infer}, nil
		}
		if v.Ends != "" {
			fmt.Fprintln(os.Stderr, v.Ends)
			os.Exit(1)
		}
		if v.Sleeps {
			time.Sleep(time.Minute)
		}
		return answer{Seconds: v.Train, Missing: v.Missing}, nil
	})
}

// withLibrary runs the command beside a library with these variants, each of which computes our
// loss unless it has another.
func withLibrary(t *testing.T, l fakeLibrary, args ...string) (out, log string, err error) {
	t.Helper()
	ours := ourLoss(t)
	for name, v := range l.Variants {
		if v.Loss == 0 {
			v.Loss = ours
		}
		if v.TrainLoss == 0 {
			v.TrainLoss = ours
		}
		l.Variants[name] = v
	}
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	return withPeer(t, string(text), args...)
}

// fourVariants is a library that trains fastest in one variant and predicts fastest in another.
func fourVariants() fakeLibrary {
	return fakeLibrary{Ways: []string{"usual", "quick"}, Allocators: []string{"rich", "poor"}, Variants: map[string]fakeVariant{
		"usual":       {Train: 8, Infer: 4},
		"usual, rich": {Train: 6, Infer: 2},
		"usual, poor": {Train: 7, Infer: 1},
		"quick, rich": {Train: 3, Infer: 3},
		"quick":       {Train: 5, Infer: 5},
		"quick, poor": {Train: 4, Infer: 4},
	}}
}

func hasAll(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
}

// TestVariants expects the fastest variants to be compared with, by name, beside the plain one.
func TestVariants(t *testing.T) {
	out, log, err := withLibrary(t, fourVariants(), "-json")
	if err != nil {
		t.Fatalf("%v; messages %q", err, log)
	}
	var r results
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	peers := r.Models[0].Peers
	if len(peers) != 2 || peers[0].Plain || !peers[1].Plain {
		t.Fatalf("expected the library at its best and plain, found %+v", peers)
	}
	best, plain := peers[0], peers[1]
	if best.TrainVariant != "quick, rich" || best.Train != 3 || best.InferVariant != "usual, poor" || best.Infer != 1 {
		t.Errorf("at its best: %+v", best)
	}
	if plain.TrainVariant != "usual" || plain.Train != 8 || plain.InferVariant != "usual" || plain.Infer != 4 {
		t.Errorf("plain: %+v", plain)
	}
	for _, p := range peers {
		m := r.Models[0]
		if !(math.Abs(p.TrainRatio-m.Train/p.Train) < 1e-9) || !(math.Abs(p.InferRatio-m.Infer/p.Infer) < 1e-9) || p.TrainMemory != 2e6 || p.InferMemory != 2e6 {
			t.Errorf("ratios and memory of %+v, ours %+v", p, m.figures)
		}
	}
	hasAll(t, log, "superresnet@1: Fake 1.0 (quick, rich): training step 3000.0 ms, prediction 3000.0 ms")

	out, _, err = withLibrary(t, fourVariants())
	if err != nil {
		t.Fatal(err)
	}
	hasAll(t, out, "| Fake 1.0 at its best | which is    |", "| quick, rich |", "| usual, poor |", "| Fake 1.0, best    | Fake 1.0, plain   |", "| 3000.0 ms (0.", "| 8000.0 ms (0.", "Fake 1.0, plain, is how most people run it: usual, with the system's allocator.")
}

// TestAllocators has a runtime that has nothing but allocators.
func TestAllocators(t *testing.T) {
	out, log, err := withLibrary(t, fakeLibrary{Allocators: []string{"rich"}, Variants: map[string]fakeVariant{"": {Train: 2, Infer: 2}, "rich": {Train: 1, Infer: 1}}})
	if err != nil {
		t.Fatalf("%v; messages %q", err, log)
	}
	hasAll(t, out, "| the fastest runtime | which is        |", "| Fake 1.0 (rich) |", "| 1000.0 ms (0.")
	if strings.Contains(out, "plain") {
		t.Errorf("a runtime has no plain column:\n%s", out)
	}
}

// TestFailingVariants expects variants that cannot run to be left out, and why on the log.
func TestFailingVariants(t *testing.T) {
	l := fakeLibrary{Ways: []string{"usual", "uncompiled", "crashing", "sleeping"}, Variants: map[string]fakeVariant{
		"usual":      {Train: 4, Infer: 2},
		"uncompiled": {Missing: "there is no compiler"},
		"crashing":   {Train: 1, Infer: 1, Ends: "a stack of frames\nSegmentation fault"},
		"sleeping":   {Train: 1, Infer: 1, Sleeps: true},
	}}
	out, log, err := withLibrary(t, l, "-peer-trial", "1")
	if err != nil {
		t.Fatalf("%v; messages %q", err, log)
	}
	hasAll(t, log, "Fake 1.0 (uncompiled): there is no compiler: left out", "it has ended: EOF (Segmentation fault): left out", "Fake 1.0 (sleeping): it needs more than 1 s, which -peer-trial can change: left out")
	hasAll(t, out, "| usual", "| 4000.0 ms (0.", "| Fake 1.0, plain")

	l.Variants["usual"] = fakeVariant{Train: 4, Infer: 2, Missing: "there is nothing"}
	if out, _, err := withLibrary(t, l, "-peer-trial", "1"); err == nil || !strings.Contains(err.Error(), "there is nothing") || out != "" {
		t.Errorf("the plain one cannot run: error %v, output %q", err, out)
	}
}

// TestOddVariants expects what is wrong with one variant to end the comparison.
func TestOddVariants(t *testing.T) {
	for want, v := range map[string]fakeVariant{
		"Fake 1.0 (quick, rich) computes 0.25 from the same weights": {Train: 1, Infer: 1, Loss: 0.25},
		"Fake 1.0 (quick, rich) computes 0.5 from the same weights":  {Train: 1, Infer: 1, TrainLoss: 0.5},
		`asked for "train 1", expected seconds above 0`:              {Infer: 1},
		`asked for "infer 1", it answered "fine`:                     {Train: 1, Infer: 1, Odd: "fine"},
	} {
		l := fourVariants()
		l.Variants["quick, rich"] = v
		if out, _, err := withLibrary(t, l); err == nil || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("error %v, output %q, want an error that has %q", err, out, want)
		}
	}
}

// TestNoTrial expects the plain variant alone.
func TestNoTrial(t *testing.T) {
	out, log, err := withLibrary(t, fourVariants(), "-peer-trial", "0")
	if err != nil || strings.Contains(log, "quick") {
		t.Fatalf("%v; messages %q", err, log)
	}
	hasAll(t, out, "| usual", "| 8000.0 ms (0.")
}

// TestOddNames expects a peer to be left out that lists what cannot be told apart or printed.
func TestOddNames(t *testing.T) {
	for _, names := range [][]string{{"a", "a"}, {""}, {"a, b"}, {"a|b"}, {"a\nb"}, strings.Fields(strings.Repeat("a ", mostNames+1)), {strings.Repeat("a", 41)}} {
		out, log, err := withPeer(t, string(must(json.Marshal(fakeLibrary{Ways: names}))))
		if err != nil || !strings.Contains(log, "short names without commas") || !strings.Contains(log, "measured alone") || strings.Contains(out, "Fake") {
			t.Errorf("%q: error %v, messages %q", names, err, log)
		}
	}
}

func must(text []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return text
}

// TestFastest expects the next one to race, too, if a trial could not tell the two apart.
func TestFastest(t *testing.T) {
	v := func(name string, train, infer float64) *tried {
		return &tried{contestant: &contestant{entry: entry{variant: name}}, train: train, infer: infer}
	}
	tr := trial{field: []*tried{v("a", 2, 3), v("b", 0, 1.2), v("c", 2.6, 1), v("d", 0, 1.21)}}
	names := func(vs []*tried) (s []string) {
		for _, v := range vs {
			s = append(s, v.variant)
		}
		return s
	}
	if train, infer := names(tr.fastest((*tried).trainTime)), names(tr.fastest((*tried).inferTime)); !slices.Equal(train, []string{"a"}) || !slices.Equal(infer, []string{"c", "b"}) {
		t.Errorf("fastest in training %q, in prediction %q", train, infer)
	}
	if vs := (&trial{}).fastest((*tried).trainTime); len(vs) != 0 {
		t.Errorf("of none: %v", vs)
	}
}

// TestRaceDecides expects the fastest of the race, even where the trial took another for it.
func TestRaceDecides(t *testing.T) {
	ours := &contestant{train: []float64{1}, infer: []float64{1}, figures: figures{TrainMemory: 1, InferMemory: 1}}
	runner := func(name string, plain bool, first, train, infer, memory float64) *contestant {
		return &contestant{title: "L", entry: entry{variant: name, plain: plain, trains: true, predicts: true}, first: first,
			train: []float64{train}, infer: []float64{infer}, figures: figures{Train: train, Infer: infer, TrainMemory: memory, InferMemory: memory}}
	}
	rs := compare(ours, []*contestant{runner("a", false, 1, 4, 3, 10), runner("b", true, 1, 5, 2, 20)})
	if len(rs) != 2 || rs[0].TrainVariant != "a" || rs[0].TrainRatio != 0.25 || rs[0].TrainMemoryRatio != 0.1 || rs[0].InferVariant != "b" || rs[0].InferRatio != 0.5 || rs[0].InferMemoryRatio != 0.05 {
		t.Errorf("at its best: %+v", rs[0])
	}
	if rs[1].TrainVariant != "b" || rs[1].Train != 5 || !rs[1].Plain {
		t.Errorf("plain: %+v", rs[1])
	}
	rs = compare(ours, []*contestant{runner("a", false, 1, 4, 3, 10), runner("b", true, 60, 0, 0, 20)})
	if rs[0].TooSlow != 0 || rs[0].Infer != 3 || rs[1].TooSlow != 60 || rs[1].Infer != 0 {
		t.Errorf("the plain one is too slow: %+v", rs)
	}
	rs = compare(ours, []*contestant{runner("a", false, 61, 0, 0, 10), runner("b", true, 60, 0, 0, 20)})
	if rs[0].TooSlow == 0 || rs[1].TooSlow == 0 {
		t.Errorf("both are too slow: %+v", rs)
	}
}

// TestForTrial expects a part of a large picture.
func TestForTrial(t *testing.T) {
	for _, m := range []modelSpec{batched("vgg16", 1000), enlarging("fast", 1600, 1250)} {
		if got := m.forTrial(); got != m {
			t.Errorf("%v: %v, want it whole", m, got)
		}
	}
	got := enlarging("rrdb", 1600, 800).forTrial()
	if work, _ := got.work(); !(work <= trialWork && work > 0.9*trialWork) || got.picture.X/2-got.picture.Y > 1 {
		t.Errorf("rrdb: %v with %v operations, want about %v", got, work, trialWork)
	}
	if got := enlarging("rrdb", 90000, 2).forTrial(); got.picture.Y != 2 || got.picture == (image.Point{}) {
		t.Errorf("a line: %v", got)
	}
}
