package tensor

import "fmt"

// Every function here exists twice: PixelShuffle returns a new tensor, and PixelShuffleTo writes
// into one that there is, which must not be the operand.

// UpsampleNearest enlarges images k times in both directions: each pixel becomes k×k of its
// colour.
//
//	y[n,c,i,j] = x[n,c,i/k,j/k]    rounded down
//
// Shapes: (n,c,h,w) → (n,c,k·h,k·w). It panics for another rank and for k < 1. It matches
// torch.nn.functional.interpolate(x, scale_factor=k, mode="nearest").
func UpsampleNearest(x *Tensor, k int) *Tensor {
	n, c, h, w := dims4("UpsampleNearest", x)
	checkFactor("UpsampleNearest", k)
	y := NewUninitialized(n, c, k*h, k*w)
	UpsampleNearestTo(y, x, k)
	return y
}

// UpsampleNearestTo writes UpsampleNearest(x, k) to y. It panics if the shapes do not fit.
func UpsampleNearestTo(y, x *Tensor, k int) {
	n, c, h, w := dims4("UpsampleNearest", x)
	checkFactor("UpsampleNearest", k)
	checkShape("UpsampleNearest", y, n, c, k*h, k*w)
	Parallel(n*c, func(p int) {
		src, dst := x.data[p*h*w:(p+1)*h*w], y.data[p*k*h*k*w:(p+1)*k*h*k*w]
		for i := range h {
			row := dst[i*k*k*w:][:k*w]
			for j, v := range src[i*w : (i+1)*w] {
				for b := range k {
					row[j*k+b] = v
				}
			}
			for a := 1; a < k; a++ {
				copy(dst[(i*k+a)*k*w:], row)
			}
		}
	})
}

// UpsampleNearestBackward returns the gradient of y = UpsampleNearest(x, k) with respect to x:
// the sum of dy over the k×k pixels that each pixel became.
//
// Shapes: dy (n,c,k·h,k·w) → (n,c,h,w). It panics if they do not fit.
func UpsampleNearestBackward(dy *Tensor, k int) *Tensor {
	n, c, h, w := dims4("UpsampleNearestBackward", dy)
	checkMultiple("UpsampleNearestBackward", dy, h, w, k)
	dx := NewUninitialized(n, c, h/k, w/k)
	UpsampleNearestBackwardTo(dx, dy, k)
	return dx
}

// UpsampleNearestBackwardTo writes UpsampleNearestBackward(dy, k) to dx. It panics if the shapes
// do not fit.
func UpsampleNearestBackwardTo(dx, dy *Tensor, k int) {
	n, c, h, w := dims4("UpsampleNearestBackward", dx)
	checkFactor("UpsampleNearestBackward", k)
	checkShape("UpsampleNearestBackward", dy, n, c, k*h, k*w)
	Parallel(n*c, func(p int) {
		dst, src := dx.data[p*h*w:(p+1)*h*w], dy.data[p*k*h*k*w:(p+1)*k*h*k*w]
		clear(dst)
		for i := range k * h {
			row := dst[i/k*w:][:w]
			for j, v := range src[i*k*w : (i+1)*k*w] {
				row[j/k] += v
			}
		}
	})
}

// PixelShuffle makes larger images of channels: r² channels of a pixel become the r×r pixels in
// its place.
//
//	y[n,c,r·i+a,r·j+b] = x[n,r²·c+r·a+b,i,j]    for a, b < r
//
// Shapes: (n,r²·c,h,w) → (n,c,r·h,r·w). It panics if the channels are not a multiple of r². It
// matches torch.nn.functional.pixel_shuffle(x, r). Its gradient is PixelUnshuffle. Source: Shi et
// al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
// Convolutional Neural Network", 2016, equation 4.
func PixelShuffle(x *Tensor, r int) *Tensor {
	n, c, h, w := dims4("PixelShuffle", x)
	checkFactor("PixelShuffle", r)
	if c%(r*r) != 0 {
		panic(fmt.Sprintf("tensor: PixelShuffle: shape %v: want a multiple of %d·%d channels", x.shape, r, r))
	}
	y := NewUninitialized(n, c/(r*r), r*h, r*w)
	PixelShuffleTo(y, x, r)
	return y
}

