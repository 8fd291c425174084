// Package jpegrows writes a JPEG row by row, so that a picture which is computed row by row
// need never be in memory as a whole. It has image/jpeg encode strips of the picture, several
// at a time, and joins their coded data by restart markers: every strip begins anew, as the
// standard has it behind such a marker, and image/jpeg codes all strips with the same tables.
// The pixels are those of image/jpeg, and the file is the same for any number of goroutines.
//
// Source: ITU-T recommendation T.81 (1992), sections B.2.4.4 and E.1.4.
package jpegrows

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math"
)

// Header is what a JPEG says about its picture.
type Header struct {
	W, H    int
	Gray    bool // one sample a pixel, and not three
	Quality int  // 1…100, as image/jpeg has it

	Segments []Segment // those that stand at the beginning, such as EXIF's, in their order
}

// Segment is one of the application's parts of a JPEG, APP0 to APP15.
type Segment struct {
	App  int
	Data []byte
}

// MaxSegment is how many bytes the data of a segment may have.
const MaxSegment = math.MaxUint16 - 2

// MaxSide is how many pixels a JPEG may have along a side.
const MaxSide = math.MaxUint16

// stripPixels is about how many pixels are encoded together.
const stripPixels = 1 << 16

// Writer writes one JPEG.
type Writer struct {
	w       io.Writer
	h       Header
	rows    int // of a strip, but for the last one
	threads int

	now     *strip
	queue   []*strip
	free    []*strip
	given   int // rows
	written int // strips
	err     error
}

// strip is some rows on their way into the file.
type strip struct {
	gray *image.Gray
	rgba *image.RGBA
	file bytes.Buffer // a JPEG of the strip alone
	err  error
	done chan struct{}
}

// NewWriter returns the writer of a JPEG's rows. threads is how many goroutines encode at the
// same time. Nothing is written before the first strip is complete. An error says that a JPEG
// cannot hold such a picture or segment.
func NewWriter(w io.Writer, h Header, threads int) (*Writer, error) {
	if h.W < 1 || h.H < 1 || h.W > MaxSide || h.H > MaxSide {
		return nil, fmt.Errorf("expected a picture of 1 to %d pixels a side for a JPEG, found %d×%d", MaxSide, h.W, h.H)
	}
	for _, s := range h.Segments {
		if s.App < 0 || s.App > 15 || len(s.Data) > MaxSegment {
			return nil, fmt.Errorf("expected a segment APP0 to APP15 of at most %d bytes, found APP%d with %d", MaxSegment, s.App, len(s.Data))
		}
	}
	j := &Writer{w: w, h: h, threads: max(threads, 1)}
	// A restart interval has at most 65535 units.
	units := (h.W + j.unit() - 1) / j.unit()
	j.rows = j.unit() * min(max(1, stripPixels/(h.W*j.unit())), math.MaxUint16/units)
	return j, nil
}

// unit is how many pixels the units of coding have along a side: blocks of 8×8 samples, and
// colours have one for 2×2 pixels.
func (j *Writer) unit() int {
	if j.h.Gray {
		return 8
	}
	return 16
}

// WriteRow adds a row: one sample a pixel, or red, green and blue side by side. Errors: all
// rows are there already, or the row is not as long as the header says; or what has failed in
// writing, from then on.
func (j *Writer) WriteRow(row []byte) error {
	channels := 3
	if j.h.Gray {
		channels = 1
	}
	switch {
	case j.err != nil:
		return j.err
	case len(row) != channels*j.h.W:
		return fmt.Errorf("expected rows of %d bytes, found one of %d", channels*j.h.W, len(row))
	case j.given == j.h.H:
		return fmt.Errorf("expected %d rows, found one more", j.h.H)
	}
	if j.now == nil {
		j.now = j.strip()
	}
	y := j.given % j.rows
	if j.h.Gray {
		copy(j.now.gray.Pix[y*j.now.gray.Stride:], row)
	} else {
		dst := j.now.rgba.Pix[y*j.now.rgba.Stride:]
		for ; len(row) >= 3; row, dst = row[3:], dst[4:] {
			dst[0], dst[1], dst[2], dst[3] = row[0], row[1], row[2], 255
		}
	}
	if j.given++; j.given%j.rows == 0 || j.given == j.h.H {
		s := j.now
		j.now = nil
		j.queue = append(j.queue, s)
		go s.encode(y+1, j.h.Quality)
		for len(j.queue) > j.threads || j.given == j.h.H && len(j.queue) > 0 {
			j.err = errors.Join(j.err, j.write(j.queue[0]))
			j.queue = j.queue[1:]
		}
	}
	return j.err
}

