package tensor

import (
	"fmt"
	"slices"

	"pixelgrad/simd"
)

// dims4 returns the dimensions of a batch of images, or panics.
func dims4(op string, t *Tensor) (n, c, h, w int) {
	if len(t.shape) != 4 {
		panic(fmt.Sprintf("tensor: %s: shape %v, want the four dimensions of (n,c,h,w)", op, t.shape))
	}
	return t.shape[0], t.shape[1], t.shape[2], t.shape[3]
}

// ConcatChannels returns the channels of several batches of images one after the
// other. Shapes: xs[i] (n,cᵢ,h,w) → (n,Σcᵢ,h,w). It panics if there is nothing to
// concatenate or n, h or w differ. It matches torch.cat with dim=1.
func ConcatChannels(xs ...*Tensor) *Tensor {
	if len(xs) == 0 {
		panic("tensor: ConcatChannels: no tensors")
	}
	n, _, h, w := dims4("ConcatChannels", xs[0])
	channels := 0
	for _, x := range xs {
		xn, c, xh, xw := dims4("ConcatChannels", x)
		if xn != n || xh != h || xw != w {
			panic(fmt.Sprintf("tensor: ConcatChannels: shapes %v and %v differ in more than the channels", xs[0].shape, x.shape))
		}
		channels += c
	}
	y := NewUninitialized(n, channels, h, w)
	ConcatChannelsTo(y, xs...)
	return y
}

// ConcatChannelsTo writes ConcatChannels(xs) to y. It panics if the shapes do not fit.
func ConcatChannelsTo(y *Tensor, xs ...*Tensor) {
	n, channels, h, w := dims4("ConcatChannels", y)
	for _, x := range xs {
		xn, c, xh, xw := dims4("ConcatChannels", x)
		if channels -= c; xn != n || xh != h || xw != w {
			panic(fmt.Sprintf("tensor: ConcatChannels: %v does not fit into %v", x.shape, y.shape))
		}
	}
	if channels != 0 {
		panic(fmt.Sprintf("tensor: ConcatChannels: %d channels of %v are left", channels, y.shape))
	}
	Parallel(n, func(i int) {
		dst := y.data[i*y.shape[1]*h*w:]
		for _, x := range xs {
			size := x.shape[1] * h * w
			copy(dst, x.data[i*size:(i+1)*size])
			dst = dst[size:]
		}
	})
}

// SliceChannels returns a copy of the channels from lo to hi-1. Shapes: (n,c,h,w) →
// (n,hi-lo,h,w). It panics if there are not that many channels.
func SliceChannels(x *Tensor, lo, hi int) *Tensor {
	n, c, h, w := dims4("SliceChannels", x)
	if lo < 0 || hi > c || lo > hi {
		panic(fmt.Sprintf("tensor: SliceChannels: channels %d to %d of shape %v", lo, hi, x.shape))
	}
	y := NewUninitialized(n, hi-lo, h, w)
	SliceChannelsTo(y, x, lo)
	return y
}

// SliceChannelsTo writes as many channels of x as y has, from lo on, to y. It panics if the
// shapes do not fit.
func SliceChannelsTo(y, x *Tensor, lo int) {
	n, c, h, w := dims4("SliceChannels", x)
	hi := lo + y.Dim(1)
	checkShape("SliceChannels", y, n, hi-lo, h, w)
	if lo < 0 || hi > c {
		panic(fmt.Sprintf("tensor: SliceChannels: channels %d to %d of shape %v", lo, hi, x.shape))
	}
	Parallel(n, func(i int) {
		size := (hi - lo) * h * w
		copy(y.data[i*size:(i+1)*size], x.data[(i*c+lo)*h*w:])
	})
}

// Expand lays one number for each image and channel over all pixels. Shapes: (n,c) →
// (n,c,h,w). It panics for another rank. It matches x[:, :, None, None].expand(n, c, h, w).
func Expand(x *Tensor, h, w int) *Tensor {
	n, c := dims2("Expand", x)
	y := NewUninitialized(n, c, h, w)
	ExpandTo(y, x)
	return y
}

// ExpandTo writes Expand(x, h, w) to y, of shape (n,c,h,w). It panics if the shapes do not fit.
func ExpandTo(y, x *Tensor) {
	n, c := dims2("Expand", x)
	_, _, h, w := dims4("Expand", y)
	checkShape("Expand", y, n, c, h, w)
	Parallel(n*c, func(p int) {
		plane := y.data[p*h*w : (p+1)*h*w]
		for i := range plane {
			plane[i] = x.data[p]
		}
	})
}

// SumPixels returns the sum of each image's channels over all pixels: the gradient of
// Expand. Shapes: (n,c,h,w) → (n,c). It panics for another rank.
func SumPixels(x *Tensor) *Tensor {
	n, c, _, _ := dims4("SumPixels", x)
	y := NewUninitialized(n, c)
	SumPixelsTo(y, x)
	return y
}

// SumPixelsTo writes SumPixels(x) to y. It panics if the shapes do not fit.
func SumPixelsTo(y, x *Tensor) {
	n, c, h, w := dims4("SumPixels", x)
	checkShape("SumPixels", y, n, c)
	Parallel(n*c, func(p int) { y.data[p] = float32(simd.Sum(x.data[p*h*w : (p+1)*h*w])) })
}

// checkShape panics unless t has a shape.
func checkShape(op string, t *Tensor, shape ...int) {
	if !slices.Equal(t.shape, shape) {
		panic(fmt.Sprintf("tensor: %s: shape %v, want %v", op, t.shape, shape))
	}
}
