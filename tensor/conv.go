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
// With many channels Winograd's way is the faster one: see winograd.go.
//
// conv2dReference, at the end of conv_reference.go, is what all of it computes.

// A convMethod is a way to compute a convolution and its gradients, image by image.
type convMethod interface {
	// planeLen is the size of one channel of a padded image.
	planeLen() int
	// padWith writes one padded channel with the rows that f fills in.
	padWith(dst []float32, f func(row []float32, y int))
	// packWeights arranges weights as image reads them, in memory of the pool.
	packWeights(at func(oc, ic, tap int) float32) []float32
	// image computes all output channels of one padded image: with bias b, unless that
	// is nil, and max(·, 0) if relu.
	image(dst, padded, packed []float32, b *Tensor, relu bool, parallel func(int, func(int)))
	// transposed is the convolution that the input's gradient is.
	transposed() convMethod
	weightGrad() weightGradMethod
}

// A weightGradMethod is a way to compute the gradient of a convolution's weights.
type weightGradMethod interface {
	// image returns what one image adds to the gradient, in an arrangement of its own,
	// given it and the gradient of its result, both padded.
	image(x, dy []float32, parallel func(int, func(int))) []float32
	// collect adds up what image has returned, and gives the memory back.
	collect(parts [][]float32) *Tensor
}

// method chooses the way that is faster.
func (s *convShape) method() convMethod {
	if UseWinograd && s.kh == 3 && s.kw == 3 && min(s.ic, s.oc) >= winogradChannels {
		return newWinograd(s)
	}
	return s
}

// ConvOptions are the settings of a convolution. The zero value is an ordinary one.
type ConvOptions struct {
	Dilation int  // distance between the weights' pixels; 0 means 1
	ReLU     bool // whether the output is max(·, 0)
}

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

// flipped is the shape of the convolution that the input's gradient is.
func (s *convShape) flipped() *convShape {
	t := *s
	t.ic, t.oc = s.oc, s.ic
	return &t
}

func (s *convShape) transposed() convMethod { return s.flipped() }

func (s *convShape) planeLen() int { return s.plane }

// paddedLen is the size of a padded image of c channels: with room behind it, since
// tiles go on to a full width.
func paddedLen(m convMethod, c int) int { return c*m.planeLen() + simd.MaxTile }

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
func (s *convShape) packWeights(at func(oc, ic, tap int) float32) []float32 {
	mr, _ := simd.Tile()
	panels := s.panels()
	packed := takeBuffer(panels * s.ic * s.taps * mr)
	clear(packed)
	for oc := range s.oc {
		dst := packed[oc/mr*s.ic*s.taps*mr+oc%mr:]
		for ic := range s.ic {
			for tap := range s.taps {
				dst[(ic*s.taps+tap)*mr] = at(oc, ic, tap)
			}
		}
	}
	return packed
}

func (s *convShape) panels() int {
	mr, _ := simd.Tile()
	return (s.oc + mr - 1) / mr
}

// image computes bands of all output channels, one after the other.
func (s *convShape) image(dst, padded, packed []float32, b *Tensor, relu bool, parallel func(int, func(int))) {
	_, nr := simd.Tile()
	width := convBand / nr * nr
	parallel((s.flat+width-1)/width, func(i int) {
		s.band(dst, i*width, min(s.flat, (i+1)*width), padded, packed, b, relu)
	})
}

// band computes the output positions from q0 to q1-1, for all output channels.
func (s *convShape) band(dst []float32, q0, q1 int, padded, packed []float32, b *Tensor, relu bool) {
	mr, nr := simd.Tile()
	panels := s.panels()
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
				row, run := dst[(oc*s.h+y)*s.w+x:][:end-q], sums[oc*tiles*nr+q-q0:][:end-q]
				if relu {
					simd.AddBiasReLU(row, run, bias(b, oc))
				} else {
					simd.AddBias(row, run, bias(b, oc))
				}
			}
			q = (y + 1) * s.stride
		}
	}
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
	m := s.method()
	packed := m.packWeights(func(oc, ic, tap int) float32 { return w.data[(oc*s.ic+ic)*s.taps+tap] })
	defer giveBuffer(packed)
	y := NewUninitialized(s.n, s.oc, s.h, s.w)
	size := s.oc * s.h * s.w
	eachImage(s.n, func(i int, parallel func(int, func(int))) {
		padded, done := s.padImage(m, x, i, parallel)
		defer done()
		m.image(y.data[i*size:(i+1)*size], padded, packed, b, o.ReLU, parallel)
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
func (s *convShape) padImage(m convMethod, x *Tensor, i int, parallel func(int, func(int))) (padded []float32, done func()) {
	size := s.ic * s.h * s.w
	image := x.data[i*size : (i+1)*size]
	if _, nr := simd.Tile(); s.taps == 1 && s.flat%nr == 0 {
		return image, func() {}
	}
	padded = takeBuffer(paddedLen(m, s.ic))
	plane := m.planeLen()
	parallel(s.ic, func(c int) {
		m.padWith(padded[c*plane:][:plane], func(row []float32, y int) { copy(row, image[(c*s.h+y)*s.w:]) })
	})
	return padded, func() { giveBuffer(padded) }
}
