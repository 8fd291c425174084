package vision

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"io"
	"math"

	"pixelgrad/internal/exif"
)

// Picture is a picture as its file has it: with its depth, its opacity, and what the file says
// about it.
type Picture struct {
	// Image has the samples, upright. It is
	//
	//	*image.Gray, *image.Gray16       grey, without opacity
	//	*RGB                             8 bits, without opacity
	//	*image.NRGBA, *image.NRGBA64     everything else, not premultiplied
	//
	// with the upper left corner at (0,0) and no gap between rows.
	Image image.Image

	Gray  bool // all colours are grey: in a file of grey and opacity also those of an NRGBA
	Alpha bool // a pixel is not opaque

	Format string // what kind of file it was, as in FormatNames
	Frames int    // how many pictures the file has, of which this is the first; at least 1

	ICC  []byte // the colour profile of the file, which may be for other colours than RGB; or nil
	EXIF []byte // the block of EXIF data, which has the form of a TIFF file; or nil
}

// Depth returns how many bits a sample has, 8 or 16.
func (p *Picture) Depth() int {
	switch p.Image.(type) {
	case *image.Gray16, *image.NRGBA64:
		return 16
	}
	return 8
}

// DecodePicture is [Decode] for a program that makes another file of a picture: nothing that
// the file has of it is lost, but for the colours of CMYK, which become RGB, and more than 16
// bits a sample. It reads the same files, within the same limits, with the same errors. EXIF's
// block is as it was: its orientation no longer holds.
func DecodePicture(r io.Reader, name string) (*Picture, error) {
	return limits{MaxPixels, MaxFileBytes}.decodePicture(r, name)
}

func (l limits) decodePicture(r io.Reader, name string) (*Picture, error) {
	m, f, data, err := l.decodeImage(r, name, 8)
	if err != nil {
		return nil, err
	}
	// Clones, so that the file's memory can be given back.
	p := &Picture{Format: f.name, Frames: 1, ICC: bytes.Clone(f.icc(data))}
	block := f.exif(data)
	o := orientation(block)
	if f.name != "TIFF" {
		p.EXIF = bytes.Clone(bytes.TrimPrefix(block, exifPrefix))
	} else if d := exif.Read(block); d != nil {
		p.EXIF = d.Block()
	}
	p.Image, p.Gray, p.Alpha = native(m)
	switch f.name {
	case "GIF":
		p.Frames = gifFrames(data)
	case "PNG": // an animated one: third edition, 11.3.6.1
		if c := chunkOfPNG(data, "acTL"); len(c) == 8 {
			p.Frames = max(1, int(min(binary.BigEndian.Uint32(c), math.MaxInt32)))
		}
	case "TIFF":
		p.Frames = max(1, exif.Pages(data))
	}
	if f.name == "PNG" && !p.Gray && len(data) > 25 && (data[25] == 0 || data[25] == 4) { // the colour type, 11.2.1
		p.Gray = true
		if !p.Alpha {
			p.Image = firstOf(p.Image)
		}
	}
	p.Image = turnImage(p.Image, o)
	return p, nil
}