func (j *Writer) strip() *strip {
	if n := len(j.free) - 1; n >= 0 {
		s := j.free[n]
		j.free = j.free[:n]
		s.done = make(chan struct{})
		return s
	}
	s := &strip{done: make(chan struct{})}
	size := image.Rect(0, 0, j.h.W, min(j.rows, j.h.H))
	if j.h.Gray {
		s.gray = image.NewGray(size)
	} else {
		s.rgba = image.NewRGBA(size)
	}
	return s
}

func (s *strip) encode(rows, quality int) {
	defer close(s.done)
	s.file.Reset()
	var m image.Image
	if s.gray != nil {
		m = s.gray.SubImage(image.Rect(0, 0, s.gray.Rect.Max.X, rows))
	} else {
		m = s.rgba.SubImage(image.Rect(0, 0, s.rgba.Rect.Max.X, rows))
	}
	s.err = jpeg.Encode(&s.file, m, &jpeg.Options{Quality: quality})
}

// write waits for a strip and writes it: its beginning, for all of the picture, if it is the
// first one, or else a restart marker; and its coded data.
func (j *Writer) write(s *strip) error {
	<-s.done
	defer func() { j.free = append(j.free, s) }()
	if err := errors.Join(j.err, s.err); err != nil {
		return err
	}
	head, coded, err := split(s.file.Bytes(), j.h.H)
	if err != nil {
		return err
	}
	var before []byte
	if j.written == 0 {
		before = j.begin(head)
	} else {
		before = []byte{0xff, 0xd0 + byte((j.written-1)%8)} // RST0 to RST7 in turn
	}
	j.written++
	for _, part := range [][]byte{before, coded} {
		if _, err := j.w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// begin returns the beginning of the file. Behind the marker of a JPEG come its segments and
// the restart interval.
func (j *Writer) begin(head []byte) []byte {
	b := append([]byte(nil), head[:2]...)
	for _, s := range j.h.Segments {
		b = append(b, 0xff, 0xe0+byte(s.App))
		b = binary.BigEndian.AppendUint16(b, uint16(len(s.Data)+2))
		b = append(b, s.Data...)
	}
	if j.rows < j.h.H {
		units := (j.h.W + j.unit() - 1) / j.unit()
		b = append(b, 0xff, 0xdd, 0, 4)
		b = binary.BigEndian.AppendUint16(b, uint16(units*(j.rows/j.unit())))
	}
	return append(b, head[2:]...)
}

// split divides a JPEG of image/jpeg's into what stands before its coded data, with another
// height, and these.
func split(file []byte, height int) (head, coded []byte, err error) {
	const sof0, sos = 0xc0, 0xda
	for at := 2; at+4 <= len(file) && file[at] == 0xff; {
		marker, end := file[at+1], at+2+int(binary.BigEndian.Uint16(file[at+2:]))
		if end > len(file)-2 {
			break
		}
		if marker == sof0 {
			binary.BigEndian.PutUint16(file[at+5:], uint16(height))
		}
		if marker == sos {
			return file[:end], file[end : len(file)-2], nil
		}
		at = end
	}
	return nil, nil, errors.New("jpegrows: image/jpeg has written a file without coded data")
}

// Close ends the file. It does not close what the file is written to. It returns an error if
// rows are missing.
func (j *Writer) Close() error {
	for _, s := range j.queue { // of a file that is given up
		<-s.done
	}
	j.queue = nil
	if j.err == nil && j.given < j.h.H {
		j.err = fmt.Errorf("expected %d rows, found %d", j.h.H, j.given)
	}
	if j.err == nil {
		_, j.err = j.w.Write([]byte{0xff, 0xd9})
	}
	return j.err
}
