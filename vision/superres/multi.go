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

// Forward returns the enlarged pictures. Shapes: (n,3,h,w) → mid (n,3,2h,2w), large
// (n,3,4h,4w).
func (m *SuperResNetMulti) Forward(in Input) Output {
	h := relu(m.conv1.Forward(in.Photo))
	h = relu(m.conv2.Forward(h))
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

// twoSizes makes pictures of features, enlarged once and twice.
func twoSizes(h *autograd.Value, mid, large *nn.Conv2d) Output {
	m := up2(h)
	return Output{
		Mid:   sigmoid(mid.Forward(m)),
		Large: sigmoid(large.Forward(up2(m))),
	}
}
