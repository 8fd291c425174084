package tensor

import (
	"fmt"
	"slices"

	"pixelgrad/simd"
)

// ConvGrads says which gradients Conv2dBackward is asked for.
type ConvGrads struct{ X, W, B bool }

// Conv2dBackward returns the gradients of y = Conv2d(x, w, b, o), given dy; those
// that are not wanted are nil. y is needed if o.ReLU, and may be nil otherwise.
//
//	dx[n,ic,i,j]    = Σ_oc,ky,kx w[oc,ic,ky,kx] · dy[n,oc,i-d·(ky-kh/2),j-d·(kx-kw/2)]
//	dw[oc,ic,ky,kx] = Σ_n,i,j dy[n,oc,i,j] · x[n,ic,i+d·(ky-kh/2),j+d·(kx-kw/2)]
//	db[oc]          = Σ_n,i,j dy[n,oc,i,j]
//
// with dy set to 0 where y was clipped. Shapes: those of x, w and (oc). It panics if
// the shapes do not fit.
func Conv2dBackward(x, w, y, dy *Tensor, o ConvOptions, want ConvGrads) (dx, dw, db *Tensor) {
	in := ConvInput{X: x}
	if want.X {
		in.Grad = Grad
	}
	dxs, dw, db := Conv2dBackwardOf([]ConvInput{in}, w, y, dy, o, want.W, want.B)
	return dxs[0], dw, db
}

// Conv2dBackwardOf is Conv2dBackward for Conv2dOf: it returns the gradients of those
// inputs that have one, and nil for the others. o.Add has the gradient dy, with 0 where y
// was clipped, and is not dealt with here.
func Conv2dBackwardOf(xs []ConvInput, w, y, dy *Tensor, o ConvOptions, wantW, wantB bool) (dx []*Tensor, dw, db *Tensor) {
	in, s := newConv("Conv2dBackward", xs, w, o)
	if n, c, h, wd := dims4("Conv2dBackward", dy); n != s.n || c != s.oc || h != s.h || wd != s.w {
		panic(fmt.Sprintf("tensor: Conv2dBackward: gradient %v of images of %d×%d and weights %v", dy.shape, s.h, s.w, w.shape))
	}
	if o.ReLU && (y == nil || !slices.Equal(y.shape, dy.shape)) {
		panic(fmt.Sprintf("tensor: Conv2dBackward with ReLU wants the output y of the gradient's shape %v, got %v", dy.shape, y))
	}
	dx = make([]*Tensor, len(xs))
	for i, p := range xs {
		switch p.Grad {
		case Grad:
			dx[i] = NewUninitialized(p.X.shape...)
		case MaskedGrad:
			dx[i] = p.X
		}
	}
	m := s.method(winogradPixels)
	defer s.release()
	var t convMethod // of the convolution that the inputs' gradient is
	var packed []float32
	if in.wanted > 0 {
		t = m.transposed(in.wanted)
		all := in.channels(true)
		packed = t.packWeights(kernels{w: w, all: all, flipped: true})
		offsetSlices.give(all)
		defer giveBuffer(packed)
	}
	var g weightGradMethod
	if wantW && in.images > 0 {
		g = m.weightGrad()
	}
	_, nt := simd.GradTile()
	channels := (s.oc + nt - 1) / nt * nt // filled up for the gradient of the weights
	var partW []float32                   // each image's sums, for now
	if g != nil {
		partW = takeBuffer(s.n * g.size())
		defer giveBuffer(partW)
	}
	var partB, tapSums []float64
	if wantB {
		partB = sumSlices.take(s.n * s.oc)
		defer sumSlices.give(partB)
	}
	if in.constant {
		tapSums = sumSlices.take(s.n * s.oc * s.taps)
		defer sumSlices.give(tapSums)
	}
	plane := m.planeLen()
	eachImage(s.n, func(i int, together bool) {
		padded := takeBuffer(paddedLen(m, channels))
		defer giveBuffer(padded)
		job := gradPadJob{s: s, m: m, y: y, dy: dy, image: i, padded: padded}
		if !o.ReLU {
			job.y = nil
		}
		if in.constant {
			job.tapSums = tapSums[i*s.oc*s.taps:][:s.oc*s.taps]
		}
		gradPadJobs.with(job, together, channels, (*gradPadJob).channel)
		if wantB {
			for oc := range s.oc {
				partB[i*s.oc+oc] = simd.Sum(padded[oc*plane:][:plane])
			}
		}
		if g != nil {
			px, own := in.pad(s, m, i, 1, together)
			g.image(partW[i*g.size():][:g.size()], px, padded, together)
			if own {
				giveBuffer(px)
			}
		}
		if t != nil { // last: it may write over the inputs
			in.imageGrad(s, t, dx, i, padded, packed, together)
		}
	})
	if wantW {
		dw = New(w.shape...)
		if g != nil && s.n > 0 {
			sumImages(partW, g.size())
			all := in.channels(false)
			g.collect(partW, dw, all)
			offsetSlices.give(all)
		}
	}
	if in.constant {
		in.constantGrads(s, w, dw, dx, tapSums)
	}
	if wantB {
		db = New(s.oc)
		for oc := range s.oc {
			sum := 0.0
			for i := range s.n {
				sum += partB[i*s.oc+oc]
			}
			db.data[oc] = float32(sum)
		}
	}
	return dx, dw, db
}

