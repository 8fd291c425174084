package vision

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestBuildSquares compares squares with the parts of photographs that they are made of, for any
// number of threads, and wants every pixel to be in one.
func TestBuildSquares(t *testing.T) {
	d, photos := everything(t, photoFS(t, 9)) // from 30×20 to 38×22 pixels
	for _, scale := range []int{1, 2, 3} {
		o := SquareOptions{Side: 6, Scale: scale}
		var first *Cache
		for _, threads := range []int{0, 1, 5} {
			o.Threads = threads
			calls := 0
			o.Progress = func(done, total int) {
				if calls++; done != calls || total != len(photos) {
					t.Errorf("progress %d of %d, want %d of %d", done, total, calls, len(photos))
				}
			}
			c, err := BuildSquares(t.Context(), d, photos, o)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = c
			} else if !reflect.DeepEqual(c, first) {
				t.Errorf("scale %d, %d threads: other squares than with as many as there are", scale, threads)
			}
		}
		if want := (Sizes{X: 6, Mid: 6 * scale}); first.Sizes != want || len(first.X) != 3*36*first.Len() || len(first.Mid) != 3*36*scale*scale*first.Len() {
			t.Fatalf("scale %d: sizes %+v, %d squares with %d and %d numbers", scale, first.Sizes, first.Len(), len(first.X), len(first.Mid))
		}
		at := 0
		for _, photo := range photos {
			p, err := d.Read(photo)
			if err != nil {
				t.Fatal(err)
			}
			p = CropToMultiple(p, scale)
			small := ResizeMATLAB(p, 1/float64(scale))
			seen := make([]bool, small.W*small.H)
			n := 0
			for ; at < first.Len() && strings.HasPrefix(first.Names[at], photo.Name+"#"); at++ {
				if want := fmt.Sprintf("%s#%d", photo.Name, n); first.Names[at] != want {
					t.Errorf("square %q, want %q", first.Names[at], want)
				}
				n++
				x, y, ok := placeOf(small, first.Picture(at, 6))
				if !ok {
					t.Fatalf("scale %d: %s is no part of the smaller photograph", scale, first.Names[at])
				}
				if got, want := first.Picture(at, 6*scale).Pix, part2D(p, x*scale, y*scale, 6*scale).Pix; !slices.Equal(got, want) {
					t.Fatalf("scale %d: %s does not show what the photograph has at (%d,%d)", scale, first.Names[at], x*scale, y*scale)
				}
				for i := range 6 {
					for j := range 6 {
						seen[(y+i)*small.W+x+j] = true
					}
				}
			}
			if want := ((small.W + 5) / 6) * ((small.H + 5) / 6); n != want || slices.Contains(seen, false) {
				t.Errorf("scale %d: %s has %d squares, want %d that cover it", scale, photo.Name, n, want)
			}
		}
	}
	for most := 1; most < 40; most++ {
		c, err := BuildSquares(t.Context(), d, photos[:1], SquareOptions{Side: 6, Scale: 1, Most: most})
		if err != nil || c.Len() != min(most, 20) {
			t.Errorf("at most %d: %d squares, %v", most, c.Len(), err)
		}
	}
}

// TestBuildSquaresSpreads wants few squares to be from all over a photograph.
func TestBuildSquaresSpreads(t *testing.T) {
	d, photos := everything(t, photoFS(t, 2)) // the first has 30×20 pixels: squares at rows 0, 4, 9 and 14, five in each
	p, err := d.Read(photos[0])
	if err != nil {
		t.Fatal(err)
	}
	c, err := BuildSquares(t.Context(), d, photos[:1], SquareOptions{Side: 6, Scale: 1, Most: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{4, 14} {
		if _, y, ok := placeOf(p, c.Picture(i, 6)); !ok || y != want {
			t.Errorf("square %d of 2 is at row %d, want %d", i, y, want)
		}
	}
}

// placeOf returns where a part is in a picture, whose parts are all different.
func placeOf(p, part *RGB) (x, y int, ok bool) {
	for y := 0; y+part.H <= p.H; y++ {
		for x := 0; x+part.W <= p.W; x++ {
			if slices.Equal(part2D(p, x, y, part.W).Pix, part.Pix) {
				return x, y, true
			}
		}
	}
	return 0, 0, false
}

// part2D returns a square of a picture.
func part2D(p *RGB, x, y, side int) *RGB {
	q := NewRGB(side, side)
	for i := range side {
		copy(q.Pix[3*i*side:][:3*side], p.Pix[3*((y+i)*p.W+x):])
	}
	return q
}

// TestBuildSquaresRefuses names photographs that are broken or too small, or leaves them out.
func TestBuildSquaresRefuses(t *testing.T) {
	f := photoFS(t, 5, 2)
	f["p01.jpg"] = &fstest.MapFile{Data: encodePNG(t, goldenPicture("smooth", 40, 11))}
	d, photos := everything(t, f)
	o := SquareOptions{Side: 6, Scale: 2}
	_, err := BuildSquares(t.Context(), d, photos, o)
	var broken *BrokenError
	if !errors.As(err, &broken) || len(broken.Errors) != 2 || broken.Total != 5 {
		t.Fatalf("error %v, want that two of five cannot be used", err)
	}
	for i, want := range []string{"p01.jpg: expected a photograph of at least 12×12 pixels, a square, found 40×11", "p02.jpg"} {
		if !strings.Contains(broken.Errors[i].Error(), want) {
			t.Errorf("error %v, want %s", broken.Errors[i], want)
		}
	}
	o.SkipBad = true
	c, err := BuildSquares(t.Context(), d, photos, o)
	if err != nil || len(c.Skipped) != 2 || !strings.HasPrefix(c.Names[0], "p00#") || c.Len() == 0 {
		t.Errorf("the others: %v, %v", c, err)
	}
	if _, err := BuildSquares(t.Context(), d, photos[1:3], o); !errors.As(err, &broken) {
		t.Errorf("none is left: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(int, int) { cancel() }
	if _, err := BuildSquares(ctx, d, photos, o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
