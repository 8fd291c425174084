package superres

import (
	"fmt"
	"math/rand/v2"

	"pixelgrad/autograd"
	"pixelgrad/nn"
)

// SuperResNetWithVGG lets a network that was trained to tell a thousand things apart
// help: the features f that VGG16's first four convolutions see in the photograph join
// those of the trunk.
//
//	h     = relu(conv3 64→64 (relu(conv3 3→64)))
//	merge = relu(conv3 192→64 (concat(h, up2(f))))
//	mid   = σ(conv1 64→3 (up2(merge)))
//	large = σ(conv1 64→3 (up2(up2(merge))))
//
// VGG16 is frozen: its weights are not among the parameters. f is relu2_2, 128
// channels of half the size; with relu1_2, 64 channels of the whole size, there is
// no up2(f). The features must be about as large as the trunk's, as those of vgg.Pretrained
// are: activations of about 200 leave merge nothing to learn from.
type SuperResNetWithVGG struct {
	conv1, conv2, merge, convMid, convLarge *nn.Conv2d
}

// NewSuperResNetWithVGG returns a network with random weights for features of so many
// channels: 128 for relu2_2, 64 for relu1_2. In merge the trunk's 64 come first.
func NewSuperResNetWithVGG(rng *rand.Rand, channels int) *SuperResNetWithVGG {
	return &SuperResNetWithVGG{
		conv1:     nn.NewConv2d(rng, 3, 64, 3),
		conv2:     nn.NewConv2d(rng, 64, 64, 3),
		merge:     nn.NewConv2d(rng, 64+channels, 64, 3),
		convMid:   nn.NewConv2d(rng, 64, 3, 1),
		convLarge: nn.NewConv2d(rng, 64, 3, 1),
	}
}

// Forward returns the enlarged pictures. Shapes: photo (n,3,h,w), features (n,c,h,w) or
// (n,c,h/2,w/2) → mid (n,3,2h,2w), large (n,3,4h,4w). It panics without features.
func (m *SuperResNetWithVGG) Forward(in Input) Output {
	f := in.features("SuperResNetWithVGG")
	if f.Shape()[2] != in.Photo.Shape()[2] {
		f = up2(f)
	}
	h := relu(m.conv1.Forward(in.Photo))
	h = relu(m.conv2.Forward(h))
	h = relu(m.merge.Forward(concat(h, f)))
	return twoSizes(h, m.convMid, m.convLarge)
}

// Parameters returns those of conv1, conv2, merge, conv_mid and conv_large.
func (m *SuperResNetWithVGG) Parameters() []nn.Parameter {
	return mergeParameters(m.conv1, m.conv2, m.merge, m.convMid, m.convLarge)
}

// features returns the features that a model wants, or panics.
func (in Input) features(model string) *autograd.Value {
	if in.Features == nil {
		panic(fmt.Sprintf("superres: %s: Forward wants the frozen network's features beside photographs of shape %v", model, in.Photo.Shape()))
	}
	return in.Features
}

// mergeParameters names the layers of the two models that merge features.
func mergeParameters(conv1, conv2, merge, mid, large *nn.Conv2d) []nn.Parameter {
	return nn.Join(
		nn.Child{Name: "conv1", Module: conv1},
		nn.Child{Name: "conv2", Module: conv2},
		nn.Child{Name: "merge", Module: merge},
		nn.Child{Name: "conv_mid", Module: mid},
		nn.Child{Name: "conv_large", Module: large},
	)
}
