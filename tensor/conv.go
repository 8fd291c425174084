package tensor

import (
	"fmt"
	"slices"

	"pixelgrad/simd"
)

// A convolution and its three gradients, as their formulas read. With d the dilation and
// x = 0 outside the image:
//
//	y[n,oc,i,j]     = b[oc] + Σ_ic,ky,kx w[oc,ic,ky,kx] · x[n,ic,i+d·(ky-kh/2),j+d·(kx-kw/2)]
//	dx[n,ic,i,j]    = Σ_oc,ky,kx w[oc,ic,ky,kx] · dy[n,oc,i-d·(ky-kh/2),j-d·(kx-kw/2)]
//	dw[oc,ic,ky,kx] = Σ_n,i,j dy[n,oc,i,j] · x[n,ic,i+d·(ky-kh/2),j+d·(kx-kw/2)]
//	db[oc]          = Σ_n,i,j dy[n,oc,i,j]
//
// All four are sums over the same products. Tests compare every algorithm with these loops:
// directConv and directWeightGrad, winograd and winogradGrad.

// conv2dReference computes y.
func conv2dReference(x, w, b *Tensor, o ConvOptions) *Tensor {
	g := newConvGeometry("conv2dReference", x.shape, w.shape, nil, o.Dilation)
	y := New(g.n, g.oc, g.h, g.w)
	g.eachProduct(func(xi, wi, yi int) { y.data[yi] += x.data[xi] * w.data[wi] })
	for i := range y.data {
		if b != nil {
			y.data[i] += b.data[i/g.pixels()%g.oc]
		}
		if o.ReLU {
			y.data[i] = max(y.data[i], 0)
		}
		if o.PReLU != nil && y.data[i] < 0 {
			y.data[i] *= o.PReLU.data[i/g.pixels()%g.oc%len(o.PReLU.data)]
		}
	}
	return y
}

// conv2dInputGradReference computes dx.
func conv2dInputGradReference(w, dy *Tensor, dilation int) *Tensor {
	dx := New(dy.shape[0], w.shape[1], dy.shape[2], dy.shape[3])
	g := newConvGeometry("conv2dInputGradReference", dx.shape, w.shape, nil, dilation)
	g.eachProduct(func(xi, wi, yi int) { dx.data[xi] += w.data[wi] * dy.data[yi] })
	return dx
}

// conv2dWeightGradReference computes dw.
func conv2dWeightGradReference(x, dy *Tensor, kh, kw, dilation int) *Tensor {
	dw := New(dy.shape[1], x.shape[1], kh, kw)
	g := newConvGeometry("conv2dWeightGradReference", x.shape, dw.shape, nil, dilation)
	g.eachProduct(func(xi, wi, yi int) { dw.data[wi] += x.data[xi] * dy.data[yi] })
	return dw
}

// conv2dBiasGradReference computes db.
func conv2dBiasGradReference(dy *Tensor) *Tensor {
	oc, pixels := dy.shape[1], dy.shape[2]*dy.shape[3]
	db := New(oc)
	for i, v := range dy.data {
		db.data[i/pixels%oc] += v
	}
	return db
}

// eachProduct calls f with the indices of every product x[xi]·w[wi] in y[yi].
func (g *convGeometry) eachProduct(f func(xi, wi, yi int)) {
	for n := range g.n {
		for oc := range g.oc {
			for ic := range g.ic {
				for ky := range g.kh {
					for kx := range g.kw {
						for i := range g.h {
							for j := range g.w {
								si, sj := i+g.dilation*(ky-g.kh/2), j+g.dilation*(kx-g.kw/2)
								if si >= 0 && si < g.h && sj >= 0 && sj < g.w {
									f(((n*g.ic+ic)*g.h+si)*g.w+sj, ((oc*g.ic+ic)*g.kh+ky)*g.kw+kx, ((n*g.oc+oc)*g.h+i)*g.w+j)
								}
							}
						}
					}
				}
			}
		}
	}
}

