package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pixelgrad/cmd/internal/format"
)

// A peer is a script that runs our models in another library, or another build of this
// command.
type peer struct {
	title  string // of the library, with its version
	script string
	build  string   // the other build's file
	only   []string // the models that it runs; nil for all
}

// runs tells whether the peer runs a model.
func (p peer) runs(m modelSpec) bool { return p.only == nil || slices.Contains(p.only, m.name) }

// peerEnv tells the peers' threads to sleep while they have nothing to do, for they would
// take ours' time, and OpenBLAS, which PyTorch does not tell, how many it may have.
func peerEnv(threads int) []string {
	return []string{"OMP_WAIT_POLICY=passive", fmt.Sprintf("OPENBLAS_NUM_THREADS=%d", threads)}
}

// findPeers returns the peers that can run. Which cannot, and why, it tells log: a machine
// without PyTorch still has its own figures to show.
func findPeers(ctx context.Context, o *options, log io.Writer) ([]peer, error) {
	var found []peer
	if o.against != "" {
		if _, err := exec.LookPath(o.against); err != nil {
			return nil, fmt.Errorf("-against: expected another build of this command, made by go build ./cmd/bench: %w", err)
		}
		found = append(found, peer{title: filepath.Base(o.against), build: o.against})
	}
	if o.peer == "" {
		return found, nil
	}
	for _, script := range strings.Split(o.scripts, ",") {
		if _, err := os.Stat(script); err != nil {
			return nil, fmt.Errorf("-peer-scripts: %w; run from the project's folder, or say where the scripts are", err)
		}
		cmd := exec.CommandContext(ctx, o.peer, script)
		cmd.Env = append(os.Environ(), peerEnv(o.threads)...)
		out, err := cmd.Output()
		var a answer
		var status *exec.ExitError
		switch {
		case err != nil && !errors.As(err, &status):
			fmt.Fprintf(log, "bench: -peer %s cannot be run (%v): expected the name or path of a Python that has PyTorch; ours is measured alone\n", o.peer, err)
			return found, nil
		case err != nil:
			fmt.Fprintf(log, "bench: -peer %s: expected a Python that runs %s, it ended with %v%s; left out\n", o.peer, script, err, lastLine(status.Stderr))
		case json.Unmarshal(out, &a) != nil || a.Name == "" && a.Missing == "":
			fmt.Fprintf(log, "bench: -peer %s: expected a Python that runs %s, it answered %s; left out\n", o.peer, script, format.Quote(string(out)))
		case a.Missing != "":
			fmt.Fprintf(log, "bench: -peer %s: %s; left out\n", o.peer, format.Printable(a.Missing))
		default:
			found = append(found, peer{title: a.Name, script: script, only: a.Only})
		}
	}
	if len(found) == 0 {
		fmt.Fprintln(log, "bench: there is nothing to compare with: ours is measured alone")
	}
	return found, nil
}

// lastLine returns where a Python's message says what happened.
func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return fmt.Sprintf(" (%s)", format.Printable(last))
	}
	return ""
}

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
	Name string `json:"name"`
	figures
	TrainRatio       float64 `json:"train_ratio,omitempty"`
	InferRatio       float64 `json:"infer_ratio,omitempty"`
	TrainMemoryRatio float64 `json:"train_memory_ratio,omitempty"`
	InferMemoryRatio float64 `json:"infer_memory_ratio,omitempty"`

	// TooSlow, if not 0, is how many seconds the first prediction took of a peer that
	// was then left out.
	TooSlow float64 `json:"too_slow_seconds,omitempty"`
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

// A contestant is a process that runs a model: ours or a peer.
type contestant struct {
	*process
	title        string
	trains       bool
	loss         float64
	first        float64   // seconds that the first prediction took
	train, infer []float64 // seconds, by round
	figures
}

// begin lets the contestant predict for the first time, and asks for the loss.
func (c *contestant) begin(predictsOnly bool) error {
	var a answer
	start := time.Now()
	if predictsOnly { // then the loss takes a prediction, and no second one is needed
		if err := c.ask(&a, "loss"); err != nil {
			return err
		}
		c.loss = a.Loss
	} else if err := c.ask(&a, "infer 1"); err != nil {
		return err
	}
	c.first = time.Since(start).Seconds()
	if err := c.ask(&a, "memory"); err != nil {
		return err
	}
	c.InferMemory = a.Bytes
	if !predictsOnly {
		if err := c.ask(&a, "loss"); err != nil {
			return err
		}
		c.loss = a.Loss
	}
	return nil
}