// PixelShuffleTo writes PixelShuffle(x, r) to y. It panics if the shapes do not fit.
func PixelShuffleTo(y, x *Tensor, r int) {
	n, c, h, w := dims4("PixelShuffle", x)
	checkFactor("PixelShuffle", r)
	checkShape("PixelShuffle", y, n, c/(r*r), r*h, r*w)
	checkShape("PixelShuffle", x, n, y.shape[1]*r*r, h, w)
	eachShuffledRow(y, x, r, func(large, small []float32) {
		for j, v := range small {
			large[j*r] = v
		}
	})
}

// PixelUnshuffle makes channels of large images: the inverse of PixelShuffle, and its gradient.
//
//	y[n,r²·c+r·a+b,i,j] = x[n,c,r·i+a,r·j+b]    for a, b < r
//
// Shapes: (n,c,r·h,r·w) → (n,r²·c,h,w). It panics if the sizes are not multiples of r. It matches
// torch.nn.functional.pixel_unshuffle(x, r).
func PixelUnshuffle(x *Tensor, r int) *Tensor {
	n, c, h, w := dims4("PixelUnshuffle", x)
	checkMultiple("PixelUnshuffle", x, h, w, r)
	y := NewUninitialized(n, r*r*c, h/r, w/r)
	PixelUnshuffleTo(y, x, r)
	return y
}

// PixelUnshuffleTo writes PixelUnshuffle(x, r) to y. It panics if the shapes do not fit.
func PixelUnshuffleTo(y, x *Tensor, r int) {
	n, c, h, w := dims4("PixelUnshuffle", x)
	checkMultiple("PixelUnshuffle", x, h, w, r)
	checkShape("PixelUnshuffle", y, n, r*r*c, h/r, w/r)
	eachShuffledRow(x, y, r, func(large, small []float32) {
		for j := range small {
			small[j] = large[j*r]
		}
	})
}

// eachShuffledRow calls f for every row of a shuffled tensor: the elements of small are every
// r-th of large.
func eachShuffledRow(large, small *Tensor, r int, f func(large, small []float32)) {
	n, c, h, w := dims4("PixelShuffle", small)
	if small.Len() == 0 {
		return
	}
	Parallel(n*c, func(p int) {
		plane, a, b := p/(r*r), p/r%r, p%r
		for i := range h {
			f(large.data[(plane*r*h+r*i+a)*r*w+b:], small.data[(p*h+i)*w:][:w])
		}
	})
}

// PadReflect adds rows below images and columns to the right of them, which mirror the pixels
// before the last one: a b c becomes a b c b a. It goes on to and fro if more are added than
// there are; an image of one row or column is repeated.
//
// Shapes: (n,c,h,w) → (n,c,h+bottom,w+right). It panics for another rank, for an image without
// pixels and for negative numbers. It matches
// torch.nn.functional.pad(x, (0, right, 0, bottom), mode="reflect") where that is defined, and
// numpy.pad everywhere.
func PadReflect(x *Tensor, bottom, right int) *Tensor {
	n, c, h, w := dims4("PadReflect", x)
	checkPadding(x, h, w, bottom, right)
	y := NewUninitialized(n, c, h+bottom, w+right)
	PadReflectTo(y, x)
	return y
}

// PadReflectTo writes x, padded to the size of y, to y. It panics if the shapes do not fit.
func PadReflectTo(y, x *Tensor) {
	n, c, h, w := dims4("PadReflect", x)
	_, _, ph, pw := dims4("PadReflect", y)
	checkShape("PadReflect", y, n, c, ph, pw)
	checkPadding(x, h, w, ph-h, pw-w)
	Parallel(n*c, func(p int) {
		for i := range ph {
			src, dst := x.data[(p*h+Mirror(i, h))*w:][:w], y.data[(p*ph+i)*pw:][:pw]
			for j := copy(dst, src); j < pw; j++ {
				dst[j] = src[Mirror(j, w)]
			}
		}
	})
}

// PadReflectBackward returns the gradient of y = PadReflect(x, bottom, right) with respect to x,
// of h×w pixels: each pixel sums the gradients of its images.
//
// Shapes: dy (n,c,h+bottom,w+right) → (n,c,h,w). It panics if they do not fit.
func PadReflectBackward(dy *Tensor, h, w int) *Tensor {
	n, c, _, _ := dims4("PadReflectBackward", dy)
	dx := NewUninitialized(n, c, h, w)
	PadReflectBackwardTo(dx, dy)
	return dx
}

