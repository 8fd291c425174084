package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/HugoSmits86/nativewebp"

	"pixelgrad/internal/exif"
	"pixelgrad/internal/jpegrows"
	"pixelgrad/internal/memory"
	"pixelgrad/internal/pngrows"
	"pixelgrad/internal/tiffrows"
)

// A kind is one of the formats that results can have.
type kind struct {
	flag string // what -f calls it
	name string
	exts []string // the first is that of new names

	gray, alpha, deep bool // what it has room for
	together          bool // of grey and opacity in one picture
	create            func(w io.Writer, s sheet) (rowWriter, error)
}

// A sheet is what a file says about the enlargement in it, and how it is written.
type sheet struct {
	w, h              int
	gray, alpha, deep bool
	icc               []byte
	exif              []byte // upright already
	quality, threads  int
	say               func(line string) // what cannot be kept
}

func (s sheet) depth() int {
	if s.deep {
		return 16
	}
	return 8
}

// A rowWriter is given samples side by side, those of 16 bits with the high byte first.
type rowWriter interface {
	WriteRow(row []byte) error
	Close() error
}

var formats = []*kind{
	{flag: "png", name: "PNG", exts: []string{".png"}, gray: true, alpha: true, deep: true, together: true, create: createPNG},
	{flag: "jpg", name: "JPEG", exts: []string{".jpg", ".jpeg", ".jpe", ".jfif"}, gray: true, create: createJPEG},
	{flag: "webp", name: "WebP", exts: []string{".webp"}, alpha: true, create: createWebP},
	// TIFF has grey with opacity, too, but few programs read it.
	{flag: "tif", name: "TIFF", exts: []string{".tif", ".tiff"}, gray: true, alpha: true, deep: true, create: createTIFF},
}

var png = formats[0]

