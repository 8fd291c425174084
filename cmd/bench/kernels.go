package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sync"
	"time"

	"pixelgrad/simd"
	"pixelgrad/tensor"
)

// A kernel is something to measure: make returns a function that does each
// operations or bytes of it, on memory of its own.
type kernel struct {
	name   string
	unit   string // GFLOP/s, of which the peak is the measure, or GB/s
	each   float64
	make   func() func()
	whole  bool // shares its work among tensor.Threads by itself
	direct bool // without Winograd's way
}

// peak is what the kernels that compute are measured against.
func peak() kernel {
	return kernel{name: "FMA peak", unit: "GFLOP/s", each: simd.FMAPeak(10_000), make: func() func() {
		return func() { simd.FMAPeak(10_000) }
	}}
}

// kernels lists what is measured: the peak, and the kernels whose names wanted
// matches. Convolutions get a number of images. Elementwise kernels get 4,096 elements,
// which stay in the nearest caches: it is the arithmetic that is measured, not the memory.
func kernels(wanted *regexp.Regexp, images int) []kernel {
	const n = 4096
	buffers := func(sizes ...int) [][]float32 {
		s := make([][]float32, len(sizes))
		for i, n := range sizes {
			s[i] = make([]float32, n)
			for j := range s[i] {
				s[i][j] = float32(j%17)/17 - 0.4
			}
		}
		return s
	}
	elementwise := func(name string, f func(s [][]float32), sizes ...int) kernel {
		bytes := 0
		for _, n := range sizes {
			bytes += 4 * n
		}
		return kernel{name: name, unit: "GB/s", each: float64(bytes), make: func() func() {
			s := buffers(sizes...)
			return func() { f(s) }
		}}
	}
	step := simd.NewAdamStep(0.001, 0.9, 0.999, 1e-8, 100)
	all := slices.Concat(convolutions(images), products(), enlargements(images), []kernel{
		elementwise("Add", func(s [][]float32) { simd.Add(s[0], s[1], s[2]) }, n, n, n),
		elementwise("Mul", func(s [][]float32) { simd.Mul(s[0], s[1], s[2]) }, n, n, n),
		elementwise("Scale", func(s [][]float32) { simd.Scale(s[0], 0.5, s[1]) }, n, n),
		elementwise("Axpy", func(s [][]float32) { simd.Axpy(s[0], 1e-9, s[1]) }, n, n),
		elementwise("ScaledDiff", func(s [][]float32) { simd.ScaledDiff(s[0], 0.5, s[1], s[2]) }, n, n, n),
		elementwise("AddBias", func(s [][]float32) { simd.AddBias(s[0], s[1], 0.1) }, n, n),
		elementwise("AddBiasReLU", func(s [][]float32) { simd.AddBiasReLU(s[0], s[1], 0.1) }, n, n),
		elementwise("AddBiasPReLU", func(s [][]float32) { simd.AddBiasPReLU(s[0], s[1], 0.1, 0.25) }, n, n),
		elementwise("ReLUBackward", func(s [][]float32) { simd.ReLUBackward(s[0], s[1], s[2]) }, n, n, n),
		elementwise("PReLUBackward", func(s [][]float32) { simd.PReLUBackward(s[0], s[1], s[2], 0.25) }, n, n, n),
		elementwise("Sigmoid", func(s [][]float32) { simd.Sigmoid(s[0], s[1]) }, n, n),
		elementwise("Exp", func(s [][]float32) { simd.Exp(s[0], s[1]) }, n, n),
		elementwise("GELU", func(s [][]float32) { simd.GELU(s[0], s[1]) }, n, n),
		elementwise("SigmoidBackward", func(s [][]float32) { simd.SigmoidBackward(s[0], s[1], s[2]) }, n, n, n),
		elementwise("Sum", func(s [][]float32) { simd.Sum(s[0]) }, n),
		elementwise("SumSquaredDiff", func(s [][]float32) { simd.SumSquaredDiff(s[0], s[1]) }, n, n),
		elementwise("SumAbsDiff", func(s [][]float32) { simd.SumAbsDiff(s[0], s[1]) }, n, n),
		elementwise("SignDiff", func(s [][]float32) { simd.SignDiff(s[0], 0.5, s[1], s[2]) }, n, n, n),
		elementwise("SumRootDiff", func(s [][]float32) { simd.SumRootDiff(0.001, s[0], s[1]) }, n, n),
		elementwise("RootDiff", func(s [][]float32) { simd.RootDiff(s[0], 0.5, 0.001, s[1], s[2]) }, n, n, n),
		elementwise("UpsampleBlend", func(s [][]float32) { simd.UpsampleBlend(s[0], s[1], s[2]) }, n, n, n),
		elementwise("UpsampleBlendBackward", func(s [][]float32) { simd.UpsampleBlendBackward(s[0], s[1], s[2], s[3], s[4]) }, n, n, n, n, n),
		elementwise("UpsampleExpand", func(s [][]float32) { simd.UpsampleExpand(s[0], s[1]) }, 2*n, n+2),
		elementwise("UpsampleExpandBackward", func(s [][]float32) { simd.UpsampleExpandBackward(s[0], s[1]) }, n, 2*n+2),
		elementwise("Transpose8", func(s [][]float32) { simd.Transpose8(s[0], 8, s[1], n/8, n/8) }, n, n),
		elementwise("Adam", func(s [][]float32) { simd.Adam(s[0], s[1], s[2], s[3], step) }, n, n, n, n),
	})
	return append([]kernel{peak()}, slices.DeleteFunc(all, func(k kernel) bool { return !wanted.MatchString(k.name) })...)
}

