package superres

import (
	"math/rand/v2"

	"pixelgrad/nn"
)

// SuperResNetWithCLIP lets a network that was trained to match pictures with words
// help: the embedding e that CLIP gives the photograph is laid over every pixel,
// beside the features of the trunk.
//
//	h     = relu(conv3 64→64 (relu(conv3 3→64)))
//	merge = relu(conv3 576→64 (concat(h, expand(e))))
//	mid   = σ(conv1 64→3 (up2(merge)))
//	large = σ(conv1 64→3 (up2(up2(merge))))
//
// CLIP is frozen: its weights are not among the parameters. e is not normalised.
type SuperResNetWithCLIP struct {
	conv1, conv2, merge, convMid, convLarge *nn.Conv2d
}

// NewSuperResNetWithCLIP returns a network with random weights for embeddings of so
// many numbers: 512 for ViT-B/32. In merge the trunk's 64 channels come first.
func NewSuperResNetWithCLIP(rng *rand.Rand, embedding int) *SuperResNetWithCLIP {
	return &SuperResNetWithCLIP{
		conv1:     nn.NewConv2d(rng, 3, 64, 3),
		conv2:     nn.NewConv2d(rng, 64, 64, 3),
		merge:     nn.NewConv2d(rng, 64+embedding, 64, 3),
		convMid:   nn.NewConv2d(rng, 64, 3, 1),
		convLarge: nn.NewConv2d(rng, 64, 3, 1),
	}
}

// Forward returns the enlarged pictures. Shapes: photo (n,3,h,w), features (n,c) → mid
// (n,3,2h,2w), large (n,3,4h,4w). It panics without features.
func (m *SuperResNetWithCLIP) Forward(in Input) Output {
	e := in.features("SuperResNetWithCLIP")
	h := relu(m.conv1.Forward(in.Photo))
	h = relu(m.conv2.Forward(h))
	h = relu(m.merge.Forward(concat(h, expand(e, in.Photo.Shape()[2], in.Photo.Shape()[3]))))
	return twoSizes(h, m.convMid, m.convLarge)
}

// Parameters returns those of conv1, conv2, merge, conv_mid and conv_large.
func (m *SuperResNetWithCLIP) Parameters() []nn.Parameter {
	return mergeParameters(m.conv1, m.conv2, m.merge, m.convMid, m.convLarge)
}
