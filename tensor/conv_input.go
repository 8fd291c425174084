package tensor

import (
	"fmt"

	"pixelgrad/simd"
)

// A ConvInput describes some of the channels that a convolution reads: their shape and
// form, without data. What is cheap to compute is not stored: it is computed, row by row,
// while the convolution reads its input.
type ConvInput struct {
	Shape []int // of the tensor as it is stored
	Form  InputForm
	Grad  InputGrad // for PlanConv2dBackward
}

// InputForm says what the channels of a ConvInput are, given the tensor x that is stored.
type InputForm int

// The forms.
const (
	Plain    InputForm = iota // x itself, (n,c,h,w)
	Enlarged                  // Upsample2(x), x of shape (n,c,h/2,w/2)
	Constant                  // Expand(x, h, w), x of shape (n,c)
)

// InputGrad says what becomes of the gradient of a ConvInput.
type InputGrad int

// What is wanted of a gradient.
const (
	NoGrad InputGrad = iota
	Grad             // a tensor of its own, of the input's shape

	// MaskedGrad is for a Plain input x that is a result of ReLU and is not needed again.
	// The gradient overwrites x, and is 0 where x was not above 0. So it is the gradient
	// of the operand of ReLU, and takes no new memory. If one input has it, every input
	// with a gradient must have it, except Constant ones.
	MaskedGrad
)

// convInputs are the channels of all inputs of a convolution, one after the other.
type convInputs struct {
	parts        []ConvInput
	n, h, w      int
	channels     int            // of all parts
	images       []inputChannel // those that are not constant: the convolution proper
	wanted       []inputChannel // those of images that a gradient is wanted of
	masked       bool           // these gradients are written over the inputs
	shrunk       int            // how many of wanted are enlarged
	constant     bool           // there are constant channels
	constantGrad bool           // there are constant channels that a gradient is wanted of
}

// An inputChannel tells where a channel is found.
type inputChannel struct {
	part    int // which input has it
	channel int // which of that input's channels it is
	place   int // which of all channels, and so of the weights', it is
	shrunk  int // if it is enlarged: which of those with a gradient it is
}

// newConvInputs checks that the inputs fit together, or panics.
func newConvInputs(op string, parts []ConvInput) *convInputs {
	in := &convInputs{parts: parts, n: -1}
	for _, p := range parts {
		if len(p.Shape) == 4 && p.Form != Constant {
			scale := 1
			if p.Form == Enlarged {
				scale = 2
			}
			in.n, in.h, in.w = p.Shape[0], scale*p.Shape[2], scale*p.Shape[3]
			break
		}
	}
	for i, p := range parts {
		if !in.fits(p) {
			panic(fmt.Sprintf("tensor: %s: input of shape %v, form %d, gradient %d beside images of %d×%d in a batch of %d: they do not fit", op, p.Shape, p.Form, p.Grad, in.h, in.w, in.n))
		}
		if p.Form == Constant {
			in.channels += p.Shape[1]
			in.constant = true
			in.constantGrad = in.constantGrad || p.Grad != NoGrad
			continue
		}
		if p.Grad != NoGrad && len(in.wanted) > 0 && in.masked != (p.Grad == MaskedGrad) {
			panic(fmt.Sprintf("tensor: %s: the gradient of input %d of shape %v is %d: some are to be masked, and others not", op, i, p.Shape, p.Grad))
		}
		for c := range p.Shape[1] {
			channel := inputChannel{part: i, channel: c, place: in.channels + c, shrunk: in.shrunk}
			in.images = append(in.images, channel)
			if p.Grad != NoGrad {
				in.masked = p.Grad == MaskedGrad
				in.wanted = append(in.wanted, channel)
				if p.Form == Enlarged {
					in.shrunk++
				}
			}
		}
		in.channels += p.Shape[1]
	}
	return in
}

// fits says whether an input has the form it should have, and the size of the others.
func (in *convInputs) fits(p ConvInput) bool {
	s := p.Shape
	switch p.Form {
	case Plain:
		return len(s) == 4 && s[0] == in.n && s[2] == in.h && s[3] == in.w
	case Enlarged:
		return len(s) == 4 && s[0] == in.n && 2*s[2] == in.h && 2*s[3] == in.w && p.Grad != MaskedGrad
	case Constant:
		return len(s) == 2 && s[0] == in.n && p.Grad != MaskedGrad
	}
	return false
}

// newConv checks the operands of a convolution, and panics if they do not fit. The geometry has
// the channels that are not constant.
func newConv(op string, xs []ConvInput, w []int, dilation int) (*convInputs, *convGeometry) {
	in := newConvInputs(op, xs)
	if len(w) != 4 || w[1] != in.channels {
		shapes := make([][]int, len(xs))
		for i, x := range xs {
			shapes[i] = x.Shape
		}
		panic(fmt.Sprintf("tensor: %s: inputs %v of %d channels, weights %v: want (oc,ic,kh,kw) with the same ic", op, shapes, in.channels, w))
	}
	ic := len(in.images)
	g := newConvGeometry(op, []int{in.n, ic, in.h, in.w}, []int{w[0], ic, w[2], w[3]}, nil, dilation)
	if g.plane > mostPlane {
		panic(fmt.Sprintf("tensor: %s: an image of %d×%d pixels is too large to be convolved at once; PlanConvRows convolves some rows of it", op, g.w, g.h))
	}
	return in, g
}