// convolutions are whole operations: padding, packing, bias and ReLU are part of
// the time, the multiplications alone of the count. Winograd's way does fewer of them, but
// those of the direct way count: what it is for is the result, not the multiplications.
func convolutions(n int) []kernel {
	var ks []kernel
	for _, c := range []struct {
		ic, oc, size, k, dilation int
		winograd                  bool // whether it has both ways
	}{
		{64, 64, 72, 3, 1, true},
		{32, 32, 72, 3, 1, true},
		{32, 32, 144, 3, 1, true},
		{32, 32, 144, 3, 2, true},
		{32, 32, 144, 3, 4, true},
		{96, 32, 144, 3, 1, true},
		{192, 64, 72, 3, 1, true},
		{3, 64, 72, 3, 1, false},
		{64, 3, 72, 1, 1, false},
	} {
		name := fmt.Sprintf("conv %d×%d %d→%d at %d²", c.k, c.k, c.ic, c.oc, c.size)
		if c.dilation > 1 {
			name += fmt.Sprintf(", dilation %d", c.dilation)
		}
		flops := 2 * float64(n*c.ic*c.oc*c.k*c.k*c.size*c.size)
		o := tensor.ConvOptions{ReLU: true, Dilation: c.dilation}
		x, w := []int{n, c.ic, c.size, c.size}, []int{c.oc, c.ic, c.k, c.k}
		shared := sync.OnceValue(func() tensors { // by all that are measured on them, in turn
			t := tensors{tensor.New(x...), tensor.New(w...), tensor.New(c.oc), tensor.New(n, c.oc, c.size, c.size)}
			for i := range t.x.Data() {
				t.x.Data()[i] = float32(i%13) / 13
			}
			for i := range t.w.Data() {
				t.w.Data()[i] = float32(i%11)/110 - 0.04
			}
			forward(t, o)()
			return t
		})
		add := func(what string, f func(t tensors, o tensor.ConvOptions) func()) {
			k := kernel{name: name + ", " + what, unit: "GFLOP/s", each: flops, whole: true, make: func() func() { return f(shared(), o) }}
			if !c.winograd {
				ks = append(ks, k)
				return
			}
			direct := k
			direct.name, direct.direct = k.name+", direct", true
			k.name += winogradMark
			ks = append(ks, direct, k)
		}
		add("forward", forward)
		if c.ic > 3 { // nobody asks for the gradient of a photograph
			add("data gradient", dataGradient)
		}
		add("weight gradient", weightGradient)
	}
	return ks
}

// tensors are what a convolution works on.
type tensors struct{ x, w, b, y *tensor.Tensor }

