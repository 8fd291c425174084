package tensor

import (
	"fmt"

	"pixelgrad/simd"
)

// LeakyReLU returns x where x > 0, and slope·x elsewhere. It matches
// torch.nn.functional.leaky_relu(x, slope).
func LeakyReLU(slope float32, x *Tensor) *Tensor {
	return into(x, func(y *Tensor) { LeakyReLUTo(y, slope, x) })
}

// LeakyReLUTo writes LeakyReLU(slope, x) to dst. It panics if their shapes differ.
func LeakyReLUTo(dst *Tensor, slope float32, x *Tensor) {
	checkSameShape("LeakyReLU", x, dst)
	parallelChunks(len(dst.data), func(lo, hi int) { simd.AddBiasPReLU(dst.data[lo:hi], x.data[lo:hi], 0, slope) })
}

// LeakyReLUBackward returns the gradient of y = LeakyReLU(slope, x) with respect to x: dy where
// y > 0, and slope·dy elsewhere. If slope is not negative, y is above 0 where x is, so x may be
// given in the place of y. It panics if the shapes of dy and y differ.
func LeakyReLUBackward(slope float32, dy, y *Tensor) *Tensor {
	return into(y, func(dx *Tensor) { LeakyReLUBackwardTo(dx, slope, dy, y) })
}

// LeakyReLUBackwardTo writes LeakyReLUBackward(slope, dy, y) to dst.
func LeakyReLUBackwardTo(dst *Tensor, slope float32, dy, y *Tensor) {
	checkSameShape("LeakyReLUBackward", dy, y, dst)
	parallelChunks(len(dst.data), func(lo, hi int) { simd.PReLUBackward(dst.data[lo:hi], dy.data[lo:hi], y.data[lo:hi], slope) })
}

// PReLU returns x where x > 0, and slope[c]·x elsewhere, with c the channel.
//
// Shapes: x (n,c,h,w), slope (c) → (n,c,h,w). It panics if they do not fit. It matches
// torch.nn.functional.prelu(x, slope). Source: He et al., "Delving Deep into Rectifiers", 2015,
// section 2.1.
func PReLU(x, slope *Tensor) *Tensor {
	return into(x, func(y *Tensor) { PReLUTo(y, x, slope) })
}

// PReLUTo writes PReLU(x, slope) to dst, which may be x. It panics if the shapes do not fit.
func PReLUTo(dst, x, slope *Tensor) {
	n, c, size := checkSlopes("PReLU", x, slope)
	checkSameShape("PReLU", x, dst)
	Parallel(n*c, func(p int) {
		simd.AddBiasPReLU(dst.data[p*size:(p+1)*size], x.data[p*size:(p+1)*size], 0, slope.data[p%c])
	})
}

// PReLUBackward returns the gradients of y = PReLU(x, slope) with respect to both:
//
//	dx[n,c,i,j] = dy[n,c,i,j]·(1 where x[n,c,i,j] > 0, slope[c] elsewhere)
//	dslope[c]   = Σ_n,i,j dy[n,c,i,j]·min(x[n,c,i,j], 0)
//
// It panics if the shapes do not fit.
func PReLUBackward(dy, x, slope *Tensor) (dx, dslope *Tensor) {
	dx, dslope = NewUninitialized(x.shape...), NewUninitialized(slope.shape...)
	PReLUBackwardTo(dx, dslope, dy, x, slope)
	return dx, dslope
}

// PReLUBackwardTo writes PReLUBackward(dy, x, slope) to dx and dslope, of which either may be
// nil. dx may be dy.
func PReLUBackwardTo(dx, dslope, dy, x, slope *Tensor) {
	n, c, size := checkSlopes("PReLUBackward", x, slope)
	checkSameShape("PReLUBackward", x, dy)
	if dslope != nil { // first, because dx may be written over dy
		checkSameShape("PReLUBackward", slope, dslope)
		sums := make([]float64, n*c)
		Parallel(n*c, func(p int) {
			x, sum := x.data[p*size:(p+1)*size], 0.0
			for i, d := range dy.data[p*size : (p+1)*size] {
				if !(x[i] > 0) {
					sum += float64(d) * float64(x[i])
				}
			}
			sums[p] = sum
		})
		sumBiases(dslope, sums)
	}
	if dx != nil {
		checkSameShape("PReLUBackward", x, dx)
		Parallel(n*c, func(p int) {
			at, to := p*size, (p+1)*size
			simd.PReLUBackward(dx.data[at:to], dy.data[at:to], x.data[at:to], slope.data[p%c])
		})
	}
}

// checkSlopes returns the sizes of images and how many pixels a channel has. It panics unless
// there is a slope for each channel.
func checkSlopes(op string, x, slope *Tensor) (n, c, pixels int) {
	n, c, h, w := dims4(op, x)
	if len(slope.shape) != 1 || slope.shape[0] != c {
		panic(fmt.Sprintf("tensor: %s: images %v, slopes %v: want (n,c,h,w) and (c)", op, x.shape, slope.shape))
	}
	return n, c, h * w
}
