package compile

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// list is a Tree of any number of values.
type list []*autograd.Value

func (l list) Map(f func(*autograd.Value) *autograd.Value) list {
	m := make(list, len(l))
	for i, v := range l {
		m[i] = f(v)
	}
	return m
}

// doubled is an operation that the compiler does not know: y = 2x + x², whose backward reads
// its operand.
type doubled struct{}

func (doubled) Shape(x ...[]int) []int         { return x[0] }
func (doubled) Reads() (operands, result bool) { return true, false }
func (doubled) Forward(x ...*tensor.Tensor) *tensor.Tensor {
	y := x[0].Clone()
	for i, v := range y.Data() {
		y.Data()[i] = 2*v + v*v
	}
	return y
}
func (doubled) Backward(dy, _ *tensor.Tensor, x []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	dx := dy.Clone()
	for i, v := range x[0].Data() {
		dx.Data()[i] *= 2 + 2*v
	}
	return []*tensor.Tensor{dx}
}

// A randomNet is a network of random operations. Equal seeds make equal networks.
type randomNet struct {
	seed       uint64
	inputs     list // photographs and numbers
	target     list
	parameters []*autograd.Value
	outputs    int

	forwardWith func(in list) list // in the place of random operations
	lossWith    func(prediction, target list) []*autograd.Value
}

// numbers returns random ones.
func numbers(rng *rand.Rand, shape ...int) *tensor.Tensor {
	t := tensor.New(shape...)
	for i := range t.Data() {
		t.Data()[i] = float32(rng.NormFloat64())
	}
	return t
}

func newRandomNet(seed uint64) *randomNet {
	rng := rand.New(rand.NewPCG(seed, 5))
	n, h, w := 1+rng.IntN(3), 2*(1+rng.IntN(4)), 2*(1+rng.IntN(4))
	net := &randomNet{seed: seed, outputs: 1 + rng.IntN(2)}
	net.inputs = list{autograd.Constant(numbers(rng, n, 1+rng.IntN(4), h, w)), autograd.Constant(numbers(rng, n, 2))}
	net.forward(net.inputs) // makes the parameters
	for _, y := range net.forward(net.inputs) {
		net.target = append(net.target, autograd.Constant(numbers(rng, y.Shape()...)))
	}
	return net
}

