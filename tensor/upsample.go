package tensor

import "pixelgrad/simd"

// Upsample2 enlarges images by two in both directions, by bilinear interpolation
// with half-pixel centres. A new pixel lies a quarter of an old one's width from
// that one's centre, so in each direction it is ¾ of the old pixel and ¼ of the
// neighbour on that side; at the edge the pixel is its own neighbour.
//
// Shapes: (n,c,h,w) → (n,c,2h,2w). It panics for another rank. It matches
// torch.nn.functional.interpolate(scale_factor=2, mode="bilinear", align_corners=False).
func Upsample2(x *Tensor) *Tensor {
	n, c, h, w := dims4("Upsample2", x)
	y := NewUninitialized(n, c, 2*h, 2*w)
	Upsample2To(y, x)
	return y
}

// Upsample2To writes Upsample2(x) to y. It panics if the shapes do not fit.
func Upsample2To(y, x *Tensor) {
	n, c, h, w := dims4("Upsample2", x)
	checkShape("Upsample2", y, n, c, 2*h, 2*w)
	if x.Len() == 0 {
		return
	}
	Parallel(n*c, func(p int) {
		src, dst := x.data[p*h*w:(p+1)*h*w], y.data[p*4*h*w:(p+1)*4*h*w]
		scratch := takeBuffer(w + 2)
		defer giveBuffer(scratch)
		for i := range 2 * h {
			upsampleRow(dst[i*2*w:(i+1)*2*w], src, scratch, i, 0, 2*w)
		}
	})
}

// upsampleRow writes the pixels from..to-1 of row i of the enlargement of one channel, and at most
// one beyond them on either side, to their places in dst, a whole row. scratch has two elements
// more than a row of src.
func upsampleRow(dst, src, scratch []float32, i, from, to int) {
	w := len(scratch) - 2
	if w == 0 || from >= to {
		return
	}
	near := i / 2
	far := near - 1 + 2*(i%2) // the row above for even rows, below for odd ones
	far = min(max(far, 0), len(src)/w-1)
	from, to = from/2, (to+1)/2 // pixels of src
	lo, hi := max(from-1, 0), min(to+1, w)
	simd.UpsampleBlend(scratch[1+lo:1+hi], src[near*w:][lo:hi], src[far*w:][lo:hi])
	scratch[0], scratch[w+1] = scratch[1], scratch[w] // beyond the edge the pixel is its own neighbour
	simd.UpsampleExpand(dst[2*from:2*to], scratch[from:to+2])
}

// Upsample2Backward returns the gradient of y = Upsample2(x) with respect to x: the
// transpose of that linear map, as a gather. An old pixel has ¾ in each of the two
// new pixels within it and ¼ in each next to it, in both directions; beyond the
// edge the outermost new pixel is counted twice.
//
// Shapes: dy (n,c,2h,2w) → (n,c,h,w). It panics for another rank or odd sizes.
func Upsample2Backward(dy *Tensor) *Tensor {
	n, c, h2, w2 := dims4("Upsample2Backward", dy)
	h, w := h2/2, w2/2
	if 2*h != h2 || 2*w != w2 {
		panic("tensor: Upsample2Backward: odd height or width")
	}
	dx := NewUninitialized(n, c, h, w)
	Upsample2BackwardTo(dx, dy)
	return dx
}

// Upsample2BackwardTo writes Upsample2Backward(dy) to dx. It panics if the shapes do not fit.
func Upsample2BackwardTo(dx, dy *Tensor) {
	n, c, h, w := dims4("Upsample2Backward", dx)
	checkShape("Upsample2Backward", dy, n, c, 2*h, 2*w)
	if dx.Len() == 0 {
		return
	}
	Parallel(n*c, func(p int) {
		scratch := takeBuffer(2*w + 2)
		defer giveBuffer(scratch)
		upsampleBackward(dx.data[p*h*w:(p+1)*h*w], dy.data[p*4*h*w:(p+1)*4*h*w], scratch, 2*h, 2*w)
	})
}

// upsampleBackward computes the gradient of one channel, given that of its enlargement
// of h2×w2 pixels. scratch has two elements more than a row of dy.
func upsampleBackward(dx, dy, scratch []float32, h2, w2 int) {
	row := func(i int) []float32 {
		i = min(max(i, 0), h2-1)
		return dy[i*w2 : (i+1)*w2]
	}
	for i := range h2 / 2 {
		simd.UpsampleBlendBackward(scratch[1:w2+1], row(2*i), row(2*i+1), row(2*i-1), row(2*i+2))
		scratch[0], scratch[w2+1] = scratch[1], scratch[w2]
		simd.UpsampleExpandBackward(dx[i*w2/2:(i+1)*w2/2], scratch)
	}
}

// upsample2Reference is Upsample2 as its definition reads: each new pixel's centre
// is looked up in the old image's coordinates.
func upsample2Reference(x *Tensor) *Tensor {
	n, c, h, w := dims4("Upsample2", x)
	y := New(n, c, 2*h, 2*w)
	at := func(i, size int) (lo, hi int, t float32) {
		s := max((float32(i)+0.5)/2-0.5, 0)
		lo = int(s)
		return lo, min(lo+1, size-1), s - float32(lo)
	}
	for p := range n * c {
		for i := range 2 * h {
			y0, y1, ty := at(i, h)
			for j := range 2 * w {
				x0, x1, tx := at(j, w)
				px := func(y, xx int) float32 { return x.data[(p*h+y)*w+xx] }
				y.data[(p*2*h+i)*2*w+j] = (1-ty)*((1-tx)*px(y0, x0)+tx*px(y0, x1)) + ty*((1-tx)*px(y1, x0)+tx*px(y1, x1))
			}
		}
	}
	return y
}
