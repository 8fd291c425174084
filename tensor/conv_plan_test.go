package tensor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"pixelgrad/simd"
)

// poison fills memory with NaN, so that what is read before it is written shows.
func poison(data []float32) {
	for i := range data {
		data[i] = float32(math.NaN())
	}
}

// poisonPool poisons the buffers that will be used next.
func poisonPool() {
	pool.Lock()
	defer pool.Unlock()
	for _, b := range pool.free {
		poison(b[:cap(b)])
	}
}

// withScratch calls run with poisoned memory of exactly n numbers. It wants the memory
// around it untouched, and none to be taken from the pool.
func withScratch(t *testing.T, n int, run func(scratch []float32)) {
	t.Helper()
	const margin, mark = 64, 12345
	memory := make([]float32, margin+n+margin)
	poison(memory)
	around := [][]float32{memory[:margin], memory[margin+n:]}
	for _, m := range around {
		for i := range m {
			m[i] = mark
		}
	}
	ReleaseAll()
	run(memory[margin:][:n:n])
	for _, m := range around {
		if slices.ContainsFunc(m, func(v float32) bool { return v != mark }) {
			t.Errorf("memory around the scratch of %d numbers was written to", n)
		}
	}
	if len(pool.free) > 0 {
		t.Errorf("with scratch of %d numbers, %d buffers were taken from the pool", n, len(pool.free))
	}
}

// inputsOf describes tensors that a convolution reads.
func inputsOf(xs []*Tensor, forms []InputForm, grads []InputGrad) []ConvInput {
	parts := make([]ConvInput, len(xs))
	for i, x := range xs {
		parts[i] = ConvInput{Shape: x.shape}
		if forms != nil {
			parts[i].Form = forms[i]
		}
		if grads != nil {
			parts[i].Grad = grads[i]
		}
	}
	return parts
}

// runConv plans and runs a convolution in poisoned memory.
func runConv(t *testing.T, parts []ConvInput, xs []*Tensor, w, b, add *Tensor, o ConvOptions) *Tensor {
	t.Helper()
	p := PlanConv2d(parts, w.shape, o)
	y, packed := New(p.OutputShape()...), make([]float32, p.PackedLen())
	poison(y.data)
	poison(packed)
	p.PackWeights(packed, w)
	withScratch(t, p.ScratchLen(), func(scratch []float32) { p.Run(y, xs, w, b, add, packed, scratch) })
	return y
}

// runConvBackward plans and computes all gradients of a convolution in poisoned memory. It
// returns new tensors for those of the inputs, or the inputs' for MaskedGrad.
func runConvBackward(t *testing.T, parts []ConvInput, xs []*Tensor, w, y, dy *Tensor, o ConvOptions) (dx []*Tensor, dw, db *Tensor) {
	t.Helper()
	p := PlanConv2dBackward(parts, w.shape, o, true, true)
	dx, dw, db = make([]*Tensor, len(parts)), New(w.shape...), New(w.shape[0])
	poison(dw.data)
	poison(db.data)
	for i, part := range parts {
		switch part.Grad {
		case Grad:
			dx[i] = New(part.Shape...)
			poison(dx[i].data)
		case MaskedGrad:
			dx[i] = xs[i]
		}
	}
	withScratch(t, p.ScratchLen(), func(scratch []float32) { p.Run(dx, dw, db, xs, w, y, dy, scratch) })
	return dx, dw, db
}

