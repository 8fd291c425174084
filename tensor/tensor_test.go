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
	"weak"
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
		"ReLU":            {ReLU(a), func(a, b float64) float64 { return max(a, 0) }},
		"ReLUBackward":    {ReLUBackward(a.Clone(), b), func(a, b float64) float64 { return map[bool]float64{true: a}[b > 0] }},
		"Sigmoid":         {Sigmoid(a), func(a, b float64) float64 { return 1 / (1 + math.Exp(-a)) }},
		"SigmoidBackward": {SigmoidBackward(a.Clone(), b), func(a, b float64) float64 { return a * b * (1 - b) }},
	} {
		want := New(a.shape...)
		for i := range want.data {
			want.data[i] = float32(c.want(float64(a.data[i]), float64(b.data[i])))
		}
		checkClose(t, name, c.got, want, 1e-6)
	}
	sum, squares := 0.0, 0.0
	for i := range a.data {
		sum += float64(a.data[i])
		squares += math.Pow(float64(a.data[i])-float64(b.data[i]), 2)
	}
	if got := Sum(a); !(math.Abs(got-sum) < 1e-3) {
		t.Errorf("Sum = %v, want %v", got, sum)
	}
	if got := SumSquaredDiff(a, b); !(math.Abs(got/squares-1) < 1e-6) {
		t.Errorf("SumSquaredDiff = %v, want %v", got, squares)
	}
	c := a.Clone()
	AddTo(c, b)
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
	if small := New(4_999); &small.data[0] == p {
		t.Error("a buffer of more than twice the size was used")
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

// TestPoolAreas takes and gives back parts of buffers in a random order, and wants no two
// that are out at the same time to share memory, all of it to be used again, and memory of
// others to be left apart.
func TestPoolAreas(t *testing.T) {
	ReleaseAll()
	defer ReleaseAll()
	rng := rand.New(rand.NewPCG(1, 2))
	type part struct {
		data []float32
		mark float32
	}
	var out []part
	check := func(p part) {
		t.Helper()
		for _, i := range []int{0, len(p.data) / 2, len(p.data) - 1} {
			if p.data[i] != p.mark {
				t.Fatalf("buffer %v of %d: element %d is %v: another buffer shares it", p.mark, len(p.data), i, p.data[i])
			}
		}
	}
	for step := range 2000 {
		if len(out) < 12 && rng.IntN(2) == 0 {
			n := minPart/2 + rng.IntN(4*minPart)
			p := part{takeBuffer(n), float32(step)}
			if len(p.data) != n || cap(p.data) < n {
				t.Fatalf("takeBuffer(%d) has %d elements, capacity %d", n, len(p.data), cap(p.data))
			}
			for i := range p.data {
				if i%4096 == 0 || i == n/2 || i == n-1 {
					p.data[i] = p.mark
				}
			}
			out = append(out, p)
		} else if len(out) > 0 {
			i := rng.IntN(len(out))
			check(out[i])
			giveBuffer(out[i].data)
			out = slices.Delete(out, i, i+1)
		}
	}
	for _, p := range out {
		check(p)
		giveBuffer(p.data)
	}
	// All is back: each area is one buffer again.
	areas := 0
	for _, a := range pool.areas {
		if a.first.Value() != nil {
			areas++
		}
	}
	large := 0
	for _, b := range pool.free {
		if b.area != nil {
			large++
			if b.area.whole == nil || b.n != b.area.n {
				t.Errorf("%d of %d elements of an area are free, and all were given back", b.n, b.area.n)
			}
		}
	}
	if large > areas {
		t.Errorf("%d buffers of %d areas are free: parts were not joined", large, areas)
	}

	// Neighbours in memory that no area holds are not joined.
	whole := make([]float32, 4*minPart)
	before := len(pool.free)
	giveBuffer(whole[: 2*minPart : 2*minPart])
	giveBuffer(whole[2*minPart:])
	if len(pool.free) != before+2 {
		t.Errorf("two slices of foreign memory became %d buffers", len(pool.free)-before)
	}
}

// TestPoolDivides wants a large buffer to serve two small requests at once.
func TestPoolDivides(t *testing.T) {
	ReleaseAll()
	defer ReleaseAll()
	b := takeBuffer(4 * minPart)
	at := address(b)
	giveBuffer(b)
	first, second := takeBuffer(2*minPart), takeBuffer(minPart)
	if address(first) != at || address(second) != at+8*minPart {
		t.Errorf("parts of a buffer at %#x are at %#x and %#x, want the first and its neighbour", at, address(first), address(second))
	}
	giveBuffer(first)
	giveBuffer(second)
	if b := takeBuffer(4 * minPart); address(b) != at {
		t.Error("parts that were given back do not serve a large request again")
	}
}

// TestPoolForeign wants neighbours in memory to be joined only if one allocation holds
// both, and addresses of an area that has been collected to mean nothing.
func TestPoolForeign(t *testing.T) {
	defer func(areas []*area, free []part) { pool.areas, pool.free = areas, free }(pool.areas, pool.free)
	whole := make([]float32, 4*minPart)
	low, high := whole[:2*minPart:2*minPart], whole[2*minPart:]
	for _, order := range [][2][]float32{{low, high}, {high, low}} {
		pool.areas, pool.free = nil, nil
		for _, b := range [][]float32{low, high} {
			pool.areas = append(pool.areas, &area{first: weak.Make(&b[0]), at: address(b), n: len(b)})
		}
		giveBuffer(order[0])
		giveBuffer(order[1])
		if len(pool.free) != 2 {
			t.Errorf("two areas became %d buffers", len(pool.free))
		}
	}
	gone := func() weak.Pointer[float32] { return weak.Make(&make([]float32, minPart)[0]) }()
	runtime.GC()
	runtime.GC()
	pool.free, pool.areas = nil, []*area{{first: gone, at: address(low), n: len(low)}}
	giveBuffer(low)
	if len(pool.free) != 1 || pool.free[0].area != nil {
		t.Errorf("a buffer at the place of an area that is gone: %d buffers are free, the first of area %v", len(pool.free), pool.free[0].area)
	}
}

// TestSlicePool wants rising sizes not to leave a slice each.
func TestSlicePool(t *testing.T) {
	var p slicePool[int32]
	for n := range 1000 {
		s := p.take(n)
		for i, v := range s {
			if v != 0 {
				t.Fatalf("element %d of %d is %d, want 0", i, n, v)
			}
			s[i] = 1
		}
		p.give(s)
	}
	if len(p.free) > maxSlices+1 {
		t.Errorf("%d slices wait, want at most %d", len(p.free), maxSlices+1)
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

// TestPoolCollects drops tensors among others that are released, and wants the collector
// to find them: a free part must not hold on to the memory beside it.
func TestPoolCollects(t *testing.T) {
	ReleaseAll()
	defer ReleaseAll()
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for range 300 {
		NewUninitialized(700_000) // dropped
		a, b := NewUninitialized(1_400_000), NewUninitialized(2_100_000)
		Release(a)
		Release(b)
	}
	if grown := int64(heap()) - int64(before); grown > 200<<20 {
		t.Errorf("300 tensors of 3 MB were dropped, and the heap has grown by %d MB", grown>>20)
	}
	if n := len(pool.areas); n > 100 {
		t.Errorf("%d areas are entered", n)
	}
	kept := NewUninitialized(minPart)
	ReleaseAll()
	if grown := int64(heap()) - int64(before); grown > 80<<20 { // at most the area that kept is in
		t.Errorf("after ReleaseAll the heap is %d MB larger than before", grown>>20)
	}
	runtime.KeepAlive(kept)
	kept = nil
	ReleaseAll()
	if grown := int64(heap()) - int64(before); grown > 1<<20 {
		t.Errorf("after all has gone the heap is %d MB larger than before", grown>>20)
	}
}

// TestMistakesPanic expects a programmer's mistakes to be named.
func TestMistakesPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"negative dimension":   func() { New(2, -1) },
		"overflow":             func() { New(math.MaxInt/2, 4, 4) },
		"FromSlice":            func() { FromSlice(make([]float32, 5), 2, 3) },
		"Add":                  func() { Add(New(2, 3), New(3, 2)) },
		"ConcatChannels":       func() { ConcatChannels(New(1, 2, 3, 3), New(1, 2, 3, 4)) },
		"ConcatChannels empty": func() { ConcatChannels() },
		"SliceChannels":        func() { SliceChannels(New(1, 2, 3, 3), 1, 3) },
		"Conv2d channels":      func() { Conv2d(New(1, 2, 3, 3), New(4, 3, 3, 3), nil, ConvOptions{}) },
		"Conv2d even kernel":   func() { Conv2d(New(1, 2, 3, 3), New(4, 2, 2, 2), nil, ConvOptions{}) },
		"Conv2d no channels":   func() { Conv2d(New(1, 0, 3, 3), New(4, 0, 3, 3), nil, ConvOptions{}) },
		"Conv2dBackward y": func() {
			Conv2dBackward(New(1, 1, 3, 3), New(1, 1, 1, 1), New(1, 1, 4, 4), New(1, 1, 3, 3), ConvOptions{ReLU: true}, ConvGrads{})
		},
		"Conv2dBackward no y": func() {
			Conv2dBackward(New(1, 1, 3, 3), New(1, 1, 1, 1), nil, New(1, 1, 3, 3), ConvOptions{ReLU: true}, ConvGrads{})
		},
		"Conv2d bias":       func() { Conv2d(New(1, 2, 3, 3), New(4, 2, 3, 3), New(3), ConvOptions{}) },
		"Conv2d rank":       func() { Conv2d(New(2, 3, 3), New(4, 2, 3, 3), nil, ConvOptions{}) },
		"Upsample2Backward": func() { Upsample2Backward(New(1, 1, 3, 4)) },
		"SetThreads":        func() { SetThreads(-1) },
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
