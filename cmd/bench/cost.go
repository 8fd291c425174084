package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"pixelgrad/autograd/compile"
	"pixelgrad/internal/recipe"
	"pixelgrad/nn/optim"
	"pixelgrad/simd"
	"pixelgrad/tensor"
	"pixelgrad/vision/superres"
)

// A model of the cost: what a program does is counted, step by step. How long each kind of work takes
// is measured by itself, on memory that is near, and how fast memory is that is far. What follows is
// what a step must take if nothing else costs time: see docs/performance.md.

// A group is what the tables call some kinds of work.
type group int

const (
	tileWork group = iota
	gradWork
	transformations
	direct
	rows
	elementwise
	weights
	waiting
	memory
	groupCount
)

var groupNames = [groupCount]string{
	"products of tiles",
	"… for the gradient of the weights",
	"transformations of tiles",
	"direct convolutions",
	"rows copied, masked, enlarged",
	"elementwise, enlarging, loss, Adam",
	"weights packed, gradients collected",
	"waiting for threads",
	"memory, beyond what products hide",
}

// groupOf returns the group of a kind.
func groupOf(k tensor.WorkKind) group {
	switch k {
	case tensor.TileProducts:
		return tileWork
	case tensor.TileGradProducts:
		return gradWork
	case tensor.InputRows, tensor.InputTiles, tensor.GradientRows, tensor.GradientTiles, tensor.OutputTiles,
		tensor.OutputRows, tensor.MaskedOutputRows, tensor.AddedOutputRows:
		return transformations
	case tensor.DirectProducts, tensor.DirectGradProducts:
		return direct
	case tensor.PackTiles, tensor.PackDirect, tensor.CollectTiles, tensor.CollectDirect, tensor.AddNumbers:
		return weights
	case tensor.Waits:
		return waiting
	}
	return rows
}

// A partKey names work whose time is measured once. Steps that are no convolutions have names.
type partKey struct {
	kind  tensor.WorkKind
	shape tensor.WorkShape
	name  string
}

func (k partKey) group() group {
	if k.name != "" {
		return elementwise
	}
	return groupOf(k.kind)
}

// A part is some work of a step.
type part struct {
	partKey
	calls, size int
}

// A costStep is what a step of a program consists of.
type costStep struct {
	name          string
	parts         []part
	read, written float64 // bytes of tensors
}

// A rate is the seconds that work takes on one thread while the others do the same.
type rate struct{ call, each float64 }

func (r rate) of(p part) float64 { return r.call*float64(p.calls) + r.each*float64(p.size) }

// costSteps counts what a program does, and which of its phases.
func costSteps(p *compile.Program) []costStep {
	var steps []costStep
	for _, s := range p.Graph.Steps {
		c := costStep{name: s.Kernel.String()}
		works := s.ConvWork()
		for _, w := range works {
			c.parts = append(c.parts, part{partKey{kind: w.Kind, shape: w.Shape}, w.Calls, w.Size})
		}
		if works == nil {
			c.parts = elementwiseParts(s)
		}
		for _, t := range s.In {
			c.read += 4 * float64(t.Len())
		}
		for _, t := range s.Out {
			c.written += 4 * float64(t.Len())
		}
		if strings.HasPrefix(c.name, "∂ conv") {
			c.read += readAgain(s)
		}
		steps = append(steps, c)
	}
	return steps
}

// readAgain returns the bytes that the gradients of a convolution read a second time: with that of the
// weights and that of the input, the gradient of the result and what masks it; and an input that
// its gradient is written over, for its mask.
func readAgain(s *compile.Step) float64 {
	n := 0
	images := 0
	for _, t := range s.Out {
		if len(t.Shape) == 4 && t.Shape[0] == s.In[0].Shape[0] && t.Shape[2] == s.In[0].Shape[2] {
			images++
		}
	}
	if images == 0 || len(s.Out) == images {
		return 0
	}
	n += s.In[0].Len()
	if strings.Contains(s.Kernel.String(), "of ∂ relu") {
		n += s.In[len(s.In)-1].Len()
	}
	for _, t := range s.Over {
		if t != nil {
			n += t.Len()
		}
	}
	return 4 * float64(n)
}

