package tensor

import (
	"fmt"
	"slices"

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
	// pad writes one padded channel with its rows.
	pad(dst []float32, rows convRows)
	// packWeights arranges weights as image reads them, in memory of the pool.
	packWeights(k kernels) []float32
	// image computes all output channels of one padded image, on all threads if together.
	image(dst planes, padded, packed []float32, e epilogue, together bool)
	// transposed is the convolution that the gradient of some input channels is.
	transposed(channels int) convMethod
	weightGrad() weightGradMethod
}

// kernels are the weights of a convolution of some of the input channels of w, or of the
// convolution that the gradient of these channels is.
type kernels struct {
	w       *Tensor
	all     []int32 // the channels' places among those of w
	flipped bool
	packed  *PackedConv // if not nil, has them all instead of w
}

// at returns the weights that output channel oc has for input channel ic. They may be
// written to buffer.
func (k *kernels) at(oc, ic int, buffer []float32) []float32 {
	if k.packed != nil {
		return k.packed.at(oc, ic, buffer)
	}
	taps := k.w.shape[2] * k.w.shape[3]
	if !k.flipped {
		return k.w.data[(oc*k.w.shape[1]+int(k.all[ic]))*taps:][:taps]
	}
	buffer = buffer[:taps] // in both directions, and the channels have changed places
	for i, v := range k.w.data[(ic*k.w.shape[1]+int(k.all[oc]))*taps:][:taps] {
		buffer[taps-1-i] = v
	}
	return buffer
}

// planes tells where the channels of an image are written to: one after the other in data,
// or where a gradient of several inputs belongs.
type planes struct {
	data []float32
	size int
	span int // if not 0, how much of data is a channel's: it goes on in the images behind

	in    *convInputs // if not nil
	dx    []*Tensor
	image int
}

func (p *planes) at(c int) []float32 {
	if p.in != nil {
		if part, channel, _ := p.in.at(c, true); p.in.parts[part].Form == Plain {
			return p.in.parts[part].plane(p.dx[part], p.image, channel)
		}
	}
	return p.data[c*p.size:][:max(p.size, p.span)]
}

// An epilogue is what happens to sums while they are in the cache.
type epilogue struct {
	bias   *Tensor // if not nil, it is added
	relu   bool    // max(·, 0) is stored
	masked bool    // 0 is stored where what is in memory is not above 0: see MaskedGrad
}

// row stores a run of sums of output channel oc.
func (e epilogue) row(dst, sums []float32, oc int) {
	switch {
	case e.masked:
		simd.ReLUBackward(dst, sums, dst)
	case e.relu:
		simd.AddBiasReLU(dst, sums, bias(e.bias, oc))
	default:
		simd.AddBias(dst, sums, bias(e.bias, oc))
	}
}

// A weightGradMethod is a way to compute the gradient of a convolution's weights.
type weightGradMethod interface {
	// size is how many numbers an image adds to the gradient, in an arrangement of its own.
	size() int
	// image writes them, given the image and the gradient of its result, both padded.
	image(dst, x, dy []float32, together bool)
	// collect writes the sum of what all images add to dw: the gradient of input channel ic
	// to its channel place[ic].
	collect(sums []float32, dw *Tensor, place []int32)
}

// method chooses the way that is faster: Winograd's from so many pixels on.
func (s *convShape) method(pixels int) convMethod {
	if UseWinograd && s.kh == 3 && s.kw == 3 && min(s.ic, s.oc) >= winogradChannels && s.n*s.h*s.w >= pixels {
		return newWinograd(s)
	}
	block := min(convBlock, max(s.ic, s.oc))
	s.offsets = offsetSlices.take(block * s.taps)[:0]
	for c := range block {
		for ky := range s.kh {
			for kx := range s.kw {
				s.offsets = append(s.offsets, int32(c*s.plane+ky*s.dilation*s.stride+kx*s.dilation))
			}
		}
	}
	return s
}

// release gives back what method took.
func (s *convShape) release() {
	if s.offsets != nil {
		offsetSlices.give(s.offsets)
	}
}

// ConvOptions are the settings of a convolution. The zero value is an ordinary one.
type ConvOptions struct {
	Dilation int  // distance between the weights' pixels; 0 means 1
	ReLU     bool // whether the output is max(·, 0)

	// Add is added to the output before ReLU, unless it is nil: the shortcut around a
	// residual block. It has the output's shape, and form Plain or Enlarged.
	Add *ConvInput
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
	return s
}

// flipped is the shape of the convolution that the gradient of some input channels is.
func (s *convShape) flipped(channels int) *convShape {
	t := *s
	t.ic, t.oc = s.oc, channels
	return &t
}

