package tensor

import (
	"fmt"

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
	Parallel(n, func(i int) {
		dst := y.data[i*channels*h*w:]
		for _, x := range xs {
			size := x.shape[1] * h * w
			copy(dst, x.data[i*size:(i+1)*size])
			dst = dst[size:]
		}
	})
	return y
}

// SliceChannels returns a copy of the channels from lo to hi-1. Shapes: (n,c,h,w) →
// (n,hi-lo,h,w). It panics if there are not that many channels.
func SliceChannels(x *Tensor, lo, hi int) *Tensor {
	n, c, h, w := dims4("SliceChannels", x)
	if lo < 0 || hi > c || lo > hi {
		panic(fmt.Sprintf("tensor: SliceChannels: channels %d to %d of shape %v", lo, hi, x.shape))
	}
	y := NewUninitialized(n, hi-lo, h, w)
	Parallel(n, func(i int) {
		size := (hi - lo) * h * w
		copy(y.data[i*size:(i+1)*size], x.data[(i*c+lo)*h*w:])
	})
	return y
}

// Expand lays one number for each image and channel over all pixels. Shapes: (n,c) →
// (n,c,h,w). It panics for another rank. It matches x[:, :, None, None].expand(n, c, h, w).
func Expand(x *Tensor, h, w int) *Tensor {
	n, c := dims2("Expand", x)
	y := NewUninitialized(n, c, h, w)
	Parallel(n*c, func(p int) {
		plane := y.data[p*h*w : (p+1)*h*w]
		for i := range plane {
			plane[i] = x.data[p]
		}
	})
	return y
}

// SumPixels returns the sum of each image's channels over all pixels: the gradient of
// Expand. Shapes: (n,c,h,w) → (n,c). It panics for another rank.
func SumPixels(x *Tensor) *Tensor {
	n, c, h, w := dims4("SumPixels", x)
	y := NewUninitialized(n, c)
	Parallel(n*c, func(p int) { y.data[p] = float32(simd.Sum(x.data[p*h*w : (p+1)*h*w])) })
	return y
}
