package jpegrows

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"strings"
	"testing"
)

// row returns row y of a picture.
func row(h Header, y int) []byte {
	n := 3
	if h.Gray {
		n = 1
	}
	b := make([]byte, n*h.W)
	for i := range b {
		b[i] = byte(i*i/900 + y*y/70 + i*y%9)
	}
	return b
}

func encode(t *testing.T, h Header, threads int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, h, threads)
	if err != nil {
		t.Fatalf("%+v: %v", h, err)
	}
	for y := range h.H {
		r := row(h, y)
		if err := w.WriteRow(r); err != nil {
			t.Fatalf("%+v: %v", h, err)
		}
		clear(r) // the row is the caller's again
	}
	if err := w.Close(); err != nil {
		t.Fatalf("%+v: %v", h, err)
	}
	return b.Bytes()
}

// whole encodes the picture at once.
func whole(t *testing.T, h Header) []byte {
	t.Helper()
	var m image.Image
	gray, rgba := image.NewGray(image.Rect(0, 0, h.W, h.H)), image.NewRGBA(image.Rect(0, 0, h.W, h.H))
	for y := range h.H {
		r := row(h, y)
		if m = gray; h.Gray {
			copy(gray.Pix[y*gray.Stride:], r)
			continue
		}
		m = rgba
		for x := range h.W {
			copy(rgba.Pix[rgba.PixOffset(x, y):], append(r[3*x:3*x+3:3*x+3], 255))
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: h.Quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(t *testing.T, what string, file []byte) image.Image {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return m
}

// pixels returns the planes.
func pixels(t *testing.T, m image.Image) [][]byte {
	switch m := m.(type) {
	case *image.Gray:
		return [][]byte{m.Pix}
	case *image.YCbCr:
		return [][]byte{m.Y, m.Cb, m.Cr}
	}
	t.Fatalf("a picture of type %T", m)
	return nil
}

// TestWhole says that strips become the same planes as the whole picture, sample by sample, with
// more than eight strips, sides that are no multiple of a unit, and a strip of a single row.
func TestWhole(t *testing.T) {
	for _, gray := range []bool{false, true} {
		for _, size := range []image.Point{{1, 1}, {17, 5}, {40, 33}, {1000, 580}, {9001, 49}} {
			h := Header{W: size.X, H: size.Y, Gray: gray, Quality: 90}
			what := fmt.Sprintf("%v, grey %v", size, gray)
			got, want := decode(t, what, encode(t, h, 2)), decode(t, what, whole(t, h))
			if got.Bounds() != want.Bounds() {
				t.Fatalf("%s: got a picture of %v", what, got.Bounds())
			}
			a, b := pixels(t, got), pixels(t, want)
			for i := range a {
				if !bytes.Equal(a[i], b[i]) {
					t.Errorf("%s: plane %d is another than that of the picture that was encoded at once", what, i)
				}
			}
		}
	}
}

func TestThreads(t *testing.T) {
	h := Header{W: 1000, H: 580, Quality: 80}
	one := encode(t, h, 1)
	if n := bytes.Count(one, []byte{0xff, 0xd7}); n == 0 {
		t.Error("no restart marker 7: the picture does not test that they go round")
	}
	for _, n := range []int{0, 3} {
		if !bytes.Equal(encode(t, h, n), one) {
			t.Errorf("%d goroutines write another file than one", n)
		}
	}
}

func TestSegments(t *testing.T) {
	h := Header{W: 20, H: 20, Quality: 90, Segments: []Segment{{1, []byte("Exif\x00\x00abc")}, {2, bytes.Repeat([]byte("x"), MaxSegment)}}}
	file := encode(t, h, 1)
	decode(t, "with segments", file)
	if !bytes.HasPrefix(file, []byte("\xff\xd8\xff\xe1\x00\x0bExif\x00\x00abc\xff\xe2\xff\xffxxx")) {
		t.Errorf("the file begins with % x", file[:30])
	}
}

// failing fails after some bytes.
type failing struct{ left int }

var errFull = errors.New("no room")

func (f *failing) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestErrors(t *testing.T) {
	h := Header{W: 1000, H: 300, Quality: 50}
	all := len(encode(t, h, 2))
	for _, left := range []int{0, all / 2, all - 1} {
		w, err := NewWriter(&failing{left}, h, 2)
		for y := 0; y < h.H && err == nil; y++ {
			err = w.WriteRow(row(h, y))
		}
		if last := w.Close(); err == nil {
			err = last
		}
		if !errors.Is(err, errFull) {
			t.Errorf("room for %d of %d bytes: got %v, want the writer's error", left, all, err)
		}
	}
	for _, bad := range []Header{{W: 0, H: 1}, {W: 1, H: 65536}, {W: 1, H: 1, Segments: []Segment{{16, nil}}}, {W: 1, H: 1, Segments: []Segment{{1, make([]byte, MaxSegment+1)}}}} {
		if _, err := NewWriter(&bytes.Buffer{}, bad, 1); err == nil {
			t.Errorf("%d×%d, %d segments: no error", bad.W, bad.H, len(bad.Segments))
		}
	}
	w, _ := NewWriter(&bytes.Buffer{}, Header{W: 2, H: 2}, 1)
	if err := w.WriteRow(make([]byte, 5)); err == nil {
		t.Error("a row of 5 bytes for 2 pixels: no error")
	}
	w.WriteRow(make([]byte, 6))
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "expected 2 rows, found 1") {
		t.Errorf("a row too few: got %v", err)
	}
}

func ExampleWriter() {
	var file bytes.Buffer
	w, err := NewWriter(&file, Header{W: 3, H: 2, Gray: true, Quality: 100}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	w.WriteRow([]byte{100, 100, 100})
	w.WriteRow([]byte{100, 100, 100})
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}
	m, _ := jpeg.Decode(&file)
	fmt.Println(m.Bounds().Size(), m.At(2, 1))
	// Output: (3,2) {100}
}