func (s *convShape) transposed(channels int) convMethod { return s.flipped(channels) }

func (s *convShape) planeLen() int { return s.plane }

// paddedLen is the size of a padded image of c channels: with room behind it, since
// tiles go on to a full width.
func paddedLen(m convMethod, c int) int { return c*m.planeLen() + simd.MaxTile }

// pad writes one padded channel with its rows.
func (s *convShape) pad(dst []float32, rows convRows) {
	top := s.padX + s.padY*s.stride
	clear(dst[:top])
	for y := range s.h {
		row := dst[top+y*s.stride:][:s.stride]
		rows.write(row[:s.w], y)
		clear(row[s.w:])
	}
	clear(dst[top+s.h*s.stride : s.plane])
}

// packWeights arranges weights for simd.GemmTile: for each panel of mr output
// channels, for each k = (ic,ky,kx), those mr weights; zeros for channels beyond oc.
func (s *convShape) packWeights(k kernels) []float32 {
	mr, _ := simd.Tile()
	panels := s.panels()
	packed := takeBuffer(panels * s.ic * s.taps * mr)
	Parallel(panels, func(p int) {
		dst := packed[p*s.ic*s.taps*mr:][:s.ic*s.taps*mr]
		buffer := takeBuffer(s.taps)
		defer giveBuffer(buffer)
		if (p+1)*mr > s.oc {
			clear(dst)
		}
		for i := range min(mr, s.oc-p*mr) {
			for ic := range s.ic {
				for tap, v := range k.at(p*mr+i, ic, buffer) {
					dst[(ic*s.taps+tap)*mr+i] = v
				}
			}
		}
	})
	return packed
}

func (s *convShape) panels() int {
	mr, _ := simd.Tile()
	return (s.oc + mr - 1) / mr
}

// image computes bands of all output channels, one after the other.
func (s *convShape) image(dst planes, padded, packed []float32, e epilogue, together bool) {
	_, nr := simd.Tile()
	width := convBand / nr * nr
	bands := (s.flat + width - 1) / width
	shares := panelShares(bands, s.panels(), together)
	convJobs.with(convJob{s, dst, padded, packed, e, width, shares}, together, bands*shares, (*convJob).band)
}

// panelShares returns into how many shares the panels of output channels are cut, so that
// pieces of work suffice for all threads: a small image has few bands or blocks.
func panelShares(pieces, panels int, together bool) int {
	if !together || pieces == 0 {
		return 1
	}
	return max(1, min(panels/4, (4*Threads()+pieces-1)/pieces))
}

// panelShare returns the first panel of share i, and how many it has.
func panelShare(panels, i, shares int) (first, count int) {
	first = i * panels / shares
	return first, (i+1)*panels/shares - first
}

// A convJob is the direct convolution of an image.
type convJob struct {
	*convShape
	dst            planes
	padded, packed []float32
	e              epilogue
	width          int // of a band
	shares         int // of output channels
}

var convJobs jobs[convJob]

// band computes share i%shares of the output channels, for band i/shares of the positions.
func (s *convJob) band(i int) {
	mr, nr := simd.Tile()
	first, panels := panelShare(s.panels(), i%s.shares, s.shares)
	i /= s.shares
	q0, q1 := i*s.width, min(s.flat, (i+1)*s.width)
	tiles := (q1 - q0 + nr - 1) / nr
	sums := takeBuffer(panels * mr * tiles * nr)
	defer giveBuffer(sums)
	for c := 0; c < s.ic; c += convBlock {
		k := min(convBlock, s.ic-c) * s.taps
		for t := range tiles {
			simd.GemmTile(sums[t*nr:], tiles*nr, s.packed[(first*s.ic+c)*s.taps*mr:], s.ic*s.taps*mr,
				s.padded[c*s.plane+q0+t*nr:], s.offsets[:k], panels, c > 0)
		}
	}
	for oc := first * mr; oc < min(s.oc, (first+panels)*mr); oc++ {
		plane, sums := s.dst.at(oc), sums[(oc-first*mr)*tiles*nr:]
		for q := q0; q < q1; {
			y, x := q/s.stride, q%s.stride
			if end := min(q1, y*s.stride+s.w); q < end {
				s.e.row(plane[y*s.w+x:][:end-q], sums[q-q0:][:end-q], oc)
			}
			q = (y + 1) * s.stride
		}
	}
}

