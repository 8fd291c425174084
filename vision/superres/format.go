package superres

import (
	"image"
	"image/color"

	"pixelgrad/vision"
)

// A Format tells what kind of samples a picture has, and so has its enlargement.
type Format struct {
	Bounds image.Rectangle
	Gray   bool // one sample a pixel
	Alpha  bool // some pixels are not opaque
	Deep   bool // 16 bits a sample instead of 8
}

// FormatOf returns the format of a picture. It looks at all pixels of a picture whose type has
// transparency.
func FormatOf(m image.Image) Format {
	f := Format{Bounds: m.Bounds(), Alpha: !opaque(m)}
	switch m.ColorModel() {
	case color.GrayModel:
		f.Gray = !f.Alpha
	case color.Gray16Model:
		f.Gray, f.Deep = !f.Alpha, true
	case color.RGBA64Model, color.NRGBA64Model, color.Alpha16Model:
		f.Deep = true
	}
	if p, ok := m.(image.PalettedImage); ok && !f.Alpha {
		f.Gray = greyPalette(p.ColorModel())
	}
	return f
}

// opaque tells whether no pixel is transparent.
func opaque(m image.Image) bool {
	switch m := m.(type) {
	case *vision.RGB, *image.YCbCr, *image.Gray, *image.Gray16, *image.CMYK:
		return true
	case interface{ Opaque() bool }:
		return m.Opaque()
	}
	b := m.Bounds()
	if !possible(b, 1) {
		return false // it will be refused
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if _, _, _, a := m.At(x, y).RGBA(); a != 0xffff {
				return false
			}
		}
	}
	return true
}

// greyPalette tells whether a palette has no colours.
func greyPalette(m color.Model) bool {
	p, ok := m.(color.Palette)
	for _, c := range p {
		if r, g, b, _ := c.RGBA(); r != g || g != b {
			return false
		}
	}
	return ok && len(p) > 0
}

// channels returns how many planes the samples make.
func (f Format) channels() int {
	switch {
	case f.Gray:
		return 1
	case f.Alpha:
		return 4
	}
	return 3
}

// bytes returns the memory of a pixel of the enlargement.
func (f Format) bytes() int64 {
	n := int64(4)
	if f.Gray {
		n = 1
	}
	if f.Deep {
		n *= 2
	}
	return n
}
