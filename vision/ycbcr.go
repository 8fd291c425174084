package vision

import "image"

// A JPEG stores the brightness Y of every pixel. It often stores the two colour differences
// Cb and Cr only for every second pixel: across (4:2:2), down (4:4:0) or both (4:2:0).
// Go's image.YCbCr repeats a colour sample for all pixels that share it. libjpeg
// interpolates, and with it Pillow, PyTorch's loaders and every browser: a pixel takes ¾
// of the nearer sample and ¼ of the farther one, in each direction. At the edge of a red
// sign the two methods differ by dozens of levels, and a network that learns sharpness
// would learn the blocks of the first. This file therefore computes the same as libjpeg,
// with the same rounding (jdsample.c: h2v1, h1v2 and h2v2 "fancy" upsampling; jdcolor.c).

// fromYCbCr converts to RGB as JFIF defines it:
//
//	R = Y + 1.402·(Cr−128)
//	G = Y − 0.344136·(Cb−128) − 0.714136·(Cr−128)
//	B = Y + 1.772·(Cb−128)
//
// The arithmetic has 16 fractional bits and rounds each sum of products once.
func fromYCbCr(m *image.YCbCr) *RGB {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	p := NewRGB(w, h)
	if w == 0 || h == 0 {
		return p
	}
	luma := newPlane(m.Y[m.YOffset(m.Rect.Min.X, m.Rect.Min.Y):], m.YStride, w, h, 1, 1)
	p.fill(luma, newChroma(m, m.Cb), newChroma(m, m.Cr), setYCbCr)
	return p
}

func setYCbCr(dst, luma, cb, cr []uint8) {
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	for x, l := range luma {
		if len(dst) < 3 { // never true; the compiler drops three bounds checks
			break
		}
		yy := int32(l)
		u, v := int32(cb[x])-128, int32(cr[x])-128
		dst[0] = clamp8(yy + (91881*v+1<<15)>>16)
		dst[1] = clamp8(yy + (-22554*u-46802*v+1<<15)>>16)
		dst[2] = clamp8(yy + (116130*u+1<<15)>>16)
		dst = dst[3:]
	}
}

// fill fills a picture from three planes of its size, row by row.
func (p *RGB) fill(a, b, c *chroma, set func(dst, a, b, c []uint8)) {
	for y := range p.H {
		set(p.Pix[3*y*p.W:][:3*p.W], a.row(y)[:p.W], b.row(y)[:p.W], c.row(y)[:p.W])
	}
}

// clamp8 clamps v to 0…255.
func clamp8(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^(v >> 31)) // 0 below, 255 above
	}
	return uint8(v)
}

// chroma enlarges one colour plane to full size, a row at a time.
type chroma struct {
	plane  []uint8
	stride int
	w, h   int // of the plane
	across int // full-size pixels for one sample
	down   int
	sum    []int32 // a row, interpolated in the vertical direction only
	out    []uint8 // a row, at full width
}

func newChroma(m *image.YCbCr, plane []uint8) *chroma {
	across, down := 1, 1
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		across = 2
	case image.YCbCrSubsampleRatio420:
		across, down = 2, 2
	case image.YCbCrSubsampleRatio440:
		down = 2
	case image.YCbCrSubsampleRatio411:
		across = 4
	case image.YCbCrSubsampleRatio410:
		across, down = 4, 2
	}
	w, h := (m.Rect.Dx()+across-1)/across, (m.Rect.Dy()+down-1)/down
	return newPlane(plane[m.COffset(m.Rect.Min.X, m.Rect.Min.Y):], m.CStride, w, h, across, down)
}

// newPlane returns a plane of w×h samples, each for across×down pixels.
func newPlane(plane []uint8, stride, w, h, across, down int) *chroma {
	return &chroma{
		plane: plane, stride: stride, w: w, h: h, across: across, down: down,
		sum: make([]int32, w), out: make([]uint8, w*across),
	}
}

// row returns row y of the full-size plane. The next call overwrites it.
func (c *chroma) row(y int) []uint8 {
	sy := y / c.down
	near := c.plane[sy*c.stride:][:c.w]
	if c.down == 1 && c.across == 1 {
		return near
	}
	if c.across > 2 || c.down > 2 || c.across == 2 && c.w <= 2 { // libjpeg repeats the samples here too
		for x := range c.out {
			c.out[x] = near[x/c.across]
		}
		return c.out
	}
	far := near
	if c.down == 2 { // even rows are nearer to the row above, odd rows to the row below
		fy := min(max(sy-1+2*(y&1), 0), c.h-1)
		far = c.plane[fy*c.stride:][:c.w]
	}
	switch {
	case c.across == 1:
		bias := int32(1 + y&1) // halves are rounded down in even rows and up in odd rows
		for x, n := range near {
			c.out[x] = uint8((3*int32(n) + int32(far[x]) + bias) >> 2)
		}
	case c.down == 1:
		for x, n := range near {
			c.sum[x] = int32(n)
		}
		widen(c.out, c.sum, 1, 2, 2)
	default:
		for x, n := range near {
			c.sum[x] = 3*int32(n) + int32(far[x])
		}
		widen(c.out, c.sum, 8, 7, 4)
	}
	return c.out
}

// widen doubles a row. Pixel 2x is ¾ of sample x and ¼ of sample x−1; pixel 2x+1 is ¾ of
// sample x and ¼ of sample x+1. Beyond the ends, the last sample is repeated. The biases
// round halves down and up in turn, so the mean brightness stays the same.
func widen(dst []uint8, s []int32, even, odd int32, shift uint) {
	last := len(s) - 1
	for x, v := range s {
		l, r := s[max(x-1, 0)], s[min(x+1, last)]
		dst[2*x] = uint8((3*v + l + even) >> shift)
		dst[2*x+1] = uint8((3*v + r + odd) >> shift)
	}
}