// forward applies the operations. The first call makes the parameters.
func (net *randomNet) forward(in list) list {
	if net.forwardWith != nil {
		return net.forwardWith(in)
	}
	rng := rand.New(rand.NewPCG(net.seed, 11))
	next := 0
	parameter := func(shape ...int) *autograd.Value {
		if next == len(net.parameters) {
			p := autograd.Parameter(tensor.Scale(0.5, numbers(rng, shape...)))
			if rng.IntN(6) == 0 && next > 0 {
				p = autograd.Constant(p.Data())
			}
			net.parameters = append(net.parameters, p)
		} else { // the same numbers are drawn, so that what follows is the same
			numbers(rng, shape...)
			rng.IntN(6)
		}
		next++
		return net.parameters[next-1]
	}
	parameter(1) // is in every loss, so that there always is a gradient
	nodes := []*autograd.Value{in[0], parameter(in[0].Shape()...), parameter(in[0].Shape()...)}
	pick := func(like []int) *autograd.Value { // of the same size, often the latest one
		var of []*autograd.Value
		for _, v := range nodes {
			if s := v.Shape(); s[2] == like[2] && s[3] == like[3] {
				of = append(of, v)
			}
		}
		return of[len(of)-1-min(len(of)-1, rng.IntN(3)*rng.IntN(2))]
	}
	for range 4 + rng.IntN(12) {
		x := nodes[len(nodes)-1-min(len(nodes)-1, rng.IntN(2)*rng.IntN(3))]
		s := x.Shape()
		c := s[1]
		k, dilation, oc := []int{1, 3, 3, 5}[rng.IntN(4)], 1+rng.IntN(2), 1+rng.IntN(5)
		convolution := func(x *autograd.Value, oc, k int) *autograd.Value {
			return autograd.Conv2d(x, parameter(oc, x.Shape()[1], k, k), parameter(oc), dilation)
		}
		var y *autograd.Value
		switch op := rng.IntN(18); {
		case op < 3:
			y = autograd.ReLU(convolution(x, oc, k))
		case op == 3:
			y = convolution(x, oc, k)
		case op == 4:
			z := pick(s)
			y = autograd.ReLU(autograd.Add(z, convolution(x, z.Shape()[1], k)))
		case op == 5:
			z := pick(s)
			y = autograd.Add(convolution(x, z.Shape()[1], 3), z)
		case op == 6:
			y = autograd.ConcatChannels(x, pick(s))
		case op == 7:
			y = autograd.Expand(in[1], s[2], s[3])
			if rng.IntN(3) > 0 {
				y = autograd.ConcatChannels(x, y)
			} else {
				y = autograd.Add(convolution(y, c, k), x)
			}
		case op == 8:
			y = autograd.ReLU(x)
		case op == 9 && s[2] <= 8:
			y = autograd.Upsample2(x)
		case op == 10:
			y = autograd.Scale(0.5, x)
		case op == 11:
			y = autograd.Apply(doubled{}, autograd.Sigmoid(x))
		case op == 12 && s[2] <= 8:
			y = convolution(autograd.Upsample2(x), oc, 1)
		case op == 13:
			y = autograd.LeakyReLU(convolution(x, oc, k), 0.2)
		case op == 14:
			y = autograd.PReLU(convolution(x, oc, k), parameter(oc))
		case op == 15:
			y = autograd.PReLU(autograd.LeakyReLU(x, 0), parameter(c))
		case op == 16 && s[2] <= 8:
			y = autograd.PixelShuffle(autograd.UpsampleNearest(autograd.PixelUnshuffle(x, 2), 2), 2)
		case op == 17:
			y = autograd.Crop(autograd.PadReflect(x, 3, 1), s[2], s[3])
			if rng.IntN(2) == 0 {
				y = autograd.PixelUnshuffle(autograd.PadReflect(x, s[2], s[3]), 2)
			}
		default:
			y = autograd.Sigmoid(x)
		}
		if c = y.Shape()[1]; c > 12 {
			y = convolution(y, 3, 1)
		}
		nodes = append(nodes, y)
	}
	out := list{autograd.Sigmoid(nodes[len(nodes)-1])}
	if net.outputs == 2 {
		out = append(out, nodes[1+rng.IntN(len(nodes)-1)])
	}
	return out
}

// loss compares predictions with targets.
func (net *randomNet) loss(prediction, target list) []*autograd.Value {
	if net.lossWith != nil {
		return net.lossWith(prediction, target)
	}
	var losses []*autograd.Value
	for i, y := range prediction {
		l := autograd.MSE(y, target[i])
		switch net.seed % 6 {
		case 0:
			l = autograd.InversePSNR(autograd.Scale(0.1, l))
		case 1:
			l = autograd.MSE(target[i], y)
		case 2: // what is compared is not the sigmoid itself
			l = autograd.MSE(autograd.Add(y, autograd.Sigmoid(y)), target[i])
		case 3: // both sides have a gradient
			l = autograd.MSE(y, autograd.Scale(0.5, y))
		}
		losses = append(losses, autograd.Add(l, autograd.Mean(net.parameters[0])))
	}
	return losses
}

// results are all that a step computes.
type results struct {
	names  []string
	values [][]float32
}

func (r *results) add(name string, t *tensor.Tensor) {
	var v []float32
	if t != nil {
		v = slices.Clone(t.Data())
	}
	r.names, r.values = append(r.names, name), append(r.values, v)
}

func (r *results) gradients(net *randomNet) {
	for i, p := range net.parameters {
		r.add(fmt.Sprintf("gradient of parameter %d %v", i, p.Shape()), p.Grad())
		p.SetGrad(nil)
	}
}

// eager runs the network on the plain tape.
func (net *randomNet) eager() *results {
	r := &results{}
	out := net.forward(net.inputs)
	var total *autograd.Value
	for i, y := range out {
		r.add(fmt.Sprintf("output %d", i), y.Data())
	}
	for i, l := range net.loss(out, net.target) {
		r.add(fmt.Sprintf("loss %d", i), l.Data())
		if total == nil {
			total = l
		} else {
			total = autograd.Add(total, l)
		}
	}
	total.Backward()
	r.gradients(net)
	return r
}

