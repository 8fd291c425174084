package tensor

import "pixelgrad/simd"

// For constant input channels, a 3×3 convolution has only nine different values per output
// channel: one for the interior, four for the edges and four for the corners, where some
// weights meet zeros. In general the value at a pixel is
//
//	Σ_tap t[oc][tap],  t[oc][tap] = Σ_ic w[oc,ic,tap]·x[ic]
//
// over the taps that meet the image there. So constant channels cost nearly nothing, and
// likewise in the gradients:
//
//	s[oc][tap]      = Σ_i,j dy[oc,i,j]    over the pixels where the tap meets the image
//	dw[oc,ic,tap]   = Σ_n x[n,ic]·s[n,oc][tap]
//	dx[n,ic]        = Σ_oc,tap w[oc,ic,tap]·s[n,oc][tap]

// constants writes t of an image.
func (in *convInputs) constants(t []float32, g *convGeometry, xs []*Tensor, w *Tensor, image int) {
	clear(t)
	place := 0
	for part, p := range in.parts {
		c := p.Shape[1]
		for oc := 0; oc < g.oc && p.Form == Constant; oc++ {
			sums := t[oc*g.taps:][:g.taps]
			weights := w.data[(oc*in.channels+place)*g.taps:]
			for k, x := range xs[part].data[image*c : (image+1)*c] {
				for tap, v := range weights[k*g.taps:][:g.taps] {
					sums[tap] += x * v
				}
			}
		}
		place += c
	}
}

// addConstants adds what constant channels contribute to an output channel of an image,
// given its t.
func (g *convGeometry) addConstants(dst, t []float32) {
	lo := min(g.padX, g.w)
	hi := max(lo, g.w-g.padX)
	for y := range g.h {
		row := dst[y*g.w:][:g.w]
		inner := float32(0) // where all columns meet the image
		for kx := range g.kw {
			column := float32(0)
			for ky := range g.kh {
				if g.meets(ky, g.kh, y, g.h) {
					column += t[ky*g.kw+kx]
				}
			}
			inner += column
			for x := range lo {
				if g.meets(kx, g.kw, x, g.w) {
					row[x] += column
				}
			}
			for x := hi; x < g.w; x++ {
				if g.meets(kx, g.kw, x, g.w) {
					row[x] += column
				}
			}
		}
		simd.AddBias(row[lo:hi], row[lo:hi], inner)
	}
}

// addTapSums adds to s of a channel what row y of its gradient contributes.
func (g *convGeometry) addTapSums(s []float64, row []float32, y int) {
	for kx := range g.kw {
		lo, hi := g.meetsFrom(kx, g.kw, g.w)
		if lo >= hi {
			continue
		}
		sum := simd.Sum(row[lo:hi])
		for ky := range g.kh {
			if g.meets(ky, g.kh, y, g.h) {
				s[ky*g.kw+kx] += sum
			}
		}
	}
}

// constantGrads computes the gradients of the weights of constant channels, which go into
// dw if that is not nil, and of the channels themselves, given s of all images.
func (in *convInputs) constantGrads(dx []*Tensor, dw *Tensor, g *convGeometry, xs []*Tensor, w *Tensor, s []float64) {
	place := 0
	for part, p := range in.parts {
		if p.Form == Constant && dw != nil {
			in.constantWeightGrad(dw, g, xs[part], place, s)
		}
		if p.Form == Constant && p.Grad != NoGrad {
			in.constantInputGrad(dx[part], g, w, place, s)
		}
		place += p.Shape[1]
	}
}

// constantWeightGrad is constantGrads for the weights of one input's channels, which begin
// at place.
func (in *convInputs) constantWeightGrad(dw *Tensor, g *convGeometry, x *Tensor, place int, s []float64) {
	c := x.shape[1]
	Parallel(g.oc, func(oc int) {
		weights := dw.data[(oc*in.channels+place)*g.taps:][:c*g.taps]
		clear(weights)
		for i := range in.n {
			sums := s[(i*g.oc+oc)*g.taps:][:g.taps]
			for k, v := range x.data[i*c : (i+1)*c] {
				for tap, sum := range sums {
					weights[k*g.taps+tap] += v * float32(sum)
				}
			}
		}
	})
}

// constantInputGrad is constantGrads for one input, whose channels begin at place.
func (in *convInputs) constantInputGrad(dx *Tensor, g *convGeometry, w *Tensor, place int, s []float64) {
	c := dx.shape[1]
	Parallel(in.n, func(i int) {
		for k := range c {
			sum := 0.0
			for oc := range g.oc {
				for tap, v := range s[(i*g.oc+oc)*g.taps:][:g.taps] {
					sum += v * float64(w.data[(oc*in.channels+place+k)*g.taps+tap])
				}
			}
			dx.data[i*c+k] = float32(sum)
		}
	})
}
