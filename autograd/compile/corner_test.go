package compile

import (
	"math/rand/v2"
	"strings"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// corners are networks in which values play several parts at once. p and q are parameters of
// the photograph's shape, w and b those of a convolution, n is a parameter of one number.
func corners() map[string]*randomNet {
	rng := rand.New(rand.NewPCG(1, 1))
	parameter := func(shape ...int) *autograd.Value { return autograd.Parameter(numbers(rng, shape...)) }
	constant := func(shape ...int) *autograd.Value { return autograd.Constant(numbers(rng, shape...)) }
	p, q := parameter(3, 3, 3, 3), parameter(3, 3, 3, 3)
	w, b, w6, n := parameter(3, 3, 3, 3), parameter(3), parameter(3, 6, 3, 3), parameter(1)
	w1, b1, e := parameter(2, 3, 1, 1), parameter(2), parameter(3, 3)
	x, k := constant(3, 3, 3, 3), constant(1)
	relu, sigmoid, add, up, concat := autograd.ReLU, autograd.Sigmoid, autograd.Add, autograd.Upsample2, autograd.ConcatChannels
	conv := func(x *autograd.Value) *autograd.Value { return autograd.Conv2d(x, w, b, 1) }
	nets := map[string]*randomNet{}
	network := func(name string, f func(x *autograd.Value) list, more ...func(y, target list) []*autograd.Value) {
		net := &randomNet{inputs: list{x, k}, parameters: []*autograd.Value{p, q, w, b, w6, n, w1, b1, e}}
		net.forwardWith = func(in list) list { return f(in[0]) }
		net.lossWith = func(y, target list) []*autograd.Value {
			var losses []*autograd.Value
			for i := range y {
				losses = append(losses, autograd.MSE(y[i], target[i]))
			}
			for _, m := range more {
				losses = append(losses, m(y, target)...)
			}
			return losses
		}
		for _, y := range f(x) {
			net.target = append(net.target, constant(y.Shape()...))
		}
		nets[name] = net
	}
	one := func(y *autograd.Value) list { return list{y} }

	network("relu of a parameter", func(x *autograd.Value) list { return one(add(x, conv(relu(p)))) })
	network("relu of an offset", func(x *autograd.Value) list { return one(conv(relu(add(p, x)))) })
	network("relu of two parameters", func(x *autograd.Value) list { return one(conv(relu(add(p, q)))) })
	network("sum of a parameter with itself", func(x *autograd.Value) list { return one(sigmoid(add(p, p))) })
	network("output is a parameter", func(x *autograd.Value) list { return list{p, conv(x)} })
	network("output is the input", func(x *autograd.Value) list { return list{x, conv(x)} })
	network("output twice", func(x *autograd.Value) list { y := relu(conv(x)); return list{y, y} })
	network("output read on", func(x *autograd.Value) list { y := relu(conv(x)); return list{y, sigmoid(conv(y))} })
	network("loss is a parameter", func(x *autograd.Value) list { return one(conv(x)) },
		func(list, list) []*autograd.Value { return []*autograd.Value{n, autograd.Scale(3, n)} })
	network("loss is a constant", func(x *autograd.Value) list { return one(conv(x)) },
		func(list, list) []*autograd.Value { return []*autograd.Value{k} })
	network("loss of losses", func(x *autograd.Value) list { return one(conv(x)) }, func(y, t list) []*autograd.Value {
		l := autograd.MSE(y[0], t[0])
		return []*autograd.Value{l, autograd.Scale(2, l), l, relu(l)}
	})
	network("difference of a value with itself", func(x *autograd.Value) list { return one(sigmoid(conv(x))) },
		func(y, t list) []*autograd.Value { return []*autograd.Value{autograd.MSE(y[0], y[0])} })
	network("two losses of one sigmoid", func(x *autograd.Value) list { return one(sigmoid(conv(x))) },
		func(y, t list) []*autograd.Value { return []*autograd.Value{autograd.Mean(y[0])} })
	network("target with a gradient", func(x *autograd.Value) list { return one(sigmoid(conv(x))) },
		func(y, t list) []*autograd.Value { return []*autograd.Value{autograd.MSE(sigmoid(conv(x)), p)} })
	network("sigmoid with an offset", func(x *autograd.Value) list { return one(add(sigmoid(conv(x)), x)) })
	network("chain before a peak", func(x *autograd.Value) list {
		h := relu(conv(relu(conv(relu(conv(relu(conv(x))))))))
		return one(sigmoid(relu(conv(relu(conv(up(up(h))))))))
	})
	network("computed weights", func(x *autograd.Value) list {
		return one(autograd.Conv2d(relu(autograd.Conv2d(x, autograd.Scale(0.5, w), b, 1)), relu(w), relu(b), 1))
	})
	network("image and weights are one", func(x *autograd.Value) list { v := relu(add(w, x)); return one(autograd.Conv2d(v, v, b, 1)) })
	network("weights are the input", func(x *autograd.Value) list { return one(autograd.Conv2d(relu(w), x, b, 1)) })
	network("enlargement read twice", func(x *autograd.Value) list {
		u := up(relu(conv(x)))
		return list{sigmoid(autograd.Conv2d(u, w1, b1, 1)), u}
	})
	network("enlarged twice", func(x *autograd.Value) list { return one(relu(autograd.Conv2d(up(up(relu(conv(x)))), w1, b1, 1))) })
	network("concatenation of one value", func(x *autograd.Value) list { h := relu(conv(x)); return one(autograd.Conv2d(concat(h, h), w6, b, 1)) })
	network("concatenation with the next", func(x *autograd.Value) list {
		h := relu(conv(x))
		return one(relu(autograd.Conv2d(concat(h, relu(conv(h))), w6, b, 1)))
	})
	network("relu of relu", func(x *autograd.Value) list { return one(relu(relu(conv(relu(relu(conv(x))))))) })
	network("constant channels with a gradient", func(x *autograd.Value) list {
		return one(autograd.Conv2d(concat(relu(conv(x)), autograd.Expand(relu(e), 3, 3)), w6, b, 1))
	})
	return nets
}

// TestCorners compares them with the plain tape, with all passes, without any, and without
// each.
func TestCorners(t *testing.T) {
	for _, much := range []bool{false, true} {
		if much {
			recomputeMuch(t)
		}
		for name, net := range corners() {
			t.Run(name, func(t *testing.T) {
				want := net.eager()
				without := [][]string{nil, {"all"}}
				for _, p := range Passes {
					without = append(without, []string{p.Name})
				}
				for _, w := range without {
					if err := compare(net.compiled(t, w...), want, withinRounding); err != nil {
						t.Errorf("without %q: %v", w, err)
					}
				}
			})
		}
	}
}

// TestGradientsAreTheCallers wants a caller to be free to change gradients, as clipping does, also
// the gradient 1 of a parameter that is a loss itself.
func TestGradientsAreTheCallers(t *testing.T) {
	n, x := autograd.Parameter(tensor.New(1)), autograd.Constant(tensor.New(1))
	step, err := Train(func(x *autograd.Value) *autograd.Value { return autograd.Add(x, n) },
		func(_, _ *autograd.Value) []*autograd.Value { return []*autograd.Value{n} }, x, x, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for run := range 2 {
		step.Forward(x)
		step.Loss(x)
		step.Backward()
		if g := n.Grad().Data()[0]; g != 1 {
			t.Errorf("run %d: gradient %v, want 1", run, g)
		}
		n.Grad().Data()[0] = 5
		n.SetGrad(nil)
	}
}

// TestMistakes wants a panic that says what is wrong.
func TestMistakes(t *testing.T) {
	w, b := autograd.Parameter(tensor.New(2, 3, 3, 3)), autograd.Parameter(tensor.New(2))
	forward := func(x *autograd.Value) *autograd.Value { return autograd.Sigmoid(autograd.Conv2d(x, w, b, 1)) }
	mse := func(y, target *autograd.Value) []*autograd.Value {
		return []*autograd.Value{autograd.MSE(y, target)}
	}
	in, target := autograd.Constant(tensor.New(1, 3, 5, 5)), autograd.Constant(tensor.New(1, 2, 5, 5))
	wantPanic(t, "four channels for three", "Conv2d", func() { Predict(forward, autograd.Placeholder(1, 4, 5, 5), Options{}) })
	wantPanic(t, "a loss that is no number", "want one number", func() {
		Train(forward, func(y, _ *autograd.Value) []*autograd.Value { return []*autograd.Value{y} }, in, target, Options{})
	})
	wantPanic(t, "nothing to train", "parameters", func() {
		Train(func(x *autograd.Value) *autograd.Value { return x }, mse, in, in, Options{})
	})
	wantPanic(t, "a placeholder that is no input", "not among the inputs", func() {
		hidden := autograd.Placeholder(1, 2, 5, 5)
		Predict(func(x *autograd.Value) *autograd.Value { return autograd.Add(forward(x), hidden) }, in, Options{})
	})
	if _, err := Predict(forward, in, Options{Without: []string{"speed"}}); err == nil || !strings.Contains(err.Error(), "speed") || !strings.Contains(err.Error(), "exchange") {
		t.Errorf("an unknown pass: error %v", err)
	}
	arena := &Arena{}
	train, err := Train(forward, mse, in, target, Options{Arena: arena})
	if err != nil {
		t.Fatal(err)
	}
	predict, err := Predict(forward, in, Options{Arena: arena})
	if err != nil {
		t.Fatal(err)
	}
	wantPanic(t, "Loss before Forward", "forward", func() { train.Loss(target) })
	wantPanic(t, "Backward before Forward", "loss", func() { train.Backward() })
	wantPanic(t, "another size", "[[1 3 6 5]]", func() { train.Forward(autograd.Constant(tensor.New(1, 3, 6, 5))) })
	wantPanic(t, "no numbers", "no numbers", func() { train.Forward(autograd.Placeholder(1, 3, 5, 5)) })
	train.Forward(in)
	wantPanic(t, "another target", "[[1 2 6 5]]", func() { train.Loss(autograd.Constant(tensor.New(1, 2, 6, 5))) })
	train.Forward(in)
	train.Loss(target)
	train.Backward()
	wantPanic(t, "Backward twice", "loss", func() { train.Backward() })
	train.Forward(in)
	predict.Run(in)
	wantPanic(t, "another program between", "right before", func() { train.Loss(target) })
}
