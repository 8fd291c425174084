package vision

import (
	"fmt"
	"math"
)

// Resize returns p at w×h pixels, by bicubic interpolation. Each side may become larger or
// smaller. When a side becomes smaller, the kernel is widened, and a new pixel is a mean
// over all old pixels in its area (antialiasing).
//
//	out(x) = Σᵢ k((i+½−c)/s)·in(i) / Σᵢ k((i+½−c)/s)    c = (x+½)·in/out, s = max(1, in/out)
//	k(t)   = (a+2)|t|³ − (a+3)t² + 1        |t| < 1
//	       = a|t|³ − 5a·t² + 8a|t| − 4a     1 ≤ |t| < 2,   a = −½
//
// first along the rows, then along the columns, or the other way round; see columnsFirst.
// The sums include only pixels inside the picture, and are divided by the sum of their
// weights. Weights have 22 fractional bits. Each of the two passes rounds to a level.
//
// Resize panics if w or h is not positive. It matches Image.resize((w, h), Image.BICUBIC)
// of Pillow 13 exactly, level by level. Older versions never begin with the columns.
// Source: R. G. Keys, "Cubic convolution interpolation for digital image processing", 1981,
// equation 15; Pillow's Resample.c for the widening of the kernel and the order.
func Resize(p *RGB, w, h int) *RGB {
	q := &RGB{W: w, H: h}
	new(resizer).resize(q, p)
	return q
}

// ResizeBilinear is [Resize] with a triangle as its kernel:
//
//	k(t) = max(0, 1−|t|)
//
// It averages when it makes a picture smaller; [Bilinear] does not. The input of
// classifiers is usually resized in this way. ResizeBilinear panics if w or h is not
// positive. It matches Image.resize((w, h), Image.BILINEAR) of Pillow 13 exactly, level by
// level.
func ResizeBilinear(p *RGB, w, h int) *RGB {
	q := &RGB{W: w, H: h}
	(&resizer{filter: triangle}).resize(q, p)
	return q
}

// filter is the kernel of a resizer. It is 0 for |t| > reach.
type filter struct {
	reach float64
	at    func(t float64) float64
}

var (
	cubic    = filter{2, func(t float64) float64 { return keys(t, -0.5) }}
	triangle = filter{1, func(t float64) float64 { return max(0, 1-math.Abs(t)) }}
)

// resizer resizes pictures, and keeps its memory from one to the next. The zero value is
// bicubic.
type resizer struct {
	filter filter
	kx, ky taps
	half   []uint8 // the picture after the first pass
	sum    []int32
}

// fractionBits is the precision of a weight. An int32 has room for 8 bits of the sample, 22
// bits of the weight, and 2 bits for the sign and the overshoot of negative lobes.
const fractionBits = 32 - 8 - 2

// columnsFirst reports whether p is resized along the columns before the rows: if the height
// loses pixels, and more than twice as many as the width loses. A width that grows loses a
// negative number. The order decides which pass is the cheaper one, and the result changes,
// because each pass rounds and cuts off what lies outside of 0…255: by a level here and
// there, by ten or twenty at hard edges.
//
// Pillow has this rule since version 13.0 (2026); all earlier ones begin with the rows.
func columnsFirst(p, q *RGB) bool {
	lost := p.H - q.H
	return lost > 0 && lost > 2*(p.W-q.W)
}

// resize resizes p to the sides of q, and fills q.Pix.
func (r *resizer) resize(q, p *RGB) {
	if q.W <= 0 || q.H <= 0 || p.W <= 0 || p.H <= 0 {
		panic(fmt.Sprintf("vision: Resize %d×%d to %d×%d: a side is not positive", p.W, p.H, q.W, q.H))
	}
	if r.filter.at == nil {
		r.filter = cubic
	}
	q.Pix = grow(q.Pix, 3*q.W*q.H)
	switch {
	case q.W == p.W && q.H == p.H:
		copy(q.Pix, p.Pix)
	case q.W == p.W:
		r.columns(q.Pix, p.Pix, p.W, p.H, q.H)
	case q.H == p.H:
		r.rows(q.Pix, p.Pix, p.W, q.W, p.H)
	case columnsFirst(p, q):
		r.half = grow(r.half, 3*p.W*q.H)
		r.columns(r.half, p.Pix, p.W, p.H, q.H)
		r.rows(q.Pix, r.half, p.W, q.W, q.H)
	default:
		r.half = grow(r.half, 3*q.W*p.H)
		r.rows(r.half, p.Pix, p.W, q.W, p.H)
		r.columns(q.Pix, r.half, q.W, p.H, q.H)
	}
}