// elementwiseParts are those of a step that is no convolution.
func elementwiseParts(s *compile.Step) []part {
	name := s.Kernel.String()
	x, y := s.In[0], s.Out[0]
	switch {
	case name == "Upsample2":
		w := y.Shape[3]
		return []part{{partKey{kind: tensor.EnlargeRows, shape: tensor.WorkShape{Side: w}, name: name}, y.Len() / w, y.Len()}}
	case name == "∂ Upsample2":
		w := x.Shape[3]
		return []part{{partKey{kind: tensor.ShrinkRows, shape: tensor.WorkShape{Side: w}, name: name}, x.Len() / w, x.Len()}}
	case elementwiseRuns[name] != nil:
		n := y.Len()
		for _, t := range s.In {
			n = max(n, t.Len())
		}
		return []part{{partKey{name: name}, (n + chunkLen - 1) / chunkLen, n}, {partKey{kind: tensor.Waits}, 1, 0}}
	}
	return nil // a few numbers
}

// chunkLen is how many numbers are one piece of work, as in tensor.
const chunkLen = 1 << 14

// elementwiseRuns are what steps do with pieces of memory.
var elementwiseRuns = map[string]func(a, b, c, d []float32){
	"Sigmoid": func(a, b, c, d []float32) { simd.Sigmoid(a, a) },
	"MSE":     func(a, b, c, d []float32) { simd.SumSquaredDiff(a, b) },
	"Add":     func(a, b, c, d []float32) { simd.Add(a, a, b) },
	"∂ ReLU":  func(a, b, c, d []float32) { simd.ReLUBackward(a, a, b) },
	"∂ MSE":   func(a, b, c, d []float32) { simd.ScaledDiff(a, 0.5, a, b) },
	"∂ MSE, ∂ Sigmoid": func(a, b, c, d []float32) {
		simd.ScaledDiff(c, 0.5, a, b)
		simd.SigmoidBackward(a, c, a)
	},
	adamStep: func(a, b, c, d []float32) { simd.Adam(a, b, c, d, simd.NewAdamStep(0.001, 0.9, 0.999, 1e-8, 100)) },
}

// adamStep is the last step of a training step, which is not in the program.
const adamStep = "Adam"

// adamCost is the cost of Adam.
func adamCost(m superres.Model) costStep {
	n := 0
	for _, p := range m.Parameters() {
		n += p.Value.Data().Len()
	}
	p := part{partKey{name: adamStep}, (n + chunkLen - 1) / chunkLen, n}
	return costStep{name: adamStep, parts: []part{p}, read: 16 * float64(n), written: 12 * float64(n)}
}

// pieceOf returns work of a part that can be measured.
func (k partKey) piece(length int) piece {
	run := elementwiseRuns[k.name]
	if run == nil {
		return newPiece(k.kind, k.shape, length)
	}
	n := 1 << 12
	a, b, c, d := numbers(n), numbers(n), numbers(n), numbers(n)
	return piece{1, n, func() { run(a, b, c, d) }}
}

// A meter measures parts, and keeps what it has measured.
type meter struct {
	threads int
	pieces  map[partKey][]func() float64 // seconds of a call of run, on all threads at a time
	sizes   map[partKey][]piece
}

// perRun returns the seconds that f takes, done by each thread on memory of its own.
func (m *meter) perRun(fs []func()) float64 {
	count := 1
	for {
		start := time.Now()
		var wg sync.WaitGroup
		for _, f := range fs {
			wg.Go(func() {
				for range count {
					f()
				}
			})
		}
		wg.Wait()
		t := time.Since(start).Seconds()
		if t > 0.003 {
			return t / float64(count)
		}
		count = max(2*count, int(float64(count)*0.004/max(t, 1e-6)))
	}
}

