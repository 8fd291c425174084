package superres

import (
	"math/rand/v2"

	"pixelgrad/autograd"
	"pixelgrad/nn"
)

// SuperResNetDilated looks at each pixel's neighbourhood at three distances at once,
// in two blocks before the first enlargement and one after it:
//
//	m     = up2(D(D(relu(conv3 3→32))))
//	mid   = σ(conv1 32→3 (m))
//	large = σ(conv1 32→3 (up2(D(m))))
//
// with D a dilatedBlock.
type SuperResNetDilated struct {
	conv1                  *nn.Conv2d
	block1, block2, block3 *dilatedBlock
	convMid, convLarge     *nn.Conv2d
}

// dilatedBlock is D(x) = relu(conv3 96→32 (concat of relu(conv3 32→32 at dilation 1, 2, 4)(x))):
// the three see neighbourhoods of 3, 5 and 9 pixels, at the price of the first. Source:
// Yu and Koltun, "Multi-Scale Context Aggregation by Dilated Convolutions", 2016.
type dilatedBlock struct{ conv1, conv2, conv4, fuse *nn.Conv2d }

func newDilatedBlock(rng *rand.Rand, channels int) *dilatedBlock {
	b := &dilatedBlock{
		conv1: nn.NewConv2d(rng, channels, channels, 3),
		conv2: nn.NewConv2d(rng, channels, channels, 3),
		conv4: nn.NewConv2d(rng, channels, channels, 3),
		fuse:  nn.NewConv2d(rng, 3*channels, channels, 3),
	}
	b.conv2.Dilation = 2
	b.conv4.Dilation = 4
	return b
}

func (b *dilatedBlock) Forward(x *autograd.Value) *autograd.Value {
	return relu(b.fuse.Forward(concat(
		relu(b.conv1.Forward(x)),
		relu(b.conv2.Forward(x)),
		relu(b.conv4.Forward(x)),
	)))
}

func (b *dilatedBlock) Parameters() []nn.Parameter {
	return nn.Join(
		nn.Child{Name: "conv1", Module: b.conv1},
		nn.Child{Name: "conv2", Module: b.conv2},
		nn.Child{Name: "conv4", Module: b.conv4},
		nn.Child{Name: "fuse", Module: b.fuse},
	)
}

// NewSuperResNetDilated returns a network with random weights.
func NewSuperResNetDilated(rng *rand.Rand) *SuperResNetDilated {
	return &SuperResNetDilated{
		conv1:     nn.NewConv2d(rng, 3, 32, 3),
		block1:    newDilatedBlock(rng, 32),
		block2:    newDilatedBlock(rng, 32),
		block3:    newDilatedBlock(rng, 32),
		convMid:   nn.NewConv2d(rng, 32, 3, 1),
		convLarge: nn.NewConv2d(rng, 32, 3, 1),
	}
}

// Forward returns the enlarged pictures. Shapes: (n,3,h,w) → mid (n,3,2h,2w), large
// (n,3,4h,4w).
func (m *SuperResNetDilated) Forward(in Input) Output {
	h := relu(m.conv1.Forward(in.Photo))
	u := up2(m.block2.Forward(m.block1.Forward(h)))
	return Output{
		Mid:   sigmoid(m.convMid.Forward(u)),
		Large: sigmoid(m.convLarge.Forward(up2(m.block3.Forward(u)))),
	}
}

// Parameters returns those of conv1, block1, block2, block3, conv_mid and conv_large.
func (m *SuperResNetDilated) Parameters() []nn.Parameter {
	return nn.Join(
		nn.Child{Name: "conv1", Module: m.conv1},
		nn.Child{Name: "block1", Module: m.block1},
		nn.Child{Name: "block2", Module: m.block2},
		nn.Child{Name: "block3", Module: m.block3},
		nn.Child{Name: "conv_mid", Module: m.convMid},
		nn.Child{Name: "conv_large", Module: m.convLarge},
	)
}