func formatNames() string {
	var names []string
	for _, f := range formats {
		names = append(names, f.flag)
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// formatOfFlag returns the format that -f names: as its extensions do, too.
func formatOfFlag(name string) (*kind, error) {
	if f, err := formatOfName("." + strings.TrimPrefix(name, ".")); err == nil {
		return f, nil
	}
	return nil, fmt.Errorf("expected %s", formatNames())
}

// formatOfName returns the format that a file's extension stands for.
func formatOfName(path string) (*kind, error) {
	ext := strings.ToLower(filepath.Ext(path))
	for _, f := range formats {
		if slices.Contains(f.exts, ext) {
			return f, nil
		}
	}
	var all []string
	for _, f := range formats {
		all = append(all, f.exts...)
	}
	return nil, fmt.Errorf("expected a name that ends in %s", strings.Join(all, ", "))
}

// writable returns the format of the result of an input, and the extension: the input's own, or
// PNG's if there is no such output.
func writable(input string) (*kind, string) {
	if f, err := formatOfName(input); err == nil {
		return f, filepath.Ext(input)
	}
	return png, png.exts[0]
}

// formatCalled returns the format that vision calls so, or PNG.
func formatCalled(name string) *kind {
	for _, f := range formats {
		if f.name == name {
			return f
		}
	}
	return png
}

// profileFits tells whether a colour profile is for pictures of grey, or of red, green and blue.
// Source: ICC.1, 7.2.6.
func profileFits(icc []byte, gray bool) bool {
	want := "RGB "
	if gray {
		want = "GRAY"
	}
	return len(icc) >= 128 && string(icc[16:20]) == want
}

func createPNG(w io.Writer, s sheet) (rowWriter, error) {
	h := pngrows.Header{W: s.w, H: s.h, Depth: s.depth(), Gray: s.gray, Alpha: s.alpha}
	if s.icc != nil {
		var b bytes.Buffer
		b.WriteString("ICC profile\x00\x00") // a name, and the method of compression
		z := zlib.NewWriter(&b)
		z.Write(s.icc)
		z.Close()
		h.Chunks = append(h.Chunks, pngrows.Chunk{Type: "iCCP", Data: b.Bytes()})
	}
	if s.exif != nil {
		h.Chunks = append(h.Chunks, pngrows.Chunk{Type: "eXIf", Data: s.exif})
	}
	return pngrows.NewWriter(w, h, s.threads)
}

func createJPEG(w io.Writer, s sheet) (rowWriter, error) {
	if s.w > jpegrows.MaxSide || s.h > jpegrows.MaxSide {
		return nil, fmt.Errorf("expected at most %d pixels a side for a JPEG, found %d×%d; write another format, as with -f png", jpegrows.MaxSide, s.w, s.h)
	}
	h := jpegrows.Header{W: s.w, H: s.h, Gray: s.gray, Quality: s.quality}
	if block := append([]byte("Exif\x00\x00"), s.exif...); s.exif != nil && len(block) <= jpegrows.MaxSegment {
		h.Segments = append(h.Segments, jpegrows.Segment{App: 1, Data: block})
	} else if s.exif != nil {
		s.say(fmt.Sprintf("its EXIF data, %d bytes, are more than a JPEG can hold, and left out", len(s.exif)))
	}
	const piece = jpegrows.MaxSegment - 14
	n := (len(s.icc) + piece - 1) / piece
	if n > 255 {
		s.say(fmt.Sprintf("its colour profile, %d bytes, is more than a JPEG can hold, and left out", len(s.icc)))
		n = 0
	}
	for i := range n {
		data := append([]byte("ICC_PROFILE\x00"), byte(i+1), byte(n))
		data = append(data, s.icc[i*piece:min((i+1)*piece, len(s.icc))]...)
		h.Segments = append(h.Segments, jpegrows.Segment{App: 2, Data: data})
	}
	return jpegrows.NewWriter(w, h, s.threads)
}

func createTIFF(w io.Writer, s sheet) (rowWriter, error) {
	h := tiffrows.Header{W: s.w, H: s.h, Depth: s.depth(), Gray: s.gray, Alpha: s.alpha, ICC: s.icc, EXIF: exif.Read(s.exif)}
	t, err := tiffrows.NewWriter(w, h)
	if err != nil || !s.deep || h.Order() == binary.BigEndian {
		return t, err
	}
	return &swapping{t, nil}, nil
}

// swapping turns the bytes of 16-bit samples round.
type swapping struct {
	*tiffrows.Writer
	row []byte
}

func (s *swapping) WriteRow(row []byte) error {
	s.row = append(s.row[:0], row...)
	for p := s.row; len(p) >= 2; p = p[2:] {
		p[0], p[1] = p[1], p[0]
	}
	return s.Writer.WriteRow(s.row)
}

// maxWebP is how many pixels a WebP may have along a side.
const maxWebP = 16384

// webpBytes is what nativewebp takes for a pixel: it encodes whole pictures, and holds them
// several times.
const webpBytes = 64

// webp collects a picture, for its encoder needs it whole.
type webp struct {
	w    io.Writer
	s    sheet
	m    *image.NRGBA
	rows int
}

func createWebP(w io.Writer, s sheet) (rowWriter, error) {
	if s.w > maxWebP || s.h > maxWebP {
		return nil, fmt.Errorf("expected at most %d pixels a side for a WebP, found %d×%d; write another format, as with -f png", maxWebP, s.w, s.h)
	}
	need := webpBytes * int64(s.w) * int64(s.h)
	if free, limit := memory.Free(); limit != memory.Unknown && need > free {
		return nil, fmt.Errorf("expected %d MB of memory for a WebP of %d×%d pixels, found %d MB %s; write another format, as with -f png", need/1e6, s.w, s.h, free/1e6, limit)
	}
	return &webp{w: w, s: s, m: image.NewNRGBA(image.Rect(0, 0, s.w, s.h))}, nil
}

func (p *webp) WriteRow(row []byte) error {
	dst := p.m.Pix[p.rows*p.m.Stride:][:p.m.Stride]
	p.rows++
	n := len(row) / p.s.w
	for ; len(dst) > 0; row, dst = row[n:], dst[4:] {
		switch n {
		case 1, 2: // grey, and opacity
			dst[0], dst[1], dst[2] = row[0], row[0], row[0]
		default:
			copy(dst[:3], row)
		}
		dst[3] = 255
		if p.s.alpha {
			dst[3] = row[n-1]
		}
	}
	return nil
}

// Close encodes the picture, and puts it into a file of chunks together with what is known about
// it. Source: RFC 9649, section 2.7.
func (p *webp) Close() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the encoder of WebP gave up (%v); write another format, as with -f png", r)
		}
	}()
	var b bytes.Buffer
	if err := nativewebp.Encode(&b, p.m, nil); err != nil {
		return err
	}
	p.m = nil
	const head = 12 // RIFF, the length, WEBP; the chunk of pixels follows
	body := []byte("WEBP")
	chunk := func(kind string, data []byte) {
		body = append(body, kind...)
		body = binary.LittleEndian.AppendUint32(body, uint32(len(data)))
		body = append(body, data...)
		if len(data)%2 != 0 {
			body = append(body, 0)
		}
	}
	if p.s.icc != nil || p.s.exif != nil {
		flags := make([]byte, 10)
		if p.s.icc != nil {
			flags[0] |= 0x20
		}
		if p.s.alpha {
			flags[0] |= 0x10
		}
		if p.s.exif != nil {
			flags[0] |= 0x08
		}
		for i := range 3 {
			flags[4+i] = byte((p.s.w - 1) >> (8 * i))
			flags[7+i] = byte((p.s.h - 1) >> (8 * i))
		}
		chunk("VP8X", flags)
	}
	if p.s.icc != nil {
		chunk("ICCP", p.s.icc)
	}
	body = append(body, b.Bytes()[head:]...)
	if p.s.exif != nil {
		chunk("EXIF", p.s.exif)
	}
	file := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body)))
	for _, part := range [][]byte{file, body} {
		if _, err := p.w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// appendSamples appends a row of an enlargement as files have it: without the opacity of opaque
// pictures, and with one sample of grey for each pixel of a grey one.
func appendSamples(dst []byte, m image.Image, s sheet) []byte {
	switch m := m.(type) {
	case *image.Gray:
		return append(dst, m.Pix...)
	case *image.Gray16:
		return append(dst, m.Pix...)
	case *image.RGBA:
		return appendPixels(dst, m.Pix, 1, s)
	case *image.NRGBA:
		return appendPixels(dst, m.Pix, 1, s)
	case *image.RGBA64:
		return appendPixels(dst, m.Pix, 2, s)
	case *image.NRGBA64:
		return appendPixels(dst, m.Pix, 2, s)
	}
	b := m.Bounds()
	for x := b.Min.X; x < b.Max.X; x++ {
		c := color.NRGBAModel.Convert(m.At(x, b.Min.Y)).(color.NRGBA)
		dst = appendPixels(dst, []byte{c.R, c.G, c.B, c.A}, 1, s)
	}
	return dst
}

// appendPixels appends pixels of four samples, each of which has some bytes.
func appendPixels(dst, pix []byte, bytes int, s sheet) []byte {
	if !s.gray && !s.alpha && bytes == 1 { // a photograph
		at := len(dst)
		dst = slices.Grow(dst, len(pix)/4*3)[:at+len(pix)/4*3]
		for out := dst[at:]; len(pix) >= 4 && len(out) >= 3; pix, out = pix[4:], out[3:] {
			out[0], out[1], out[2] = pix[0], pix[1], pix[2]
		}
		return dst
	}
	if !s.gray && s.alpha {
		return append(dst, pix...)
	}
	for ; len(pix) >= 4*bytes; pix = pix[4*bytes:] {
		switch {
		case !s.gray:
			dst = append(dst, pix[:3*bytes]...)
		case bytes == 1:
			dst = append(dst, byte(luma(pix[0], pix[1], pix[2])))
		default:
			dst = binary.BigEndian.AppendUint16(dst, uint16(luma(be16(pix), be16(pix[2:]), be16(pix[4:]))))
		}
		if s.alpha {
			dst = append(dst, pix[3*bytes:4*bytes]...)
		}
	}
	return dst
}

// luma is the brightness of a colour, by the weights of BT.601.
func luma[T uint8 | uint16](r, g, b T) int {
	return (299*int(r) + 587*int(g) + 114*int(b) + 500) / 1000
}

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
