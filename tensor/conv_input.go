package tensor

import (
	"fmt"

	"pixelgrad/simd"
)

// A ConvInput is some of the channels that a convolution works on. What is cheap to
// compute is not stored: it is computed, image by image, while the convolution copies
// its input.
type ConvInput struct {
	X    *Tensor
	Form InputForm
	Grad InputGrad // for Conv2dBackwardOf
}

// InputForm says what the channels of a ConvInput are.
type InputForm int

// The forms.
const (
	Plain    InputForm = iota // X itself, (n,c,h,w)
	Enlarged                  // Upsample2(X), X of shape (n,c,h/2,w/2)
	Constant                  // Expand(X, h, w), X of shape (n,c)
)

// InputGrad says what becomes of the gradient of a ConvInput.
type InputGrad int

// What is wanted of a gradient.
const (
	NoGrad InputGrad = iota
	Grad             // a tensor of its own, of X's shape

	// MaskedGrad is for an X of form Plain that is the result of ReLU and is not needed
	// any more: the gradient is written over it, and is 0 where X was not above 0. So it
	// is the gradient of what ReLU was applied to, and takes no new memory. All inputs
	// with a gradient must have this one then, Constant ones aside.
	MaskedGrad
)

// convInputs are the channels of all inputs of a convolution, one after the other.
type convInputs struct {
	parts    []ConvInput
	n, h, w  int
	masked   bool // gradients are written over the inputs
	all      int  // channels
	images   int  // those that are not constant
	wanted   int  // those of images that a gradient is wanted of
	constant bool
}

// newConvInputs checks that the shapes fit together, or panics.
func newConvInputs(op string, parts []ConvInput) *convInputs {
	in := &convInputs{parts: parts, n: -1}
	for _, p := range parts {
		if len(p.X.shape) == 4 && p.Form != Constant {
			scale := 1
			if p.Form == Enlarged {
				scale = 2
			}
			in.n, in.h, in.w = p.X.shape[0], scale*p.X.shape[2], scale*p.X.shape[3]
			break
		}
	}
	for _, p := range parts {
		s, fits := p.X.shape, false
		switch p.Form {
		case Plain:
			fits = len(s) == 4 && s[0] == in.n && s[2] == in.h && s[3] == in.w
		case Enlarged:
			fits = len(s) == 4 && s[0] == in.n && 2*s[2] == in.h && 2*s[3] == in.w && p.Grad != MaskedGrad
		case Constant:
			fits = len(s) == 2 && s[0] == in.n && p.Grad != MaskedGrad
		}
		if !fits {
			panic(fmt.Sprintf("tensor: %s: input of shape %v, form %d, gradient %d beside images of %d×%d in a batch of %d: they do not fit", op, s, p.Form, p.Grad, in.h, in.w, in.n))
		}
		in.all += s[1]
		if p.Form == Constant {
			in.constant = true
			continue
		}
		in.images += s[1]
		if p.Grad != NoGrad {
			if in.wanted > 0 && in.masked != (p.Grad == MaskedGrad) {
				panic(fmt.Sprintf("tensor: %s: some gradients are to be masked, and others not", op))
			}
			in.masked = p.Grad == MaskedGrad
			in.wanted += s[1]
		}
	}
	return in
}

// at returns where to find a channel that is not constant, or of those that a gradient is
// wanted of: in which part, which of its channels it is, and which of all.
func (in *convInputs) at(c int, wanted bool) (part, channel, all int) {
	for i, p := range in.parts {
		size := p.X.shape[1]
		if p.Form != Constant && (p.Grad != NoGrad || !wanted) {
			if c < size {
				return i, c, all + c
			}
			c -= size
		}
		all += size
	}
	panic("tensor: no such channel")
}

// channels returns, for those that at is asked for, which of all they are: a slice of
// offsetSlices.
func (in *convInputs) channels(wanted bool) []int32 {
	n := in.images
	if wanted {
		n = in.wanted
	}
	all := offsetSlices.take(n)
	for c := range all {
		_, _, place := in.at(c, wanted)
		all[c] = int32(place)
	}
	return all
}

// plane returns the pixels of a channel of image i as they are stored.
func (p *ConvInput) plane(t *Tensor, i, c int) []float32 {
	size := t.shape[2] * t.shape[3]
	return t.data[(i*t.shape[1]+c)*size:][:size]
}

// pad returns a group of images from image i on, each with zeros around it, arranged for m,
// and whether that is memory of the pool. A 1×1 convolution needs no zeros: the image itself
// serves, if whole tiles fit into it.
func (in *convInputs) pad(s *convShape, m convMethod, i, group int, together bool) (padded []float32, own bool) {
	if _, nr := simd.Tile(); s.taps == 1 && s.flat%nr == 0 && len(in.parts) == 1 && in.parts[0].Form == Plain {
		size := s.ic * s.h * s.w
		return in.parts[0].X.data[i*size : (i+1)*size], false
	}
	padded = takeBuffer(paddedLen(m, in.images))
	padJobs.with(padJob{in, s, m, i, group, padded}, together, in.images*group, (*padJob).channel)
	return padded, true
}

// A padJob pads a group of images.
type padJob struct {
	in           *convInputs
	s            *convShape
	m            convMethod
	image, group int
	padded       []float32
}

var padJobs jobs[padJob]

// channel pads channel i/group of image i%group of the group.
func (j *padJob) channel(i int) {
	c, image := i/j.group, i%j.group
	part, channel, _ := j.in.at(c, false)
	p := &j.in.parts[part]
	rows := convRows{w: j.s.w, src: p.plane(p.X, j.image+image, channel)}
	if p.Form == Enlarged {
		rows.scratch = takeBuffer(j.s.w/2 + 2)
		defer giveBuffer(rows.scratch)
	}
	plane := j.m.planeLen()
	each := plane / j.group
	j.m.pad(j.padded[c*plane+image*each:][:each], rows)
}

