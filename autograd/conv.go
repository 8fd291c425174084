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

// StoreInputs has the results of Upsample2 and ConcatChannels computed and stored before
// a convolution reads them. Otherwise it reads their operands where they are, and
// enlarges an image while it copies it. Results are the same bit by bit. Set it before
// any computation.
var StoreInputs = false

// ConstantChannels lets a convolution treat the results of Expand as what they are: all
// pixels of a channel are equal, so that what it adds to the output depends only on which
// of the weights meet the image there, nine cases for 3×3 weights. Results differ by
// rounding alone. Set it to false, before any computation, to have every pixel multiplied.
var ConstantChannels = true

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
	if x.lazy("Upsample2") && len(w.shape) == 4 && w.shape[2] == 1 && w.shape[3] == 1 && ExchangeUpsampling {
		return Upsample2(Conv2d(x.operands[0], w, b, 1))
	}
	return conv2d("Conv2d", x, w, b, nil, tensor.ConvOptions{Dilation: dilation})
}

// Conv2dReLU returns ReLU(Conv2d(x, w, b, dilation)). It is an operation of its own
// for speed: the result is clipped, and its gradient masked, while it is in the
// cache.
func Conv2dReLU(x, w, b *Value, dilation int) *Value {
	return conv2d("Conv2dReLU", x, w, b, nil, tensor.ConvOptions{Dilation: dilation, ReLU: true})
}

// Conv2dAddReLU returns ReLU(Add(Conv2d(x, w, b, dilation), shortcut)), the end of a
// residual block. It is an operation of its own for speed and memory: the sum's terms
// are not stored. It panics if shortcut has not the shape of the convolution.
func Conv2dAddReLU(x, w, b, shortcut *Value, dilation int) *Value {
	return conv2d("Conv2dAddReLU", x, w, b, shortcut, tensor.ConvOptions{Dilation: dilation, ReLU: true})
}

func conv2d(op string, x, w, b, shortcut *Value, o tensor.ConvOptions) *Value {
	sources, inputs := convInputs(x)
	operands := append(sources[:len(sources):len(sources)], w, b)
	if shortcut != nil {
		source, input := convInput(shortcut)
		o.Add, operands = &input, append(operands, source)
		shortcut = source
	}
	forward := func() *tensor.Tensor {
		for i, s := range sources {
			inputs[i].X = s.Data() // which may have been forgotten since; a shortcut is not
		}
		return tensor.Conv2dOf(inputs, w.Data(), b.Data(), o)
	}
	var v *Value
	v = record(op, forward(), func(dy *tensor.Tensor) {
		masked := true // whether gradients can be written over what they are gradients of
		for i, s := range sources {
			switch {
			case !s.trained || inputs[i].Form == tensor.Constant:
			case inputs[i].Form != tensor.Plain || !s.relu || !s.spent():
				masked = false
			}
		}
		for i, s := range sources {
			switch {
			case !s.trained:
				inputs[i].Grad = tensor.NoGrad
			case masked && inputs[i].Form == tensor.Plain:
				inputs[i].Grad = tensor.MaskedGrad
			default:
				inputs[i].Grad = tensor.Grad
			}
		}
		for i, s := range sources {
			inputs[i].X = s.Data()
		}
		backward := o
		backward.Add, backward.ReLU = nil, o.ReLU && !v.inner
		if shortcut != nil { // it gets the same gradient as the convolution
			dy = v.unclipped(dy)
			backward.ReLU = false
		}
		dx, dw, db := tensor.Conv2dBackwardOf(inputs, w.Data(), v.data, dy, backward, w.trained, b.trained)
		for i, s := range sources {
			if dx[i] == nil {
				continue
			}
			if inputs[i].Grad == tensor.MaskedGrad {
				s.overwrite() // dx[i] is s.data
			} else {
				s.accumulate(dx[i])
			}
		}
		w.accumulate(dw)
		b.accumulate(db)
		switch {
		case shortcut == nil || !shortcut.trained:
		case o.Add.Form == tensor.Enlarged:
			shortcut.accumulate(tensor.Upsample2Backward(dy))
		default:
			v.pass(shortcut, dy)
		}
	}, operands...)
	v.relu, v.again = o.ReLU, forward
	for _, s := range sources {
		s.drop()
	}
	return v
}

// convInputs returns what a convolution of x reads, and of which values: those that x is
// a concatenation of, if it has not been computed.
func convInputs(x *Value) (sources []*Value, inputs []tensor.ConvInput) {
	parts := []*Value{x}
	if x.lazy("ConcatChannels") && !StoreInputs {
		parts = x.operands
	}
	stored := false // a part has the size of an image
	for _, p := range parts {
		stored = stored || !p.lazy("Expand")
	}
	for _, p := range parts {
		source, input := p, tensor.ConvInput{}
		if p.lazy("Expand") && stored && ConstantChannels {
			source, input.Form = p.operands[0], tensor.Constant
			input.X = source.Data()
		} else {
			source, input = convInput(p)
		}
		sources, inputs = append(sources, source), append(inputs, input)
	}
	return sources, inputs
}

// convInput returns what a convolution reads of a single value, and of which.
func convInput(x *Value) (source *Value, input tensor.ConvInput) {
	if x.lazy("Upsample2") && !StoreInputs {
		source = x.operands[0]
		return source, tensor.ConvInput{X: source.Data(), Form: tensor.Enlarged}
	}
	return x, tensor.ConvInput{X: x.Data()}
}

// Upsample2 enlarges images by two in both directions, by bilinear interpolation
// with half-pixel centres: see tensor.Upsample2, which it matches. Backward is the
// transposed map, tensor.Upsample2Backward. Shapes: (n,c,h,w) → (n,c,2h,2w). It
// panics for another rank.
//
// The enlarged image is not computed before something asks for it: convolutions do
// without, see ExchangeUpsampling and StoreInputs.
func Upsample2(x *Value) *Value {
	s := x.shape
	if len(s) != 4 {
		panic(fmt.Sprintf("autograd: Upsample2: shape %v, want (n,c,h,w)", s))
	}
	return later("Upsample2", []int{s[0], s[1], 2 * s[2], 2 * s[3]}, func() *tensor.Tensor {
		return tensor.Upsample2(x.Data())
	}, func(dy *tensor.Tensor) {
		x.accumulate(tensor.Upsample2Backward(dy))
	}, x)
}
