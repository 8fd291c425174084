package tensor

import (
	"fmt"

	"pixelgrad/simd"
)

// A convolution here never stores the "im2col" matrix. Each image is copied once
// into a buffer with zeros around it (padded); in that buffer, flattened, the
// pixels that one weight (ic,ky,kx) is multiplied with, for all positions of the
// output, are one run that begins at offset(ic,ky,kx). So the matrix product has its
// rows in the image itself, shifted: see simd.GemmTile. The gradient of the input is
// the same with the weights flipped, and that of the weights a product of the
// same shifted rows with the gradient of the output: see simd.WeightGradTile.
//
// conv2dReference, at the end of conv_reference.go, is what all of it computes.

// ConvOptions are the settings of a convolution. The zero value is an ordinary one.
type ConvOptions struct {
	Dilation int  // distance between the weights' pixels; 0 means 1
	ReLU     bool // whether the output is max(·, 0)
}

// UseWinograd lets 3×3 convolutions with enough channels be computed by Winograd's
// minimal filtering, which needs a quarter of the multiplications: see winograd.go.
// Results differ by rounding alone. Set it to false, before any computation, to have
// every convolution computed directly.
var UseWinograd = true

// convBlock is how many input channels are multiplied before the next ones are
// turned to: 32 of them, three rows each, fit the first level of cache together.
const convBlock = 32

// convBand is about how many output pixels are computed for all channels at a time:
// their sums wait in the second level of cache until they get bias and ReLU.
const convBand = 240

// convPixels is how many pixels at a time add to the gradient of the weights.
const convPixels = 512

// A convShape is the geometry of a "same" convolution: sizes, and where things lie
// in a padded image. Rows there are stride = w+padX apart: the zeros on the right of
// a row serve as those on the left of the next. Flat position q = y·stride+x of
// the output then meets weight (ic,ky,kx) at q + offset.
type convShape struct {
	n, ic, oc, h, w  int
	kh, kw, dilation int
	padY, padX       int
	stride, plane    int     // distances of rows and channels in a padded image
	flat             int     // how many flat positions there are, gaps between rows included
	taps             int     // kh·kw
	offsets          []int32 // of (ic,ky,kx) for the channels of one block
}

func newConvShape(op string, x, w []int, dilation int) *convShape {
	if len(x) != 4 || len(w) != 4 || x[1] != w[1] || w[0] == 0 || w[1] == 0 {
		panic(fmt.Sprintf("tensor: %s: image %v, weights %v: want (n,ic,h,w) and (oc,ic,kh,kw) with the same ic, and channels", op, x, w))
	}
	if dilation == 0 {
		dilation = 1
	}
	s := &convShape{n: x[0], ic: x[1], oc: w[0], h: x[2], w: x[3], kh: w[2], kw: w[3], dilation: dilation}
	if s.kh%2 == 0 || s.kw%2 == 0 || dilation < 0 {
		panic(fmt.Sprintf("tensor: %s: weights %v with dilation %d: want odd kernels and a positive dilation", op, w, dilation))
	}
	s.padY, s.padX = s.kh/2*dilation, s.kw/2*dilation
	s.stride = s.w + s.padX
	s.plane = s.padX + (s.h+2*s.padY)*s.stride
	s.flat = max(0, (s.h-1)*s.stride+s.w)
	s.taps = s.kh * s.kw
	if convBlock*s.plane > 1<<31-1 {
		panic(fmt.Sprintf("tensor: %s: image %v is too large", op, x))
	}
	block := min(convBlock, max(s.ic, s.oc))
	s.offsets = make([]int32, 0, block*s.taps)
	for c := range block {
		for ky := range s.kh {
			for kx := range s.kw {
				s.offsets = append(s.offsets, int32(c*s.plane+ky*dilation*s.stride+kx*dilation))
			}
		}
	}
	return s
}

// transposed is the shape of the convolution that the input's gradient is.
func (s *convShape) transposed() *convShape {
	t := *s
	t.ic, t.oc = s.oc, s.ic
	return &t
}

// paddedLen is the size of a padded image of c channels: with room behind it, since
// tiles go on to a full width.
func (s *convShape) paddedLen(c int) int { return c*s.plane + simd.MaxTile }

// pad writes one channel of an image with the zeros around it.
func (s *convShape) pad(dst, src []float32) {
	s.padWith(dst, func(row []float32, y int) { copy(row, src[y*s.w:(y+1)*s.w]) })
}

// padWith writes one padded channel with the rows that f fills in.
func (s *convShape) padWith(dst []float32, f func(row []float32, y int)) {
	top := s.padX + s.padY*s.stride
	clear(dst[:top])
	for y := range s.h {
		row := dst[top+y*s.stride:][:s.stride]
		f(row[:s.w], y)
		clear(row[s.w:])
	}
	clear(dst[top+s.h*s.stride : s.plane])
}

