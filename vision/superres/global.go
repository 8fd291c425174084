package superres

import (
	"math/rand/v2"

	"pixelgrad/autograd"
	"pixelgrad/nn"
)

// SuperResNetGlobalResidual is SuperResNet with global residual learning, the one idea that takes
// it past interpolation: the photograph, enlarged, is added to the output, so that the network
// draws what interpolation lacks and not everything anew.
//
//	r   = relu(conv3 3→64) → relu(conv3 64→64) → up2 → conv1 64→3
//	mid = bicubic(photo) + r
//
// There is no σ: r is negative as often as not. So mid may leave [0,1] a little, as bicubic
// interpolation does. The layer that makes r is called residual and not conv3, so that nobody takes
// weights of SuperResNet for these.
//
// Source: Kim et al., "Accurate Image Super-Resolution Using Very Deep Convolutional Networks"
// (VDSR), 2016, section 3.1. The workshop has no such network.
type SuperResNetGlobalResidual struct {
	conv1, conv2, residual *nn.Conv2d
}

// NewSuperResNetGlobalResidual returns a network with random weights.
func NewSuperResNetGlobalResidual(rng *rand.Rand) *SuperResNetGlobalResidual {
	return &SuperResNetGlobalResidual{
		conv1:    nn.NewConv2d(rng, 3, 64, 3),
		conv2:    nn.NewConv2d(rng, 64, 64, 3),
		residual: nn.NewConv2d(rng, 64, 3, 1),
	}
}

// Forward returns the enlarged pictures. Shapes: (n,3,h,w) → mid (n,3,2h,2w).
func (m *SuperResNetGlobalResidual) Forward(in Input) Output {
	h := relu(m.conv1.Forward(in.Photo))
	h = relu(m.conv2.Forward(h))
	r := m.residual.Forward(up2(h))
	return Output{Mid: add(autograd.UpsampleBicubic(in.Photo, 2), r)}
}

// Parameters returns those of conv1, conv2 and residual.
func (m *SuperResNetGlobalResidual) Parameters() []nn.Parameter {
	return nn.Join(nn.Child{Name: "conv1", Module: m.conv1}, nn.Child{Name: "conv2", Module: m.conv2}, nn.Child{Name: "residual", Module: m.residual})
}
