package vision

import (
	"testing"

	orders "pixelgrad/internal/golden"
)

// TestOrders compares with Pillow 13, bit by bit, at sizes that are resized along the rows
// first and at sizes that are resized along the columns first. One resizer makes all of
// them, and has to forget the picture before.
func TestOrders(t *testing.T) {
	bicubic, bilinear := new(resizer), &resizer{filter: triangle}
	wrong, seen := 0, [2]int{}
	for _, c := range orders.ReadOrders(t).Resize {
		p := goldenPicture("noise", c.W, c.H)
		q := &RGB{W: c.ToW, H: c.ToH}
		order := 0
		if columnsFirst(p, q) {
			order = 1
		}
		seen[order]++
		check := func(name string, r *resizer, want string) {
			r.resize(q, p)
			if got := orders.Digest(q.Pix); got != want {
				if wrong++; wrong <= 10 {
					t.Errorf("%s %d×%d to %d×%d: hash %s, Pillow's %s; order %s", name, c.W, c.H, c.ToW, c.ToH, got, want, []string{"rows, columns", "columns, rows"}[order])
				}
			}
		}
		check("bicubic", bicubic, c.Bicubic)
		check("bilinear", bilinear, c.Bilinear)
	}
	if wrong > 10 {
		t.Errorf("%d pictures differ", wrong)
	}
	if min(seen[0], seen[1]) < 50 {
		t.Errorf("%d sizes along the rows first and %d along the columns first, want 50 of each", seen[0], seen[1])
	}
}

// The border of Pillow's rule: more than twice as many.
func TestColumnsFirst(t *testing.T) {
	for _, c := range []struct {
		w, h, toW, toH int
		want           bool
	}{
		{225, 451, 224, 448, true}, // 3 lost, of the width 1
		{225, 451, 224, 449, false},
		{229, 512, 224, 500, true},
		{286, 575, 224, 450, true}, // 125, 62
		{286, 574, 224, 450, false},
		{10, 10, 10, 9, true}, // the width loses nothing
		{10, 10, 20, 9, true}, // and here less than nothing
		{10, 10, 20, 10, false},
		{10, 10, 40, 11, false}, // the height grows, though by less
		{10, 10, 9, 40, false},
	} {
		if got := columnsFirst(&RGB{W: c.w, H: c.h}, &RGB{W: c.toW, H: c.toH}); got != c.want {
			t.Errorf("%d×%d to %d×%d: %v, want %v", c.w, c.h, c.toW, c.toH, got, c.want)
		}
	}
}
