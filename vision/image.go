package vision

import (
	"fmt"
	"image"
	"image/color"

	"pixelgrad/tensor"
)

// RGB is a picture of 8-bit red, green and blue samples, each 0…255 (levels). Pixels are
// stored row by row: sample c of pixel (x,y) is Pix[(y·W+x)·3+c]. RGB is an [image.Image]
// without transparency, so every encoder of the standard library accepts it.
type RGB struct {
	W, H int
	Pix  []uint8
}

// NewRGB returns a black picture of w×h pixels. It panics if a side is negative.
func NewRGB(w, h int) *RGB {
	if w < 0 || h < 0 {
		panic(fmt.Sprintf("vision: NewRGB %d×%d: a side is negative", w, h))
	}
	return &RGB{W: w, H: h, Pix: make([]uint8, 3*w*h)}
}

// ColorModel implements [image.Image].
func (p *RGB) ColorModel() color.Model { return color.RGBAModel }

// Bounds implements [image.Image]. The upper left corner is (0,0).
func (p *RGB) Bounds() image.Rectangle { return image.Rect(0, 0, p.W, p.H) }

// At implements [image.Image]. Outside the picture the colour is transparent.
func (p *RGB) At(x, y int) color.Color {
	if x < 0 || y < 0 || x >= p.W || y >= p.H {
		return color.RGBA{}
	}
	i := (y*p.W + x) * 3
	return color.RGBA{p.Pix[i], p.Pix[i+1], p.Pix[i+2], 255}
}

// Opaque reports that no pixel is transparent. Because of it, image/png stores three
// samples for each pixel, and not four.
func (p *RGB) Opaque() bool { return true }

// RGBA returns a copy in the layout that the standard library draws fastest.
func (p *RGB) RGBA() *image.RGBA {
	q := image.NewRGBA(p.Bounds())
	for i := range p.W * p.H {
		s, d := p.Pix[3*i:3*i+3], q.Pix[4*i:4*i+4]
		d[0], d[1], d[2], d[3] = s[0], s[1], s[2], 255
	}
	return q
}

// FromImage converts any picture to RGB.
//
//   - YCbCr, the format of most JPEGs, is converted as JFIF says. The colour planes are
//     enlarged smoothly, as in libjpeg; see ycbcr.go.
//   - Grey gives three equal samples. CMYK gives (1−c)(1−k) for red, and so on.
//   - 16-bit samples are rounded to the nearest level, v·255/65535, as the PNG
//     specification recommends (section 13.12). Pillow truncates (v>>8), and its
//     result is up to one level darker.
//   - Transparent pixels are drawn over white, as on a page. Pillow's convert("RGB")
//     drops the transparency and shows the colours below it.
func FromImage(m image.Image) *RGB {
	switch m := m.(type) {
	case *RGB:
		return &RGB{W: m.W, H: m.H, Pix: append([]uint8(nil), m.Pix...)}
	case *image.YCbCr:
		return fromYCbCr(m)
	case image.RGBA64Image: // every picture type of the standard library
		return fromRGBA64(m.Bounds(), m.RGBA64At)
	}
	return fromRGBA64(m.Bounds(), func(x, y int) color.RGBA64 {
		r, g, b, a := m.At(x, y).RGBA()
		return color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)}
	})
}

// fromRGBA64 converts pixel by pixel. The samples are already multiplied by the opacity a,
// so over white a sample c becomes c + (65535−a).
func fromRGBA64(b image.Rectangle, at func(x, y int) color.RGBA64) *RGB {
	p := NewRGB(b.Dx(), b.Dy())
	i := 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := at(x, y)
			white := 0xffff - uint32(c.A)
			p.Pix[i] = to8(uint32(c.R) + white)
			p.Pix[i+1] = to8(uint32(c.G) + white)
			p.Pix[i+2] = to8(uint32(c.B) + white)
			i += 3
		}
	}
	return p
}

// to8 rounds a 16-bit sample to the nearest of 256 levels. 65535 = 255·257.
func to8(v uint32) uint8 { return uint8((min(v, 0xffff) + 128) / 257) }

// levels holds b/255 for every byte b, correctly rounded. For some levels, b·(1/255) is not
// the nearest float32.
var levels = func() (t [256]float32) {
	for i := range t {
		t[i] = float32(i) / 255
	}
	return t
}()

// Tensor returns the picture as numbers y = b/255 in [0,1], with a plane for each colour.
// Shape: (1,3,H,W). It matches torchvision's to_tensor, with a batch dimension.
func (p *RGB) Tensor() *tensor.Tensor {
	t := tensor.NewUninitialized(1, 3, p.H, p.W)
	p.planes(t.Data())
	return t
}

// planes writes all red samples, then all green samples, then all blue samples.
func (p *RGB) planes(dst []float32) {
	n := p.W * p.H
	r, g, b := dst[:n], dst[n:][:n], dst[2*n:][:n]
	for i := range r {
		px := p.Pix[3*i : 3*i+3 : 3*i+3]
		r[i], g[i], b[i] = levels[px[0]], levels[px[1]], levels[px[2]]
	}
}

// FromTensor returns picture n of a batch: b = round(255·x), clamped to 0…255. NaN becomes
// 0. Shapes: (N,3,H,W), or (3,H,W) with n = 0. FromTensor panics on any other shape, and
// if there is no picture n.
func FromTensor(t *tensor.Tensor, n int) *RGB {
	s := t.Shape()
	if len(s) == 3 {
		s = append([]int{1}, s...)
	}
	if len(s) != 4 || s[1] != 3 {
		panic(fmt.Sprintf("vision: FromTensor: shape %v, want (N,3,H,W) or (3,H,W)", t.Shape()))
	}
	if n < 0 || n >= s[0] {
		panic(fmt.Sprintf("vision: FromTensor: picture %d of a batch %v", n, t.Shape()))
	}
	h, w := s[2], s[3]
	p, plane := NewRGB(w, h), h*w
	d := t.Data()[n*3*plane : (n+1)*3*plane]
	for i := range plane {
		p.Pix[3*i] = level(d[i])
		p.Pix[3*i+1] = level(d[plane+i])
		p.Pix[3*i+2] = level(d[2*plane+i])
	}
	return p
}

// level rounds a number in [0,1] to a byte.
func level(x float32) uint8 {
	switch {
	case !(x > 0): // also NaN
		return 0
	case x >= 1:
		return 255
	}
	return uint8(x*255 + 0.5)
}