// PadReflectBackwardTo writes PadReflectBackward(dy, h, w) to dx, of h×w pixels. It panics if the
// shapes do not fit.
func PadReflectBackwardTo(dx, dy *Tensor) {
	n, c, h, w := dims4("PadReflectBackward", dx)
	_, _, ph, pw := dims4("PadReflectBackward", dy)
	checkShape("PadReflectBackward", dy, n, c, ph, pw)
	checkPadding(dx, h, w, ph-h, pw-w)
	Parallel(n*c, func(p int) {
		plane := dx.data[p*h*w : (p+1)*h*w]
		clear(plane)
		for i := range ph {
			row := plane[Mirror(i, h)*w:][:w]
			for j, v := range dy.data[(p*ph+i)*pw:][:pw] {
				row[Mirror(j, w)] += v
			}
		}
	})
}

// Mirror returns the place below n that place i mirrors: see PadReflect.
func Mirror(i, n int) int {
	if i < n {
		return i
	}
	if n == 1 {
		return 0
	}
	i %= 2 * (n - 1)
	return min(i, 2*(n-1)-i)
}

// Crop returns the upper left part of images. Shapes: (n,c,·,·) → (n,c,h,w). It panics if the
// images are smaller. It matches x[:, :, :h, :w].
func Crop(x *Tensor, h, w int) *Tensor {
	n, c, _, _ := dims4("Crop", x)
	y := NewUninitialized(n, c, h, w)
	CropTo(y, x)
	return y
}

// CropTo writes as much of x as y has room for to y. It panics if the shapes do not fit.
func CropTo(y, x *Tensor) {
	n, c, h, w := dims4("Crop", y)
	_, _, xh, xw := dims4("Crop", x)
	checkCrop("Crop", y, x)
	Parallel(n*c, func(p int) {
		for i := range h {
			copy(y.data[(p*h+i)*w:][:w], x.data[(p*xh+i)*xw:])
		}
	})
}

// CropBackward returns the gradient of y = Crop(x, …) with respect to x, of h×w pixels: dy, and 0
// where x was cut off. It panics if dy is larger.
func CropBackward(dy *Tensor, h, w int) *Tensor {
	n, c, _, _ := dims4("CropBackward", dy)
	dx := NewUninitialized(n, c, h, w)
	CropBackwardTo(dx, dy)
	return dx
}

// CropBackwardTo writes CropBackward(dy, h, w) to dx, of h×w pixels. It panics if the shapes do
// not fit.
func CropBackwardTo(dx, dy *Tensor) {
	n, c, h, w := dims4("CropBackward", dy)
	_, _, xh, xw := dims4("CropBackward", dx)
	checkCrop("CropBackward", dy, dx)
	Parallel(n*c, func(p int) {
		plane := dx.data[p*xh*xw : (p+1)*xh*xw]
		clear(plane)
		for i := range h {
			copy(plane[i*xw:], dy.data[(p*h+i)*w:][:w])
		}
	})
}

// checkFactor panics unless an enlargement has a factor.
func checkFactor(op string, k int) {
	if k < 1 {
		panic(fmt.Sprintf("tensor: %s: factor %d, want at least 1", op, k))
	}
}

// checkMultiple panics unless the sizes are multiples of a factor.
func checkMultiple(op string, x *Tensor, h, w, k int) {
	checkFactor(op, k)
	if h%k != 0 || w%k != 0 {
		panic(fmt.Sprintf("tensor: %s: shape %v: want a height and width that are multiples of %d", op, x.shape, k))
	}
}

// checkPadding panics unless there are pixels to mirror.
func checkPadding(x *Tensor, h, w, bottom, right int) {
	if bottom < 0 || right < 0 || h == 0 || w == 0 {
		panic(fmt.Sprintf("tensor: PadReflect: shape %v, %d rows and %d columns more: want pixels, and no negative numbers", x.shape, bottom, right))
	}
}

// checkCrop panics unless small fits into large.
func checkCrop(op string, small, large *Tensor) {
	s, l := small.shape, large.shape
	if s[0] != l[0] || s[1] != l[1] || s[2] > l[2] || s[3] > l[3] {
		panic(fmt.Sprintf("tensor: %s: %v is no part of %v", op, s, l))
	}
}
