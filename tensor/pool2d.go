package tensor

import "fmt"

// MaxPool2 halves images: each new pixel is the largest of two by two old ones. An
// odd last row or column is left out.
//
//	y[n,c,i,j] = max(x[n,c,2i,2j], x[n,c,2i,2j+1], x[n,c,2i+1,2j], x[n,c,2i+1,2j+1])
//
// NaN is the largest of all. There is no gradient: it serves networks that are used
// as they are.
//
// Shapes: (n,c,h,w) → (n,c,⌊h/2⌋,⌊w/2⌋). It panics for another rank, and if nothing
// would be left of h or w. It matches torch.nn.functional.max_pool2d(x, 2).
func MaxPool2(x *Tensor) *Tensor {
	n, c, h, w := dims4("MaxPool2", x)
	oh, ow := h/2, w/2
	if oh == 0 || ow == 0 {
		panic(fmt.Sprintf("tensor: MaxPool2 of %v: images of at least 2×2 pixels are needed", x.shape))
	}
	y := NewUninitialized(n, c, oh, ow)
	Parallel(n*c, func(p int) {
		src, dst := x.data[p*h*w:(p+1)*h*w], y.data[p*oh*ow:(p+1)*oh*ow]
		for i := range oh {
			upper, lower := src[2*i*w:][:2*ow], src[(2*i+1)*w:][:2*ow]
			for j := range dst[i*ow : (i+1)*ow] {
				a, b := upper[2*j:2*j+2:2*j+2], lower[2*j:2*j+2:2*j+2]
				dst[i*ow+j] = max(a[0], a[1], b[0], b[1])
			}
		}
	})
	return y
}

// AdaptiveAvgPool makes images of oh×ow pixels out of images of any size, larger or
// smaller: each new pixel is the mean of those old ones that its area touches.
//
//	y[n,c,i,j] = mean x[n,c,u,v]    ⌊i·h/oh⌋ ≤ u < ⌈(i+1)·h/oh⌉, ⌊j·w/ow⌋ ≤ v < ⌈(j+1)·w/ow⌉
//
// Areas overlap where the sizes do not divide each other. At the same size it is a
// copy.
//
// Shapes: (n,c,h,w) → (n,c,oh,ow). It panics for another rank and for sizes that are
// not positive. It matches torch.nn.functional.adaptive_avg_pool2d(x, (oh, ow)).
func AdaptiveAvgPool(x *Tensor, oh, ow int) *Tensor {
	n, c, h, w := dims4("AdaptiveAvgPool", x)
	if h == 0 || w == 0 || oh <= 0 || ow <= 0 {
		panic(fmt.Sprintf("tensor: AdaptiveAvgPool of %v to %d×%d: every size must be positive", x.shape, oh, ow))
	}
	y := NewUninitialized(n, c, oh, ow)
	Parallel(n*c, func(p int) {
		src, dst := x.data[p*h*w:(p+1)*h*w], y.data[p*oh*ow:(p+1)*oh*ow]
		for i := range oh {
			top, bottom := i*h/oh, ((i+1)*h+oh-1)/oh
			for j := range ow {
				left, right := j*w/ow, ((j+1)*w+ow-1)/ow
				sum := float32(0)
				for u := top; u < bottom; u++ {
					for _, v := range src[u*w+left : u*w+right] {
						sum += v
					}
				}
				dst[i*ow+j] = sum / float32((bottom-top)*(right-left))
			}
		}
	})
	return y
}