// forward returns a planned convolution. Weights are packed every time, as in training.
func forward(t tensors, o tensor.ConvOptions) func() {
	return planned(func() func() {
		p := tensor.PlanConv2d([]tensor.ConvInput{{Shape: t.x.Shape()}}, t.w.Shape(), o)
		packed, scratch := make([]float32, p.PackedLen()), make([]float32, p.ScratchLen())
		return func() {
			p.PackWeights(packed, t.w)
			p.Run(t.y, []*tensor.Tensor{t.x}, t.w, t.b, nil, packed, scratch)
		}
	})
}

// dataGradient returns the planned gradient of the input.
func dataGradient(t tensors, o tensor.ConvOptions) func() {
	return planned(func() func() {
		p := tensor.PlanConv2dBackward([]tensor.ConvInput{{Shape: t.x.Shape(), Grad: tensor.Grad}}, t.w.Shape(), o, false, false)
		scratch, dx := make([]float32, p.ScratchLen()), []*tensor.Tensor{tensor.New(t.x.Shape()...)}
		return func() { p.Run(dx, nil, nil, []*tensor.Tensor{t.x}, t.w, t.y, t.y, scratch) }
	})
}

// weightGradient returns the planned gradient of the weights.
func weightGradient(t tensors, o tensor.ConvOptions) func() {
	return planned(func() func() {
		p := tensor.PlanConv2dBackward([]tensor.ConvInput{{Shape: t.x.Shape()}}, t.w.Shape(), o, true, false)
		scratch, dw := make([]float32, p.ScratchLen()), tensor.New(t.w.Shape()...)
		return func() { p.Run([]*tensor.Tensor{nil}, dw, nil, []*tensor.Tensor{t.x}, t.w, t.y, t.y, scratch) }
	})
}

// planned returns what make returns, made anew whenever the number of threads or the way has
// changed: plans depend on both.
func planned(make func() func()) func() {
	var run func()
	threads, winograd := 0, false
	return func() {
		if run == nil || threads != tensor.Threads() || winograd != tensor.UseWinograd {
			run, threads, winograd = make(), tensor.Threads(), tensor.UseWinograd
		}
		run()
	}
}

// winogradMark ends the names of kernels of which more operations are counted than done.
const winogradMark = ", Winograd"

// products are of square matrices: MatMul packs one of them each time, the weights of a
// linear layer are packed once.
func products() []kernel {
	const n = 1024
	square := func() *tensor.Tensor {
		t := tensor.New(n, n)
		for i := range t.Data() {
			t.Data()[i] = float32(i%17)/17 - 0.4
		}
		return t
	}
	product := func(name string, f func() func()) kernel {
		return kernel{name: fmt.Sprintf("%s %d³", name, n), unit: "GFLOP/s", each: 2 * n * n * n, whole: true, make: f}
	}
	return []kernel{
		product("MatMul", func() func() {
			a, b := square(), square()
			return func() { tensor.Release(tensor.MatMul(a, b)) }
		}),
		product("Packed.Linear", func() func() {
			x, p := square(), tensor.PackTransposed(square())
			return func() { tensor.Release(p.Linear(x, tensor.LinearOptions{})) }
		}),
	}
}

// enlargements are whole operations that move numbers, or sum a few: what SRVGGNetCompact and
// RRDBNet end in, and what Fast adds its output to. The bytes are those of the operand and of the
// result. They are more than caches hold.
func enlargements(n int) []kernel {
	const side = 72
	enlargement := func(name string, channels, factor, outChannels int, f func(y, x *tensor.Tensor, k int)) kernel {
		in, out := []int{n, channels, side, side}, []int{n, outChannels, factor * side, factor * side}
		return kernel{
			name: fmt.Sprintf("%s ×%d %d→%d at %d²", name, factor, channels, outChannels, side), unit: "GB/s", whole: true,
			each: 4 * float64(n*side*side*(channels+outChannels*factor*factor)),
			make: func() func() {
				x, y := tensor.New(in...), tensor.New(out...)
				return func() { f(y, x, factor) }
			},
		}
	}
	return []kernel{
		enlargement("PixelShuffle", 48, 4, 3, tensor.PixelShuffleTo),
		enlargement("UpsampleNearest", 64, 2, 64, tensor.UpsampleNearestTo),
		enlargement("UpsampleBicubic", 3, 2, 3, tensor.UpsampleBicubicTo),
	}
}

