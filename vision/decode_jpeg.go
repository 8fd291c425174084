package vision

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"runtime/debug"

	"pixelgrad/internal/jpegplanes"
)

// JPEGs are decoded by image/jpeg, and those that it does not read or that it makes pixels of
// in a way of its own by internal/jpegplanes.

// maxScans is the largest number of scans, or passes over the picture, in a progressive
// JPEG. Encoders write about 10. A scan may have almost no bytes in the file, but decoding
// it takes time in proportion to the picture's size.
const maxScans = 256

// largeCoefficients is from how many bytes on the coefficients of a progressive JPEG are given back
// before its pixels take as much again: they are garbage by then, which nobody would collect in time.
const largeCoefficients = 64 << 20

// jpegNotRead are all kinds of JPEG that are not read.
const jpegNotRead = "JPEGs with arithmetic, lossless or hierarchical coding, with 12 bits a sample, with sampling factors " +
	"that do not divide each other or with their height at the end are not read: open it in an image editor and save it as an ordinary JPEG or PNG"

func jpegConfig(data []byte) (image.Config, error) {
	h := jpegplanes.ReadHeader(data)
	if what := h.Unsupported(); what != "" {
		return image.Config{}, &kindError{"one with " + what, jpegNotRead}
	}
	if h.Scans > maxScans {
		return image.Config{}, &kindError{fmt.Sprintf("one with %d scans, where at most %d are read", h.Scans, maxScans), "save it again with another program"}
	}
	if h.Process == 0 {
		return jpeg.DecodeConfig(bytes.NewReader(data)) // an error that says why
	}
	return image.Config{ColorModel: color.RGBAModel, Width: h.W, Height: h.H}, nil
}

// jpegBytes counts a byte for each sample, four for its coefficient if the picture is
// progressive, and four for each pixel if it is CMYK or RGB.
func jpegBytes(data []byte, c image.Config) int64 {
	h := jpegplanes.ReadHeader(data)
	n := h.Samples()
	switch {
	case h.Progressive():
		n *= 5
	case h.Unusual():
		n *= 3
	}
	if len(h.Components) == 4 || h.RGB() {
		n += 4 * int64(c.Width) * int64(c.Height)
	}
	return n
}

func decodeJPEG(data []byte) (image.Image, error) {
	h := jpegplanes.ReadHeader(data)
	// Every viewer shows a picture of which only the end marker is missing. If more is, the
	// decoder finds the marker inside of the coded data, which is an error.
	if !h.EOI && h.Complete {
		data = append(data, 0xff, 0xd9)
	}
	m, err := jpeg.Decode(bytes.NewReader(data))
	if _, unsupported := errors.AsType[jpeg.UnsupportedError](err); unsupported {
		return decodePlanes(data)
	}
	if err != nil {
		return nil, err
	}
	if h.Progressive() && 4*h.Samples() > largeCoefficients {
		debug.FreeOSMemory()
	}
	switch m.(type) {
	case *image.Gray:
		return m, nil
	case *image.CMYK, *image.RGBA: // the planes are merged, with samples repeated
		if h.Subsampled() {
			return decodePlanes(data)
		}
	}
	return FromImage(m), nil
}

// decodePlanes decodes what image/jpeg does not. The colours are chosen as libjpeg and Pillow
// choose them: three planes are Y, Cb, Cr unless Adobe's marker or the planes' names say
// R, G, B; four planes are CMYK or YCCK, and stored inverted, as Adobe does.
func decodePlanes(data []byte) (image.Image, error) {
	pic, err := jpegplanes.Decode(data)
	if what, ok := errors.AsType[jpegplanes.UnsupportedError](err); ok {
		return nil, &kindError{"one with " + string(what), jpegNotRead}
	}
	if err != nil {
		return nil, err
	}
	planes := make([]*chroma, len(pic.Planes))
	names := ""
	for i, p := range pic.Planes {
		planes[i] = newPlane(p.Pix, p.Stride, p.W, p.H, p.Across, p.Down)
		names += string(rune(p.ID))
	}
	p := NewRGB(pic.W, pic.H)
	switch len(planes) {
	case 1:
		p.fill(planes[0], planes[0], planes[0], setRGB)
	case 3:
		set := setYCbCr
		if !pic.JFIF && (pic.Adobe && pic.Transform == 0 || !pic.Adobe && names == "RGB") {
			set = setRGB
		}
		p.fill(planes[0], planes[1], planes[2], set)
	case 4:
		set := setRGB
		if pic.Adobe && pic.Transform != 0 {
			set = setYCbCr
		}
		p.fill(planes[0], planes[1], planes[2], set)
		for y := range p.H {
			row := p.Pix[3*y*p.W:][:3*p.W]
			for x, k := range planes[3].row(y)[:p.W] {
				for c := range row[3*x : 3*x+3] {
					row[3*x+c] = black(row[3*x+c], k)
				}
			}
		}
	default:
		return nil, &kindError{fmt.Sprintf("one with %d planes", len(planes)), jpegNotRead}
	}
	return p, nil
}

// black darkens a colour by inverted black ink: c·k/255.
func black(c, k uint8) uint8 { return uint8((uint32(c)*uint32(k) + 127) / 255) }

func setRGB(dst, r, g, b []uint8) {
	for x := range r {
		dst[3*x], dst[3*x+1], dst[3*x+2] = r[x], g[x], b[x]
	}
}
