package tiffrows

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"

	"golang.org/x/image/tiff"

	"pixelgrad/internal/exif"
)

func sample(h Header, x, y, c int) uint16 {
	v := uint16(x*7919 + y*104729 + c*31337)
	if h.Depth == 8 {
		return v & 0xff
	}
	return v
}

func encode(t *testing.T, h Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, h)
	if err != nil {
		t.Fatalf("%+v: %v", h, err)
	}
	for y := range h.H {
		var row []byte
		for x := range h.W {
			for c := range h.Channels() {
				if v := sample(h, x, y, c); h.Depth == 8 {
					row = append(row, byte(v))
				} else {
					row = append(row, 0, 0)
					h.Order().PutUint16(row[len(row)-2:], v)
				}
			}
		}
		if err := w.WriteRow(row); err != nil {
			t.Fatalf("%+v: %v", h, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatalf("%+v: %v", h, err)
	}
	return b.Bytes()
}

// TestDecoder compares with what golang.org/x/image reads. It does not read grey with opacity.
func TestDecoder(t *testing.T) {
	note := &exif.Directory{Order: binary.BigEndian, Entries: []exif.Entry{{Tag: 0x0110, Type: 2, Count: 6, Data: []byte("Model\x00")}}}
	for _, d := range []*exif.Directory{nil, note} {
		for _, gray := range []bool{false, true} {
			for _, alpha := range []bool{false, !gray} {
				for _, depth := range []int{8, 16} {
					for _, size := range []image.Point{{1, 1}, {37, 23}, {400, 700}} {
						h := Header{W: size.X, H: size.Y, Depth: depth, Gray: gray, Alpha: alpha, EXIF: d, ICC: []byte("profile")}
						file := encode(t, h)
						m, err := tiff.Decode(bytes.NewReader(file))
						if err != nil {
							t.Fatalf("%+v: %v", h, err)
						}
						if m.Bounds() != image.Rect(0, 0, h.W, h.H) {
							t.Fatalf("%+v: got a picture of %v", h, m.Bounds())
						}
						for i := range min(h.W*h.H, 2000) {
							x, y := i*131%h.W, i*61%h.H
							for c, got := range samples(m, x, y)[:h.Channels()] {
								if want := sample(h, x, y, c); got != want {
									t.Fatalf("%+v: sample %d at (%d,%d): got %d, want %d", h, c, x, y, got, want)
								}
							}
						}
						if got := exif.Profile(file); string(got) != "profile" {
							t.Errorf("%+v: got the profile %q", h, got)
						}
						if got := exif.Read(file); (got == nil) != (d == nil) || d != nil && !bytes.Equal(got.Block(), d.Block()) {
							t.Errorf("%+v: got EXIF %v, want %v", h, got, d)
						}
					}
				}
			}
		}
	}
}

func samples(m image.Image, x, y int) []uint16 {
	switch c := m.At(x, y).(type) {
	case color.Gray:
		return []uint16{uint16(c.Y)}
	case color.Gray16:
		return []uint16{c.Y}
	case color.RGBA:
		return []uint16{uint16(c.R), uint16(c.G), uint16(c.B)}
	case color.NRGBA:
		return []uint16{uint16(c.R), uint16(c.G), uint16(c.B), uint16(c.A)}
	case color.RGBA64:
		return []uint16{c.R, c.G, c.B}
	case color.NRGBA64:
		return []uint16{c.R, c.G, c.B, c.A}
	}
	panic(fmt.Sprintf("colour %T", m.At(x, y)))
}

// TestGrayAlpha reads the tags of what has no decoder here.
func TestGrayAlpha(t *testing.T) {
	h := Header{W: 2, H: 2, Depth: 8, Gray: true, Alpha: true}
	file := encode(t, h)
	for _, want := range [][]byte{{0x06, 0x01, 3, 0, 1, 0, 0, 0, 1, 0}, {0x15, 0x01, 3, 0, 1, 0, 0, 0, 2, 0}, {0x52, 0x01, 3, 0, 1, 0, 0, 0, 2, 0}} {
		if !bytes.Contains(file, want) {
			t.Errorf("there is no entry % x", want)
		}
	}
	if end := file[len(file)-8:]; end[0] != byte(sample(h, 0, 0, 0)) || end[7] != byte(sample(h, 1, 1, 1)) {
		t.Errorf("the file ends with % x", end)
	}
}

type full struct{}

var errFull = errors.New("no room")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestErrors(t *testing.T) {
	if _, err := NewWriter(full{}, Header{W: 1, H: 1, Depth: 8}); !errors.Is(err, errFull) {
		t.Errorf("got %v, want the writer's error", err)
	}
	for _, bad := range []Header{{W: 0, H: 1, Depth: 8}, {W: 1, H: 1, Depth: 1}, {W: 40000, H: 40000, Depth: 8}, {W: 1, H: -5, Depth: 16}} {
		if _, err := NewWriter(&bytes.Buffer{}, bad); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
	w, _ := NewWriter(&bytes.Buffer{}, Header{W: 2, H: 1, Depth: 8})
	if err := w.WriteRow(make([]byte, 5)); err == nil {
		t.Error("a row of 5 bytes for 2 pixels: no error")
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "expected 1 rows, found 0") {
		t.Errorf("a row too few: got %v", err)
	}
	w.WriteRow(make([]byte, 6))
	if err := w.WriteRow(make([]byte, 6)); err == nil {
		t.Error("a row too many: no error")
	}
}

func ExampleWriter() {
	var file bytes.Buffer
	w, err := NewWriter(&file, Header{W: 3, H: 1, Depth: 8, Gray: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	w.WriteRow([]byte{0, 100, 200})
	m, err := tiff.Decode(&file)
	fmt.Println(m.Bounds().Size(), m.At(2, 0), err)
	// Output: (3,1) {200} <nil>
}