// TestConvPlanForms holds convolutions of several inputs, and their gradients, to those of
// one input that ConcatChannels, Upsample2 and Expand make of them.
func TestConvPlanForms(t *testing.T) {
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
		{[]InputForm{Plain}, []InputGrad{MaskedGrad}, []int{18}, 17, 3, 4},
		{[]InputForm{Enlarged}, []InputGrad{Grad}, []int{16}, 16, 3, 4},
		{[]InputForm{Enlarged}, []InputGrad{Grad}, []int{5}, 4, 3, 2},
		{[]InputForm{Enlarged}, []InputGrad{Grad}, []int{16}, 16, 3, 1},
		{[]InputForm{Plain, Enlarged}, []InputGrad{Grad, NoGrad}, []int{17, 5}, 16, 3, 1},
		{[]InputForm{Plain, Enlarged, Plain, Enlarged}, []InputGrad{Grad, Grad, NoGrad, Grad}, []int{7, 5, 3, 4}, 16, 3, 1},
		{[]InputForm{Enlarged, Plain, Plain}, []InputGrad{Grad, NoGrad, Grad}, []int{3, 2, 4}, 5, 3, 1},
		{[]InputForm{Plain, Plain}, []InputGrad{MaskedGrad, MaskedGrad}, []int{12, 13}, 16, 3, 1},
		{[]InputForm{Plain, Constant}, []InputGrad{Grad, Grad}, []int{4, 3}, 5, 3, 1},
		{[]InputForm{Constant, Plain, Constant}, []InputGrad{Grad, MaskedGrad, NoGrad}, []int{2, 17, 3}, 18, 3, 2},
		{[]InputForm{Plain, Constant}, []InputGrad{NoGrad, NoGrad}, []int{4, 3}, 5, 5, 3},
	} {
		for _, size := range [][2]int{{8, 12}, {6, 10}, {16, 36}, {2, 4}, {18, 20}} {
			for _, added := range []InputForm{Plain, Enlarged, Constant} { // Constant: nothing is added
				h, w := size[0], size[1]
				name := fmt.Sprintf("%+v at %v, add %v", c, size, added)
				const n = 3
				var xs, whole []*Tensor
				for i, f := range c.forms {
					var x *Tensor
					switch f {
					case Plain:
						x = random(rng, n, c.channels[i], h, w)
						if c.grads[i] == MaskedGrad {
							x = ReLU(x)
						}
						whole = append(whole, x)
					case Enlarged:
						x = random(rng, n, c.channels[i], h/2, w/2)
						whole = append(whole, Upsample2(x))
					case Constant:
						x = random(rng, n, c.channels[i])
						whole = append(whole, Expand(x, h, w))
					}
					xs = append(xs, x)
				}
				parts := inputsOf(xs, c.forms, c.grads)
				x := ConcatChannels(whole...)
				weights, bias := random(rng, c.oc, x.shape[1], c.k, c.k), random(rng, c.oc)
				o := ConvOptions{Dilation: c.d, ReLU: true}
				want := Conv2d(x, weights, bias, ConvOptions{Dilation: c.d})
				var add *Tensor
				switch added {
				case Plain:
					add = random(rng, want.shape...)
					AddTo(want, want, add)
				case Enlarged:
					add = random(rng, n, c.oc, h/2, w/2)
					AddTo(want, want, Upsample2(add))
				}
				if add != nil {
					o.Add = &ConvInput{Shape: add.shape, Form: added}
				}
				want = ReLU(want)
				y := runConv(t, parts, xs, weights, bias, add, o)
				checkClose(t, "Run "+name, y, want, 2e-5)

				dy := random(rng, y.shape...)
				masked := ReLUBackward(dy.Clone(), y)
				wantX, wantW, wantB := Conv2dInputGrad(weights, masked, c.d), Conv2dWeightGrad(x, masked, c.k, c.k, c.d), Conv2dBiasGrad(masked)
				dx, dw, db := runConvBackward(t, parts, xs, weights, y, dy, o)
				checkClose(t, "Run dw "+name, dw, wantW, 2e-4)
				checkClose(t, "Run db "+name, db, wantB, 0)
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
					if part != nil {
						checkClose(t, fmt.Sprintf("Run dx of input %d, %s", i, name), dx[i], part, 2e-4)
					}
				}
			}
		}
	}
}