// measure returns how many billions of its units a kernel does a second on a number
// of threads. A round lasts at least 20 ms.
func (k *threadedKernel) measure(threads int) float64 {
	copies := threads
	if k.whole {
		copies = 1
		tensor.SetThreads(threads)
		tensor.UseWinograd = !k.direct
		defer func() { tensor.UseWinograd = true }()
	}
	count := 1
	for warm := false; ; warm = true {
		start := time.Now()
		var wg sync.WaitGroup
		for _, f := range k.fs[:copies] {
			wg.Go(func() {
				for range count {
					f()
				}
			})
		}
		wg.Wait()
		if t := time.Since(start).Seconds(); t > 0.5 || warm && t > 0.02 {
			return float64(copies) * float64(count) * k.each / t / 1e9
		} else if t > 0.001 {
			count = int(float64(count)*0.025/t) + 1
		} else {
			count *= 10
		}
	}
}

// A kernelResult is one row of a level's table.
type kernelResult struct {
	Name string  `json:"name"`
	Unit string  `json:"unit"`
	One  float64 `json:"one_thread"`
	All  float64 `json:"all_threads"`
	// All / One: the median of the rounds'.
	Speedup float64 `json:"speedup"`
	// Of the peak that was measured in the same run; 0 for GB/s.
	OneShare float64 `json:"one_thread_of_peak,omitempty"`
	AllShare float64 `json:"all_threads_of_peak,omitempty"`
}

// A levelResult is what the kernels reach at one level.
type levelResult struct {
	Level   string         `json:"level"`
	Kernels []kernelResult `json:"kernels"`
}

// threadedKernel is a kernel on memory of its own for each thread.
type threadedKernel struct {
	kernel
	fs []func()
}

func (k kernel) threaded(threads int) threadedKernel {
	t := threadedKernel{kernel: k}
	for range threads {
		t.fs = append(t.fs, k.make())
		if k.whole {
			break
		}
	}
	return t
}

// serveKernels measures all kernels once for each line that it gets: on one thread
// and on all, in turn.
func serveKernels(o *options, in io.Reader, out io.Writer) error {
	images := 16 // the batch that models are trained with
	if simd.Current() == simd.Generic {
		images = 1 // a call then lasts about a second, and not a quarter of a minute
	}
	var ks []threadedKernel
	for _, k := range kernels(o.kernels, images) {
		ks = append(ks, k.threaded(o.threads))
	}
	return answers(in, out, func(string) (any, error) {
		rows := make([]kernelResult, len(ks))
		for i, k := range ks {
			one, all := k.measure(1), k.measure(o.threads)
			rows[i] = kernelResult{Name: k.name, Unit: k.unit, One: one, All: all, Speedup: all / one}
		}
		return rows, nil
	})
}

// measureLevel runs the kernels at a level, in a process that is forced to it.
func measureLevel(ctx context.Context, o *options, l simd.Level) (levelResult, error) {
	result := levelResult{Level: l.String()}
	p, err := self(ctx, []string{simd.Environment + "=" + l.String()}, "-serve", "kernels", "-kernels", o.kernels.String(), "-threads", fmt.Sprint(o.threads))
	if err != nil {
		return result, err
	}
	defer p.close()
	rounds := o.rounds
	if l == simd.Generic { // a hundred times slower: what it shows needs no precision
		rounds = 1
	}
	var one, all, speedup [][]float64 // by kernel and round
	for range rounds {
		if err := p.ask(&result.Kernels, "measure"); err != nil {
			return result, err
		}
		if one == nil {
			n := len(result.Kernels)
			one, all, speedup = make([][]float64, n), make([][]float64, n), make([][]float64, n)
		}
		for i, k := range result.Kernels {
			one[i], all[i], speedup[i] = append(one[i], k.One), append(all[i], k.All), append(speedup[i], k.Speedup)
		}
	}
	for i := range result.Kernels {
		k := &result.Kernels[i]
		k.One, k.All, k.Speedup = median(one[i]), median(all[i]), median(speedup[i])
		if k.Unit == "GFLOP/s" {
			k.OneShare, k.AllShare = k.One/result.Kernels[0].One, k.All/result.Kernels[0].All
		}
	}
	return result, nil
}
