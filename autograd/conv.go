package autograd

import (
	"fmt"

	"pixelgrad/tensor"
)

// ExchangeUpsampling lets a 1×1 convolution of an enlarged image be computed before
// the enlargement. The weights of bilinear interpolation add up to 1 for every new
// pixel, so that the two linear maps commute exactly, bias included; but the
// enlargement then has a few channels instead of many, and the convolution a quarter
// of the pixels. Results differ by rounding alone. Set it to false, before any
// computation, to have every operation computed as it is written.
var ExchangeUpsampling = true

// Conv2d convolves images with weights and adds a bias: stride 1, zeros around
// ("same" padding), odd kernels. dilation is the distance between the pixels that
// neighbouring weights meet, ordinarily 1.
//
//	y[n,oc,i,j] = b[oc] + Σ_ic,ky,kx w[oc,ic,ky,kx] · x[n,ic,i+d·(ky-kh/2),j+d·(kx-kw/2)]
//
// Backward: see tensor.Conv2dBackward. Shapes: x (n,ic,h,w), w (oc,ic,kh,kw), b (oc)
// → (n,oc,h,w). It panics if they do not fit. It matches
// torch.nn.functional.conv2d(x, w, b, padding="same", dilation=dilation).
func Conv2d(x, w, b *Value, dilation int) *Value {
	if x.upsampled != nil && len(w.shape) == 4 && w.shape[2] == 1 && w.shape[3] == 1 && ExchangeUpsampling {
		return Upsample2(Conv2d(x.upsampled, w, b, 1))
	}
	return conv2d("Conv2d", x, w, b, tensor.ConvOptions{Dilation: dilation})
}

// Conv2dReLU returns ReLU(Conv2d(x, w, b, dilation)). It is an operation of its own
// for speed: the result is clipped, and its gradient masked, while it is in the
// cache.
func Conv2dReLU(x, w, b *Value, dilation int) *Value {
	return conv2d("Conv2dReLU", x, w, b, tensor.ConvOptions{Dilation: dilation, ReLU: true})
}

func conv2d(op string, x, w, b *Value, o tensor.ConvOptions) *Value {
	y := tensor.Conv2d(x.Data(), w.Data(), b.Data(), o)
	return record(op, y, func(dy *tensor.Tensor) {
		want := tensor.ConvGrads{X: x.trained, W: w.trained, B: b.trained}
		dx, dw, db := tensor.Conv2dBackward(x.Data(), w.Data(), y, dy, o, want)
		x.accumulate(dx)
		w.accumulate(dw)
		b.accumulate(db)
	}, x, w, b)
}

// Upsample2 enlarges images by two in both directions, by bilinear interpolation
// with half-pixel centres: see tensor.Upsample2, which it matches. Backward is the
// transposed map, tensor.Upsample2Backward. Shapes: (n,c,h,w) → (n,c,2h,2w). It
// panics for another rank.
//
// The enlarged image is not computed before something asks for it: a 1×1
// convolution does without, see ExchangeUpsampling.
func Upsample2(x *Value) *Value {
	s := x.shape
	if len(s) != 4 {
		panic(fmt.Sprintf("autograd: Upsample2: shape %v, want (n,c,h,w)", s))
	}
	y := record("Upsample2", nil, func(dy *tensor.Tensor) {
		x.accumulate(tensor.Upsample2Backward(dy))
	}, x)
	y.upsampled = x
	y.shape = []int{s[0], s[1], 2 * s[2], 2 * s[3]}
	return y
}
