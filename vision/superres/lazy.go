package superres

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"iter"
)

// UpscaleTo gives encode the enlargement of m, of which it computes rows when their pixels are asked
// for: neither has the memory to hold it. encode must look at the pixels from the top to the bottom,
// and may go back by at most 32 rows. So do the encoders of image/png, image/jpeg and
// golang.org/x/image/tiff:
//
//	err := u.UpscaleTo(ctx, m, func(larger image.Image) error { return png.Encode(w, larger) })
//
// encode must look at them in the goroutine that calls it, and not after it has returned. If a row
// cannot be computed, or is asked for too late, encode does not return, but UpscaleTo does, with the error.
//
// Pixels, memory and errors are those of UpscaleRows.
func (u *Upscaler) UpscaleTo(ctx context.Context, m image.Image, encode func(larger image.Image) error) (err error) {
	f := FormatOf(m)
	w, h, err := u.size(f)
	if err != nil {
		return err
	}
	l := &lazy{rows: newCanvas(f, w, min(h, lazyRows)), bounds: image.Rect(0, 0, w, h)}
	next, stop := iter.Pull(func(yield func(error) bool) {
		enough := fmt.Errorf("no more rows are wanted")
		err := u.run(ctx, f, func(int) (image.Image, error) { return m, nil }, func(row []float32, w int) error {
			l.rows.set(l.done%lazyRows, row, w)
			l.done++
			if !yield(nil) {
				return enough
			}
			return nil
		})
		if err != nil && err != enough {
			yield(err)
		}
	})
	defer stop()
	l.next = next
	defer func() {
		if r := recover(); r != nil {
			stopped, ok := r.(noRow)
			if !ok {
				panic(r)
			}
			err = stopped.error
		}
	}()
	return encode(l)
}

// noRow is what a lazy picture panics with.
type noRow struct{ error }

// lazyRows is how many of the last rows are there: JPEG's encoder looks at 16 again and again.
const lazyRows = 32

// A lazy picture computes its rows when they are asked for.
type lazy struct {
	bounds image.Rectangle
	rows   *canvas // the last ones: row y is its row y mod lazyRows
	done   int
	next   func() (error, bool) // computes another one
}

func (l *lazy) ColorModel() color.Model { return l.rows.ColorModel() }

func (l *lazy) Bounds() image.Rectangle { return l.bounds }

// Opaque keeps encoders from looking at all pixels for the answer.
func (l *lazy) Opaque() bool { return !l.rows.format.Alpha }

func (l *lazy) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}).In(l.bounds) {
		return color.Transparent
	}
	l.row(y)
	return l.rows.At(x, y%lazyRows)
}

// RGBA64At is At, without an allocation.
func (l *lazy) RGBA64At(x, y int) color.RGBA64 {
	if !(image.Point{X: x, Y: y}).In(l.bounds) {
		return color.RGBA64{}
	}
	l.row(y)
	return l.rows.Image.(image.RGBA64Image).RGBA64At(x, y%lazyRows)
}

// row computes rows until row y is there.
func (l *lazy) row(y int) {
	if y < l.done-lazyRows {
		panic(noRow{fmt.Errorf("superres: UpscaleTo: expected pixels to be asked for from the top to the bottom, found row %d after row %d; enlarge the picture with Upscale", y, l.done-1)})
	}
	for l.done <= y {
		if err, ok := l.next(); err != nil || !ok {
			panic(noRow{err})
		}
	}
}