// rate measures a part.
func (m *meter) rate(k partKey) rate {
	if k.kind == tensor.Waits && k.name == "" {
		nothing := func(int) {}
		return rate{call: m.perRun([]func(){func() { tensor.Parallel(m.threads, nothing) }}) * float64(m.threads)}
	}
	if m.pieces[k] == nil {
		lengths := rowLengths[:1]
		if k.name == "" && perCall(k.kind) {
			lengths = rowLengths[:]
		}
		for _, n := range lengths {
			var fs []func()
			var p piece
			for range m.threads {
				p = k.piece(n)
				fs = append(fs, p.run)
			}
			m.sizes[k] = append(m.sizes[k], p)
			m.pieces[k] = append(m.pieces[k], func() float64 { return m.perRun(fs) })
		}
	}
	p, t := m.sizes[k], make([]float64, len(m.pieces[k]))
	for i, f := range m.pieces[k] {
		t[i] = f()
	}
	if len(p) == 1 {
		return rate{each: t[0] / float64(p[0].size)}
	}
	// t = calls·call + size·each, for both lengths.
	short, long := t[0]/float64(p[0].calls), t[1]/float64(p[1].calls)
	each := (long - short) / float64(rowLengths[1]-rowLengths[0])
	return rate{call: short - each*float64(rowLengths[0]), each: each}
}

// A memoryRate is the seconds of a byte that all threads together read from far memory or write to it.
type memoryRate struct{ read, write float64 }

// memoryRate measures memory of so many bytes.
func (m *meter) memoryRate(arena []float32) memoryRate {
	half := len(arena) / 2 / m.threads / chunkLen * chunkLen
	read, copied := make([]func(), m.threads), make([]func(), m.threads)
	for i := range m.threads {
		a, b := arena[2*i*half:][:half], arena[(2*i+1)*half:][:half]
		read[i] = func() { simd.Sum(a); simd.Sum(b) }
		copied[i] = func() { simd.AddBias(b, a, 0.1) }
	}
	bytes := 4 * float64(half*m.threads)
	r := memoryRate{read: m.perRun(read) / (2 * bytes)}
	r.write = max(0, m.perRun(copied)/bytes-r.read)
	return r
}

// A prediction is the seconds that the model expects, by groups.
type prediction [groupCount]float64

func (p prediction) sum() (s float64) {
	for _, v := range p {
		s += v
	}
	return s
}

// predict adds up what steps take on so many threads. While a step multiplies tiles, or moves rows, the
// memory that it needs next is fetched: only what takes longer than that counts as memory.
func predict(steps []costStep, rates map[partKey]rate, far memoryRate, threads int) (p prediction) {
	for _, s := range steps {
		hides := 0.0
		for _, part := range s.parts {
			t := rates[part.partKey].of(part) / float64(threads)
			p[part.group()] += t
			switch part.group() {
			case tileWork, gradWork, rows, elementwise:
				hides += t
			}
		}
		p[memory] += max(0, s.read*far.read+s.written*far.write-hides)
	}
	return p
}

// A costResult is what the model of the cost says of a network.
type costResult struct {
	Model string    `json:"model"`
	Batch int       `json:"batch"`
	Train costTable `json:"train"`
	Infer costTable `json:"infer"`
}

// A costTable is a step's or a prediction's.
type costTable struct {
	Rows      []costRow `json:"rows"`
	Predicted float64   `json:"predicted_seconds"`
	Measured  float64   `json:"measured_seconds"`
	Ratio     float64   `json:"predicted_to_measured"` // the median of the rounds'
}

// A costRow is a group of work.
type costRow struct {
	Name    string  `json:"name"`
	Amount  float64 `json:"amount"`
	Unit    string  `json:"unit"`
	Seconds float64 `json:"seconds"`
}

// measureCosts measures all models that are asked for.
func measureCosts(ctx context.Context, o *options, r *results, log io.Writer) error {
	for _, m := range o.models {
		fmt.Fprintf(log, "cost of %v …\n", m)
		c, err := measureCost(ctx, o, m)
		if err != nil {
			return err
		}
		r.Costs = append(r.Costs, c)
	}
	return nil
}

