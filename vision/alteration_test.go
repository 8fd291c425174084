package vision

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pixelgrad/tensor"
)

// nested returns a cache whose targets are the input with every pixel 2×2 and 4×4 times. No two
// pixels of an input are equal.
func nested(photos, side int) *Cache {
	c := &Cache{Sizes: Sizes{X: side, Mid: 2 * side, Large: 4 * side}, Names: make([]string, photos)}
	enlarged := func(by int) (pix []uint8) {
		for p := range photos {
			for colour := range 3 {
				for i := range side * by {
					for j := range side * by {
						pix = append(pix, uint8(p*7+(colour*side+i/by)*side+j/by))
					}
				}
			}
		}
		return pix
	}
	c.X, c.Mid, c.Large = enlarged(1), enlarged(2), enlarged(4)
	return c
}

// seen returns, for each photograph, the numbers of an epoch's three squares.
func seen(t *testing.T, l *Loader, epoch int) map[int][]float32 {
	all := map[int][]float32{}
	for _, b := range l.Epoch(epoch) {
		if !b.Altered {
			t.Error("the batch does not say that it is altered")
		}
		for i, photo := range b.Index {
			for _, x := range []*tensor.Tensor{b.X, b.Mid, b.Large} {
				n := x.Len() / b.Len()
				all[photo] = append(all[photo], x.Data()[i*n:][:n]...)
			}
		}
	}
	return all
}

// TestAlterationAlike wants input and targets to show the same part of a photograph in the same
// way: enlarging the altered input gives the altered targets.
func TestAlterationAlike(t *testing.T) {
	c := nested(5, 6)
	for _, a := range []Alteration{{Crop: 6}, {Crop: 4}, {Crop: 1}, {Flips: true}, {Rotations: true}, {Crop: 5, Flips: true, Rotations: true}} {
		l := NewLoader(c, 2, LoaderOptions{Seed: 3, Shuffle: true, Alteration: a})
		side := a.Sizes(c.Sizes).X
		for epoch := range 20 {
			for _, b := range l.Epoch(epoch) {
				if !slices.Equal(b.X.Shape(), []int{b.Len(), 3, side, side}) || !slices.Equal(b.Mid.Shape(), []int{b.Len(), 3, 2 * side, 2 * side}) || !slices.Equal(b.Large.Shape(), []int{b.Len(), 3, 4 * side, 4 * side}) {
					t.Fatalf("%+v: shapes %v, %v, %v", a, b.X.Shape(), b.Mid.Shape(), b.Large.Shape())
				}
				for by, y := range map[int]*tensor.Tensor{2: b.Mid, 4: b.Large} {
					for k, got := range y.Data() {
						j, i, plane := k%(side*by), k/(side*by)%(side*by), k/(side*by)/(side*by)
						if want := b.X.Data()[(plane*side+i/by)*side+j/by]; got != want {
							t.Fatalf("%+v, photographs %v: target of side %d, plane %d, row %d, column %d: %v, the input has %v", a, b.Index, side*by, plane, i, j, got, want)
						}
					}
				}
			}
		}
	}
}

// TestAlterationIsDrawn counts what becomes of one photograph over many epochs: every window and
// every way to flip and turn it must come about equally often, and nothing else.
func TestAlterationIsDrawn(t *testing.T) {
	const epochs = 8000
	for _, c := range []struct {
		a    Alteration
		ways int // that differ
	}{
		{Alteration{Crop: 3}, 4},
		{Alteration{Flips: true}, 4},
		{Alteration{Rotations: true}, 4},
		{Alteration{Flips: true, Rotations: true}, 8},
		{Alteration{Crop: 2, Flips: true}, 36},
		{Alteration{Crop: 3, Flips: true, Rotations: true}, 32},
	} {
		want := map[string]bool{}
		cache := nested(1, 4)
		for _, w := range ways(cache.X[:16], 4, c.a) {
			want[fmt.Sprint(w)] = true
		}
		if len(want) != c.ways {
			t.Fatalf("%+v: %d ways, the test wants %d", c.a, len(want), c.ways)
		}
		l, counts := NewLoader(cache, 1, LoaderOptions{Seed: 1, Alteration: c.a}), map[string]int{}
		for epoch := range epochs {
			for _, b := range l.Epoch(epoch) {
				counts[fmt.Sprint(bytesOf(b.X.Data()[:b.X.Len()/3]))]++
			}
		}
		expected := float64(epochs) / float64(c.ways)
		for w, n := range counts {
			if !want[w] {
				t.Fatalf("%+v: %s is none of the ways", c.a, w)
			}
			if !(math.Abs(float64(n)-expected) < 6*math.Sqrt(expected)) {
				t.Errorf("%+v: %s came %d times in %d epochs, want about %.0f", c.a, w, n, epochs, expected)
			}
		}
		if len(counts) != c.ways {
			t.Errorf("%+v: %d ways came about, want %d", c.a, len(counts), c.ways)
		}
	}
}

// bytesOf returns the bytes that numbers were made of.
func bytesOf(x []float32) []uint8 {
	b := make([]uint8, len(x))
	for i, v := range x {
		b[i] = uint8(math.Round(float64(v) * 255))
	}
	return b
}