// ConvOptions are the settings of a convolution. The zero value is an ordinary one.
type ConvOptions struct {
	Dilation int  // distance between the pixels that neighbouring weights meet; 0 means 1
	ReLU     bool // whether the output is max(·, 0)

	// PReLU, unless it is nil, are the slopes by which the output is multiplied where it is
	// negative: one for each output channel, or a single one for all. They are read by every
	// run. There is no gradient with it.
	PReLU *Tensor

	// Add is added to the output before ReLU, unless it is nil: the shortcut around a
	// residual block. It has the output's size, and form Plain or Enlarged. Only PlanConv2d
	// supports it.
	Add *ConvInput
}

// Conv2d convolves images with weights and adds a bias: stride 1, and zeros around the
// image so that its size stays ("same" padding).
//
//	y[n,oc,i,j] = b[oc] + Σ_ic,ky,kx w[oc,ic,ky,kx] · x[n,ic,i+d·(ky-kh/2),j+d·(kx-kw/2)]
//
// with d the dilation; then max(·, 0) if o.ReLU, or PReLU if o.PReLU. b may be nil.
//
// Shapes: x (n,ic,h,w), w (oc,ic,kh,kw), b (oc) → (n,oc,h,w). It panics if they do not
// fit, for even kernels, and if o.Add is not nil. It matches
// torch.nn.functional.conv2d(x, w, b, padding="same", dilation=d). For repeated use, see
// PlanConv2d.
func Conv2d(x, w, b *Tensor, o ConvOptions) *Tensor {
	shape := Conv2dShape("Conv2d", x.shape, w.shape, shapeOf(b), o.Dilation)
	if o.Add != nil {
		panic(fmt.Sprintf("tensor: Conv2d: image %v, weights %v: Add is for plans only", x.shape, w.shape))
	}
	p := PlanConv2d([]ConvInput{{Shape: x.shape}}, w.shape, o)
	y := NewUninitialized(shape...)
	packed := takeBuffer(p.PackedLen())
	defer giveBuffer(packed)
	p.PackWeights(packed, w)
	p.Run(y, []*Tensor{x}, w, b, nil, packed, nil)
	return y
}

// Conv2dShape returns the shape of Conv2d's result, given those of its operands. b may be
// nil. It panics, naming op and the shapes, if they do not fit.
func Conv2dShape(op string, x, w, b []int, dilation int) []int {
	g := newConvGeometry(op, x, w, b, dilation)
	return []int{g.n, g.oc, g.h, g.w}
}

// Conv2dInputGrad returns the gradient of y = Conv2d(x, w, b) with respect to x:
//
//	dx[n,ic,i,j] = Σ_oc,ky,kx w[oc,ic,ky,kx] · dy[n,oc,i-d·(ky-kh/2),j-d·(kx-kw/2)]
//
// Shapes: w (oc,ic,kh,kw), dy (n,oc,h,w) → (n,ic,h,w). It panics if they do not fit. It
// matches torch.nn.grad.conv2d_input.
func Conv2dInputGrad(w, dy *Tensor, dilation int) *Tensor {
	n, c, h, wd := dims4("Conv2dInputGrad", dy)
	if len(w.shape) != 4 || w.shape[0] != c {
		panic(fmt.Sprintf("tensor: Conv2dInputGrad: weights %v, gradient %v: want (oc,ic,kh,kw) and (n,oc,h,w) with the same oc", w.shape, dy.shape))
	}
	dx := []*Tensor{NewUninitialized(n, w.shape[1], h, wd)}
	xs := []ConvInput{{Shape: dx[0].shape, Grad: Grad}}
	PlanConv2dBackward(xs, w.shape, ConvOptions{Dilation: dilation}, false, false).Run(dx, nil, nil, nil, w, nil, dy, nil)
	return dx[0]
}

