package pngrows

import (
	"bytes"
	"errors"
	"fmt"
	"hash/adler32"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"
)

// picture returns rows of samples that have smooth parts, edges and noise, so that every filter
// is the best one somewhere.
func picture(h Header) [][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	rows := make([][]byte, h.H)
	for y := range rows {
		row := make([]byte, h.rowBytes())
		for i := range row {
			x := i / h.Channels()
			switch (y / 3) % 5 {
			case 0:
				row[i] = byte(rng.IntN(256))
			case 1:
				row[i] = byte(3*x + y)
			case 2:
				row[i] = byte(x * x / 7)
			case 3:
				row[i] = byte(x*y/4 + rng.IntN(3))
			}
		}
		rows[y] = row
	}
	return rows
}

func encode(t *testing.T, h Header, threads int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, h, threads)
	if err != nil {
		t.Fatalf("%+v: %v", h, err)
	}
	for _, row := range picture(h) {
		mine := bytes.Clone(row)
		if err := w.WriteRow(mine); err != nil {
			t.Fatalf("%+v: %v", h, err)
		}
		clear(mine) // the row is the caller's again
	}
	if err := w.Close(); err != nil {
		t.Fatalf("%+v: %v", h, err)
	}
	return b.Bytes()
}

// TestDecoder compares with what the standard library reads: every colour type, both depths, a
// single pixel, and pictures of several blocks.
func TestDecoder(t *testing.T) {
	for _, gray := range []bool{false, true} {
		for _, alpha := range []bool{false, true} {
			for _, depth := range []int{8, 16} {
				for _, size := range []image.Point{{1, 1}, {1, 7}, {9, 1}, {37, 23}, {500, 480}} {
					h := Header{W: size.X, H: size.Y, Depth: depth, Gray: gray, Alpha: alpha}
					m, err := png.Decode(bytes.NewReader(encode(t, h, 2)))
					if err != nil {
						t.Fatalf("%+v: %v", h, err)
					}
					if m.Bounds() != image.Rect(0, 0, h.W, h.H) {
						t.Fatalf("%+v: got a picture of %v", h, m.Bounds())
					}
					if at, got, want := difference(m, h); at != "" {
						t.Errorf("%+v: at %s: got %v, want %v", h, at, got, want)
					}
				}
			}
		}
	}
}

// difference returns the first sample that differs.
func difference(m image.Image, h Header) (at string, got, want uint16) {
	n, bytes := h.Channels(), h.Depth/8
	step := 1
	if h.W > 100 {
		step = 31
	}
	for y, row := range picture(h) {
		for x := y % step; x < h.W; x += step {
			c := samples(m, x, y)
			if h.Gray {
				c = []uint16{c[0], c[3]}
			}
			for i := range n {
				v := uint16(row[(x*n+i)*bytes]) * 0x101
				if bytes == 2 {
					v = v&0xff00 | uint16(row[(x*n+i)*2+1])
				}
				if c[i] != v {
					return fmt.Sprintf("(%d,%d), sample %d", x, y, i), c[i], v
				}
			}
		}
	}
	return "", 0, 0
}

// samples returns red, green, blue and opacity as they are in the file.
func samples(m image.Image, x, y int) []uint16 {
	wide := func(v ...uint8) (w []uint16) {
		for _, v := range v {
			w = append(w, uint16(v)*0x101)
		}
		return w
	}
	switch c := m.At(x, y).(type) {
	case color.Gray:
		return wide(c.Y, c.Y, c.Y, 255)
	case color.Gray16:
		return []uint16{c.Y, c.Y, c.Y, 0xffff}
	case color.RGBA:
		return wide(c.R, c.G, c.B, c.A)
	case color.NRGBA:
		return wide(c.R, c.G, c.B, c.A)
	case color.RGBA64:
		return []uint16{c.R, c.G, c.B, c.A}
	case color.NRGBA64:
		return []uint16{c.R, c.G, c.B, c.A}
	}
	panic(fmt.Sprintf("colour %T", m.At(x, y)))
}

