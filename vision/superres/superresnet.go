package superres

import (
	"math/rand/v2"

	"pixelgrad/nn"
)

// SuperResNet doubles the size of a photograph: two convolutions look at each pixel
// and its neighbourhood, the features are enlarged, and a 1×1 convolution makes
// colours of them.
//
//	relu(conv3 3→64) → relu(conv3 64→64) → up2 → conv1 64→3 → σ
type SuperResNet struct {
	conv1, conv2, conv3 *nn.Conv2d
}

// NewSuperResNet returns a network with random weights.
func NewSuperResNet(rng *rand.Rand) *SuperResNet {
	return &SuperResNet{
		conv1: nn.NewConv2d(rng, 3, 64, 3),
		conv2: nn.NewConv2d(rng, 64, 64, 3),
		conv3: nn.NewConv2d(rng, 64, 3, 1),
	}
}

// Forward returns the enlarged pictures. Shapes: (n,3,h,w) → mid (n,3,2h,2w).
func (m *SuperResNet) Forward(in Input) Output {
	h := relu(m.conv1.Forward(in.Photo))
	h = relu(m.conv2.Forward(h))
	return Output{Mid: sigmoid(m.conv3.Forward(up2(h)))}
}

// Parameters returns those of conv1, conv2 and conv3.
func (m *SuperResNet) Parameters() []nn.Parameter {
	return nn.Join(nn.Child{Name: "conv1", Module: m.conv1}, nn.Child{Name: "conv2", Module: m.conv2}, nn.Child{Name: "conv3", Module: m.conv3})
}
