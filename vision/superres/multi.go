package superres

import (
	"math/rand/v2"

	"pixelgrad/autograd"
	"pixelgrad/nn"
)

// SuperResNetMulti doubles and quadruples the size of a photograph. Both outputs are
// made of the same features, enlarged once and twice:
//
//	h     = relu(conv3 3→64) → relu(conv3 64→64)
//	m     = up2(h)
//	mid   = σ(conv1 64→3 (m))
//	large = σ(conv1 64→3 (up2(m)))
type SuperResNetMulti struct {
	conv1, conv2, convMid, convLarge *nn.Conv2d
}

// NewSuperResNetMulti returns a network with random weights.
func NewSuperResNetMulti(rng *rand.Rand) *SuperResNetMulti {
	return &SuperResNetMulti{
		conv1:     nn.NewConv2d(rng, 3, 64, 3),
		conv2:     nn.NewConv2d(rng, 64, 64, 3),
		convMid:   nn.NewConv2d(rng, 64, 3, 1),
		convLarge: nn.NewConv2d(rng, 64, 3, 1),
	}
}

// Forward returns the enlarged pictures. Shapes: (n,3,h,w) → (n,3,2h,2w), (n,3,4h,4w),
// all with pixels in [0,1].
func (m *SuperResNetMulti) Forward(x *autograd.Value, _ ...*autograd.Value) []*autograd.Value {
	h := m.conv1.ForwardReLU(x)
	h = m.conv2.ForwardReLU(h)
	return twoSizes(h, m.convMid, m.convLarge)
}

// Parameters returns those of conv1, conv2, conv_mid and conv_large.
func (m *SuperResNetMulti) Parameters() []nn.Parameter {
	return nn.Join(
		nn.Child{Name: "conv1", Module: m.conv1},
		nn.Child{Name: "conv2", Module: m.conv2},
		nn.Child{Name: "conv_mid", Module: m.convMid},
		nn.Child{Name: "conv_large", Module: m.convLarge},
	)
}