// imageGrad computes the gradients of the inputs' image i that are wanted.
func (in *convInputs) imageGrad(s *convShape, t convMethod, dx []*Tensor, i int, padded, packed []float32, together bool) {
	dst := planes{size: s.h * s.w, in: in, dx: dx, image: i}
	for _, p := range in.parts {
		if p.Grad != NoGrad && p.Form == Enlarged && dst.data == nil { // they are made small in a second step
			dst.data = takeBuffer(in.wanted * dst.size)
			defer giveBuffer(dst.data)
		}
	}
	t.image(dst, padded, packed, epilogue{masked: in.masked}, together)
	if dst.data != nil {
		shrinkJobs.with(shrinkJob{s, dst}, together, in.wanted, (*shrinkJob).channel)
	}
}

// A shrinkJob turns gradients of enlarged channels into those of the channels.
type shrinkJob struct {
	s *convShape
	planes
}

var shrinkJobs jobs[shrinkJob]

func (j *shrinkJob) channel(c int) {
	part, channel, _ := j.in.at(c, true)
	if p := &j.in.parts[part]; p.Form == Enlarged {
		upsampleBackward(p.plane(j.dx[part], j.image, channel), j.at(c), j.s.h, j.s.w)
	}
}

// A gradPadJob writes the gradient of an image with zeros around it, and zero where ReLU
// clipped; channels beyond those there are become zero.
type gradPadJob struct {
	s       *convShape
	m       convMethod
	y       *Tensor // nil without ReLU
	dy      *Tensor
	image   int
	padded  []float32
	tapSums []float64 // if not nil, the sums of addTapSums are added to it
}

var gradPadJobs jobs[gradPadJob]

func (j *gradPadJob) channel(c int) {
	s, plane := j.s, j.m.planeLen()
	dst := j.padded[c*plane:][:plane]
	if c >= s.oc {
		clear(dst)
		return
	}
	at := (j.image*s.oc + c) * s.h * s.w
	rows := convRows{w: s.w, src: j.dy.data[at:][:s.h*s.w]}
	if j.y != nil {
		rows.y = j.y.data[at:][:s.h*s.w]
	}
	j.m.pad(dst, rows)
	if j.tapSums == nil {
		return
	}
	row := takeBuffer(s.w)
	defer giveBuffer(row)
	for r := range s.h {
		rows.write(row, r)
		s.addTapSums(j.tapSums[c*s.taps:][:s.taps], row, r)
	}
}