// rows resizes h rows of in pixels to out pixels each.
func (r *resizer) rows(dst, src []uint8, in, out, h int) {
	r.kx.set(r.filter, in, out)
	for y := range h {
		r.kx.row(dst[y*3*out:][:3*out], src[y*3*in:][:3*in])
	}
}

// columns resizes w columns of in pixels to out pixels each.
func (r *resizer) columns(dst, src []uint8, w, in, out int) {
	r.ky.set(r.filter, in, out)
	r.sum = grow(r.sum, 3*w)
	for y := range out {
		r.ky.column(dst[y*3*w:][:3*w], src, y, r.sum)
	}
}

// grow returns a slice of n elements with arbitrary values. It uses the memory of s if that
// is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// taps holds the weights of one direction. Output x is the sum of
// weight[x][i]·input[from[x]+i] over all i.
type taps struct {
	from   []int
	weight [][]int32
	memory []int32   // the memory of all weights
	exact  []float64 // the weights of one output, before rounding
}

// set computes the weights to resize in pixels to out pixels, in the order of Pillow's
// arithmetic, so that the same bits result. A conversion to float64 keeps the compiler from
// fusing a product and a sum into one instruction, which rounds once and not twice.
func (t *taps) set(f filter, in, out int) {
	step := float64(in) / float64(out)
	scale := max(step, 1)
	support := float64(f.reach * scale)
	most := 2*int(math.Ceil(support)) + 1
	t.from = grow(t.from, out)
	t.weight = grow(t.weight, out)
	t.memory = grow(t.memory, out*most)
	t.exact = grow(t.exact, most)
	inverse := 1 / scale
	for x := range out {
		centre := float64((float64(x) + 0.5) * step)
		lo := max(int(centre-support+0.5), 0)
		hi := min(int(centre+support+0.5), in)
		k, sum := t.exact[:hi-lo], 0.0
		for i := range k {
			k[i] = f.at(float64((float64(i+lo) - centre + 0.5) * inverse))
			sum += k[i]
		}
		w := t.memory[x*most:][:len(k)]
		for i := range k {
			exact := k[i] / sum * (1 << fractionBits)
			w[i] = int32(exact + math.Copysign(0.5, exact)) // to the nearest
		}
		t.from[x], t.weight[x] = lo, w
	}
}

// keys is the cubic convolution kernel.
func keys(x, a float64) float64 {
	x = math.Abs(x)
	switch {
	case x < 1:
		return float64((float64((a+2)*x)-(a+3))*x*x) + 1
	case x < 2:
		return (float64((float64((x-5)*x)+8)*x) - 4) * a
	}
	return 0
}

// row resizes one row of pixels.
func (t *taps) row(dst, src []uint8) {
	for x, w := range t.weight {
		const half = 1 << (fractionBits - 1)
		r, g, b := int32(half), int32(half), int32(half)
		s := src[3*t.from[x]:][:3*len(w)]
		for i, k := range w {
			px := s[3*i : 3*i+3 : 3*i+3]
			r += k * int32(px[0])
			g += k * int32(px[1])
			b += k * int32(px[2])
		}
		d := dst[3*x : 3*x+3 : 3*x+3]
		d[0], d[1], d[2] = clamp8(r>>fractionBits), clamp8(g>>fractionBits), clamp8(b>>fractionBits)
	}
}

// column computes row y of the result. It adds whole rows, because reading memory in order
// is many times faster than reading down a column.
func (t *taps) column(dst, rows []uint8, y int, sum []int32) {
	n := len(dst)
	sum = sum[:n]
	for i := range sum {
		sum[i] = 1 << (fractionBits - 1)
	}
	for i, k := range t.weight[y] {
		for x, v := range rows[(t.from[y]+i)*n:][:n] {
			sum[x] += k * int32(v)
		}
	}
	for x, v := range sum {
		dst[x] = clamp8(v >> fractionBits)
	}
}