// convRows are the w pixels wide rows of a channel that is to be padded: a struct instead
// of a function, which would be a piece of garbage for every channel of every image.
type convRows struct {
	w       int
	src     []float32
	scratch []float32 // if not nil, src is to be enlarged, see upsampleRow
	y       []float32 // if not nil, src is the gradient of y = max(·, 0)
}

// write writes row i.
func (r *convRows) write(dst []float32, i int) {
	switch {
	case r.scratch != nil:
		upsampleRow(dst, r.src, r.scratch, i)
	case r.y != nil:
		simd.ReLUBackward(dst, r.src[i*r.w:(i+1)*r.w], r.y[i*r.w:(i+1)*r.w])
	default:
		copy(dst, r.src[i*r.w:(i+1)*r.w])
	}
}

// Of constant channels a 3×3 convolution makes nine different values a channel: of the
// interior, the four edges and the four corners, where some weights meet zeros. In
// general the value at a pixel is
//
//	Σ_tap t[oc][tap],  t[oc][tap] = Σ_ic w[oc,ic,tap]·x[ic]
//
// over the taps that meet the image there.

// constants returns t of image i.
func (in *convInputs) constants(s *convShape, w *Tensor, i int) []float32 {
	t := takeBuffer(s.oc * s.taps)
	clear(t)
	in.eachConstant(func(p *ConvInput, all int) {
		c := p.X.shape[1]
		for oc := range s.oc {
			sums := t[oc*s.taps:][:s.taps]
			weights := w.data[(oc*in.all+all)*s.taps:]
			for k, x := range p.X.data[i*c : (i+1)*c] {
				for tap, v := range weights[k*s.taps:][:s.taps] {
					sums[tap] += x * v
				}
			}
		}
	})
	return t
}

// eachConstant calls f for every part with constant channels, and the first of all
// channels that is the part's.
func (in *convInputs) eachConstant(f func(p *ConvInput, all int)) {
	all := 0
	for i := range in.parts {
		if in.parts[i].Form == Constant {
			f(&in.parts[i], all)
		}
		all += in.parts[i].X.shape[1]
	}
}

// meets says whether the weights of row or column k meet the image at position i of n.
func (s *convShape) meets(k, size, i, n int) bool {
	at := i + s.dilation*(k-size/2)
	return at >= 0 && at < n
}

// run returns the range of positions that the weights of row or column k meet the image
// at, of n.
func (s *convShape) run(k, size, n int) (lo, hi int) {
	shift := s.dilation * (k - size/2)
	return min(n, max(0, -shift)), max(0, min(n, n-shift))
}

// addConstants adds what constant channels contribute to an output channel of an image,
// given its t.
func (s *convShape) addConstants(dst, t []float32) {
	lo := min(s.padX, s.w)
	hi := max(lo, s.w-s.padX)
	for y := range s.h {
		row := dst[y*s.w:][:s.w]
		inner := float32(0) // where all columns meet the image
		for kx := range s.kw {
			column := float32(0)
			for ky := range s.kh {
				if s.meets(ky, s.kh, y, s.h) {
					column += t[ky*s.kw+kx]
				}
			}
			inner += column
			for x := range lo {
				if s.meets(kx, s.kw, x, s.w) {
					row[x] += column
				}
			}
			for x := hi; x < s.w; x++ {
				if s.meets(kx, s.kw, x, s.w) {
					row[x] += column
				}
			}
		}
		simd.AddBias(row[lo:hi], row[lo:hi], inner)
	}
}

// addTapSums adds, for each tap, the elements of row y of a gradient that the tap's
// product went into.
func (s *convShape) addTapSums(sums []float64, row []float32, y int) {
	for kx := range s.kw {
		lo, hi := s.run(kx, s.kw, s.w)
		if lo >= hi {
			continue
		}
		sum := simd.Sum(row[lo:hi])
		for ky := range s.kh {
			if s.meets(ky, s.kh, y, s.h) {
				sums[ky*s.kw+kx] += sum
			}
		}
	}
}

// constantGrads computes the gradients of the weights of constant channels, which go
// into dw if that is not nil, and of the channels themselves, given each image's sums
// of addTapSums.
func (in *convInputs) constantGrads(s *convShape, w, dw *Tensor, dx []*Tensor, tapSums []float64) {
	ofImage := func(i int) []float64 { return tapSums[i*s.oc*s.taps:][:s.oc*s.taps] }
	all := 0
	for j := range in.parts {
		p := &in.parts[j]
		c, first := p.X.shape[1], all
		all += c
		if p.Form != Constant {
			continue
		}
		if dw != nil {
			Parallel(s.oc, func(oc int) {
				weights := dw.data[(oc*in.all+first)*s.taps:]
				for i := range in.n {
					sums := ofImage(i)[oc*s.taps:][:s.taps]
					for k, x := range p.X.data[i*c : (i+1)*c] {
						for tap, v := range sums {
							weights[k*s.taps+tap] += x * float32(v)
						}
					}
				}
			})
		}
		if dx[j] == nil {
			continue
		}
		Parallel(in.n, func(i int) {
			for k := range c {
				sum := 0.0
				for oc := range s.oc {
					for tap, v := range ofImage(i)[oc*s.taps:][:s.taps] {
						sum += v * float64(w.data[(oc*in.all+first+k)*s.taps+tap])
					}
				}
				dx[j].data[i*c+k] = float32(sum)
			}
		})
	}
}
