// Package tiffrows writes a TIFF row by row, so that a picture which is computed row by row
// need never be in memory as a whole. Its samples are not compressed, so that all places in
// the file are known at its beginning.
//
// Source: TIFF 6.0; the tag of ICC profiles is that of ICC.1, annex B.2.
package tiffrows

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"pixelgrad/internal/exif"
)

// Header is what a TIFF says about its picture.
type Header struct {
	W, H  int
	Depth int  // bits of a sample, 8 or 16
	Gray  bool // one sample a pixel, and not three
	Alpha bool // and one more, which the others are not multiplied by

	ICC  []byte          // the colour profile, or nil
	EXIF *exif.Directory // what is known about the photograph, or nil; its order becomes the file's
}

// Channels returns how many samples a pixel has.
func (h Header) Channels() int {
	n := 3
	if h.Gray {
		n = 1
	}
	if h.Alpha {
		n++
	}
	return n
}

func (h Header) rowBytes() int64 { return int64(h.W) * int64(h.Channels()*h.Depth/8) }

// Order is the order of the bytes of 16-bit samples.
func (h Header) Order() binary.ByteOrder {
	if h.EXIF != nil {
		return h.EXIF.Order
	}
	return binary.LittleEndian
}

// Tags and types of TIFF 6.0.
const (
	short, long = 3, 4
	undefined   = 7

	tagWidth, tagLength     = 256, 257
	tagBits, tagCompression = 258, 259
	tagPhotometric          = 262
	tagOffsets              = 273
	tagOrientation          = 274
	tagSamples, tagRows     = 277, 278
	tagCounts               = 279
	tagExtraSamples         = 338
	tagICC                  = 34675
	stripBytes              = 1 << 18 // about; a reader holds a strip at a time
)

// Writer writes one TIFF.
type Writer struct {
	w     io.Writer
	h     Header
	given int
}

// NewWriter writes the beginning of a TIFF to w and returns the writer of its rows. An error
// says that a TIFF cannot hold such a picture, as its places are numbers of 32 bits, or is w's.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	if h.W < 1 || h.H < 1 || h.W > math.MaxInt32/8 || h.H > math.MaxInt32 || h.Depth != 8 && h.Depth != 16 {
		return nil, fmt.Errorf("expected a picture of 1 to %d pixels a side with 8 or 16 bits a sample for a TIFF, found %d×%d with %d bits", math.MaxInt32/8, h.W, h.H, h.Depth)
	}
	head := h.head()
	if size := h.rowBytes()*int64(h.H) + int64(len(head)); size > math.MaxUint32 {
		return nil, fmt.Errorf("expected a picture of at most 4 GiB for a TIFF, found %d×%d pixels that take %d MB; write a PNG", h.W, h.H, size/1e6)
	}
	_, err := w.Write(head)
	return &Writer{w: w, h: h}, err
}

// head returns all that stands before the samples.
func (h Header) head() []byte {
	o := h.Order()
	d := &exif.Directory{Order: o}
	if h.EXIF != nil {
		d.Entries = append(d.Entries, h.EXIF.Entries...)
	}
	add := func(tag, kind uint16, numbers ...int64) {
		var data []byte
		for _, n := range numbers {
			data = append(data, 0, 0, 0, 0)
			if kind == short {
				data = data[:len(data)-2]
				o.PutUint16(data[len(data)-2:], uint16(n))
			} else {
				o.PutUint32(data[len(data)-4:], uint32(n))
			}
		}
		d.Entries = append(d.Entries, exif.Entry{Tag: tag, Type: kind, Count: uint32(len(numbers)), Data: data})
	}
	add(tagWidth, long, int64(h.W))
	add(tagLength, long, int64(h.H))
	bits := make([]int64, h.Channels())
	for i := range bits {
		bits[i] = int64(h.Depth)
	}
	add(tagBits, short, bits...)
	add(tagCompression, short, 1)
	if h.Gray {
		add(tagPhotometric, short, 1) // black is 0
	} else {
		add(tagPhotometric, short, 2) // RGB
	}
	add(tagOrientation, short, 1)
	add(tagSamples, short, int64(h.Channels()))
	if h.Alpha {
		add(tagExtraSamples, short, 2)
	}
	if len(h.ICC) > 0 {
		d.Entries = append(d.Entries, exif.Entry{Tag: tagICC, Type: undefined, Count: uint32(len(h.ICC)), Data: h.ICC})
	}
	rows := max(1, stripBytes/h.rowBytes())
	strips := (int64(h.H) + rows - 1) / rows
	add(tagRows, long, rows)
	counts, offsets := make([]int64, strips), make([]int64, strips)
	for i := range counts {
		counts[i] = h.rowBytes() * min(rows, int64(h.H)-int64(i)*rows)
	}
	add(tagCounts, long, counts...)
	add(tagOffsets, long, offsets...)
	// The offsets depend on how long the directory is, and that does not depend on them.
	at := int64(len(d.Block()))
	for i := range offsets {
		offsets[i] = at
		at += counts[i]
	}
	d.Entries = d.Entries[:len(d.Entries)-1]
	add(tagOffsets, long, offsets...)
	return d.Block()
}

// WriteRow adds a row: the samples of each pixel side by side, those of 16 bits in the order of
// the header. Errors: all rows are there already, or the row is not as long as the header says;
// or they are those of writing.
func (t *Writer) WriteRow(row []byte) error {
	if int64(len(row)) != t.h.rowBytes() {
		return fmt.Errorf("expected rows of %d bytes, found one of %d", t.h.rowBytes(), len(row))
	}
	if t.given == t.h.H {
		return fmt.Errorf("expected %d rows, found one more", t.h.H)
	}
	t.given++
	_, err := t.w.Write(row)
	return err
}

// Close returns an error if rows are missing. It does not close what the file is written to.
func (t *Writer) Close() error {
	if t.given < t.h.H {
		return fmt.Errorf("expected %d rows, found %d", t.h.H, t.given)
	}
	return nil
}
