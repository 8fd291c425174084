package superres

import (
	"image"
	"image/color"

	"pixelgrad/vision"
)

// A reader turns rows of pictures into numbers.
type reader struct {
	format Format

	// Of a JPEG's picture, the band of rows that is at hand in RGB: its first row is row top of
	// the picture from.
	from *image.YCbCr
	band *vision.RGB
	top  int
}

// row writes row y of m as planes of w numbers in [0,1]: grey, or red, green and blue, or these and
// alpha. Colours are premultiplied: what is transparent has no colour that could bleed into its
// neighbours. If w is larger than the picture, its last pixel is there again.
func (r *reader) row(dst []float32, w int, m image.Image, y int) {
	switch {
	case r.format.Gray:
		greyRow(dst, m, r.format.Bounds, y)
	case r.format.Alpha:
		transparentRow(dst[:w], dst[w:2*w], dst[2*w:3*w], dst[3*w:], m, r.format.Bounds, y)
	default:
		if c, ok := m.(*image.YCbCr); ok {
			r.colours(dst[:w], dst[w:2*w], dst[2*w:], c, y)
		} else {
			colourRow(dst[:w], dst[w:2*w], dst[2*w:], m, r.format.Bounds, y)
		}
	}
	n := r.format.Bounds.Dx()
	for plane := dst; len(plane) > 0; plane = plane[w:] {
		for x := n; x < w; x++ {
			plane[x] = plane[n-1]
		}
	}
}

// greyRow reads a row of a picture without colours.
func greyRow(dst []float32, m image.Image, b image.Rectangle, y int) {
	if m, ok := m.(*image.Gray); ok {
		for i, v := range m.Pix[m.PixOffset(b.Min.X, y):][:b.Dx()] {
			dst[i] = byteLevels[v]
		}
		return
	}
	at := pixels(m)
	for i := range b.Dx() {
		dst[i] = float32(at(b.Min.X+i, y).R) / 0xffff
	}
}

// colourRow reads a row of an opaque picture.
func colourRow(red, green, blue []float32, m image.Image, b image.Rectangle, y int) {
	var pix []uint8 // of a picture of bytes, with size of them for a pixel
	var size int
	switch m := m.(type) {
	case *vision.RGB:
		pix, size = m.Pix[3*(y*m.W+b.Min.X):], 3
	case *image.RGBA:
		pix, size = m.Pix[m.PixOffset(b.Min.X, y):], 4
	case *image.NRGBA:
		pix, size = m.Pix[m.PixOffset(b.Min.X, y):], 4
	default:
		at := pixels(m)
		for i := range b.Dx() {
			c := at(b.Min.X+i, y)
			red[i], green[i], blue[i] = float32(c.R)/0xffff, float32(c.G)/0xffff, float32(c.B)/0xffff
		}
		return
	}
	for i := range b.Dx() {
		p := pix[i*size:][:3]
		red[i], green[i], blue[i] = byteLevels[p[0]], byteLevels[p[1]], byteLevels[p[2]]
	}
}

// transparentRow reads a row of a picture with transparency. Types whose colours are not
// premultiplied are read as they are: their pixels would be rounded when premultiplied.
func transparentRow(red, green, blue, alpha []float32, m image.Image, b image.Rectangle, y int) {
	set := func(i int, r, g, b, a float32) { red[i], green[i], blue[i], alpha[i] = r*a, g*a, b*a, a }
	switch m := m.(type) {
	case *image.NRGBA:
		for i := range b.Dx() {
			p := m.Pix[m.PixOffset(b.Min.X+i, y):][:4]
			set(i, byteLevels[p[0]], byteLevels[p[1]], byteLevels[p[2]], byteLevels[p[3]])
		}
	case *image.NRGBA64:
		for i := range b.Dx() {
			c := m.NRGBA64At(b.Min.X+i, y)
			set(i, float32(c.R)/0xffff, float32(c.G)/0xffff, float32(c.B)/0xffff, float32(c.A)/0xffff)
		}
	case *image.NYCbCrA:
		for i := range b.Dx() {
			c := m.NYCbCrAAt(b.Min.X+i, y)
			r, g, b, _ := c.YCbCr.RGBA()
			set(i, float32(r)/0xffff, float32(g)/0xffff, float32(b)/0xffff, byteLevels[c.A])
		}
	default:
		at := pixels(m)
		for i := range b.Dx() {
			c := at(b.Min.X+i, y)
			red[i], green[i], blue[i], alpha[i] = float32(c.R)/0xffff, float32(c.G)/0xffff, float32(c.B)/0xffff, float32(c.A)/0xffff
		}
	}
}

// pixels returns how to look at the pixels of any picture.
func pixels(m image.Image) func(x, y int) color.RGBA64 {
	if m, ok := m.(image.RGBA64Image); ok {
		return m.RGBA64At
	}
	return func(x, y int) color.RGBA64 {
		r, g, b, a := m.At(x, y).RGBA()
		return color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)}
	}
}

// bandRows is how many rows of a JPEG's picture are converted at a time.
const bandRows = 64

