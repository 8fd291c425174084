package superres

import (
	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// Networks of one channel enlarge the luma Y of ITU-R BT.601, which goes from 16 to 235 of 255
// levels, as in the published tables. The eye sees little of what is lost in the colours, which are
// enlarged by bicubic interpolation:
//
//	l = (65.481·red + 128.553·green + 24.966·blue) / 219
//	y = bicubic(x − l) + (255·network(Y) − 16)/219,   Y = (16 + 219·l)/255
//
// which is the same as enlarging Y, Cb and Cr and going back to red, green and blue.

// brighten enlarges pictures of three colours by a network of the luma. Shapes: (n,3,h,w) →
// (n,3,scale·h,scale·w).
func brighten(n Network, x *autograd.Value) *autograd.Value {
	l := brightenGrey(n, autograd.Conv2d(x, brightness, bias(0), 1))
	colours := autograd.UpsampleBicubic(autograd.Conv2d(x, lessBrightness, bias(0, 0, 0), 1), n.Geometry().Scale)
	return add(colours, threeOf(l))
}

// brightenGrey enlarges l. Shapes: (n,1,h,w) → (n,1,scale·h,scale·w).
func brightenGrey(n Network, l *autograd.Value) *autograd.Value {
	y := n.Forward(autograd.Conv2d(l, factor(219./255), bias(16./255), 1))
	return autograd.Conv2d(y, factor(255./219), bias(-16./219), 1)
}

// brightness are the weights of l, and lessBrightness those of x − l.
var (
	brightness     = pointwise(1, 3, 65.481/219, 128.553/219, 24.966/219)
	lessBrightness = func() *autograd.Value {
		w := make([]float32, 9)
		for i := range w {
			w[i] = -brightness.Data().Data()[i%3]
			if i%4 == 0 {
				w[i]++
			}
		}
		return pointwise(3, 3, w...)
	}()
)

// pointwise returns the weights of a convolution of single pixels.
func pointwise(out, in int, weights ...float32) *autograd.Value {
	return autograd.Constant(tensor.FromSlice(weights, out, in, 1, 1))
}

func factor(w float32) *autograd.Value { return pointwise(1, 1, w) }

func bias(b ...float32) *autograd.Value { return autograd.Constant(tensor.FromSlice(b, len(b))) }

// greyOf returns what pictures of three colours look like without them: 0.299·red + 0.587·green +
// 0.114·blue. Shapes: (n,3,h,w) → (n,1,h,w).
func greyOf(x *autograd.Value) *autograd.Value { return autograd.Conv2d(x, greyWeights, bias(0), 1) }

// threeOf returns three equal colours. Shapes: (n,1,h,w) → (n,3,h,w).
func threeOf(x *autograd.Value) *autograd.Value {
	return autograd.Conv2d(x, sameForAll, bias(0, 0, 0), 1)
}

var (
	greyWeights = pointwise(1, 3, 0.299, 0.587, 0.114)
	sameForAll  = pointwise(3, 1, 1, 1, 1)
)
