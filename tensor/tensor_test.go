package tensor

import (
	"bytes"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

func TestUpsample2(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range [][4]int{{1, 1, 1, 1}, {2, 3, 1, 5}, {1, 2, 7, 1}, {2, 2, 5, 19}, {1, 3, 40, 33}} {
		x := random(rng, s[:]...)
		y := Upsample2(x)
		checkClose(t, "Upsample2", y, upsample2Reference(x), 3e-7)

		// The gradient is the transpose of the map: <Up x, dy> = <x, Upᵀ dy>.
		dy := random(rng, y.shape...)
		dx := Upsample2Backward(dy)
		var a, b float64
		for i := range y.data {
			a += float64(y.data[i]) * float64(dy.data[i])
		}
		for i := range x.data {
			b += float64(x.data[i]) * float64(dx.data[i])
		}
		if !(math.Abs(a-b) <= 1e-5*math.Sqrt(float64(y.Len()))) {
			t.Errorf("Upsample2Backward %v: <Up x, dy> = %v, <x, Upᵀ dy> = %v", s, a, b)
		}
		// And so it is for each pixel alone.
		if x.Len() > 200 {
			continue
		}
		for i := range x.data {
			e := New(x.shape...)
			e.data[i] = 1
			want := 0.0
			for j, v := range upsample2Reference(e).data {
				want += float64(v) * float64(dy.data[j])
			}
			if !(math.Abs(float64(dx.data[i])-want) <= 1e-6) {
				t.Fatalf("Upsample2Backward %v: element %d: got %v, want %v", s, i, dx.data[i], want)
			}
		}
	}
}

func TestChannels(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	a, b := random(rng, 2, 3, 4, 5), random(rng, 2, 2, 4, 5)
	c := ConcatChannels(a, b)
	checkClose(t, "first channels", SliceChannels(c, 0, 3), a, 0)
	checkClose(t, "last channels", SliceChannels(c, 3, 5), b, 0)
}

func TestElementwise(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	a, b := random(rng, 3, 70, 90), random(rng, 3, 70, 90) // more than a chunk
	for name, c := range map[string]struct {
		got  *Tensor
		want func(a, b float64) float64
	}{
		"Add":             {Add(a, b), func(a, b float64) float64 { return a + b }},
		"Scale":           {Scale(3, a), func(a, b float64) float64 { return 3 * a }},
		"ScaledDiff":      {ScaledDiff(3, a, b), func(a, b float64) float64 { return 3 * (a - b) }},
		"SignDiff":        {into(a, func(y *Tensor) { SignDiff(3).To(y, a, b) }), func(a, b float64) float64 { return math.Copysign(3, a-b) }},
		"RootDiff":        {into(a, func(y *Tensor) { RootDiff(3, 0.5).To(y, a, b) }), func(a, b float64) float64 { return 3 * (a - b) / math.Hypot(a-b, 0.5) }},
		"… and sigmoid":   {into(a, func(y *Tensor) { SignDiff(3).SigmoidBackwardTo(y, a, b) }), func(a, b float64) float64 { return math.Copysign(3, a-b) * a * (1 - a) }},
		"ReLU":            {ReLU(a), func(a, b float64) float64 { return max(a, 0) }},
		"ReLUBackward":    {ReLUBackward(a, b), func(a, b float64) float64 { return map[bool]float64{true: a}[b > 0] }},
		"Sigmoid":         {Sigmoid(a), func(a, b float64) float64 { return 1 / (1 + math.Exp(-a)) }},
		"SigmoidBackward": {SigmoidBackward(a, b), func(a, b float64) float64 { return a * b * (1 - b) }},
	} {
		want := New(a.shape...)
		for i := range want.data {
			want.data[i] = float32(c.want(float64(a.data[i]), float64(b.data[i])))
		}
		checkClose(t, name, c.got, want, 1e-6)
	}
	sum, squares, distances, roots := 0.0, 0.0, 0.0, 0.0
	for i := range a.data {
		sum += float64(a.data[i])
		d := float64(a.data[i]) - float64(b.data[i])
		squares += d * d
		distances += math.Abs(d)
		roots += math.Hypot(d, 0.5)
	}
	if got := Sum(a); !(math.Abs(got-sum) < 1e-3) {
		t.Errorf("Sum = %v, want %v", got, sum)
	}
	if got := SumSquaredDiff(a, b); !(math.Abs(got/squares-1) < 1e-6) {
		t.Errorf("SumSquaredDiff = %v, want %v", got, squares)
	}
	if got := SumAbsDiff(a, b); !(math.Abs(got/distances-1) < 1e-6) {
		t.Errorf("SumAbsDiff = %v, want %v", got, distances)
	}
	if got := SumRootDiff(0.5, a, b); !(math.Abs(got/roots-1) < 1e-6) {
		t.Errorf("SumRootDiff = %v, want %v", got, roots)
	}
	c := a.Clone()
	AddTo(c, c, b)
	checkClose(t, "AddTo", c, Add(a, b), 0)
}

// TestPool checks that a released buffer is used again, and only where it fits.
func TestPool(t *testing.T) {
	ReleaseAll()
	defer ReleaseAll()
	a := New(10_000)
	p := &a.data[0]
	a.data[3] = 7
	Release(a)
	if a.Len() != 0 {
		t.Error("a released tensor still has elements")
	}
	if small := New(2_499); &small.data[0] == p {
		t.Error("a buffer of more than four times the size was used")
	}
	if large := New(10_001); &large.data[0] == p {
		t.Error("a buffer that is too small was used")
	}
	b := New(9_000)
	if &b.data[0] != p {
		t.Error("a released buffer was not used again")
	}
	if b.data[3] != 0 {
		t.Error("New did not clear what was there before")
	}
}

// TestPoolShares takes and gives back buffers in a random order, and wants no two that are
// out at the same time to share memory.
func TestPoolShares(t *testing.T) {
	ReleaseAll()
	defer ReleaseAll()
	rng := rand.New(rand.NewPCG(1, 2))
	var out [][]float32
	for step := range 5000 {
		if len(out) < 12 && rng.IntN(2) == 0 {
			n := rng.IntN(3000)
			b := takeBuffer(n)
			if len(b) != n || cap(b) > 4*max(minPooled, n) {
				t.Fatalf("takeBuffer(%d) has %d elements, capacity %d", n, len(b), cap(b))
			}
			for i := range b {
				b[i] = float32(step)
			}
			out = append(out, b)
		} else if len(out) > 0 {
			i := rng.IntN(len(out))
			for _, v := range out[i] {
				if v != out[i][0] {
					t.Fatalf("a buffer of %d has elements %v and %v: another buffer shares it", len(out[i]), out[i][0], v)
				}
			}
			giveBuffer(out[i])
			out = slices.Delete(out, i, i+1)
		}
	}
	if !slices.IsSortedFunc(pool.free, func(a, b []float32) int { return cap(a) - cap(b) }) {
		t.Error("free buffers are not sorted by size")
	}
	if n := len(pool.free); n > 100 {
		t.Errorf("%d buffers are free, of 12 that were out at a time", n)
	}
}

// TestParallelPanics wants Parallel to be left by a panic only after the other goroutines
// are done: what they work on may be used again then.
func TestParallelPanics(t *testing.T) {
	defer SetThreads(0)
	SetThreads(2)
	started := make(chan bool)
	var done atomic.Bool
	defer func() {
		if recover() == nil || !done.Load() {
			t.Errorf("Parallel was left while a goroutine worked on: done is %v", done.Load())
		}
	}()
	Parallel(2, func(int) {
		if bytes.Contains(debug.Stack(), []byte("testing.tRunner")) { // the caller's goroutine
			<-started
			panic("on purpose")
		}
		started <- true
		time.Sleep(20 * time.Millisecond)
		done.Store(true)
	})
}

// TestReleaseAll wants the collector to find what was released.
func TestReleaseAll(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	ReleaseAll()
	before := heap()
	x := NewUninitialized(10 << 20)
	Release(x)
	if grown := int64(heap()) - int64(before); grown < 39<<20 {
		t.Errorf("40 MB were released, and the heap has grown by %d bytes: they were dropped", grown)
	}
	ReleaseAll()
	if grown := int64(heap()) - int64(before); grown > 1<<20 {
		t.Errorf("after ReleaseAll the heap is %d bytes larger than before", grown)
	}
}

// TestMistakesPanic expects a programmer's mistakes to be named.
func TestMistakesPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"negative dimension":     func() { New(2, -1) },
		"overflow":               func() { New(math.MaxInt/2, 4, 4) },
		"FromSlice":              func() { FromSlice(make([]float32, 5), 2, 3) },
		"Add":                    func() { Add(New(2, 3), New(3, 2)) },
		"ConcatChannels":         func() { ConcatChannels(New(1, 2, 3, 3), New(1, 2, 3, 4)) },
		"ConcatChannels empty":   func() { ConcatChannels() },
		"SliceChannels":          func() { SliceChannels(New(1, 2, 3, 3), 1, 3) },
		"Conv2d channels":        func() { Conv2d(New(1, 2, 3, 3), New(4, 3, 3, 3), nil, ConvOptions{}) },
		"Conv2d even kernel":     func() { Conv2d(New(1, 2, 3, 3), New(4, 2, 2, 2), nil, ConvOptions{}) },
		"Conv2d no channels":     func() { Conv2d(New(1, 0, 3, 3), New(4, 0, 3, 3), nil, ConvOptions{}) },
		"Conv2d Add":             func() { Conv2d(New(1, 2, 3, 3), New(4, 2, 3, 3), nil, ConvOptions{Add: &ConvInput{}}) },
		"Conv2dInputGrad":        func() { Conv2dInputGrad(New(4, 2, 3, 3), New(1, 3, 3, 3), 1) },
		"Conv2dInputGrad even":   func() { Conv2dInputGrad(New(3, 2, 2, 2), New(1, 3, 3, 3), 1) },
		"Conv2dWeightGrad":       func() { Conv2dWeightGrad(New(1, 2, 3, 3), New(1, 2, 3, 4), 3, 3, 1) },
		"Conv2dWeightGrad batch": func() { Conv2dWeightGrad(New(1, 2, 3, 3), New(2, 2, 3, 3), 3, 3, 1) },
		"Conv2dBiasGrad":         func() { Conv2dBiasGrad(New(3, 3)) },
		"Conv2d bias":            func() { Conv2d(New(1, 2, 3, 3), New(4, 2, 3, 3), New(3), ConvOptions{}) },
		"Conv2d rank":            func() { Conv2d(New(2, 3, 3), New(4, 2, 3, 3), nil, ConvOptions{}) },
		"Upsample2Backward":      func() { Upsample2Backward(New(1, 1, 3, 4)) },
		"SetThreads":             func() { SetThreads(-1) },
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
}