// channelOf returns the pixels of a channel of an image, as they are stored.
func channelOf(t *Tensor, image, c int) []float32 {
	size := t.shape[2] * t.shape[3]
	return t.data[(image*t.shape[1]+c)*size:][:size]
}

// blendLen is how many numbers it takes to enlarge rows to w pixels: see upsampleRow.
func blendLen(w int) int { return w/2 + 2 }

// A rowSource gives the rows of a channel.
type rowSource struct {
	w        int // pixels a row
	pixels   []float32
	enlarged bool      // pixels are to be enlarged
	blend    []float32 // memory to do so

	// What follows is for the gradient of a convolution's result.
	result   []float32 // if not nil, the result: the gradient is masked by its ReLU
	sum      *float64  // if not nil, the sums of the rows are added to it
	tapSums  []float64 // if not nil, see convGeometry.addTapSums
	geometry *convGeometry
}

// A channelSource has the channels of images whose rows are read.
type channelSource interface {
	// channel returns the rows of channel c of t's image number i. blend is memory for them,
	// blendLen numbers.
	channel(t *imageTask, i, c int, blend []float32) rowSource
}

// channel returns the rows of an input channel.
func (in *convInputs) channel(t *imageTask, i, c int, blend []float32) rowSource {
	at := in.images[c]
	rows := rowSource{w: in.w}
	if t.rows != nil {
		rows.pixels = t.rows.source(at)
	} else {
		rows.pixels = channelOf(t.xs[at.part], t.image+i, at.channel)
	}
	if in.parts[at.part].Form == Enlarged {
		rows.enlarged, rows.blend = true, blend
	}
	return rows
}

// stored tells whether the rows are pixels as they are.
func (r *rowSource) stored() bool { return !r.enlarged && r.result == nil }

// prefetch asks for pixels of a row that is stored, as it is or masked.
func (r *rowSource) prefetch(from, pixels int) {
	if r.enlarged { // a quarter of the pixels: they are in the cache
		return
	}
	simd.Prefetch(r.pixels[from:][:pixels])
	if r.result != nil {
		simd.Prefetch(r.result[from:][:pixels])
	}
}

// write writes the pixels from..to-1 of row i to their places in dst, a whole row, whose other pixels
// become arbitrary.
func (r *rowSource) write(dst []float32, i, from, to int) {
	switch {
	case r.enlarged:
		upsampleRow(dst, r.pixels, r.blend, i, from, to)
	case r.result != nil:
		simd.ReLUBackward(dst[from:to], r.pixels[i*r.w:][from:to], r.result[i*r.w:][from:to])
	default:
		copy(dst[from:to], r.pixels[i*r.w:][from:to])
	}
}

// add adds row i to the sums that are wanted.
func (r *rowSource) add(row []float32, i int) {
	if r.sum != nil {
		*r.sum += simd.Sum(row)
	}
	if r.tapSums != nil {
		r.geometry.addTapSums(r.tapSums, row, i)
	}
}

// A padding is the copies of a convolution's input images with zeros around them.
type padding struct {
	inputs    *convInputs
	algorithm paddedAlgorithm
	none      bool // the images need no copy
}

// newPadding returns the padding of an algorithm's images, if it needs any. A 1×1 convolution needs
// no zeros: an image itself serves, if whole tiles fit into it.
func newPadding(in *convInputs, g *convGeometry, a convAlgorithm) *padding {
	_, nr := simd.Tile()
	padded, _ := a.(paddedAlgorithm)
	none := padded == nil || g.taps == 1 && g.flat%nr == 0 && len(in.parts) == 1 && in.parts[0].Form == Plain
	return &padding{in, padded, none}
}

// paddedLen is the size of a padded image of c channels: with room behind it, since tiles
// go on to a full width.
func paddedLen(a paddedAlgorithm, c int) int { return c*a.planeLen() + simd.MaxTile }

// len is how much memory a copy takes.
func (p *padding) len() int {
	if p.none {
		return 0
	}
	return paddedLen(p.algorithm, len(p.inputs.images))
}

// blockLen is how much memory a thread takes to make one.
func (p *padding) blockLen() int { return blendLen(p.inputs.w) }

// of returns the copy of t's images, in the given memory.
func (p *padding) of(t *imageTask, memory []float32) []float32 {
	switch {
	case p.algorithm == nil:
		return nil
	case p.none:
		x := t.xs[0]
		size := x.shape[1] * x.shape[2] * x.shape[3]
		return x.data[t.image*size:][:size]
	}
	t.copying = memory
	each(p, t, len(p.inputs.images), (*padding).channel)
	return memory
}

// channel copies a channel of t's image.
func (p *padding) channel(t *imageTask, worker, c int) {
	rows := p.inputs.channel(t, 0, c, t.threadMemory(worker)[:blendLen(p.inputs.w)])
	plane := p.algorithm.planeLen()
	p.algorithm.pad(t.copying[c*plane:][:plane], rows)
}
