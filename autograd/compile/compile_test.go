package compile

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

func wantPanic(t *testing.T, what, message string, f func()) {
	t.Helper()
	defer func() {
		if r := recover(); r == nil {
			t.Errorf("%s: no panic", what)
		} else if s, _ := r.(string); !strings.Contains(s, message) {
			t.Errorf("%s: panic %v, want one with %q", what, r, message)
		}
	}()
	f()
}

// TestGradientsAdd wants gradients to be added to those that have not been forgotten.
func TestGradientsAdd(t *testing.T) {
	net := newRandomNet(4)
	p, err := Train(net.forward, net.loss, net.inputs, net.target, Options{})
	if err != nil {
		t.Fatal(err)
	}
	step := func(target list) (gradients [][]float32) {
		p.Forward(net.inputs)
		p.Loss(target)
		p.Backward()
		for _, q := range net.parameters {
			if q.Grad() == nil {
				gradients = append(gradients, nil)
			} else {
				gradients = append(gradients, slices.Clone(q.Grad().Data()))
			}
		}
		return gradients
	}
	other := net.target.Map(func(v *autograd.Value) *autograd.Value {
		return autograd.Constant(tensor.Scale(-2, v.Data()))
	})
	first := step(net.target)
	for _, q := range net.parameters {
		q.SetGrad(nil)
	}
	second := step(other)
	for _, q := range net.parameters {
		q.SetGrad(nil)
	}
	step(net.target)
	sum := step(other)
	again := step(net.target)
	for i := range sum {
		for j, g := range sum[i] {
			want := first[i][j] + second[i][j]
			tol := 1e-5 * (1 + math.Abs(float64(want)))
			if !(math.Abs(float64(g-want)) <= tol) || !(math.Abs(float64(again[i][j]-want-first[i][j])) <= tol) {
				t.Fatalf("parameter %d, element %d: gradients %v and %v add up to %v, and with the first once more to %v", i, j, first[i][j], second[i][j], g, again[i][j])
			}
		}
	}
}

// TestArenaIsShared wants programs of two sizes to run in turn in one arena.
func TestArenaIsShared(t *testing.T) {
	arena := &Arena{}
	nets := []*randomNet{newRandomNet(5), newRandomNet(6), newRandomNet(7)}
	var programs []*Training[list, list]
	most := 0
	for _, net := range nets {
		p, err := Train(net.forward, net.loss, net.inputs, net.target, Options{Arena: arena})
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, p)
		most = max(most, p.ArenaBytes())
	}
	if arena.Bytes() != 0 {
		t.Errorf("the arena has %d bytes before the first run", arena.Bytes())
	}
	for range 3 {
		for i, net := range nets {
			r := &results{}
			for j, y := range programs[i].Forward(net.inputs) {
				r.add(fmt.Sprintf("output %d", j), y.Data())
			}
			for j, l := range programs[i].Loss(net.target) {
				r.add(fmt.Sprintf("loss %d", j), tensor.FromSlice([]float32{float32(l)}, 1))
			}
			programs[i].Backward()
			r.gradients(net)
			want := net.compiled(t)
			if err := compare(r, want, sameBits); err != nil {
				t.Fatalf("network %d: %v", i, err)
			}
		}
	}
	if arena.Bytes() != most {
		t.Errorf("the arena has %d bytes, the largest program takes %d", arena.Bytes(), most)
	}
}

// TestPrediction wants predictions to be those of the plain tape, and packed weights to
// follow the parameters once they are told.
func TestPrediction(t *testing.T) {
	for seed := range uint64(60) {
		net := newRandomNet(seed)
		for _, without := range [][]string{nil, {"all"}, {"packed"}} {
			p, err := Predict(net.forward, net.inputs, Options{Without: without})
			if err != nil {
				t.Fatal(err)
			}
			for round := range 2 {
				var got, want results
				p.WeightsChanged()
				for range 2 {
					got = results{}
					for _, y := range p.Run(net.inputs) {
						got.add("output", y.Data())
					}
				}
				for _, y := range net.forward(net.inputs) {
					want.add("output", y.Data())
				}
				if err := compare(&got, &want, withinRounding); err != nil {
					t.Fatalf("seed %d, without %v, round %d: %v", seed, without, round, err)
				}
				for _, q := range net.parameters {
					for i := range q.Data().Data() {
						q.Data().Data()[i] *= 0.9
					}
				}
			}
		}
	}
}

