package superres

import (
	"fmt"
	"math/rand/v2"

	"pixelgrad/autograd"
	"pixelgrad/nn"
)

// SRVGGNetCompact is the small network of Real-ESRGAN: it works at the size of the picture, and
// learns only what to add to the nearest enlargement.
//
//	h = act(conv3 c→f (x))
//	h = act(conv3 f→f (h))                        n times
//	y = shuffle(conv3 f→c·s² (h)) + nearest(x)    s times larger
//
// realesr-general-x4v3 has f = 64, n = 32 and s = 4; realesr-animevideov3 has n = 16. Source:
// Wang et al., "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data",
// 2021, and basicsr/archs/srvgg_arch.py beside it.
type SRVGGNetCompact struct {
	channels, features, scale int
	body                      nn.Sequential // convolutions and activations by turns
	parameters                []nn.Parameter
}

// An Activation is what follows each convolution of an SRVGGNetCompact but the last.
type Activation string

// The activations.
const (
	PReLU     Activation = "prelu" // that of all published weights
	ReLU      Activation = "relu"
	LeakyReLU Activation = "leakyrelu" // with slope 0.1
)

// NewSRVGGNetCompact returns a network with random weights: for pictures of so many channels, so
// many features, convolutions between features, and a scale. It panics if one of the numbers is not
// positive, but for convs, which may be 0, or if there is no such activation.
func NewSRVGGNetCompact(rng *rand.Rand, channels, features, convs, scale int, act Activation) *SRVGGNetCompact {
	return newSRVGGNetCompact(&builder{rng: rng}, channels, features, convs, scale, act)
}

func newSRVGGNetCompact(b *builder, channels, features, convs, scale int, act Activation) *SRVGGNetCompact {
	if convs < 0 || scale < 1 {
		panic(fmt.Sprintf("superres: SRVGGNetCompact: %d convolutions, scale %d: want no negative number, and a scale of at least 1", convs, scale))
	}
	m := &SRVGGNetCompact{channels: channels, features: features, scale: scale}
	conv := func(in, out int) {
		m.body = append(m.body, b.conv3(numbered("body", len(m.body)), in, out))
	}
	activation := func() {
		switch act {
		case PReLU:
			m.body = append(m.body, b.prelu(numbered("body", len(m.body)), features))
		case ReLU:
			m.body = append(m.body, nn.Func(relu))
		case LeakyReLU:
			m.body = append(m.body, leakyReLU(0.1))
		default:
			panic(fmt.Sprintf("superres: SRVGGNetCompact: activation %q: want %s, %s or %s", act, PReLU, ReLU, LeakyReLU))
		}
	}
	conv(channels, features)
	activation()
	for range convs {
		conv(features, features)
		activation()
	}
	conv(features, channels*scale*scale)
	m.parameters = b.parameters
	return m
}

// Forward returns the enlarged pictures. Shapes: (n,c,h,w) → (n,c,scale·h,scale·w).
func (m *SRVGGNetCompact) Forward(x *autograd.Value) *autograd.Value {
	return add(shuffle(m.body.Forward(x), m.scale), nearest(x, m.scale))
}

// Parameters returns those of body.0, body.1 and so on.
func (m *SRVGGNetCompact) Parameters() []nn.Parameter { return m.parameters }

// Geometry tells how the enlarged picture depends on the picture: each convolution sees one pixel
// further.
func (m *SRVGGNetCompact) Geometry() Geometry {
	return Geometry{Scale: m.scale, Channels: m.channels, Reach: m.convs() + 2, Multiple: 1}
}

func (m *SRVGGNetCompact) convs() int { return len(m.body)/2 - 1 }

func (m *SRVGGNetCompact) String() string {
	return fmt.Sprintf("SRVGGNetCompact ×%d, %d features, %d convolutions", m.scale, m.features, m.convs())
}