// eachImage calls f for every image. While there are as many images as threads,
// each thread takes one of its own; those that are left over are computed one
// after the other, by all threads together.
func eachImage(n int, f func(i int, together bool)) {
	whole := n - n%Threads()
	Parallel(whole, func(i int) { f(i, false) })
	for i := whole; i < n; i++ {
		f(i, true)
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
	return Conv2dOf([]ConvInput{{X: x}}, w, b, o)
}

// Conv2dOf is Conv2d of the channels of several inputs, one after the other: what
// ConcatChannels would return.
func Conv2dOf(xs []ConvInput, w, b *Tensor, o ConvOptions) *Tensor {
	in, s := newConv("Conv2d", xs, w, o)
	if b != nil && (len(b.shape) != 1 || b.shape[0] != s.oc) {
		panic(fmt.Sprintf("tensor: Conv2d: bias %v for weights %v", b.shape, w.shape))
	}
	m := s.method(winogradPixels)
	defer s.release()
	all := in.channels(false)
	packed := m.packWeights(kernels{w: w, all: all})
	offsetSlices.give(all)
	defer giveBuffer(packed)
	return s.forward(in, m, packed, w, b, o)
}

// forward computes a convolution with packed weights. w is needed for constant channels.
func (s *convShape) forward(in *convInputs, m convMethod, packed []float32, w, b *Tensor, o ConvOptions) *Tensor {
	y := NewUninitialized(s.n, s.oc, s.h, s.w)
	size := s.h * s.w
	e := epilogue{bias: b, relu: o.ReLU}
	later := in.constant || o.Add != nil // something is still to be added
	if later {
		e.relu = false
	}
	group, last := 1, m // how many images are computed at a time
	if wino, ok := m.(*winograd); ok && !later {
		group = wino.group()
		m, last = wino.of(group), wino.of((s.n-1)%group+1)
	}
	eachImage((s.n+group-1)/group, func(i int, together bool) {
		m, count := m, min(group, s.n-i*group)
		if count < group {
			m = last
		}
		i *= group
		padded, own := in.pad(s, m, i, count, together)
		dst := planes{data: y.data[i*s.oc*size:], size: size}
		m.image(dst, padded, packed, e, together)
		if own {
			giveBuffer(padded)
		}
		if !later {
			return
		}
		var t []float32
		if in.constant {
			t = in.constants(s, w, i)
			defer giveBuffer(t)
		}
		finishJobs.with(finishJob{s, dst, t, o, i}, together, s.oc, (*finishJob).channel)
	})
	return y
}

// A finishJob adds to an image what is not multiplied pixel by pixel.
type finishJob struct {
	s         *convShape
	dst       planes
	constants []float32 // see convInputs.constants
	o         ConvOptions
	image     int
}

var finishJobs jobs[finishJob]

func (f *finishJob) channel(oc int) {
	plane := f.dst.at(oc)
	if f.constants != nil {
		f.s.addConstants(plane, f.constants[oc*f.s.taps:])
	}
	if f.o.Add != nil {
		f.o.Add.addTo(plane, f.image, oc, f.s.w)
	}
	if f.o.ReLU {
		simd.AddBiasReLU(plane, plane, 0)
	}
}

// newConv returns what the operands of a convolution come to, or panics.
func newConv(op string, xs []ConvInput, w *Tensor, o ConvOptions) (*convInputs, *convShape) {
	in := newConvInputs(op, xs)
	if len(w.shape) != 4 || w.shape[1] != in.all {
		panic(fmt.Sprintf("tensor: %s: %d channels, weights %v: want (oc,ic,kh,kw) with the same ic", op, in.all, w.shape))
	}
	s := newConvShape(op, []int{in.n, in.images, in.h, in.w}, []int{w.shape[0], in.images, w.shape[2], w.shape[3]}, o.Dilation)
	if a := o.Add; a != nil {
		want := []int{s.n, s.oc, s.h, s.w}
		if a.Form == Enlarged {
			want = []int{s.n, s.oc, s.h / 2, s.w / 2}
		}
		if !slices.Equal(a.X.shape, want) || a.Form == Constant {
			panic(fmt.Sprintf("tensor: %s: %v, form %d, cannot be added to the output %v", op, a.X.shape, a.Form, []int{s.n, s.oc, s.h, s.w}))
		}
	}
	return in, s
}

// addTo adds a channel of image i to dst, whose rows have w pixels.
func (p *ConvInput) addTo(dst []float32, i, c, w int) {
	src := p.plane(p.X, i, c)
	if p.Form == Plain {
		simd.Add(dst, dst, src)
		return
	}
	scratch := takeBuffer(w/2 + 2)
	defer giveBuffer(scratch)
	row := takeBuffer(w)
	defer giveBuffer(row)
	for y := range len(dst) / w {
		upsampleRow(row, src, scratch, y)
		simd.Add(dst[y*w:(y+1)*w], dst[y*w:(y+1)*w], row)
	}
}

func bias(b *Tensor, oc int) float32 {
	if b == nil {
		return 0
	}
	return b.data[oc]
}