// colours reads a row of a JPEG's picture as vision.FromImage does, which enlarges the colour planes
// smoothly. It needs the rows beside a band for that.
func (r *reader) colours(red, green, blue []float32, m *image.YCbCr, y int) {
	b := m.Bounds()
	if r.from != m || y < r.top || y >= r.top+bandRows {
		const beside = 2 // rows, a multiple of those that share a sample of colour
		r.from, r.top = m, y-(y-b.Min.Y)%bandRows
		part := b
		part.Min.Y, part.Max.Y = max(b.Min.Y, r.top-beside), min(b.Max.Y, r.top+bandRows+beside)
		r.band = vision.FromImage(m.SubImage(part))
		r.band.Pix = r.band.Pix[3*r.band.W*(r.top-part.Min.Y):]
	}
	part := r.format.Bounds.Sub(b.Min) // of a picture that may be larger
	colourRow(red, green, blue, r.band, part, y-r.top)
}

// byteLevels holds b/255 for every byte b.
var byteLevels = func() (t [256]float32) {
	for i := range t {
		t[i] = float32(i) / 255
	}
	return t
}()

// A canvas is the enlarged picture, or some rows of it.
type canvas struct {
	image.Image
	pix    []uint8
	stride int
	format Format
}

// newCanvas returns one with its upper left corner at (0,0).
func newCanvas(f Format, w, h int) *canvas {
	r := image.Rect(0, 0, w, h)
	switch {
	case f.Gray && f.Deep:
		m := image.NewGray16(r)
		return &canvas{m, m.Pix, m.Stride, f}
	case f.Gray:
		m := image.NewGray(r)
		return &canvas{m, m.Pix, m.Stride, f}
	case f.Alpha && f.Deep:
		m := image.NewNRGBA64(r)
		return &canvas{m, m.Pix, m.Stride, f}
	case f.Alpha:
		m := image.NewNRGBA(r)
		return &canvas{m, m.Pix, m.Stride, f}
	case f.Deep:
		m := image.NewRGBA64(r)
		return &canvas{m, m.Pix, m.Stride, f}
	default:
		m := image.NewRGBA(r)
		return &canvas{m, m.Pix, m.Stride, f}
	}
}

// at returns a picture of row 0 alone, which is called y.
func (c *canvas) at(y int) image.Image {
	r := c.Bounds()
	r.Min.Y, r.Max.Y = y, y+1
	switch m := c.Image.(type) {
	case *image.Gray16:
		return &image.Gray16{Pix: m.Pix, Stride: m.Stride, Rect: r}
	case *image.Gray:
		return &image.Gray{Pix: m.Pix, Stride: m.Stride, Rect: r}
	case *image.NRGBA64:
		return &image.NRGBA64{Pix: m.Pix, Stride: m.Stride, Rect: r}
	case *image.NRGBA:
		return &image.NRGBA{Pix: m.Pix, Stride: m.Stride, Rect: r}
	case *image.RGBA64:
		return &image.RGBA64{Pix: m.Pix, Stride: m.Stride, Rect: r}
	default:
		return &image.RGBA{Pix: c.pix, Stride: c.stride, Rect: r}
	}
}

// set rounds a row of planes of w numbers to levels, and writes it to row y. Of a padded picture w
// is more than the canvas has.
func (c *canvas) set(y int, planes []float32, w int) {
	n := c.Bounds().Dx()
	pix := c.pix[y*c.stride:]
	if c.format == (Format{Bounds: c.format.Bounds}) { // the usual ones are worth a loop of their own
		red, green, blue := planes[:n], planes[w:][:n], planes[2*w:][:n]
		for x, v := range red {
			p := pix[4*x:][:4]
			p[0], p[1], p[2], p[3] = uint8(levelOf(v, 0xff)), uint8(levelOf(green[x], 0xff)), uint8(levelOf(blue[x], 0xff)), 0xff
		}
		return
	}
	most := float32(0xff)
	put := func(at int, v float32) { pix[at] = uint8(levelOf(v, most)) }
	if c.format.Deep {
		most = 0xffff
		put = func(at int, v float32) {
			l := levelOf(v, most)
			pix[2*at], pix[2*at+1] = uint8(l>>8), uint8(l)
		}
	}
	switch c.format.channels() {
	case 1:
		for x, v := range planes[:n] {
			put(x, v)
		}
	case 3:
		for x := range n {
			for i := range 3 {
				put(4*x+i, planes[i*w+x])
			}
			put(4*x+3, 1)
		}
	case 4:
		for x, a := range planes[3*w:][:n] {
			a = min(a, 1)
			visible := levelOf(a, most) > 0
			for i := range 3 {
				v := float32(0)
				if visible {
					v = planes[i*w+x] / a
				}
				put(4*x+i, v)
			}
			put(4*x+3, a)
		}
	}
}

// levelOf rounds a number in [0,1] to the nearest of levels from 0 to most.
func levelOf(v, most float32) uint16 {
	switch {
	case !(v > 0): // also NaN
		return 0
	case v >= 1:
		return uint16(most)
	}
	return uint16(v*most + 0.5)
}