// finish computes the figures.
func (c *contestant) finish(m modelSpec, peak float64) error {
	predict, train := m.work()
	c.Infer = median(c.infer)
	c.InferShare = predict / c.Infer / peak
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

// measureModel measures a model in a process of its own, in turn with the peers. All must
// compute the same loss before any is timed.
func measureModel(ctx context.Context, o *options, m modelSpec, peers []peer, log io.Writer) (modelResult, error) {
	r := modelResult{Model: m.name, Batch: m.batch}
	if m.batch == 0 {
		r.Picture = sizeText(m.picture)
	}
	predictsOnly := m.predictsOnly()
	p, err := self(ctx, nil, append(m.serving(), "-threads", fmt.Sprint(o.threads), "-without", strings.Join(o.without, ","))...)
	if err != nil {
		return r, err
	}
	defer p.close()
	ours := &contestant{process: p, title: "ours", trains: !predictsOnly}
	if err := ours.begin(predictsOnly); err != nil {
		return r, err
	}
	all := []*contestant{ours}
	for _, peer := range peers {
		if !peer.runs(m) {
			continue
		}
		c, err := meet(ctx, o, m, peer)
		if err != nil {
			return r, fmt.Errorf("%v: %w; without -peer and -against ours is measured alone", m, err)
		}
		defer c.close()
		if !(math.Abs(c.loss-ours.loss) <= lossTolerance*ours.loss) {
			return r, fmt.Errorf("%v: the loss is %v, and %s computes %v from the same weights: expected them to differ by %v of it at most; one of the two is wrong, and nothing was timed", m, ours.loss, c.title, c.loss, lossTolerance)
		}
		if c.first > max(patience, 10*ours.first) {
			fmt.Fprintf(log, "bench: %v: %s computes the same, but needed %.0f s for a prediction, ours %.0f: left out. It is faster with a good BLAS, on Debian: apt install libopenblas0-pthread\n", m, c.title, c.first, ours.first)
			r.Peers = append(r.Peers, peerResult{Name: c.title, TooSlow: c.first})
			continue
		}
		all = append(all, c)
	}
	peak, err := race(o.rounds, all)
	if err != nil {
		return r, err
	}
	r.Peak = peak
	for _, c := range all {
		if err := c.finish(m, peak); err != nil {
			return r, err
		}
	}
	r.figures = ours.figures
	for _, c := range all[1:] {
		p := peerResult{Name: c.title, figures: c.figures,
			InferRatio:       median(quotients(ours.infer, c.infer)),
			InferMemoryRatio: ours.InferMemory / c.InferMemory}
		if c.trains {
			p.TrainRatio = median(quotients(ours.train, c.train))
			p.TrainMemoryRatio = ours.TrainMemory / c.TrainMemory
		}
		r.Peers = append(r.Peers, p)
	}
	return r, nil
}

// meet starts a peer and has it predict for the first time.
func meet(ctx context.Context, o *options, m modelSpec, p peer) (*contestant, error) {
	predictsOnly, threads := m.predictsOnly(), fmt.Sprint(o.threads)
	program, args := o.peer, []string{p.script, m.name, m.amount(), threads}
	if p.build != "" {
		program, args = p.build, append(m.serving(), "-threads", threads)
	}
	process, err := start(ctx, p.title, peerEnv(o.threads), program, args...)
	if err != nil {
		return nil, err
	}
	c := &contestant{process: process, title: p.title, trains: p.build != "" && !predictsOnly}
	if p.build == "" {
		var a answer
		err = c.ask(&a, "version")
		c.trains = a.Trains
	}
	if err == nil {
		err = c.begin(predictsOnly)
	}
	if err != nil {
		c.close()
		return nil, err
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
		for _, c := range all {
			if !c.trains {
				continue
			}
			var a answer
			time.Sleep(betweenTurns)
			if err := c.ask(&a, "train %d", trainEach); err != nil {
				return 0, err
			}
			c.train = append(c.train, a.Seconds)
		}
		for _, c := range all {
			var a answer
			time.Sleep(betweenTurns)
			if err := c.ask(&a, "infer %d", inferEach); err != nil {
				return 0, err
			}
			c.infer = append(c.infer, a.Seconds)
		}
		var a answer
		time.Sleep(betweenTurns)
		if err := all[0].ask(&a, "peak"); err != nil {
			return 0, err
		}
		peaks = append(peaks, a.Rate)
		if round < 0 {
			slowest := 0.0
			for _, c := range all {
				slowest = max(slowest, append(c.train, 0)[0])
			}
			trainEach = repetitions(slowest)
			slowest = 0
			for _, c := range all {
				slowest = max(slowest, c.infer[0])
				c.train, c.infer = nil, nil
			}
			inferEach = repetitions(slowest)
		}
	}
	return median(peaks), nil
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
