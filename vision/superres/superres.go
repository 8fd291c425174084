// Package superres holds the networks that enlarge photographs of 72×72 pixels to
// 144×144, and the larger ones to 288×288 as well: one file each.
package superres

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"pixelgrad/autograd"
	"pixelgrad/nn"
)

// A Model is a network that enlarges photographs.
type Model interface {
	nn.Module

	// Forward returns the enlargements of x, by two and then, if the model makes it,
	// by four. Models that lean on a frozen network get what that sees in x, see
	// Architecture.Features; the others leave features alone. Shapes:
	// (n,3,h,w) → (n,3,2h,2w), (n,3,4h,4w).
	Forward(x *autograd.Value, features ...*autograd.Value) []*autograd.Value
}

// An Architecture is a kind of model.
type Architecture struct {
	Name     string // on the command line
	Title    string // of the type
	Outputs  int    // how many enlargements it makes
	Features Features
	New      func(rng *rand.Rand) Model

	// NewWithFeatures is New for features of another number of channels than the
	// usual one: VGG16's relu1_2, another CLIP. It is nil for models without.
	NewWithFeatures func(rng *rand.Rand, channels int) Model
}

// Features names the frozen network that a model leans on.
type Features string

// The frozen networks.
const (
	NoFeatures   Features = ""
	VGGFeatures  Features = "VGG16"         // (n,128,h/2,w/2) of relu2_2, or (n,64,h,w) of relu1_2
	CLIPFeatures Features = "CLIP ViT-B/32" // the embedding of the picture, (n,512)
)

// Architectures lists the models there are.
var Architectures = []Architecture{
	{"superresnet", "SuperResNet", 1, NoFeatures, func(rng *rand.Rand) Model { return NewSuperResNet(rng) }, nil},
	{"multi", "SuperResNetMulti", 2, NoFeatures, func(rng *rand.Rand) Model { return NewSuperResNetMulti(rng) }, nil},
	{"residual", "SuperResNetResidualBlock", 2, NoFeatures, func(rng *rand.Rand) Model { return NewSuperResNetResidualBlock(rng) }, nil},
	{"dilated", "SuperResNetDilated", 2, NoFeatures, func(rng *rand.Rand) Model { return NewSuperResNetDilated(rng) }, nil},
	{"vgg", "SuperResNetWithVGG", 2, VGGFeatures, func(rng *rand.Rand) Model { return NewSuperResNetWithVGG(rng, 128) },
		func(rng *rand.Rand, channels int) Model { return NewSuperResNetWithVGG(rng, channels) }},
	{"clip", "SuperResNetWithCLIP", 2, CLIPFeatures, func(rng *rand.Rand) Model { return NewSuperResNetWithCLIP(rng, 512) },
		func(rng *rand.Rand, channels int) Model { return NewSuperResNetWithCLIP(rng, channels) }},
}

// Find returns the architecture called name; the error lists those there are.
func Find(name string) (Architecture, error) {
	var names []string
	for _, a := range Architectures {
		if a.Name == name {
			return a, nil
		}
		names = append(names, a.Name)
	}
	return Architecture{}, fmt.Errorf("unknown model %q: there is %s", name, strings.Join(names, ", "))
}