// ways returns all that a plane may become, by moving single pixels.
func ways(plane []uint8, side int, a Alteration) (all [][]uint8) {
	n := side
	if a.Crop > 0 {
		n = a.Crop
	}
	for y := range side - n + 1 {
		for x := range side - n + 1 {
			var window []uint8
			for i := range n {
				window = append(window, plane[(y+i)*side+x:][:n]...)
			}
			all = append(all, window)
		}
	}
	more := func(times int, change func(w []uint8) []uint8) {
		for range times {
			for _, w := range slices.Clone(all) {
				all = append(all, change(w))
			}
		}
	}
	rows := func(w []uint8) (out []uint8) { // from the last to the first
		for i := n - 1; i >= 0; i-- {
			out = append(out, w[i*n:][:n]...)
		}
		return out
	}
	turn := func(w []uint8) (out []uint8) { // the last column becomes the first row
		for j := n - 1; j >= 0; j-- {
			for i := range n {
				out = append(out, w[i*n+j])
			}
		}
		return out
	}
	if a.Flips {
		more(1, rows)
		more(1, func(w []uint8) []uint8 { w = slices.Clone(w); slices.Reverse(w); return w }) // both directions
	}
	if a.Rotations {
		more(3, turn)
	}
	return all
}

// TestAlterationRepeats wants what becomes of a photograph to depend on the seed, the epoch and
// its number alone: not on the batch that it is in, nor on the threads, nor on what was read
// before.
func TestAlterationRepeats(t *testing.T) {
	defer tensor.SetThreads(tensor.Threads())
	c := nested(7, 6)
	o := LoaderOptions{Seed: 9, Alteration: Alteration{Crop: 3, Flips: true, Rotations: true}}
	want := seen(t, NewLoader(c, 1, o), 4)
	for threads := 1; threads <= 5; threads++ {
		tensor.SetThreads(threads)
		o.Shuffle = threads%2 == 0
		l := NewLoader(c, threads, o)
		seen(t, l, threads)
		for photo, got := range seen(t, l, 4) {
			if !slices.Equal(got, want[photo]) {
				t.Errorf("%d threads, batches of %d: photograph %d is another one", threads, threads, photo)
			}
		}
	}
	different := func(what string, other map[int][]float32) {
		equal := 0
		for photo, x := range other {
			if slices.Equal(x, want[photo]) {
				equal++
			}
		}
		if equal > 2 { // of 7, each with a chance of 1 in 128
			t.Errorf("%s: %d of %d photographs are the same", what, equal, len(other))
		}
	}
	different("another epoch", seen(t, NewLoader(c, 2, o), 5))
	o.Seed++
	different("another seed", seen(t, NewLoader(c, 2, o), 4))
	o.Seed--
	same := nested(7, 6) // the same picture seven times
	for i := range 7 {
		n := copy(same.X[i*3*36:], same.X[:3*36])
		copy(same.Mid[i*4*n:], same.Mid[:4*n])
		copy(same.Large[i*16*n:], same.Large[:16*n])
	}
	distinct := map[string]bool{}
	for _, x := range seen(t, NewLoader(same, 2, o), 4) {
		distinct[fmt.Sprint(x)] = true
	}
	if len(distinct) < 5 {
		t.Errorf("seven photographs are altered in %d ways, want them to differ", len(distinct))
	}
}

func TestAlterationTakesNoMemory(t *testing.T) {
	l := NewLoader(nested(7, 6), 2, LoaderOptions{Shuffle: true, Alteration: Alteration{Crop: 3, Flips: true, Rotations: true}})
	perEpoch := testing.AllocsPerRun(20, func() {
		for range l.Epoch(3) {
		}
	})
	if perEpoch > 8 { // as without
		t.Errorf("an epoch of 4 batches allocates %v times", perEpoch)
	}
}

func TestAlterationCheck(t *testing.T) {
	for _, c := range []struct {
		a     Alteration
		sizes Sizes
		want  string // in the error; "" for none
	}{
		{Alteration{}, Sizes{X: 5, Mid: 7}, ""},
		{Alteration{Flips: true, Rotations: true}, Sizes{X: 5, Mid: 7}, ""},
		{Alteration{Crop: 72}, WorkshopSizes, ""},
		{Alteration{Crop: 1}, Sizes{X: 6, Mid: 12}, ""},
		{Alteration{Crop: 73}, WorkshopSizes, "1 to 72"},
		{Alteration{Crop: -1}, WorkshopSizes, "1 to 72"},
		{Alteration{Crop: 3}, Sizes{X: 5, Mid: 10, Large: 21}, "multiples"},
		{Alteration{Crop: 3}, Sizes{X: 5, Mid: 4}, "multiples"},
	} {
		err := c.a.Check(c.sizes)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v at %+v: error %v, want %q", c.a, c.sizes, err, c.want)
		}
	}
	if got := (Alteration{Crop: 24}).Sizes(WorkshopSizes); got != (Sizes{24, 48, 96}) {
		t.Errorf("a crop of 24 leaves %+v", got)
	}
	if got := (Alteration{Flips: true}).Sizes(WorkshopSizes); got != WorkshopSizes {
		t.Errorf("flips leave %+v", got)
	}
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "crop of 7") {
			t.Errorf("a crop larger than the input: %v, want a panic", r)
		}
	}()
	NewLoader(nested(1, 6), 1, LoaderOptions{Alteration: Alteration{Crop: 7}})
}
