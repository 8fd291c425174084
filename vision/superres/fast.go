package superres

import (
	"fmt"
	"math/rand/v2"

	"pixelgrad/autograd"
	"pixelgrad/nn"
	"pixelgrad/tensor"
)

// Fast is a small network for any photograph. It works at the size of the picture, looks at its luma
// alone, and learns only what bicubic interpolation lacks:
//
//	l = luma(x)
//	h = prelu(conv3 1→f (l))
//	h = prelu(conv3 f→f (h))                   n times
//	y = bicubic(x) + shuffle(conv3 f→s² (h))   s times larger; the same for each colour
//
// with f = fastFeatures and n = fastConvs. The eye sees fine detail in brightness much better than
// in colour, and a network of one colour has a third of the work at its ends. Adding an enlargement
// that is already good is global residual learning; source: Kim et al., "Accurate Image
// Super-Resolution Using Very Deep Convolutional Networks", 2016. The shuffle at the end is Shi et
// al.'s, "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
// Convolutional Neural Network", 2016.
type Fast struct {
	scale      int
	body       nn.Sequential
	parameters []nn.Parameter
}

// The sizes of Fast.
const (
	fastFeatures = 32
	fastConvs    = 5
)

// NewFast returns a network with random weights for a scale from 2 to 4. The last convolution begins
// with zeros, so that training begins with bicubic interpolation. It panics for another scale.
func NewFast(rng *rand.Rand, scale int) *Fast {
	m := newFast(&builder{rng: rng}, scale)
	last := m.body[len(m.body)-1].(*nn.Conv2d)
	tensor.Fill(last.Weight.Data(), 0)
	tensor.Fill(last.Bias.Data(), 0)
	return m
}

func newFast(b *builder, scale int) *Fast {
	if scale < 2 || scale > 4 {
		panic(fmt.Sprintf("superres: Fast: scale %d, want 2, 3 or 4", scale))
	}
	m := &Fast{scale: scale}
	conv := func(in, out int) { m.body = append(m.body, b.conv3(numbered("body", len(m.body)), in, out)) }
	for i := range 1 + fastConvs {
		conv(map[bool]int{true: 1, false: fastFeatures}[i == 0], fastFeatures)
		m.body = append(m.body, b.prelu(numbered("body", len(m.body)), fastFeatures))
	}
	conv(fastFeatures, scale*scale)
	m.parameters = b.parameters
	return m
}

// Forward returns the enlarged pictures. Shapes: (n,3,h,w) → (n,3,scale·h,scale·w).
func (m *Fast) Forward(x *autograd.Value) *autograd.Value {
	detail := shuffle(m.body.Forward(Luma(x)), m.scale)
	return add(autograd.Conv2d(detail, sameForAll, noBias3, 1), autograd.UpsampleBicubic(x, m.scale))
}

// Parameters returns those of body.0, body.1 and so on.
func (m *Fast) Parameters() []nn.Parameter { return m.parameters }

// Geometry tells how the enlarged picture depends on the picture: each convolution sees one pixel
// further. Bicubic interpolation sees two.
func (m *Fast) Geometry() Geometry {
	return Geometry{Scale: m.scale, Channels: 3, Reach: fastConvs + 2, Multiple: 1}
}

func (m *Fast) String() string {
	return fmt.Sprintf("Fast ×%d, %d features, %d convolutions", m.scale, fastFeatures, fastConvs)
}

// Luma returns the brightness of pictures: 0.299·red + 0.587·green + 0.114·blue, of ITU-R BT.601.
// Shapes: (n,3,h,w) → (n,1,h,w).
func Luma(x *autograd.Value) *autograd.Value { return autograd.Conv2d(x, lumaWeights, noBias1, 1) }

// Convolutions of single pixels: the luma of three colours, and three colours of one number.
var (
	lumaWeights = autograd.Constant(tensor.FromSlice([]float32{0.299, 0.587, 0.114}, 1, 3, 1, 1))
	sameForAll  = autograd.Constant(tensor.FromSlice([]float32{1, 1, 1}, 3, 1, 1, 1))
	noBias1     = autograd.Constant(tensor.New(1))
	noBias3     = autograd.Constant(tensor.New(3))
)

// FastArchitecture returns what cmd/train needs to know of Fast.
func FastArchitecture(scale int) Architecture {
	return Architecture{"fast", "Fast", 1, NoFeatures, func(rng *rand.Rand) Model { return Enlarger{NewFast(rng, scale)} }, nil}
}

// Enlarger makes a Model with one output of a Network.
type Enlarger struct{ Network }

// Forward returns what the network makes of the photographs.
func (e Enlarger) Forward(in Input) Output { return Output{Mid: e.Network.Forward(in.Photo)} }