// TestPredictionKeepsBits wants predictions to have the same bits without the passes that run for
// them alone.
func TestPredictionKeepsBits(t *testing.T) {
	for seed := range uint64(60) {
		net := newRandomNet(seed)
		var want results
		for _, without := range [][]string{nil, {"packed"}, {"slopes"}, {"slopes", "inplace"}} {
			p, err := Predict(net.forward, net.inputs, Options{Without: without})
			if err != nil {
				t.Fatal(err)
			}
			var got results
			for _, y := range p.Run(net.inputs) {
				got.add("output", y.Data())
			}
			if without == nil {
				want = got
			} else if err := compare(&got, &want, sameBits); err != nil {
				t.Fatalf("seed %d, without %v: %v", seed, without, err)
			}
		}
	}
}

// TestPackedWeightsStay wants packed weights to be packed once.
func TestPackedWeightsStay(t *testing.T) {
	w, b := autograd.Parameter(numbers(rand.New(rand.NewPCG(1, 1)), 2, 3, 3, 3)), autograd.Parameter(tensor.New(2))
	x := autograd.Constant(numbers(rand.New(rand.NewPCG(1, 2)), 1, 3, 5, 5))
	p, err := Predict(func(x *autograd.Value) *autograd.Value { return autograd.Conv2d(x, w, b, 1) }, x, Options{})
	if err != nil {
		t.Fatal(err)
	}
	before := p.Run(x).Data().Data()[7]
	tensor.Fill(w.Data(), 0)
	if after := p.Run(x).Data().Data()[7]; after != before {
		t.Errorf("the result is %v, before the weights changed %v: they were packed again", after, before)
	}
	p.WeightsChanged()
	if after := p.Run(x).Data().Data()[7]; after != 0 {
		t.Errorf("the result is %v, want that of the new weights, 0", after)
	}
}

// TestPlan wants no two blocks in the same place at the same time, and every tensor to have
// one while it is needed.
func TestPlan(t *testing.T) {
	recomputeMuch(t)
	for seed := range uint64(100) {
		net := newRandomNet(seed)
		for _, without := range [][]string{nil, {"memory"}, {"activations"}, {"inplace"}, {"recompute"}} {
			p, err := Train(net.forward, net.loss, net.inputs, net.target, Options{Without: without})
			if err != nil {
				t.Fatal(err)
			}
			g := p.Graph
			// where says which tensor has each number of the arena, as the steps run.
			where := make([]*Tensor, p.length)
			for i, s := range g.Steps {
				for _, x := range s.In {
					if !x.stored() || g.isGradient(x) {
						continue
					}
					for k, owner := range where[p.offsets[x]:][:x.Len()] {
						if owner != x {
							t.Fatalf("seed %d, without %v: step %d (%v) reads number %d of a tensor %v that another one has overwritten", seed, without, i, s.Kernel, k, x.Shape)
						}
					}
				}
				in := p.instructions[i]
				for k := range in.n {
					where[in.at+k] = nil
				}
				for _, x := range s.In { // temporary memory must leave operands alone
					if x.stored() && !g.isGradient(x) && where[p.offsets[x]] != x {
						t.Fatalf("seed %d, without %v: step %d (%v) has its temporary memory over an operand", seed, without, i, s.Kernel)
					}
				}
				for j, y := range s.Out {
					if g.isGradient(y) {
						continue
					}
					over := s.Over != nil && s.Over[j] != nil
					for _, x := range s.In {
						if x.stored() && !g.isGradient(x) && (!over || x != s.Over[j]) && p.offsets[x] < p.offsets[y]+y.Len() && p.offsets[y] < p.offsets[x]+x.Len() {
							t.Fatalf("seed %d, without %v: step %d (%v) writes over its operand %v", seed, without, i, s.Kernel, x.Shape)
						}
					}
					for k := range y.Len() {
						where[p.offsets[y]+k] = y
					}
				}
			}
		}
	}
}