// ReadPicture is [DecodePicture] for a file.
func ReadPicture(path string) (*Picture, error) {
	f, err := openPicture(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return DecodePicture(f, path)
}

// native returns a picture of a decoder's in one of the types that Picture has.
func native(m image.Image) (_ image.Image, gray, alpha bool) {
	size := image.Rectangle{Max: m.Bounds().Size()}
	switch m := m.(type) {
	case *RGB:
		return m, false, false
	case *image.Gray:
		if m.Rect != size || m.Stride != m.Rect.Dx() { // JPEGs are decoded in whole blocks
			q := image.NewGray(size)
			for y := range size.Max.Y {
				copy(q.Pix[y*q.Stride:][:q.Stride], m.Pix[y*m.Stride:])
			}
			m = q
		}
		return m, true, false
	case *image.Gray16:
		return m, true, false
	case *image.NRGBA64:
		return m, false, !m.Opaque()
	case *image.NRGBA:
		if m.Opaque() {
			return FromImage(m), false, false
		}
		return m, false, true
	case *image.RGBA:
		if m.Opaque() {
			return FromImage(m), false, false
		}
	case *image.RGBA64:
		if m.Opaque() { // then premultiplied is the same
			return &image.NRGBA64{Pix: m.Pix, Stride: m.Stride, Rect: m.Rect}, false, false
		}
		q := image.NewNRGBA64(size)
		for y := range size.Max.Y {
			for x := range size.Max.X {
				q.SetNRGBA64(x, y, color.NRGBA64Model.Convert(m.RGBA64At(m.Rect.Min.X+x, m.Rect.Min.Y+y)).(color.NRGBA64))
			}
		}
		return q, false, true
	case *image.Paletted:
		return fromPalette(m)
	}
	q := image.NewNRGBA(size)
	for y := range size.Max.Y {
		for x := range size.Max.X {
			q.SetNRGBA(x, y, color.NRGBAModel.Convert(m.At(m.Bounds().Min.X+x, m.Bounds().Min.Y+y)).(color.NRGBA))
		}
	}
	if q.Opaque() {
		return FromImage(q), false, false
	}
	return q, false, true
}

// fromPalette looks up the colours of a palette.
func fromPalette(m *image.Paletted) (_ image.Image, gray, alpha bool) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	var colours [256]color.NRGBA
	gray = true
	for i, c := range m.Palette[:min(len(m.Palette), 256)] {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		colours[i] = n
		gray = gray && n.R == n.G && n.G == n.B
	}
	opaque := m.Opaque() // of the colours that are used
	grays, rgb, nrgba := (*image.Gray)(nil), (*RGB)(nil), (*image.NRGBA)(nil)
	switch size := image.Rect(0, 0, w, h); {
	case !opaque:
		nrgba = image.NewNRGBA(size)
	case gray:
		grays = image.NewGray(size)
	default:
		rgb = NewRGB(w, h)
	}
	for y := range h {
		for x, i := range m.Pix[y*m.Stride:][:w] {
			c := colours[i]
			switch at := y*w + x; {
			case nrgba != nil:
				copy(nrgba.Pix[4*at:], []uint8{c.R, c.G, c.B, c.A})
			case grays != nil:
				grays.Pix[at] = c.R
			default:
				copy(rgb.Pix[3*at:], []uint8{c.R, c.G, c.B})
			}
		}
	}
	switch {
	case nrgba != nil:
		return nrgba, gray, true
	case grays != nil:
		return grays, true, false
	}
	return rgb, false, false
}

// firstOf returns a grey picture of the first samples of one that has three equal ones.
func firstOf(m image.Image) image.Image {
	size := m.Bounds()
	switch m := m.(type) {
	case *RGB:
		g := image.NewGray(size)
		for i := range g.Pix {
			g.Pix[i] = m.Pix[3*i]
		}
		return g
	case *image.NRGBA64:
		g := image.NewGray16(size)
		for i := 0; i < len(g.Pix); i += 2 {
			copy(g.Pix[i:i+2], m.Pix[4*i:])
		}
		return g
	}
	return m
}

// turnImage is turn for the types that Picture has.
func turnImage(m image.Image, orientation int) image.Image {
	if orientation <= 1 {
		return m
	}
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	switch m := m.(type) {
	case *RGB:
		return turn(m, orientation)
	case *image.Gray:
		pix, w, h := turnPix(m.Pix, w, h, 1, orientation)
		return &image.Gray{Pix: pix, Stride: w, Rect: image.Rect(0, 0, w, h)}
	case *image.Gray16:
		pix, w, h := turnPix(m.Pix, w, h, 2, orientation)
		return &image.Gray16{Pix: pix, Stride: 2 * w, Rect: image.Rect(0, 0, w, h)}
	case *image.NRGBA:
		pix, w, h := turnPix(m.Pix, w, h, 4, orientation)
		return &image.NRGBA{Pix: pix, Stride: 4 * w, Rect: image.Rect(0, 0, w, h)}
	case *image.NRGBA64:
		pix, w, h := turnPix(m.Pix, w, h, 8, orientation)
		return &image.NRGBA64{Pix: pix, Stride: 8 * w, Rect: image.Rect(0, 0, w, h)}
	}
	return m
}

// gifFrames counts the pictures of a GIF without decoding them. Source: GIF89a, appendix A.
func gifFrames(data []byte) int {
	at := 13
	table := func(flags byte) { // of colours
		if flags&0x80 != 0 {
			at += 3 << (flags&7 + 1)
		}
	}
	blocks := func() {
		for at < len(data) && data[at] != 0 {
			at += 1 + int(data[at])
		}
		at++
	}
	n := 0
	table(data[10])
	for at+10 <= len(data) {
		switch data[at] {
		case 0x21: // an extension
			at += 2
			blocks()
		case 0x2c: // a picture
			n++
			flags := data[at+9]
			at += 10
			table(flags)
			at++ // the size of codes
			blocks()
		default:
			return max(n, 1)
		}
	}
	return max(n, 1)
}
