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
	s := newConvShape("Conv2dBackward", x.shape, w.shape, o.Dilation)
	if n, c, h, wd := dims4("Conv2dBackward", dy); n != s.n || c != s.oc || h != s.h || wd != s.w {
		panic(fmt.Sprintf("tensor: Conv2dBackward: gradient %v of image %v and weights %v", dy.shape, x.shape, w.shape))
	}
	if o.ReLU && (y == nil || !slices.Equal(y.shape, dy.shape)) {
		panic(fmt.Sprintf("tensor: Conv2dBackward with ReLU wants the output y of the gradient's shape %v, got %v", dy.shape, y))
	}
	m := s.method()
	t := m.transposed()
	var packed []float32
	if want.X {
		dx = NewUninitialized(x.shape...)
		packed = t.packWeights(func(ic, oc, tap int) float32 { // flipped in both directions
			return w.data[(oc*s.ic+ic)*s.taps+s.taps-1-tap]
		})
		defer giveBuffer(packed)
	}
	g := m.weightGrad()
	_, nt := simd.GradTile()
	channels := (s.oc + nt - 1) / nt * nt // filled up for the gradient of the weights
	partW := make([][]float32, s.n)       // the sums of each image, for now
	partB := make([][]float64, s.n)
	size, plane := s.ic*s.h*s.w, m.planeLen()
	eachImage(s.n, func(i int, parallel func(int, func(int))) {
		padded := takeBuffer(paddedLen(m, channels))
		defer giveBuffer(padded)
		s.padGradient(m, padded, y, dy, i, o.ReLU, channels, parallel)
		if want.X {
			t.image(dx.data[i*size:(i+1)*size], padded, packed, nil, false, parallel)
		}
		if want.B {
			partB[i] = make([]float64, s.oc)
			for oc := range s.oc {
				partB[i][oc] = simd.Sum(padded[oc*plane:][:plane])
			}
		}
		if want.W {
			px, done := s.padImage(m, x, i, parallel)
			defer done()
			partW[i] = g.image(px, padded, parallel)
		}
	})
	if want.W {
		dw = g.collect(partW)
	}
	if want.B {
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

// padGradient writes the gradient of image i with zeros around it, and zero
// where ReLU clipped; channels beyond those there are become zero.
func (s *convShape) padGradient(m convMethod, padded []float32, y, dy *Tensor, i int, relu bool, channels int, parallel func(int, func(int))) {
	plane := m.planeLen()
	parallel(channels, func(c int) {
		dst := padded[c*plane:][:plane]
		if c >= s.oc {
			clear(dst)
			return
		}
		m.padWith(dst, func(row []float32, r int) {
			at := ((i*s.oc+c)*s.h + r) * s.w
			if src := dy.data[at : at+s.w]; relu {
				simd.ReLUBackward(row, src, y.data[at:at+s.w])
			} else {
				copy(row, src)
			}
		})
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

// collect adds the images' sums, in their order, and returns them in the weights'
// own arrangement. It gives the sums' memory back.
func (g *weightGrad) collect(parts [][]float32) *Tensor {
	dw := New(g.oc, g.ic, g.kh, g.kw)
	if len(parts) == 0 {
		return dw
	}
	total := sumParts(parts)
	Parallel(g.ic, func(ic int) {
		rows := total[(ic/convBlock*g.blockRows+ic%convBlock*g.taps)*g.channels:]
		for tap := range g.taps {
			for oc, v := range rows[tap*g.channels:][:g.oc] {
				dw.data[(oc*g.ic+ic)*g.taps+tap] = v
			}
		}
	})
	giveBuffer(total)
	return dw
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
