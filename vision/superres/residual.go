package superres

import (
	"math/rand/v2"

	"pixelgrad/autograd"
	"pixelgrad/nn"
)

// SuperResNetResidualBlock makes features of 32 channels better in blocks that learn
// only what to add to them, two before the first enlargement and one after it:
//
//	m     = up2(R(R(relu(conv3 3→32))))
//	mid   = σ(conv1 32→3 (m))
//	large = σ(conv1 32→3 (up2(R(m))))
//
// with R a residualBlock.
type SuperResNetResidualBlock struct {
	conv1                  *nn.Conv2d
	block1, block2, block3 *residualBlock
	convMid, convLarge     *nn.Conv2d
}

// residualBlock is R(x) = relu(x + conv3(relu(conv3(x)))), 32 channels. Source: He et
// al., "Deep Residual Learning for Image Recognition", 2016, figure 2.
type residualBlock struct{ conv1, conv2 *nn.Conv2d }

func newResidualBlock(rng *rand.Rand, channels int) *residualBlock {
	return &residualBlock{nn.NewConv2d(rng, channels, channels, 3), nn.NewConv2d(rng, channels, channels, 3)}
}

func (b *residualBlock) Forward(x *autograd.Value) *autograd.Value {
	return relu(add(x, b.conv2.Forward(relu(b.conv1.Forward(x)))))
}

func (b *residualBlock) Parameters() []nn.Parameter {
	return nn.Join(nn.Child{Name: "conv1", Module: b.conv1}, nn.Child{Name: "conv2", Module: b.conv2})
}

// NewSuperResNetResidualBlock returns a network with random weights.
func NewSuperResNetResidualBlock(rng *rand.Rand) *SuperResNetResidualBlock {
	return &SuperResNetResidualBlock{
		conv1:     nn.NewConv2d(rng, 3, 32, 3),
		block1:    newResidualBlock(rng, 32),
		block2:    newResidualBlock(rng, 32),
		block3:    newResidualBlock(rng, 32),
		convMid:   nn.NewConv2d(rng, 32, 3, 1),
		convLarge: nn.NewConv2d(rng, 32, 3, 1),
	}
}

// Forward returns the enlarged pictures. Shapes: (n,3,h,w) → mid (n,3,2h,2w), large
// (n,3,4h,4w).
func (m *SuperResNetResidualBlock) Forward(in Input) Output {
	h := relu(m.conv1.Forward(in.Photo))
	u := up2(m.block2.Forward(m.block1.Forward(h)))
	return Output{
		Mid:   sigmoid(m.convMid.Forward(u)),
		Large: sigmoid(m.convLarge.Forward(up2(m.block3.Forward(u)))),
	}
}

// Parameters returns those of conv1, block1, block2, block3, conv_mid and conv_large.
func (m *SuperResNetResidualBlock) Parameters() []nn.Parameter {
	return nn.Join(
		nn.Child{Name: "conv1", Module: m.conv1},
		nn.Child{Name: "block1", Module: m.block1},
		nn.Child{Name: "block2", Module: m.block2},
		nn.Child{Name: "block3", Module: m.block3},
		nn.Child{Name: "conv_mid", Module: m.convMid},
		nn.Child{Name: "conv_large", Module: m.convLarge},
	)
}