// measureCost counts and measures a model that is trained here.
func measureCost(ctx context.Context, o *options, spec modelSpec) (costResult, error) {
	result := costResult{Model: spec.name, Batch: spec.batch}
	arch, err := superres.Find(spec.name)
	if err != nil {
		return result, fmt.Errorf("-cost is for models that are trained here: %w", err)
	}
	m := arch.New(rand.New(rand.NewPCG(0, 0)))
	recipe.FillWeights(m, 0)
	in, target := example(arch, spec.batch, o.side)
	options := compile.Options{Arena: &compile.Arena{}, Without: o.without}
	train, err := compile.Train(m.Forward, superres.Loss, in, target, options)
	if err != nil {
		return result, fmt.Errorf("-without: %w", err)
	}
	infer, err := compile.Predict(m.Forward, in, options)
	if err != nil {
		return result, fmt.Errorf("-without: %w", err)
	}
	adam := optim.NewAdam(m.Parameters(), 0.001)
	meter := &meter{threads: o.threads, pieces: map[partKey][]func() float64{}, sizes: map[partKey][]piece{}}
	trained := &costed{steps: append(costSteps(train.Program), adamCost(m)), run: func() { step(m, train, adam, in, target) }}
	inferred := &costed{steps: costSteps(infer.Program), run: func() { infer.Run(in) }}
	arena := make([]float32, max(train.ArenaBytes()/4, 4*o.threads*chunkLen))
	tensor.HugePages(arena)
	for range o.rounds {
		if err := ctx.Err(); err != nil {
			return result, err
		}
		for _, c := range []*costed{trained, inferred} {
			c.round(meter, arena)
		}
	}
	result.Train, result.Infer = trained.table(), inferred.table()
	return result, nil
}

// A costed is a training step or a prediction, with what the rounds have measured.
type costed struct {
	steps            []costStep
	run              func()
	predictions      []prediction
	measured, ratios []float64
}

// round measures all parts, and the whole before and after.
func (c *costed) round(m *meter, arena []float32) {
	before := m.perRun([]func(){c.run})
	rates := map[partKey]rate{}
	for _, s := range c.steps {
		for _, p := range s.parts {
			if _, ok := rates[p.partKey]; !ok {
				rates[p.partKey] = m.rate(p.partKey)
			}
		}
	}
	p := predict(c.steps, rates, m.memoryRate(arena), m.threads)
	c.run() // the arena is far again
	whole := (before + m.perRun([]func(){c.run})) / 2
	c.predictions = append(c.predictions, p)
	c.measured, c.ratios = append(c.measured, whole), append(c.ratios, p.sum()/whole)
}

// table makes the medians of the rounds a table.
func (c *costed) table() costTable {
	t := costTable{Measured: median(c.measured), Ratio: median(c.ratios)}
	for g := range groupCount {
		var seconds []float64
		for _, p := range c.predictions {
			seconds = append(seconds, p[g])
		}
		amount, unit := amountOf(c.steps, g)
		row := costRow{Name: groupNames[g], Amount: amount, Unit: unit, Seconds: median(seconds)}
		t.Predicted += row.Seconds
		t.Rows = append(t.Rows, row)
	}
	return t
}

// amountOf counts what a group does, in the unit that tells the most.
func amountOf(steps []costStep, g group) (amount float64, unit string) {
	for _, s := range steps {
		if g == memory {
			amount, unit = amount+s.read+s.written, "bytes"
		}
		for _, p := range s.parts {
			if p.group() == g {
				n, u := p.amount()
				amount, unit = amount+n, u
			}
		}
	}
	return amount, unit
}

// amount counts a part: multiply-adds, or numbers that are made.
func (p part) amount() (float64, string) {
	mr, nr := simd.Tile()
	s := p.shape
	taps := s.Kernel * s.Kernel
	switch size := float64(p.size); {
	case p.name != "":
		return size, "numbers"
	case p.kind == tensor.TileProducts:
		return size * float64(s.In*s.Out*nr), "multiply-adds"
	case p.kind == tensor.TileGradProducts:
		return size * float64(s.In*s.Out), "multiply-adds"
	case p.kind == tensor.DirectProducts:
		return size * float64((s.Out+mr-1)/mr*mr*s.In*taps*nr), "multiply-adds"
	case p.kind == tensor.DirectGradProducts:
		return size * float64(s.In*s.Out*taps), "multiply-adds"
	case p.kind == tensor.Waits:
		return float64(p.calls), "times"
	default:
		return size, "numbers"
	}
}
