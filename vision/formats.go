package vision

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/png"
	"io"
	"path"
	"slices"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"pixelgrad/internal/exif"
	"pixelgrad/internal/jpegplanes"
)

// format is a kind of picture file that [Decode] reads.
type format struct {
	name  string
	magic []string // what a file begins with; ? stands for any byte
	exts  []string // of file names, in lower case

	// config returns the size and the colours, and takes no memory for pixels. An error
	// is what is wrong with the file.
	config func(data []byte) (image.Config, error)
	// bytes estimates the memory that decode takes besides the file and the result.
	bytes func(data []byte, c image.Config) int64
	// decode returns the first picture of the file, in a new *RGB or a type of package image
	// whose colours are not YCbCr. The caller has checked its size.
	decode func(data []byte) (image.Image, error)
	// exif returns the block of EXIF data, which has the form of a TIFF file, or nil.
	exif func(data []byte) []byte
	// icc returns the colour profile, or nil.
	icc func(data []byte) []byte
}

// FormatNames are the formats that [Decode] reads, in words, for messages.
const FormatNames = "JPEG, PNG, WebP, GIF, BMP or TIFF"

var formats = []*format{
	{
		name: "JPEG", magic: []string{"\xff\xd8"}, exts: []string{".jpg", ".jpeg", ".jpe", ".jfif"},
		config: jpegConfig, bytes: jpegBytes, decode: decodeJPEG, exif: exifOfJPEG, icc: jpegplanes.ICC,
	},
	{
		name: "PNG", magic: []string{"\x89PNG\r\n\x1a\n"}, exts: []string{".png"},
		config: reader(png.DecodeConfig), bytes: twice, decode: decoder(png.Decode), exif: exifOfPNG, icc: iccOfPNG,
	},
	{
		name: "WebP", magic: []string{"RIFF????WEBP"}, exts: []string{".webp"},
		config: webpConfig, bytes: twice, decode: decodeWebP, exif: exifOfWebP, icc: iccOfWebP,
	},
	{
		name: "GIF", magic: []string{"GIF87a", "GIF89a"}, exts: []string{".gif"},
		config: reader(gif.DecodeConfig), bytes: twice, decode: decodeGIF, exif: none, icc: none,
	},
	{
		name: "BMP", magic: []string{"BM"}, exts: []string{".bmp", ".dib"},
		config: reader(bmp.DecodeConfig), bytes: twice, decode: decoder(bmp.Decode), exif: none, icc: none,
	},
	{
		name: "TIFF", magic: []string{"II*\x00", "MM\x00*"}, exts: []string{".tif", ".tiff"},
		config: tiffConfig, bytes: tiffBytes, decode: decodeTIFF, exif: exifOfTIFF, icc: exif.Profile,
	},
}

// others are formats that are recognised, to name them with the way out.
var others = []struct{ magic, name, advice string }{
	{"????ftyphei", "a HEIC", toJPEG},
	{"????ftyphev", "a HEIC", toJPEG},
	{"????ftypmif1", "a HEIC or AVIF", toJPEG},
	{"????ftypmsf1", "a HEIC or AVIF", toJPEG},
	{"????ftypavi", "an AVIF", toJPEG},
	{"????ftypcrx", rawName, develop}, // Canon, CR3
	{"????ftyp", "a video", "save a frame of it as a JPEG or PNG"},
	{"II*\x00????CR", rawName, develop},              // Canon, CR2
	{"II\x1a\x00\x00\x00HEAPCCDR", rawName, develop}, // Canon, CRW
	{"IIU\x00", rawName, develop},                    // Panasonic, RW2
	{"IIRO", rawName, develop},                       // Olympus, ORF
	{"IIRS", rawName, develop},
	{"MMOR", rawName, develop},
	{"FUJIFILMCCD-RAW", rawName, develop},
	{"II+\x00", "a BigTIFF", toJPEG},
	{"MM\x00+", "a BigTIFF", toJPEG},
	{"II\xbc", "a JPEG XR", toJPEG},
	{"\xff\x0a", "a JPEG XL", toJPEG},
	{"\x00\x00\x00\x0cJXL \r\n", "a JPEG XL", toJPEG},
	{"\x00\x00\x00\x0cjP  \r\n", "a JPEG 2000", toJPEG},
	{"\xff\x4f\xff\x51", "a JPEG 2000", toJPEG},
	{"8BPS", "a Photoshop document", toJPEG},
	{"<svg", "an SVG drawing", toJPEG},
	{"<?xml", "an XML document", toJPEG},
	{"%PDF", "a PDF", toJPEG},
	{"PK\x03\x04", "a zip archive", "unpack it first"},
	{"<!DOCTYPE", "a web page", "download the picture itself"},
	{"<!doctype", "a web page", "download the picture itself"},
	{"<html", "a web page", "download the picture itself"},
	{"version https://git-lfs", "a pointer of Git LFS", "fetch the picture itself with git lfs pull"},
}

const (
	rawName = "a camera's raw file"
	toJPEG  = "convert it to JPEG or PNG first"
	develop = "develop it with the camera's program and save it as a JPEG or TIFF first"
)

