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
	m := s.method()
	var t convMethod // of the convolution that the inputs' gradient is
	var packed []float32
	if in.wanted > 0 {
		t = m.transposed(in.wanted)
		packed = t.packWeights(func(ic, oc, tap int) float32 { // flipped in both directions
			_, _, all := in.at(ic, true)
			return w.data[(oc*in.all+all)*s.taps+s.taps-1-tap]
		})
		defer giveBuffer(packed)
	}
	var g weightGradMethod
	if wantW && in.images > 0 {
		g = m.weightGrad()
	}
	_, nt := simd.GradTile()
	channels := (s.oc + nt - 1) / nt * nt // filled up for the gradient of the weights
	partW := make([][]float32, s.n)       // the sums of each image, for now
	partB := make([][]float64, s.n)
	tapSums := make([][]float64, s.n)
	plane := m.planeLen()
	eachImage(s.n, func(i int, parallel func(int, func(int))) {
		if in.constant {
			tapSums[i] = make([]float64, s.oc*s.taps)
		}
		padded := takeBuffer(paddedLen(m, channels))
		defer giveBuffer(padded)
		s.padGradient(m, padded, y, dy, i, o.ReLU, channels, tapSums[i], parallel)
		if wantB {
			partB[i] = make([]float64, s.oc)
			for oc := range s.oc {
				partB[i][oc] = simd.Sum(padded[oc*plane:][:plane])
			}
		}
		if g != nil {
			px, done := in.pad(s, m, i, parallel)
			partW[i] = g.image(px, padded, parallel)
			done()
		}
		if t != nil { // last: it may write over the inputs
			in.imageGrad(s, t, dx, i, padded, packed, parallel)
		}
	})
	if wantW {
		dw = New(w.shape...)
		if g != nil {
			g.collect(partW, dw, func(ic int) int { _, _, all := in.at(ic, false); return all })
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
				sum += partB[i][oc]
			}
			db.data[oc] = float32(sum)
		}
	}
	return dx, dw, db
}

// imageGrad computes the gradients of the inputs' image i that are wanted.
func (in *convInputs) imageGrad(s *convShape, t convMethod, dx []*Tensor, i int, padded, packed []float32, parallel func(int, func(int))) {
	size := s.h * s.w
	var enlarged []float32 // the gradients of enlarged channels, before they are made small
	for _, p := range in.parts {
		if p.Grad != NoGrad && p.Form == Enlarged && enlarged == nil {
			enlarged = takeBuffer(in.wanted * size)
			defer giveBuffer(enlarged)
		}
	}
	t.image(func(c int) []float32 {
		part, channel, _ := in.at(c, true)
		switch p := &in.parts[part]; {
		case p.Form == Enlarged:
			return enlarged[c*size:][:size]
		default:
			return p.plane(dx[part], i, channel)
		}
	}, padded, packed, epilogue{masked: in.masked}, parallel)
	if enlarged == nil {
		return
	}
	parallel(in.wanted, func(c int) {
		part, channel, _ := in.at(c, true)
		if p := &in.parts[part]; p.Form == Enlarged {
			upsampleBackward(p.plane(dx[part], i, channel), enlarged[c*size:][:size], s.h, s.w)
		}
	})
}

// padGradient writes the gradient of image i with zeros around it, and zero
// where ReLU clipped; channels beyond those there are become zero. It adds the sums
// of addTapSums to tapSums, if there are any.
func (s *convShape) padGradient(m convMethod, padded []float32, y, dy *Tensor, i int, relu bool, channels int, tapSums []float64, parallel func(int, func(int))) {
	plane := m.planeLen()
	parallel(channels, func(c int) {
		dst := padded[c*plane:][:plane]
		if c >= s.oc {
			clear(dst)
			return
		}
		at := (i*s.oc + c) * s.h * s.w
		rows := convRows{w: s.w, src: dy.data[at:][:s.h*s.w]}
		if relu {
			rows.y = y.data[at:][:s.h*s.w]
		}
		m.pad(dst, rows)
		if tapSums == nil {
			return
		}
		row := takeBuffer(s.w)
		defer giveBuffer(row)
		for r := range s.h {
			rows.write(row, r)
			s.addTapSums(tapSums[c*s.taps:][:s.taps], row, r)
		}
	})
}

// A weightGrad computes the gradient of a convolution's weights, image by image.
// An image's sums are a matrix of a row for each tap (ic,ky,kx), in blocks of
// convBlock input channels that are filled up to whole tiles, and a column for
// each output channel, filled up likewise.
type weightGrad struct {
	*convShape
	channels  int // output channels, filled up
	blocks    int // of input channels
	blockRows int // rows of a block, filled up
}

func (s *convShape) weightGrad() weightGradMethod {
	mt, nt := simd.GradTile()
	up := func(n, to int) int { return (n + to - 1) / to * to }
	return &weightGrad{
		convShape: s,
		channels:  up(s.oc, nt),
		blocks:    (s.ic + convBlock - 1) / convBlock,
		blockRows: up(min(s.ic, convBlock)*s.taps, mt),
	}
}

// image returns the sums of one image, given it and its gradient, both padded.
func (g *weightGrad) image(x, dy []float32, parallel func(int, func(int))) []float32 {
	mt, nt := simd.GradTile()
	sums := takeBuffer(g.blocks * g.blockRows * g.channels)
	parallel(g.blocks, func(b int) {
		c := sums[b*g.blockRows*g.channels:][:g.blockRows*g.channels]
		clear(c)
		k := min(convBlock, g.ic-b*convBlock) * g.taps
		taps := make([]int32, (k+mt-1)/mt*mt) // the last one again and again, to fill a tile
		for t := range taps {
			taps[t] = g.offsets[min(t, k-1)]
		}
		pixels := takeBuffer(convPixels * nt) // of the gradient, the channel the fast index
		defer giveBuffer(pixels)
		origin := g.padX + g.padY*g.stride // where pixel (0,0) lies in a padded channel
		for q := 0; q < g.flat; q += convPixels {
			n := min(convPixels, g.flat-q)
			for oc := 0; oc < g.channels; oc += nt {
				for i := 0; i < nt; i += 8 {
					simd.Transpose8(pixels[i:], nt, dy[(oc+i)*g.plane+origin+q:], g.plane, n)
				}
				simd.WeightGradTile(c[oc:], g.channels, x[b*convBlock*g.plane+q:], taps, pixels, n)
			}
		}
	})
	return sums
}

// collect brings the sums into the weights' own arrangement.
func (g *weightGrad) collect(parts [][]float32, dw *Tensor, place func(ic int) int) {
	if len(parts) == 0 {
		return
	}
	total := sumParts(parts)
	Parallel(g.ic, func(ic int) {
		rows := total[(ic/convBlock*g.blockRows+ic%convBlock*g.taps)*g.channels:]
		for tap := range g.taps {
			for oc, v := range rows[tap*g.channels:][:g.oc] {
				dw.data[(oc*dw.shape[1]+place(ic))*g.taps+tap] = v
			}
		}
	})
	giveBuffer(total)
}

// sumParts adds the images' sums, in their order, into the first, and gives the memory
// of the others back.
func sumParts(parts [][]float32) []float32 {
	total := parts[0]
	parallelChunks(len(total), func(lo, hi int) {
		for _, p := range parts[1:] {
			simd.Add(total[lo:hi], total[lo:hi], p[lo:hi])
		}
	})
	for _, p := range parts[1:] {
		giveBuffer(p)
	}
	return total
}