// TestPassesSave wants each pass to make the programs of some networks better: one that does
// nothing would pass all other tests.
func TestPassesSave(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	parameter := func(shape ...int) *autograd.Value { return autograd.Parameter(numbers(rng, shape...)) }
	w := []*autograd.Value{parameter(16, 3, 3, 3), parameter(16), parameter(16, 24, 3, 3), parameter(16), parameter(3, 16, 1, 1), parameter(3)}
	conv := func(x *autograd.Value, i int) *autograd.Value { return autograd.Conv2d(x, w[i], w[i+1], 1) }
	network := func(activation func(*autograd.Value) *autograd.Value) func(in list) list {
		return func(in list) list {
			h := autograd.ReLU(conv(in[0], 0))
			h = autograd.ConcatChannels(h, autograd.Expand(in[1], 16, 16))
			h = activation(conv(h, 2))
			return list{autograd.Sigmoid(autograd.Sigmoid(autograd.Upsample2(conv(autograd.Upsample2(h), 4))))}
		}
	}
	relu, leaky := network(autograd.ReLU), network(func(x *autograd.Value) *autograd.Value { return autograd.LeakyReLU(x, 0.2) })
	loss := func(y, target list) []*autograd.Value { return []*autograd.Value{autograd.MSE(y[0], target[0])} }
	in, target := list{autograd.Placeholder(2, 3, 16, 16), autograd.Placeholder(2, 8)}, list{autograd.Placeholder(2, 3, 64, 64)}
	measure := func(forward func(in list) list, without ...string) (steps, multiplications, bytes int) {
		p, err := Train(forward, loss, in, target, Options{Without: without})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Graph.Steps {
			multiplications += s.Multiplications()
		}
		return len(p.Graph.Steps), multiplications, p.Bytes()
	}
	steps, multiplications, bytes := measure(relu)
	better := map[string]func(s, m, b int) bool{
		"exchange":    func(s, m, b int) bool { return multiplications < m },
		"fuse":        func(s, m, b int) bool { return steps < s },
		"inputs":      func(s, m, b int) bool { return steps < s && bytes < b },
		"constants":   func(s, m, b int) bool { return multiplications < m },
		"loss":        func(s, m, b int) bool { return steps < s },
		"activations": func(s, m, b int) bool { return bytes < b },
		"inplace":     func(s, m, b int) bool { return bytes < b },
		"memory":      func(s, m, b int) bool { return bytes < b },
	}
	for _, p := range Passes {
		name := p.Name
		if better[name] == nil {
			if name == "packed" || name == "recompute" || name == "slopes" {
				continue // see TestPackedWeightsStay and, of package superres, TestPassesApply
			}
			t.Fatalf("the pass %q has no row", name)
		}
		if s, m, b := measure(relu, name); !better[name](s, m, b) {
			t.Errorf("without %q: %d steps, %d multiplications, %d bytes; with it %d, %d, %d", name, s, m, b, steps, multiplications, bytes)
		}
	}
	with, _, _ := measure(leaky)
	if s, _, _ := measure(leaky, "slopes"); with >= s {
		t.Errorf(`without "slopes": %d steps; with it %d`, s, with)
	}
}

// TestPlanningIsQuick plans a network of a hundred convolutions.
func TestPlanningIsQuick(t *testing.T) {
	w, b := autograd.Parameter(tensor.New(8, 8, 3, 3)), autograd.Parameter(tensor.New(8))
	forward := func(x *autograd.Value) *autograd.Value {
		for range 50 {
			x = autograd.ReLU(autograd.Add(x, autograd.Conv2d(autograd.ReLU(autograd.Conv2d(x, w, b, 1)), w, b, 1)))
		}
		return x
	}
	loss := func(y, target *autograd.Value) []*autograd.Value {
		return []*autograd.Value{autograd.MSE(y, target)}
	}
	x := autograd.Placeholder(4, 8, 32, 32)
	best := time.Hour
	for range 3 {
		start := time.Now()
		if _, err := Train(forward, loss, x, x, Options{}); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	t.Logf("%v", best)
	if best > 5*time.Second { // much more than it takes, much less than a mistake would
		t.Errorf("recording and planning take %v", best)
	}
}