// IsPicture reports whether a file is a picture that [Decode] reads, judged by its name.
// Hidden files are not: many of them (._photo.jpg) hold what a system stores about a
// picture.
func IsPicture(name string) bool {
	if strings.HasPrefix(name, ".") {
		return false
	}
	ext := strings.ToLower(path.Ext(name))
	return slices.ContainsFunc(formats, func(f *format) bool { return slices.Contains(f.exts, ext) })
}

// recognise returns the format of a file, judged by its first bytes. If Decode does not read
// it, the result is nil, what it is instead, and what to do.
func recognise(data []byte) (f *format, found, advice string) {
	if len(data) == 0 {
		return nil, "an empty file", "copy or download it again"
	}
	for _, o := range others {
		if begins(data, o.magic) {
			return nil, o.name, o.advice
		}
	}
	for _, f := range formats {
		if slices.ContainsFunc(f.magic, func(m string) bool { return begins(data, m) }) {
			return f, "", ""
		}
	}
	return nil, fmt.Sprintf("a file that begins with the bytes % x", data[:min(len(data), 8)]), toJPEG
}

// begins reports whether data begin with a magic number, where ? is any byte.
func begins(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != data[i] {
			return false
		}
	}
	return true
}

// reader is a config function that calls a library's.
func reader(config func(io.Reader) (image.Config, error)) func([]byte) (image.Config, error) {
	return func(data []byte) (image.Config, error) { return config(bytes.NewReader(data)) }
}

// decoder is a decode function that calls a library's.
func decoder(decode func(io.Reader) (image.Image, error)) func([]byte) (image.Image, error) {
	return func(data []byte) (image.Image, error) { return decode(bytes.NewReader(data)) }
}

// twice is the memory of a decoder that holds the pixels two times, as those of interlaced
// and compressed pictures do.
func twice(_ []byte, c image.Config) int64 {
	per := int64(4)
	switch c.ColorModel {
	case color.GrayModel:
		per = 1
	case color.Gray16Model:
		per = 2
	case color.RGBA64Model, color.NRGBA64Model:
		per = 8
	}
	if _, palette := c.ColorModel.(color.Palette); palette {
		per = 1
	}
	return 2 * per * int64(c.Width) * int64(c.Height)
}

// tiffBytes counts what a strip may unpack to besides: the decoder allows 8 bytes a pixel,
// whatever the picture's own size is, in a buffer that grows.
func tiffBytes(data []byte, c image.Config) int64 {
	return twice(data, c) + 10*int64(c.Width)*int64(c.Height)
}

// decodeGIF returns the first frame on its canvas. Where the frame leaves the canvas free,
// it is transparent if the frame has a transparent colour. Otherwise it has the first
// colour of the palette, as in Pillow.
func decodeGIF(data []byte) (image.Image, error) {
	c, err := gif.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	m, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	frame, ok := m.(*image.Paletted)
	canvas := image.Rect(0, 0, c.Width, c.Height)
	if !ok || frame.Rect == canvas {
		return m, nil
	}
	whole := image.NewPaletted(canvas, frame.Palette)
	free := slices.IndexFunc(frame.Palette, func(c color.Color) bool { _, _, _, a := c.RGBA(); return a == 0 })
	for i := range whole.Pix {
		whole.Pix[i] = uint8(max(free, 0))
	}
	for y := frame.Rect.Min.Y; y < frame.Rect.Max.Y; y++ {
		copy(whole.Pix[whole.PixOffset(frame.Rect.Min.X, y):], frame.Pix[frame.PixOffset(frame.Rect.Min.X, y):][:frame.Rect.Dx()])
	}
	return whole, nil
}

// tiffConfig refuses the raw files of cameras (NEF, DNG, ARW …) that look like a TIFF: their
// first picture is a small preview of another one in the file. It also refuses colours in
// separate planes, which the decoder takes for damage.
func tiffConfig(data []byte) (image.Config, error) {
	tags := readTags(data, "SubfileType", "PlanarConfiguration")
	if tags["SubfileType"]&1 == 1 {
		return image.Config{}, &kindError{rawName + ", whose first picture is only a preview", develop}
	}
	c, err := tiff.DecodeConfig(bytes.NewReader(data))
	if err == nil && tags["PlanarConfiguration"] == 2 {
		return c, &kindError{"one with a plane for each colour", "save it with the colours of each pixel side by side, or as a PNG"}
	}
	return c, err
}

// decodeTIFF returns the first picture. Faxes (compression 3 and 4) store white as 0; where
// the file calls 0 black, libtiff, Pillow and viewers show the negative, the decoder not.
func decodeTIFF(data []byte) (image.Image, error) {
	m, err := tiff.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	tags := readTags(data, "Compression", "PhotometricInterpretation")
	if c := tags["Compression"]; (c == 3 || c == 4) && tags["PhotometricInterpretation"] == 1 {
		negative, ok := m.(*image.Gray)
		if !ok {
			negative = image.NewGray(m.Bounds())
			draw.Draw(negative, negative.Rect, m, m.Bounds().Min, draw.Src)
		}
		for i := range negative.Pix {
			negative.Pix[i] = 255 - negative.Pix[i]
		}
		m = negative
	}
	return m, nil
}

// kindError is about a file of a kind that is not read, although its format is.
type kindError struct{ found, advice string }

func (e *kindError) Error() string { return e.found }