// packWeights arranges weights for simd.GemmTile: for each panel of mr output
// channels, for each k = (ic,ky,kx), those mr weights; zeros for channels beyond oc.
func (s *convShape) packWeights(at func(oc, ic, tap int) float32) (packed []float32, panels int) {
	mr, _ := simd.Tile()
	panels = (s.oc + mr - 1) / mr
	packed = takeBuffer(panels * s.ic * s.taps * mr)
	clear(packed)
	for oc := range s.oc {
		dst := packed[oc/mr*s.ic*s.taps*mr+oc%mr:]
		for ic := range s.ic {
			for tap := range s.taps {
				dst[(ic*s.taps+tap)*mr] = at(oc, ic, tap)
			}
		}
	}
	return packed, panels
}

// band computes the output positions from q0 to q1-1 of one image, for all output
// channels, and hands each run of a row to emit before its memory is used again.
func (s *convShape) band(q0, q1 int, padded, packed []float32, panels int, emit func(oc, y, x int, sums []float32)) {
	mr, nr := simd.Tile()
	tiles := (q1 - q0 + nr - 1) / nr
	sums := takeBuffer(panels * mr * tiles * nr)
	defer giveBuffer(sums)
	for c := 0; c < s.ic; c += convBlock {
		k := min(convBlock, s.ic-c) * s.taps
		for t := range tiles {
			simd.GemmTile(sums[t*nr:], tiles*nr, packed[c*s.taps*mr:], s.ic*s.taps*mr,
				padded[c*s.plane+q0+t*nr:], s.offsets[:k], panels, c > 0)
		}
	}
	for oc := range s.oc {
		for q := q0; q < q1; {
			y, x := q/s.stride, q%s.stride
			if end := min(q1, y*s.stride+s.w); q < end {
				emit(oc, y, x, sums[oc*tiles*nr+q-q0:][:end-q])
			}
			q = (y + 1) * s.stride
		}
	}
}

// bands returns how many bands an image is cut into and how wide they are.
func (s *convShape) bands() (count, width int) {
	_, nr := simd.Tile()
	width = convBand / nr * nr
	return (s.flat + width - 1) / width, width
}

// eachImage calls f for every image. While there are as many images as threads,
// each thread takes one of its own; those that are left over are computed one
// after the other, and parallel then shares the work inside of an image.
func eachImage(n int, f func(i int, parallel func(n int, f func(i int)))) {
	whole := n - n%Threads()
	Parallel(whole, func(i int) {
		f(i, func(n int, g func(i int)) {
			for j := range n {
				g(j)
			}
		})
	})
	for i := whole; i < n; i++ {
		f(i, Parallel)
	}
}

// Conv2d convolves images with weights and adds a bias: stride 1, zeros around the
// image so that its size stays ("same" padding), odd kernels.
//
//	y[n,oc,i,j] = b[oc] + Σ_ic,ky,kx w[oc,ic,ky,kx] · x[n,ic,i+d·(ky-kh/2),j+d·(kx-kw/2)]
//
// with d the dilation; then max(·, 0) if o.ReLU. b may be nil.
//
// Shapes: x (n,ic,h,w), w (oc,ic,kh,kw), b (oc) → (n,oc,h,w). It panics if they do
// not fit. It matches torch.nn.functional.conv2d(x, w, b, padding="same", dilation=d).
func Conv2d(x, w, b *Tensor, o ConvOptions) *Tensor {
	s := newConvShape("Conv2d", x.shape, w.shape, o.Dilation)
	if b != nil && (len(b.shape) != 1 || b.shape[0] != s.oc) {
		panic(fmt.Sprintf("tensor: Conv2d: bias %v for weights %v", b.shape, w.shape))
	}
	packed, panels := s.packWeights(func(oc, ic, tap int) float32 { return w.data[(oc*s.ic+ic)*s.taps+tap] })
	defer giveBuffer(packed)
	y := NewUninitialized(s.n, s.oc, s.h, s.w)
	eachImage(s.n, func(i int, parallel func(int, func(int))) {
		padded, done := s.padImage(x, i, parallel)
		defer done()
		image := y.data[i*s.oc*s.h*s.w:]
		count, width := s.bands()
		parallel(count, func(j int) {
			s.band(j*width, min(s.flat, (j+1)*width), padded, packed, panels, func(oc, y, x int, sums []float32) {
				dst := image[(oc*s.h+y)*s.w+x:][:len(sums)]
				switch {
				case o.ReLU:
					simd.AddBiasReLU(dst, sums, bias(b, oc))
				default:
					simd.AddBias(dst, sums, bias(b, oc))
				}
			})
		})
	})
	return y
}

func bias(b *Tensor, oc int) float32 {
	if b == nil {
		return 0
	}
	return b.data[oc]
}

// padImage returns image i with zeros around it, and what to call when it has been
// used. A 1×1 convolution needs no zeros: the image itself serves, if whole tiles
// fit into it.
func (s *convShape) padImage(x *Tensor, i int, parallel func(int, func(int))) (padded []float32, done func()) {
	size := s.ic * s.h * s.w
	image := x.data[i*size : (i+1)*size]
	if _, nr := simd.Tile(); s.taps == 1 && s.flat%nr == 0 {
		return image, func() {}
	}
	padded = takeBuffer(s.paddedLen(s.ic))
	parallel(s.ic, func(c int) { s.pad(padded[c*s.plane:][:s.plane], image[c*s.h*s.w:]) })
	return padded, func() { giveBuffer(padded) }
}