// TestConvPlanPanics expects a panic for inputs that do not fit together, and for operands
// that were not planned.
func TestConvPlanPanics(t *testing.T) {
	w := []int{2, 3, 3, 3}
	plain := []ConvInput{{Shape: []int{1, 3, 4, 4}}}
	image, result := New(1, 3, 4, 4), New(1, 2, 4, 4)
	run := func(p *ConvPlan, y, x, w, b, add *Tensor, packed int) func() {
		return func() { p.Run(y, []*Tensor{x}, w, b, add, make([]float32, packed), nil) }
	}
	plan := func(parts []ConvInput, w []int) func() { return func() { PlanConv2d(parts, w, ConvOptions{}) } }
	p := PlanConv2d(plain, w, ConvOptions{})
	back := PlanConv2dBackward(plain, w, ConvOptions{ReLU: true}, true, false)
	for name, f := range map[string]func(){
		"nothing":         plan(nil, w),
		"channels":        plan([]ConvInput{{Shape: []int{1, 2, 4, 4}}}, w),
		"rank of weights": plan(plain, []int{2, 3, 3}),
		"batch":           plan([]ConvInput{{Shape: []int{1, 2, 4, 4}}, {Shape: []int{2, 1}, Form: Constant}}, w),
		"size":            plan([]ConvInput{{Shape: []int{1, 2, 4, 4}}, {Shape: []int{1, 1, 4, 4}, Form: Enlarged}}, w),
		"constants alone": plan([]ConvInput{{Shape: []int{1, 3}, Form: Constant}}, w),
		"masked constant": plan([]ConvInput{{Shape: []int{1, 2, 4, 4}}, {Shape: []int{1, 1}, Form: Constant, Grad: MaskedGrad}}, w),
		"some masked":     plan([]ConvInput{{Shape: []int{1, 2, 4, 4}, Grad: Grad}, {Shape: []int{1, 1, 4, 4}, Grad: MaskedGrad}}, w),
		"added": func() {
			PlanConv2d(plain, w, ConvOptions{Add: &ConvInput{Shape: []int{1, 3, 4, 4}}})
		},
		"the result's shape":  run(p, New(1, 2, 4, 5), image, nil, nil, nil, p.PackedLen()),
		"the input's shape":   run(p, result, New(1, 3, 4, 5), nil, nil, nil, p.PackedLen()),
		"the bias's shape":    run(p, result, image, nil, New(3), nil, p.PackedLen()),
		"added, not planned":  run(p, result, image, nil, nil, result, p.PackedLen()),
		"packed weights":      run(p, result, image, nil, nil, nil, p.PackedLen()-1),
		"packing":             func() { p.PackWeights(make([]float32, p.PackedLen()), New(2, 3, 3, 1)) },
		"gradient without y":  func() { back.Run(nil, New(w...), nil, []*Tensor{image}, nil, nil, result, nil) },
		"gradient of weights": func() { back.Run(nil, nil, nil, []*Tensor{image}, nil, result, result, nil) },
		"gradient of bias":    func() { back.Run(nil, New(w...), New(2), []*Tensor{image}, nil, result, result, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
	back.Run(nil, New(w...), nil, []*Tensor{image}, nil, result, result, nil) // nothing is wrong with this one
}

// TestConvPlanThreads: results have the same bits for any number of threads, and also if
// they are more or fewer than when the plan was made; and whether memory is asked for in advance or not.
func TestConvPlanThreads(t *testing.T) {
	everyPixelCount(t)
	defer SetThreads(0)
	defer func() { Prefetch = true }()
	rng := rand.New(rand.NewPCG(8, 8))
	for _, winograd := range []bool{false, true} {
		for _, d := range []int{1, 2, 4} {
			UseWinograd = winograd
			const c, h, w = 20, 30, 34
			n := 1 + d%4 // 2, 3, 1
			xs := []*Tensor{random(rng, n, c, h, w), random(rng, n, 3), random(rng, n, 2, h/2, w/2)}
			parts := inputsOf(xs, []InputForm{Plain, Constant, Enlarged}, []InputGrad{Grad, Grad, Grad})
			weights, bias, dy := random(rng, 18, c+5, 3, 3), random(rng, 18), random(rng, n, 18, h, w)
			o := ConvOptions{Dilation: d, ReLU: true}
			var want []*Tensor
			for threads := 1; threads <= 5; threads++ {
				SetThreads(threads)
				Prefetch = threads%2 == 1
				y := runConv(t, parts, xs, weights, bias, nil, o)
				dx, dw, db := runConvBackward(t, parts, xs, weights, y, dy, o)
				got := append(dx, y, dw, db)
				if want == nil {
					want = got
				}
				for i := range got {
					checkClose(t, fmt.Sprintf("Winograd %v, dilation %d, %d threads, result %d", winograd, d, threads, i), got[i], want[i], 0)
				}
			}
			for _, planned := range []int{1, 2, 4} {
				SetThreads(planned)
				p, back := PlanConv2d(parts, weights.shape, o), PlanConv2dBackward(parts, weights.shape, o, true, true)
				packed := make([]float32, p.PackedLen())
				p.PackWeights(packed, weights)
				for threads := 1; threads <= 5; threads++ {
					SetThreads(threads)
					scratch := make([]float32, max(p.ScratchLen(), back.ScratchLen()))
					poison(scratch)
					y, dw, db := New(n, 18, h, w), New(weights.shape...), New(18)
					dx := []*Tensor{New(xs[0].shape...), New(xs[1].shape...), New(xs[2].shape...)}
					p.Run(y, xs, weights, bias, nil, packed, scratch[:p.ScratchLen()])
					back.Run(dx, dw, db, xs, weights, y, dy, scratch[:back.ScratchLen()])
					for i, got := range append(dx, y, dw, db) {
						checkClose(t, fmt.Sprintf("Winograd %v, dilation %d, planned for %d threads, run on %d, result %d", winograd, d, planned, threads, i), got, want[i], 0)
					}
				}
			}
		}
	}
}

// TestConvPlanScratch: an image that all threads compute together takes the memory of one for each of
// them, and not for each image that is computed at the same time.
func TestConvPlanScratch(t *testing.T) {
	defer SetThreads(0)
	SetThreads(8)
	scratch := func(n int) int {
		parts := []ConvInput{{Shape: []int{n, 192, 72, 72}, Grad: Grad}}
		p := PlanConv2dBackward(parts, []int{64, 192, 3, 3}, ConvOptions{}, true, true)
		return p.ScratchLen() - n*p.splits*p.weights.sumsLen()
	}
	if eight, nine := scratch(8), scratch(9); float64(nine) > 1.1*float64(eight) {
		t.Errorf("eight images take %d numbers beside their sums, and nine %d: want hardly more", eight, nine)
	}
}

// TestConvPlanAllocates wants a run to allocate next to nothing.
func TestConvPlanAllocates(t *testing.T) {
	defer SetThreads(0)
	SetThreads(2)
	rng := rand.New(rand.NewPCG(8, 9))
	for _, n := range []int{4, 5} { // 5: one image is computed by both threads
		for _, d := range []int{1, 2} {
			xs := []*Tensor{random(rng, n, 20, 30, 34), random(rng, n, 3)}
			parts := inputsOf(xs, []InputForm{Plain, Constant}, []InputGrad{Grad, Grad})
			w, y := random(rng, 18, 23, 3, 3), New(n, 18, 30, 34)
			o := ConvOptions{Dilation: d, ReLU: true}
			p, back := PlanConv2d(parts, w.shape, o), PlanConv2dBackward(parts, w.shape, o, true, true)
			packed, scratch := make([]float32, p.PackedLen()), make([]float32, max(p.ScratchLen(), back.ScratchLen()))
			p.PackWeights(packed, w)
			dx, dw, db := []*Tensor{New(xs[0].shape...), New(xs[1].shape...)}, New(w.shape...), New(18)
			for name, run := range map[string]func(){
				"forward":  func() { p.Run(y, xs, w, db, nil, packed, scratch) },
				"backward": func() { back.Run(dx, dw, db, xs, w, y, y, scratch) },
			} {
				const runs = 20
				var before, after runtime.MemStats
				run()
				runtime.ReadMemStats(&before)
				for range runs {
					run()
				}
				runtime.ReadMemStats(&after)
				bytes, allocs := (after.TotalAlloc-before.TotalAlloc)/runs, (after.Mallocs-before.Mallocs)/runs
				t.Logf("%s, %d images, dilation %d: %d bytes in %d pieces a run", name, n, d, bytes, allocs)
				if bytes > 2000 {
					t.Errorf("%s, %d images, dilation %d: %d bytes a run, want at most 2000", name, n, d, bytes)
				}
			}
		}
	}
}

// TestWinogradFollowing: while the weights of one place are multiplied, those of the next are fetched, all
// of them and each once, for more channels than a product takes at a time.
func TestWinogradFollowing(t *testing.T) {
	const ic, oc = mulBlock + 44, 40
	w := newWinograd(newConvGeometry("test", []int{1, ic, 8, 8}, []int{oc, ic, 3, 3}, nil, 1), 1)
	mr, _ := simd.Tile()
	packed := make([]float32, w.packedLen())
	for i := range packed {
		packed[i] = float32(i)
	}
	const panels = 2
	for xi := range 36 {
		for first := 0; first+panels <= w.panels(); first += panels {
			at, count := (xi+1)*w.panels()+first, panels // the first of the panels that come next
			if xi == 35 {
				at = (first + panels) % w.panels()
				count = min(panels, w.panels()-at)
			}
			next := at * ic * mr
			for c := 0; c < ic; c += mulBlock {
				got := w.following(packed, xi, first, panels, c, min(mulBlock, ic-c))
				if int(got[0]) != next {
					t.Fatalf("ξ %d, panel %d, channel %d: weights from %v on are fetched, want from %d", xi, first, c, got[0], next)
				}
				next += len(got)
			}
			if want := (at + count) * ic * mr; next != want {
				t.Fatalf("ξ %d, panel %d: weights up to %d are fetched, want up to %d", xi, first, next, want)
			}
		}
	}
}
