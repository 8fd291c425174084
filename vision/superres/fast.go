package superres

import (
	"fmt"
	"math"
	"math/rand/v2"

	"pixelgrad/autograd"
	"pixelgrad/nn"
	"pixelgrad/tensor"
)

// Fast is a small network for any photograph. It works at the size of the picture, and learns only
// what bicubic interpolation lacks:
//
//	h = prelu(conv3 3→f (x))
//	h = prelu(conv3 f→f (h))                    n times
//	y = bicubic(x) + shuffle(conv3 f→3·s² (h))  s times larger
//
// with f = fastFeatures and n = fastConvs. Adding an enlargement that is already good is global
// residual learning; source: Kim et al., "Accurate Image Super-Resolution Using Very Deep
// Convolutional Networks", 2016. The shuffle at the end is Shi et al.'s, "Real-Time Single Image and
// Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network", 2016.
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

// NewFast returns a network with random weights for a scale from 2 to 4. It panics for another scale.
//
// Weights have the variance 2/((1+a²)·fan), with a = ¼ the first slope and fan the inputs of a sum,
// which keeps activations and gradients as large from layer to layer; those of the last convolution
// are 0, so that training begins with bicubic interpolation. Source: He et al., "Delving Deep into
// Rectifiers", 2015, equation 15.
func NewFast(rng *rand.Rand, scale int) *Fast {
	m := newFast(&builder{rng: rng}, scale)
	const slope = 0.25
	gain := float32(math.Sqrt(3 * 2 / (1 + slope*slope))) // a new Conv2d has the variance 1/(3·fan)
	for i, layer := range m.body {
		c, ok := layer.(*nn.Conv2d)
		if !ok {
			continue
		}
		if i == len(m.body)-1 {
			gain = 0
		}
		w := c.Weight.Data()
		tensor.ScaleTo(w, gain, w)
		tensor.Fill(c.Bias.Data(), 0)
	}
	return m
}

func newFast(b *builder, scale int) *Fast {
	if scale < 2 || scale > 4 {
		panic(fmt.Sprintf("superres: Fast: scale %d, want 2, 3 or 4", scale))
	}
	m := &Fast{scale: scale}
	conv := func(in, out int) { m.body = append(m.body, b.conv3(numbered("body", len(m.body)), in, out)) }
	for i := range 1 + fastConvs {
		if i == 0 {
			conv(3, fastFeatures)
		} else {
			conv(fastFeatures, fastFeatures)
		}
		m.body = append(m.body, b.prelu(numbered("body", len(m.body)), fastFeatures))
	}
	conv(fastFeatures, 3*scale*scale)
	m.parameters = b.parameters
	return m
}

// BeginWith takes the weights of a network for another scale, but for those of the last convolution:
// what it sees in a picture is useful at every scale, and a training that begins with it is shorter.
// Source: Lim et al., "Enhanced Deep Residual Networks for Single Image Super-Resolution", 2017.
func (m *Fast) BeginWith(other *Fast) {
	for i, p := range m.parameters[:len(m.parameters)-2] {
		copy(p.Data().Data(), other.parameters[i].Data().Data())
	}
}

// Forward returns the enlarged pictures. Shapes: (n,3,h,w) → (n,3,scale·h,scale·w).
func (m *Fast) Forward(x *autograd.Value) *autograd.Value {
	return add(shuffle(m.body.Forward(x), m.scale), autograd.UpsampleBicubic(x, m.scale))
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

// FastArchitecture returns what cmd/train needs to know of Fast.
func FastArchitecture(scale int) Architecture {
	return Architecture{"fast", "Fast", 1, NoFeatures, func(rng *rand.Rand) Model { return Enlarger{NewFast(rng, scale)} }, nil}
}

// Enlarger makes a Model with one output of a Network.
type Enlarger struct{ Network }

// Forward returns what the network makes of the photographs.
func (e Enlarger) Forward(in Input) Output { return Output{Mid: e.Network.Forward(in.Photo)} }
