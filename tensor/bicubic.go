package tensor

import (
	"math"

	"pixelgrad/simd"
)

// UpsampleBicubic enlarges images k times in both directions by bicubic interpolation, as MATLAB's
// imresize does: a = −½, and beyond an edge the image goes on mirrored (…2 1 0 0 1 2…). A new pixel
// is the sum of 4×4 old ones:
//
//	y[n,c,i,j] = Σ_a,b<4 q[i mod k][a] · q[j mod k][b] · x[n,c,s(i)+a,s(j)+b]
//	q[p][a]    = keys((p+½)/k − ½ − first(p) − a)
//	s(i)       = ⌊i/k⌋ + first(i mod k),   first(p) = ⌊(p+½)/k − ½⌋ − 1
//
// with the kernel keys of R. G. Keys, "Cubic convolution interpolation for digital image
// processing", 1981, equation 15. Rows are summed before columns. In contrast to imresize nothing
// is cut off or rounded: the result is linear in x.
//
// Shapes: (n,c,h,w) → (n,c,k·h,k·w). It panics for another rank, for k < 1 and for images without
// pixels.
func UpsampleBicubic(x *Tensor, k int) *Tensor {
	n, c, h, w := dims4("UpsampleBicubic", x)
	checkFactor("UpsampleBicubic", k)
	y := NewUninitialized(n, c, k*h, k*w)
	UpsampleBicubicTo(y, x, k)
	return y
}

// UpsampleBicubicTo writes UpsampleBicubic(x, k) to y. It panics if the shapes do not fit.
func UpsampleBicubicTo(y, x *Tensor, k int) {
	n, c, h, w := dims4("UpsampleBicubic", x)
	checkFactor("UpsampleBicubic", k)
	checkShape("UpsampleBicubic", y, n, c, k*h, k*w)
	checkPixels("UpsampleBicubic", x, h, w)
	phases := cubicPhases(k)
	bands := (h + cubicBand - 1) / cubicBand
	Parallel(n*c*bands, func(t int) {
		scratch := takeBuffer(w + 2*cubicEdge + w)
		defer giveBuffer(scratch)
		p, band := t/bands, t%bands
		src, dst := x.data[p*h*w:][:h*w], y.data[p*k*h*k*w:][:k*h*k*w]
		for i := k * band * cubicBand; i < k*min((band+1)*cubicBand, h); i++ {
			bicubicRow(dst[i*k*w:][:k*w], src, phases, i, h, scratch)
		}
	})
}

// cubicBand is how many rows of an image a thread enlarges at a time.
const cubicBand = 16

// bicubicRow writes row i of the enlargement of one channel of h rows. scratch has the length of two
// rows of it, and of what is beyond the edges.
func bicubicRow(dst, src []float32, phases []cubicPhase, i, h int, scratch []float32) {
	k, w := len(phases), len(src)/h
	row, part := scratch[:w+2*cubicEdge], scratch[w+2*cubicEdge:]
	middle, q := row[cubicEdge:][:w], &phases[i%k]
	for a, weight := range q.weights {
		line := src[symmetric(i/k+q.first+a, h)*w:][:w]
		if a == 0 {
			simd.Scale(middle, weight, line)
		} else {
			simd.Axpy(middle, weight, line)
		}
	}
	for e := range cubicEdge {
		row[cubicEdge-1-e], row[cubicEdge+w+e] = middle[symmetric(-1-e, w)], middle[symmetric(w+e, w)]
	}
	for b := range phases {
		q := &phases[b]
		for a, weight := range q.weights {
			line := row[cubicEdge+q.first+a:][:w]
			if a == 0 {
				simd.Scale(part, weight, line)
			} else {
				simd.Axpy(part, weight, line)
			}
		}
		for j, v := range part {
			dst[j*k+b] = v
		}
	}
}

// UpsampleBicubicBackward returns the gradient of y = UpsampleBicubic(x, k) with respect to x, the
// transpose of that linear map: each weight carries an element of dy back to the pixel that it was
// multiplied with.
//
// Shapes: dy (n,c,k·h,k·w) → (n,c,h,w). It panics if they do not fit.
func UpsampleBicubicBackward(dy *Tensor, k int) *Tensor {
	n, c, h, w := dims4("UpsampleBicubicBackward", dy)
	checkMultiple("UpsampleBicubicBackward", dy, h, w, k)
	dx := NewUninitialized(n, c, h/k, w/k)
	UpsampleBicubicBackwardTo(dx, dy, k)
	return dx
}

// UpsampleBicubicBackwardTo writes UpsampleBicubicBackward(dy, k) to dx. It panics if the shapes do
// not fit.
func UpsampleBicubicBackwardTo(dx, dy *Tensor, k int) {
	n, c, h, w := dims4("UpsampleBicubicBackward", dx)
	checkFactor("UpsampleBicubicBackward", k)
	checkShape("UpsampleBicubicBackward", dy, n, c, k*h, k*w)
	checkPixels("UpsampleBicubicBackward", dx, h, w)
	phases := cubicPhases(k)
	Parallel(n*c, func(p int) {
		row := takeBuffer(w)
		defer giveBuffer(row)
		dst, src := dx.data[p*h*w:][:h*w], dy.data[p*k*h*k*w:][:k*h*k*w]
		clear(dst)
		for i := range k * h {
			clear(row)
			for j, v := range src[i*k*w:][:k*w] {
				q := &phases[j%k]
				for b, weight := range q.weights {
					row[symmetric(j/k+q.first+b, w)] += weight * v
				}
			}
			q := phases[i%k]
			for a, weight := range q.weights {
				simd.Axpy(dst[symmetric(i/k+q.first+a, h)*w:][:w], weight, row)
			}
		}
	})
}

// cubicEdge is how many pixels beyond an edge the interpolation reads.
const cubicEdge = 2

// A cubicPhase tells how the new pixels at one place within the old ones are summed: from 4 old
// pixels in a row, of which the first one is that many further.
type cubicPhase struct {
	first   int
	weights [4]float32
}

// cubicPhases returns the phases of an enlargement.
func cubicPhases(k int) []cubicPhase {
	phases := make([]cubicPhase, k)
	for p := range phases {
		centre := (float64(p)+0.5)/float64(k) - 0.5
		q := &phases[p]
		q.first = int(math.Floor(centre)) - 1
		for a := range q.weights {
			q.weights[a] = float32(keysCubic(centre - float64(q.first+a)))
		}
	}
	return phases
}

// keysCubic is Keys' kernel for a = −½.
func keysCubic(d float64) float64 {
	const a = -0.5
	switch d = math.Abs(d); {
	case d <= 1:
		return ((a+2)*d-(a+3))*d*d + 1
	case d < 2:
		return a * (((d-5)*d+8)*d - 4)
	}
	return 0
}

// symmetric returns which of n pixels stands at place i of a row that goes on beyond both ends, with
// the pixels at the ends doubled, again and again.
func symmetric(i, n int) int {
	i = (i%(2*n) + 2*n) % (2 * n)
	return min(i, 2*n-1-i)
}

// checkPixels panics unless images have pixels.
func checkPixels(op string, x *Tensor, h, w int) {
	if h == 0 || w == 0 {
		panic("tensor: " + op + ": images without pixels")
	}
}
