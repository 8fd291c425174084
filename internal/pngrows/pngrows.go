// Package pngrows writes a PNG row by row, so that a picture which is computed row by row
// need never be in memory as a whole. Rows are filtered and compressed in blocks, by several
// goroutines at a time; the file is the same for any number of them.
//
// Source: PNG specification, third edition; RFC 1950 and 1951 for the compressed data.
package pngrows

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"io"
	"math"

	"github.com/klauspost/compress/flate"
)

// Header is what a PNG says about its picture.
type Header struct {
	W, H  int
	Depth int  // bits of a sample, 8 or 16
	Gray  bool // one sample a pixel, and not three
	Alpha bool // and one more

	Chunks []Chunk // those that stand before the pixels, such as iCCP, in their order
}

// Chunk is one of the parts that a PNG is made of.
type Chunk struct {
	Type string // four letters
	Data []byte
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

// rowBytes is how long a row is, without the byte that names its filter.
func (h Header) rowBytes() int { return h.W * h.Channels() * h.Depth / 8 }

// blockBytes is about how many bytes are compressed together. A block cannot refer to the
// one before it, which costs less than a hundredth at this size.
const blockBytes = 1 << 19

// Writer writes one PNG.
type Writer struct {
	w       io.Writer
	h       Header
	stride  int
	rows    int // of a block
	threads int

	now    *block
	last   []byte // the row before those of now; nil at the top
	queue  []*block
	free   []*block
	given  int // rows
	sum    uint32
	closed bool
	err    error
}

// block is some rows on their way into the file.
type block struct {
	raw      []byte
	above    []byte // the row before them
	filtered []byte
	packed   bytes.Buffer
	deflate  *flate.Writer
	sum      uint32 // Adler-32 of filtered
	done     chan struct{}
}

// NewWriter writes the beginning of a PNG to w and returns the writer of its rows. threads is
// how many goroutines compress at the same time; each takes about two megabytes. An error
// says that a PNG cannot hold such a picture, or is w's.
func NewWriter(w io.Writer, h Header, threads int) (*Writer, error) {
	if h.W < 1 || h.H < 1 || int64(h.W) > math.MaxInt32/8 || int64(h.H) > math.MaxInt32 || h.Depth != 8 && h.Depth != 16 {
		return nil, fmt.Errorf("expected a picture of 1 to %d pixels a side with 8 or 16 bits a sample for a PNG, found %d×%d with %d bits", math.MaxInt32/8, h.W, h.H, h.Depth)
	}
	p := &Writer{w: w, h: h, stride: h.rowBytes(), threads: max(threads, 1), sum: 1}
	p.rows = max(1, blockBytes/(p.stride+1))
	head := make([]byte, 13)
	binary.BigEndian.PutUint32(head, uint32(h.W))
	binary.BigEndian.PutUint32(head[4:], uint32(h.H))
	head[8] = byte(h.Depth)
	switch { // colour type, section 11.2.1
	case !h.Gray && h.Alpha:
		head[9] = 6
	case h.Alpha:
		head[9] = 4
	case !h.Gray:
		head[9] = 2
	}
	if _, err := io.WriteString(w, "\x89PNG\r\n\x1a\n"); err != nil {
		return nil, err
	}
	for _, c := range append([]Chunk{{"IHDR", head}}, h.Chunks...) {
		if err := p.chunk(c.Type, c.Data); err != nil {
			return nil, err
		}
	}
	// The head of zlib's format: deflate with a window of 32 KiB, the fastest level.
	return p, p.chunk("IDAT", []byte{0x78, 0x01})
}

// WriteRow adds a row: the samples of each pixel side by side, those of 16 bits with the high
// byte first. Errors: all rows are there already, or the row is not as long as the header
// says; or what has failed in writing, from then on.
func (p *Writer) WriteRow(row []byte) error {
	switch {
	case p.err != nil:
		return p.err
	case len(row) != p.stride:
		return fmt.Errorf("expected rows of %d bytes, found one of %d", p.stride, len(row))
	case p.given == p.h.H || p.closed:
		return fmt.Errorf("expected %d rows, found one more", p.h.H)
	}
	if p.now == nil {
		p.now = p.block()
		p.now.above = append(p.now.above[:0], p.last...)
	}
	p.now.raw = append(p.now.raw, row...)
	p.given++
	if len(p.now.raw) == p.rows*p.stride || p.given == p.h.H {
		p.last = append(p.last[:0], row...)
		b := p.now
		p.now = nil
		p.queue = append(p.queue, b)
		go b.pack(p.h, p.given == p.h.H)
		for len(p.queue) > p.threads || p.given == p.h.H && len(p.queue) > 0 {
			p.err = errors.Join(p.err, p.write(p.queue[0]))
			p.queue = p.queue[1:]
		}
	}
	return p.err
}

// block returns an empty one.
func (p *Writer) block() *block {
	if n := len(p.free) - 1; n >= 0 {
		b := p.free[n]
		p.free = p.free[:n]
		b.raw = b.raw[:0]
		b.done = make(chan struct{})
		return b
	}
	return &block{raw: make([]byte, 0, min(p.rows, p.h.H)*p.stride), done: make(chan struct{})}
}

// write waits for a block and writes it.
func (p *Writer) write(b *block) error {
	<-b.done
	p.sum = combine(p.sum, b.sum, len(b.filtered))
	err := p.err
	if err == nil {
		err = p.chunk("IDAT", b.packed.Bytes())
	}
	p.free = append(p.free, b)
	return err
}

// Close ends the file. It does not close what the file is written to. It returns an error if
// rows are missing.
func (p *Writer) Close() error {
	if p.closed {
		return p.err
	}
	p.closed = true
	for _, b := range p.queue { // of a file that is given up
		<-b.done
	}
	if p.err == nil && p.given < p.h.H {
		p.err = fmt.Errorf("expected %d rows, found %d", p.h.H, p.given)
	}
	if p.err == nil {
		p.err = p.chunk("IDAT", binary.BigEndian.AppendUint32(nil, p.sum))
	}
	if p.err == nil {
		p.err = p.chunk("IEND", nil)
	}
	return p.err
}

func (p *Writer) chunk(kind string, data []byte) error {
	if len(kind) != 4 || len(data) > math.MaxInt32 {
		return fmt.Errorf("expected a chunk with a type of four letters, found %q with %d bytes", kind, len(data))
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	head = append(head, kind...)
	sum := crc32.Update(crc32.ChecksumIEEE(head[4:]), crc32.IEEETable, data)
	for _, part := range [][]byte{head, data, binary.BigEndian.AppendUint32(nil, sum)} {
		if _, err := p.w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// pack filters and compresses a block.
func (b *block) pack(h Header, last bool) {
	defer close(b.done)
	stride := h.rowBytes()
	perPixel := h.Channels() * h.Depth / 8
	above := b.above
	if len(above) == 0 {
		above = make([]byte, stride)
	}
	b.filtered = b.filtered[:0]
	for raw := b.raw; len(raw) > 0; raw = raw[stride:] {
		row := raw[:stride]
		b.filtered = appendFiltered(b.filtered, row, above, perPixel)
		above = row
	}
	b.sum = adler32.Checksum(b.filtered)
	b.packed.Reset()
	if b.deflate == nil {
		b.deflate, _ = flate.NewWriter(&b.packed, level) // the error is an unknown level
	} else {
		b.deflate.Reset(&b.packed)
	}
	b.deflate.Write(b.filtered) // a buffer has no errors
	if last {
		b.deflate.Close()
	} else {
		b.deflate.Flush() // up to a whole byte, so that blocks stand behind each other
	}
}

// level is flate's. Those above it take more time than a small network, for files that are
// some hundredths shorter.
const level = 2

// combine returns the Adler-32 of two pieces of data from theirs and the length of the second.
// Source: zlib's adler32_combine.
func combine(first, second uint32, n int) uint32 {
	const base = 65521
	a1, b1 := first&0xffff, first>>16
	a2, b2 := second&0xffff, second>>16
	a := (a1 + a2 + base - 1) % base
	b := (b1 + b2 + uint32(uint64(n)%base*uint64(a1+base-1)%base)) % base
	return b<<16 | a
}
