package tensor

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestConv2dOf holds convolutions of several inputs, and their gradients, to those of one
// input that ConcatChannels, Upsample2 and Expand make of them.
func TestConv2dOf(t *testing.T) {
	everyPixelCount(t)
	rng := rand.New(rand.NewPCG(7, 7))
	for _, c := range []struct {
		forms    []InputForm
		grads    []InputGrad
		channels []int
		oc, k, d int
	}{
		{[]InputForm{Plain}, []InputGrad{MaskedGrad}, []int{3}, 4, 3, 1},
		{[]InputForm{Plain}, []InputGrad{MaskedGrad}, []int{24}, 3, 1, 1},
		{[]InputForm{Plain}, []InputGrad{MaskedGrad}, []int{18}, 17, 3, 1},
		{[]InputForm{Plain}, []InputGrad{MaskedGrad}, []int{18}, 17, 3, 2},
		{[]InputForm{Enlarged}, []InputGrad{Grad}, []int{5}, 4, 3, 2},
		{[]InputForm{Enlarged}, []InputGrad{Grad}, []int{16}, 16, 3, 1},
		{[]InputForm{Plain, Enlarged}, []InputGrad{Grad, NoGrad}, []int{17, 5}, 16, 3, 1},
		{[]InputForm{Enlarged, Plain, Plain}, []InputGrad{Grad, NoGrad, Grad}, []int{3, 2, 4}, 5, 3, 1},
		{[]InputForm{Plain, Plain}, []InputGrad{MaskedGrad, MaskedGrad}, []int{12, 13}, 16, 3, 1},
		{[]InputForm{Plain, Constant}, []InputGrad{Grad, Grad}, []int{4, 3}, 5, 3, 1},
		{[]InputForm{Constant, Plain, Constant}, []InputGrad{Grad, MaskedGrad, NoGrad}, []int{2, 17, 3}, 18, 3, 2},
		{[]InputForm{Plain, Constant}, []InputGrad{NoGrad, NoGrad}, []int{4, 3}, 5, 5, 3},
	} {
		for _, size := range [][2]int{{8, 12}, {6, 10}, {16, 36}, {2, 4}} {
			for _, add := range []InputForm{Plain, Enlarged, Constant} { // Constant: nothing is added
				h, w := size[0], size[1]
				name := fmt.Sprintf("%+v at %v, add %v", c, size, add)
				const n = 3
				var parts []ConvInput
				var whole []*Tensor
				for i, f := range c.forms {
					p := ConvInput{Form: f, Grad: c.grads[i]}
					switch f {
					case Plain:
						p.X = random(rng, n, c.channels[i], h, w)
						if p.Grad == MaskedGrad {
							p.X = ReLU(p.X)
						}
						whole = append(whole, p.X)
					case Enlarged:
						p.X = random(rng, n, c.channels[i], h/2, w/2)
						whole = append(whole, Upsample2(p.X))
					case Constant:
						p.X = random(rng, n, c.channels[i])
						whole = append(whole, Expand(p.X, h, w))
					}
					parts = append(parts, p)
				}
				x := ConcatChannels(whole...)
				weights, bias := random(rng, c.oc, x.shape[1], c.k, c.k), random(rng, c.oc)
				o := ConvOptions{Dilation: c.d, ReLU: true}
				want := Conv2d(x, weights, bias, ConvOptions{Dilation: c.d})
				switch add {
				case Plain:
					o.Add = &ConvInput{X: random(rng, want.shape...)}
					AddTo(want, o.Add.X)
				case Enlarged:
					o.Add = &ConvInput{X: random(rng, n, c.oc, h/2, w/2), Form: Enlarged}
					AddTo(want, Upsample2(o.Add.X))
				}
				want = ReLU(want)
				poisonPool()
				y := Conv2dOf(parts, weights, bias, o)
				checkClose(t, "Conv2dOf "+name, y, want, 2e-5)

				dy := random(rng, y.shape...)
				wantX, wantW, wantB := Conv2dBackward(x, weights, y, dy, o, ConvGrads{true, true, true})
				poisonPool()
				dx, dw, db := Conv2dBackwardOf(parts, weights, y, dy, o, true, true)
				checkClose(t, "Conv2dOf dw "+name, dw, wantW, 2e-4)
				checkClose(t, "Conv2dOf db "+name, db, wantB, 2e-4)
				at := 0
				for i, p := range parts {
					part := SliceChannels(wantX, at, at+c.channels[i])
					switch {
					case p.Grad == NoGrad:
						part = nil
					case p.Grad == MaskedGrad:
						part = ReLUBackward(part, SliceChannels(x, at, at+c.channels[i]))
					case p.Form == Enlarged:
						part = Upsample2Backward(part)
					case p.Form == Constant:
						part = SumPixels(part)
					}
					at += c.channels[i]
					if part == nil {
						if dx[i] != nil {
							t.Fatalf("%s: input %d got a gradient", name, i)
						}
						continue
					}
					checkClose(t, fmt.Sprintf("Conv2dOf dx of input %d, %s", i, name), dx[i], part, 2e-4)
				}
			}
		}
	}
}

// TestConv2dOfPanics expects a panic for inputs that do not fit together.
func TestConv2dOfPanics(t *testing.T) {
	w := New(2, 3, 3, 3)
	for name, parts := range map[string][]ConvInput{
		"nothing":         nil,
		"channels":        {{X: New(1, 2, 4, 4)}},
		"batch":           {{X: New(1, 2, 4, 4)}, {X: New(2, 1), Form: Constant}},
		"size":            {{X: New(1, 2, 4, 4)}, {X: New(1, 1, 4, 4), Form: Enlarged}},
		"constants alone": {{X: New(1, 3), Form: Constant}},
		"masked constant": {{X: New(1, 2, 4, 4)}, {X: New(1, 1), Form: Constant, Grad: MaskedGrad}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			Conv2dOf(parts, w, nil, ConvOptions{})
		}()
	}
}

// TestConvThreads: results have the same bits for any number of threads.
func TestConvThreads(t *testing.T) {
	everyPixelCount(t)
	defer SetThreads(0)
	rng := rand.New(rand.NewPCG(8, 8))
	for _, d := range []int{1, 2} {
		const n, c, h, w = 3, 20, 30, 34
		parts := []ConvInput{{X: random(rng, n, c, h, w), Grad: Grad}, {X: random(rng, n, 3), Form: Constant, Grad: Grad}}
		weights, bias, dy := random(rng, 18, c+3, 3, 3), random(rng, 18), random(rng, n, 18, h, w)
		o := ConvOptions{Dilation: d, ReLU: true}
		var want []*Tensor
		for threads := 1; threads <= 5; threads++ {
			SetThreads(threads)
			y := Conv2dOf(parts, weights, bias, o)
			dx, dw, db := Conv2dBackwardOf(parts, weights, y, dy, o, true, true)
			got := append(dx, y, dw, db)
			if want == nil {
				want = got
			}
			for i := range got {
				checkClose(t, fmt.Sprintf("dilation %d, %d threads, result %d", d, threads, i), got[i], want[i], 0)
			}
		}
	}
}
