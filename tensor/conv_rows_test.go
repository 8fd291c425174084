package tensor

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestConvRows computes convolutions some rows at a time, from two images side by side, and wants the
// bits of the whole image: with Winograd's tiles and without, and for each thing that follows.
func TestConvRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	defer func(n int) { winogradPixels = n }(winogradPixels)
	for _, c := range []struct{ a, b, oc, k, dilation, h, w int }{
		{16, 4, 17, 3, 1, 37, 21}, {3, 2, 5, 3, 1, 18, 9}, {16, 1, 16, 3, 2, 45, 19}, {8, 8, 16, 3, 4, 67, 16},
		{2, 1, 3, 5, 1, 16, 8}, {4, 4, 6, 1, 1, 20, 13}, {16, 16, 16, 3, 1, 16, 16}, {16, 2, 16, 3, 1, 1, 30},
	} {
		winogradPixels = 100
		images := []*Tensor{random(rng, 1, c.a, c.h, c.w), random(rng, 1, c.b, c.h, c.w)}
		w, b, add := random(rng, c.oc, c.a+c.b, c.k, c.k), random(rng, c.oc), random(rng, 1, c.oc, c.h, c.w)
		for variant, o := range []ConvOptions{{}, {ReLU: true}, {PReLU: random(rng, c.oc)}, {ReLU: true, Add: &ConvInput{Shape: add.shape}}} {
			o.Dilation = c.dilation
			shortcut := add
			if o.Add == nil {
				shortcut = nil
			}
			whole := PlanConv2d([]ConvInput{{Shape: images[0].shape}, {Shape: images[1].shape}}, w.shape, o)
			packed := make([]float32, whole.PackedLen())
			whole.PackWeights(packed, w)
			want := New(1, c.oc, c.h, c.w)
			whole.Run(want, images, w, b, shortcut, packed, nil)

			multiple, reach := ConvRowsMultiple(c.dilation), c.dilation*(c.k/2)
			xs := []*RowBuffer{NewRowBuffer(c.a, c.w, c.h), NewRowBuffer(c.b, c.w, c.h)}
			for i, x := range xs {
				x.Append(c.h)
				x.Store(images[i], 0, 0, c.h)
			}
			shortcuts := NewRowBuffer(c.oc, c.w, c.h)
			shortcuts.Append(c.h)
			shortcuts.Store(add, 0, 0, c.h)
			if o.Add == nil {
				shortcuts = nil
			}
			y := NewRowBuffer(c.oc, c.w, 3*multiple+2)
			for from, step := 0, 1; from < c.h; step++ {
				to := min(from+multiple*(step%3+1), c.h)
				above, below := min(reach, from), min(reach, c.h-to)
				plan := PlanConvRows([]int{c.a, c.b}, c.h, c.w, to-from, above, below, w.shape, o)
				y.Append(to - from)
				poisonPool()
				plan.RunRows(y, from, xs, b, shortcuts, packed, nil)
				for oc := range c.oc {
					for row := from; row < to; row++ {
						for x, got := range y.Row(oc, row) {
							if want := want.data[(oc*c.h+row)*c.w+x]; math.Float32bits(got) != math.Float32bits(want) {
								t.Fatalf("%+v, variant %d, rows %d to %d: channel %d, row %d, pixel %d: got %v, want %v", c, variant, from, to-1, oc, row, x, got, want)
							}
						}
					}
				}
				y.Drop(to - 1)
				from = to
			}
		}
	}
}

// TestRowBuffer wants rows to stay what they are while others come and go.
func TestRowBuffer(t *testing.T) {
	b, memory := NewRowBuffer(2, 3, 5), make([]float32, 30)
	b.Place(memory)
	number := func(c, row, x int) float32 { return float32(100*row + 10*c + x) }
	end := 0
	for _, s := range []struct{ more, drop int }{{3, 1}, {2, 3}, {3, 6}, {0, 7}, {4, 12}, {5, 13}} {
		b.Append(s.more)
		for row := end; row < end+s.more; row++ {
			for c := range 2 {
				for x := range 3 {
					b.Row(c, row)[x] = number(c, row, x)
				}
			}
		}
		end += s.more
		b.Drop(s.drop)
		first, last := b.Held()
		if first != s.drop || last != end {
			t.Fatalf("%+v: rows %d to %d, want %d to %d", s, first, last-1, s.drop, end-1)
		}
		for row := first; row < last; row++ {
			for c := range 2 {
				for x, got := range b.Row(c, row) {
					if got != number(c, row, x) {
						t.Fatalf("%+v: channel %d, row %d, pixel %d: got %v", s, c, row, x, got)
					}
				}
			}
		}
	}
	b.Drop(3)
	if first, _ := b.Held(); first != 13 {
		t.Errorf("row %d is the first, want 13: what was dropped stays so", first)
	}
	if memory[0] == 0 {
		t.Error("the memory that it was given is unused")
	}
	for what, f := range map[string]func(){
		"too many rows":      func() { b.Append(3) },
		"a row before":       func() { b.Row(0, 12) },
		"a row that follows": func() { b.Row(0, 17) },
		"another width":      func() { b.checkRows("test", "it", 2, 4, 13, 14) },
		"rows far below": func() {
			PlanConvRows([]int{1}, 9, 9, 4, 1, 2, []int{1, 1, 3, 3}, ConvOptions{})
		},
		"an image too wide": func() {
			w := []int{1, 1, 5, 5}
			if most := ConvRowsMost(1<<20, w, 2); most != 53 {
				t.Errorf("of %d pixels %d rows can be convolved at once, want 53", 1<<20, most)
			}
			PlanConvRows([]int{1}, 99, 1<<20, 53, 0, 0, w, ConvOptions{Dilation: 2})
			PlanConvRows([]int{1}, 99, 1<<20, 57, 0, 0, w, ConvOptions{Dilation: 2})
		},
		"a negative number": func() { b.Append(-1) },
		"too little memory": func() { NewRowBuffer(2, 3, 5).Place(make([]float32, 29)) },
		"other memory":      func() { b.Place(make([]float32, 30)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			f()
		}()
	}
}