// A weightGrad computes the gradient of a convolution's weights, image by image.
// An image's sums are a matrix of a row for each tap (ic,ky,kx), in blocks of
// convBlock input channels that are filled up to whole tiles, and a column for
// each output channel, filled up likewise.
type weightGrad struct {
	*convShape
	channels  int     // output channels, filled up
	blocks    int     // of input channels
	blockRows int     // rows of a block, filled up
	offsets   []int32 // where each block's rows begin; of the last one again and again, to fill a tile
}

// taken returns how many rows of a block are taken.
func (g *weightGrad) taken(block int) int { return min(convBlock, g.ic-block*convBlock) * g.taps }

func (s *convShape) weightGrad() weightGradMethod {
	mt, nt := simd.GradTile()
	up := func(n, to int) int { return (n + to - 1) / to * to }
	g := &weightGrad{
		convShape: s,
		channels:  up(s.oc, nt),
		blocks:    (s.ic + convBlock - 1) / convBlock,
		blockRows: up(min(s.ic, convBlock)*s.taps, mt),
	}
	g.offsets = offsetSlices.take(g.blocks * g.blockRows) // until collect
	for i := range g.offsets {
		b, t := i/g.blockRows, i%g.blockRows
		g.offsets[i] = s.offsets[min(t, g.taken(b)-1)]
	}
	return g
}

func (g *weightGrad) size() int { return g.blocks * g.blockRows * g.channels }

func (g *weightGrad) image(sums, x, dy []float32, together bool) {
	_, nt := simd.GradTile()
	clear(sums)
	pixels := takeBuffer(g.channels * convPixels) // of the gradient, the channel the fast index
	defer giveBuffer(pixels)
	origin := g.padX + g.padY*g.stride // where pixel (0,0) lies in a padded channel
	for q := 0; q < g.flat; q += convPixels {
		n := min(convPixels, g.flat-q)
		for oc := 0; oc < g.channels; oc += nt {
			for i := 0; i < nt; i += 8 {
				simd.Transpose8(pixels[oc*convPixels+i:], nt, dy[(oc+i)*g.plane+origin+q:], g.plane, n)
			}
		}
		weightGradJobs.with(weightGradJob{g, x, pixels, sums, q, n}, together, g.blocks, (*weightGradJob).block)
	}
}

// A weightGradJob adds to the sums of an image what n pixels from q on contribute.
type weightGradJob struct {
	*weightGrad
	x, pixels, sums []float32
	q, n            int
}

var weightGradJobs jobs[weightGradJob]

func (g *weightGradJob) block(b int) {
	mt, nt := simd.GradTile()
	rows := g.offsets[b*g.blockRows:][:(g.taken(b)+mt-1)/mt*mt]
	for oc := 0; oc < g.channels; oc += nt {
		simd.WeightGradTile(g.sums[b*g.blockRows*g.channels+oc:], g.channels, g.x[b*convBlock*g.plane+g.q:], rows, g.pixels[oc*convPixels:], g.n)
	}
}

// collect brings the sums into the weights' own arrangement.
func (g *weightGrad) collect(total []float32, dw *Tensor, place []int32) {
	offsetSlices.give(g.offsets)
	Parallel(g.ic, func(ic int) {
		rows := total[(ic/convBlock*g.blockRows+ic%convBlock*g.taps)*g.channels:]
		for tap := range g.taps {
			for oc, v := range rows[tap*g.channels:][:g.oc] {
				dw.data[(oc*dw.shape[1]+int(place[ic]))*g.taps+tap] = v
			}
		}
	})
}

// sumImages adds the sums of all images, each of some size, to those of the first, in the
// images' order.
func sumImages(sums []float32, size int) {
	total := sums[:size]
	parallelChunks(size, func(lo, hi int) {
		for at := size; at < len(sums); at += size {
			simd.Add(total[lo:hi], total[lo:hi], sums[at:][lo:hi])
		}
	})
}