// compiled runs it as a program, twice, with NaN in the arena before and between.
func (net *randomNet) compiled(t *testing.T, without ...string) *results {
	t.Helper()
	p, err := Train(net.forward, net.loss, net.inputs, net.target, Options{Without: without})
	if err != nil {
		t.Fatal(err)
	}
	var r *results
	for round := range 2 {
		r = &results{}
		for _, q := range net.parameters { // weights move between the runs
			for i := range q.Data().Data() {
				q.Data().Data()[i] *= [...]float32{0.5, 2}[round]
			}
		}
		p.arena.grow(p.length)
		for i := range p.arena.data {
			p.arena.data[i] = float32(math.NaN())
		}
		for i, y := range p.Forward(net.inputs) {
			r.add(fmt.Sprintf("output %d", i), y.Data())
		}
		for i, l := range p.Loss(net.target) {
			r.add(fmt.Sprintf("loss %d", i), tensor.FromSlice([]float32{float32(l)}, 1))
		}
		p.Backward()
		r.gradients(net)
	}
	return r
}

// How alike results are to be.
type likeness int

const (
	sameBits    likeness = iota
	sameForward          // gradients within rounding: those of several readers are added in another order
	withinRounding
)

// likenesses are what the passes keep, if not every bit.
var likenesses = map[string]likeness{"exchange": withinRounding, "constants": withinRounding, "fuse": sameForward, "inputs": sameForward}

// compare returns how two results differ.
func compare(got, want *results, like likeness) error {
	for k, w := range want.values {
		g := got.values[k]
		if len(g) != len(w) {
			return fmt.Errorf("%s: %d numbers, want %d", want.names[k], len(g), len(w))
		}
		scale := 0.0
		for _, v := range w {
			scale = max(scale, math.Abs(float64(v)))
		}
		tol := 2e-4 * (scale + 1e-3)
		if like < withinRounding {
			tol = 2e-6 * (scale + 1e-3)
		}
		exact := like == sameBits || like == sameForward && !strings.HasPrefix(want.names[k], "gradient")
		for i := range w {
			if exact && math.Float32bits(g[i]) != math.Float32bits(w[i]) || !exact && !(math.Abs(float64(g[i]-w[i])) <= tol) {
				return fmt.Errorf("%s, element %d: got %v, want %v", want.names[k], i, g[i], w[i])
			}
		}
	}
	return nil
}

// recomputeMuch has small networks compute results again, for whatever is saved.
func recomputeMuch(t *testing.T) {
	w, m := worthPercent, mostWork
	t.Cleanup(func() { worthPercent, mostWork = w, m })
	worthPercent, mostWork = 0, 1
}

// TestRandomNetworks wants compiled networks of random operations to compute what the plain
// tape computes: without any pass, with each pass alone, without each pass, and with all.
func TestRandomNetworks(t *testing.T) {
	recomputeMuch(t)
	seeds := uint64(150)
	if testing.Short() {
		seeds = 30
	}
	var names []string
	for _, p := range Passes {
		names = append(names, p.Name)
	}
	for seed := range seeds {
		net := newRandomNet(seed)
		want := net.eager()
		check := func(what string, like likeness, without ...string) {
			t.Helper()
			if err := compare(net.compiled(t, without...), want, like); err != nil {
				t.Fatalf("seed %d, %s: %v", seed, what, err)
			}
		}
		check("no pass", sameForward, "all") // predictions come before losses, in both directions
		want = net.compiled(t, "all")
		check("all passes", withinRounding)
		check("all passes but those that round", sameForward, "exchange", "constants")
		check("all passes that keep the bits", sameBits, "exchange", "constants", "fuse", "inputs")
		for i, name := range names {
			check(name+" alone", likenesses[name], slices.Delete(slices.Clone(names), i, i+1)...)
			check("without "+name, withinRounding, name)
		}
	}
}