// Conv2dWeightGrad returns the gradient of y = Conv2d(x, w, b) with respect to w:
//
//	dw[oc,ic,ky,kx] = Σ_n,i,j dy[n,oc,i,j] · x[n,ic,i+d·(ky-kh/2),j+d·(kx-kw/2)]
//
// Shapes: x (n,ic,h,w), dy (n,oc,h,w) → (oc,ic,kh,kw). It panics if they do not fit. It
// matches torch.nn.grad.conv2d_weight.
func Conv2dWeightGrad(x, dy *Tensor, kh, kw, dilation int) *Tensor {
	_, ic, _, _ := dims4("Conv2dWeightGrad", x)
	_, oc, _, _ := dims4("Conv2dWeightGrad", dy)
	if want := Conv2dShape("Conv2dWeightGrad", x.shape, []int{oc, ic, kh, kw}, nil, dilation); !slices.Equal(want, dy.shape) {
		panic(fmt.Sprintf("tensor: Conv2dWeightGrad: image %v, gradient %v: want %v", x.shape, dy.shape, want))
	}
	dw := NewUninitialized(oc, ic, kh, kw)
	xs := []ConvInput{{Shape: x.shape}}
	PlanConv2dBackward(xs, dw.shape, ConvOptions{Dilation: dilation}, true, false).Run(nil, dw, nil, []*Tensor{x}, nil, nil, dy, nil)
	return dw
}

// Conv2dBiasGrad returns the gradient of y = Conv2d(x, w, b) with respect to b:
//
//	db[oc] = Σ_n,i,j dy[n,oc,i,j]
//
// Shapes: dy (n,oc,h,w) → (oc). It panics for another rank. It matches dy.sum((0, 2, 3)).
func Conv2dBiasGrad(dy *Tensor) *Tensor {
	n, oc, h, w := dims4("Conv2dBiasGrad", dy)
	db, sums := NewUninitialized(oc), make([]float64, n*oc)
	Parallel(n*oc, func(p int) {
		for i := range h {
			sums[p] += simd.Sum(dy.data[(p*h+i)*w:][:w])
		}
	})
	sumBiases(db, sums)
	return db
}

// sumBiases adds the sums of each image's channels, image by image.
func sumBiases(db *Tensor, sums []float64) {
	oc := len(db.data)
	for c := range oc {
		sum := 0.0
		for i := c; i < len(sums); i += oc {
			sum += sums[i]
		}
		db.data[c] = float32(sum)
	}
}

// A convAlgorithm is a way to compute a convolution, image by image.
type convAlgorithm interface {
	// packWeights arranges weights as convolve reads them: packedLen numbers.
	packWeights(dst []float32, k kernels)
	packedLen() int

	// convolve computes all output channels of t's images.
	convolve(t *imageTask)
	// blockLen is the size of each thread's memory if an image is computed by a team of threads.
	blockLen(team int) int

	// transposed is the convolution that computes the gradient of some input channels.
	transposed(channels int) convAlgorithm
	// weightGrad is the way to compute the gradient of the weights.
	weightGrad() weightGradAlgorithm
}

// A paddedAlgorithm convolves padded images, t.padded. Others read the rows of t.source.
type paddedAlgorithm interface {
	// planeLen is the size of a channel of a padded image.
	planeLen() int
	// pad writes a padded channel with its rows.
	pad(dst []float32, rows rowSource)
}

// A weightGradAlgorithm is a way to compute the gradient of a convolution's weights, image
// by image.
type weightGradAlgorithm interface {
	// split writes what split number i of an image, of so many, adds to the gradient, in an
	// arrangement of its own: sumsLen numbers. It reads t.paddedX and t.padded, the gradient of the
	// result, or the rows of t.inputs and of a gradient. memory are blockLen numbers.
	split(sums []float32, t *imageTask, gradient channelSource, i, splits int, memory []float32)
	sumsLen() int
	blockLen() int
	// collect brings the sum over all images into dw: the gradient of input channel ic to
	// channel channels[ic].place of the weights.
	collect(dw *Tensor, sums []float32, channels []inputChannel)
}

// chooseConv returns the algorithm that is the fastest for a geometry. Winograd's way takes
// fewer multiplications. It pays with many channels, and with at least winogradPixels
// pixels in the batch, because it has to transform the weights.
func chooseConv(g *convGeometry, winogradPixels int) convAlgorithm {
	if UseWinograd && g.kh == 3 && g.kw == 3 && simd.WinogradDilation(g.dilation) && min(g.ic, g.oc) >= winogradChannels && g.n*g.pixels() >= winogradPixels {
		return newWinograd(g, 1)
	}
	return newDirectConv(g)
}
