package autograd

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pixelgrad/tensor"
)

// A randomGraph is a network of random operations. Equal seeds make equal networks.
type randomGraph struct {
	rng        *rand.Rand
	parameters []*Value
	nodes      []*Value
	sizes      []int // of each node: how often it has been enlarged
}

func (g *randomGraph) numbers(shape ...int) *tensor.Tensor {
	t := tensor.New(shape...)
	for i := range t.Data() {
		t.Data()[i] = float32(g.rng.NormFloat64())
	}
	return t
}

// parameter returns a new parameter or, now and then, a constant.
func (g *randomGraph) parameter(shape ...int) *Value {
	v := Parameter(g.numbers(shape...))
	if g.rng.IntN(5) == 0 {
		v = Constant(v.data)
	}
	g.parameters = append(g.parameters, v)
	return v
}

// pick returns an earlier value of some size, often the latest one.
func (g *randomGraph) pick(size int) *Value {
	var of []*Value
	for i, v := range g.nodes {
		if g.sizes[i] == size {
			of = append(of, v)
		}
	}
	return of[len(of)-1-min(len(of)-1, g.rng.IntN(3)*g.rng.IntN(2))]
}

// add appends the result of a random operation.
func (g *randomGraph) add() {
	size := g.sizes[len(g.sizes)-1]
	x := g.pick(size)
	c := x.shape[1]
	k, dilation, oc := []int{1, 3, 3, 5}[g.rng.IntN(4)], 1+g.rng.IntN(2), 1+g.rng.IntN(5)
	var y *Value
	switch op := g.rng.IntN(10); {
	case op < 2:
		y = Conv2dReLU(x, g.parameter(oc, c, k, k), g.parameter(oc), dilation)
	case op == 2:
		y = Conv2d(x, g.parameter(oc, c, k, k), g.parameter(oc), dilation)
	case op == 3:
		s := g.pick(size)
		y = Conv2dAddReLU(x, g.parameter(s.shape[1], c, k, k), g.parameter(s.shape[1]), s, dilation)
	case op == 4:
		y = ConcatChannels(x, g.pick(size))
	case op == 5:
		y = ConcatChannels(x, Expand(g.parameter(x.shape[0], 2), x.shape[2], x.shape[3]))
	case op == 6:
		y = ReLU(x)
	case op == 7 && size == 0:
		y, size = Upsample2(x), 1
	case op == 8:
		y = Scale(0.5, x)
	case op == 9:
		z := x
		for _, v := range g.nodes {
			if slices.Equal(v.shape, x.shape) {
				z = v
			}
		}
		y = Add(x, z)
	default:
		y = Sigmoid(x)
	}
	g.nodes, g.sizes = append(g.nodes, y), append(g.sizes, size)
}

// run computes the loss of the network and the gradients of its parameters. disturb may
// ask for anything that must not make a difference.
func (g *randomGraph) run(disturb func(v *Value)) []float32 {
	n, h, w := 1+g.rng.IntN(3), 2*(1+g.rng.IntN(4)), 2*(1+g.rng.IntN(4))
	first := Parameter(g.numbers(n, 1+g.rng.IntN(4), h, w))
	g.parameters, g.nodes, g.sizes = []*Value{first}, []*Value{first, Constant(g.numbers(n, 3, h, w))}, []int{0, 0}
	for range 4 + g.rng.IntN(10) {
		g.add()
		disturb(g.nodes[len(g.nodes)-1])
	}
	last := g.nodes[len(g.nodes)-1]
	if g.rng.IntN(2) == 0 {
		last = Sigmoid(last)
	}
	loss := Add(MSE(last, Constant(g.numbers(last.shape...))), Mean(g.nodes[g.rng.IntN(len(g.nodes))]))
	loss = Add(loss, Mean(first)) // so that there always is a gradient
	results := slices.Clone(loss.Data().Data())
	loss.Backward()
	for _, p := range g.parameters {
		if p.grad != nil {
			results = append(results, p.grad.Data()...)
		}
	}
	return results
}

// TestRandomGraphs wants networks to have the same gradients whether results are stored,
// kept, read early or computed again.
func TestRandomGraphs(t *testing.T) {
	defer func() { StoreInputs = false }()
	for seed := range uint64(300) {
		run := func(store bool, disturb func(rng *rand.Rand, v *Value)) []float32 {
			StoreInputs = store
			g, rng := &randomGraph{rng: rand.New(rand.NewPCG(seed, 11))}, rand.New(rand.NewPCG(seed, 12))
			return g.run(func(v *Value) { disturb(rng, v) })
		}
		want := run(false, func(*rand.Rand, *Value) {})
		for what, disturb := range map[string]func(rng *rand.Rand, v *Value){
			"nothing":   func(*rand.Rand, *Value) {},
			"recompute": func(_ *rand.Rand, v *Value) { v.Recompute() },
			"some of all": func(rng *rand.Rand, v *Value) {
				switch rng.IntN(4) {
				case 0:
					v.Keep()
				case 1:
					v.Data()
				case 2:
					v.Recompute()
				}
			},
		} {
			for _, store := range []bool{false, true} {
				got := run(store, disturb)
				if len(got) != len(want) {
					t.Fatalf("seed %d, %s, StoreInputs %v: %d results, want %d", seed, what, store, len(got), len(want))
				}
				for i, w := range want {
					// A 1×1 convolution of an enlarged image that has been read is not exchanged.
					if !(math.Abs(float64(got[i]-w)) <= 1e-3*(1+math.Abs(float64(w)))) {
						t.Fatalf("seed %d, %s, StoreInputs %v: result %d: got %v, want %v", seed, what, store, i, got[i], w)
					}
				}
			}
		}
	}
}