// TestBlocks has rows that are all the same, so that the first row of a block has to know the one
// above it. If that were black, the filter of averages would suit best: each pixel is half as bright
// as the one before.
func TestBlocks(t *testing.T) {
	h := Header{W: 1000, H: 600, Depth: 8}
	row := make([]byte, h.rowBytes())
	for i := range row {
		row[i] = byte(240 >> (i / 3 % 6))
	}
	var b bytes.Buffer
	w, err := NewWriter(&b, h, 2)
	if err != nil {
		t.Fatal(err)
	}
	for range h.H {
		if err := w.WriteRow(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	for y := range h.H {
		for x := range 20 {
			if c := m.At(x, y).(color.RGBA); c != (color.RGBA{row[3*x], row[3*x+1], row[3*x+2], 255}) {
				t.Fatalf("pixel (%d,%d): got %v, want % x", x, y, c, row[3*x:3*x+3])
			}
		}
	}
}

// TestThreads says that a file does not depend on the number of goroutines.
func TestThreads(t *testing.T) {
	h := Header{W: 500, H: 1500, Depth: 8}
	one := encode(t, h, 1)
	for _, n := range []int{0, 2, 5} {
		if got := encode(t, h, n); !bytes.Equal(got, one) {
			t.Errorf("%d goroutines: a file of %d bytes, which is another than that of one, %d bytes", n, len(got), len(one))
		}
	}
}

// TestFilters makes each filter the best one for a row, and undoes it.
func TestFilters(t *testing.T) {
	h := Header{W: 200, H: 60, Depth: 8}
	used := map[byte]bool{}
	above := make([]byte, h.rowBytes())
	for _, row := range picture(h) {
		f := appendFiltered(nil, row, above, 3)
		used[f[0]] = true
		above = row
	}
	for kind := byte(0); kind < 5; kind++ {
		if !used[kind] {
			t.Errorf("no row has the filter %d; the picture does not test it", kind)
		}
	}
}

func TestChunks(t *testing.T) {
	h := Header{W: 2, H: 2, Depth: 8, Chunks: []Chunk{{"gAMA", []byte{0, 0, 0xb1, 0x8f}}, {"tEXt", []byte("Title\x00a")}}}
	data := string(encode(t, h, 1))
	i, j, k := strings.Index(data, "gAMA"), strings.Index(data, "tEXt"), strings.Index(data, "IDAT")
	if i < 0 || j < i || k < j {
		t.Errorf("gAMA, tEXt and IDAT stand at %d, %d and %d: want them in this order", i, j, k)
	}
	if _, err := png.Decode(strings.NewReader(data)); err != nil {
		t.Error(err)
	}
}

func TestCombine(t *testing.T) {
	data := make([]byte, 300_000)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	for _, n := range []int{0, 1, 5552, 65521, 200_000, 300_000} {
		got := combine(adler32.Checksum(data[:n]), adler32.Checksum(data[n:]), len(data)-n)
		if want := adler32.Checksum(data); got != want {
			t.Errorf("%d bytes and the rest: got %08x, want %08x", n, got, want)
		}
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
	h := Header{W: 500, H: 700, Depth: 8}
	whole := len(encode(t, h, 2))
	for _, left := range []int{0, 10, 40, 100, whole / 2, whole - 1} {
		w, err := NewWriter(&failing{left}, h, 2)
		for _, row := range picture(h) {
			if err != nil {
				break
			}
			err = w.WriteRow(row)
		}
		if err == nil {
			err = w.Close()
		} else if w != nil {
			w.Close()
		}
		if !errors.Is(err, errFull) {
			t.Errorf("room for %d of %d bytes: got %v, want the writer's error", left, whole, err)
		}
	}
	for _, bad := range []Header{{W: 0, H: 1, Depth: 8}, {W: 1, H: -1, Depth: 8}, {W: 1, H: 1, Depth: 4}, {W: 1 << 30, H: 1, Depth: 8}} {
		if _, err := NewWriter(&bytes.Buffer{}, bad, 1); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
	w, _ := NewWriter(&bytes.Buffer{}, Header{W: 2, H: 2, Depth: 8}, 1)
	if err := w.WriteRow(make([]byte, 5)); err == nil {
		t.Error("a row of 5 bytes for 2 pixels: no error")
	}
	w.WriteRow(make([]byte, 6))
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "expected 2 rows, found 1") {
		t.Errorf("a row too few: got %v", err)
	}
	w, _ = NewWriter(&bytes.Buffer{}, Header{W: 2, H: 1, Depth: 8}, 1)
	w.WriteRow(make([]byte, 6))
	if err := w.WriteRow(make([]byte, 6)); err == nil {
		t.Error("a row too many: no error")
	}
}

func ExampleWriter() {
	var file bytes.Buffer
	w, err := NewWriter(&file, Header{W: 3, H: 2, Depth: 8, Gray: true}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	w.WriteRow([]byte{0, 100, 200})
	w.WriteRow([]byte{50, 150, 250})
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}
	m, _ := png.Decode(&file)
	fmt.Println(m.Bounds().Size(), m.At(2, 1))
	// Output: (3,2) {250}
}

func BenchmarkWriter(b *testing.B) {
	h := Header{W: 4000, H: 500, Depth: 8}
	rng := rand.New(rand.NewPCG(1, 2))
	rows := make([][]byte, h.H)
	for y := range rows { // a photograph's smoothness and noise
		rows[y] = make([]byte, h.rowBytes())
		for i := range rows[y] {
			rows[y][i] = byte(100 + i/300 + y/5 + rng.IntN(6))
		}
	}
	b.SetBytes(int64(h.H * h.rowBytes()))
	for b.Loop() {
		var file bytes.Buffer
		w, _ := NewWriter(&file, h, 2)
		for _, row := range rows {
			w.WriteRow(row)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(file.Len())/float64(h.H*h.rowBytes()), "ratio")
	}
}
