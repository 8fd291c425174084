// Package superres holds the networks that enlarge photographs of 72×72 pixels to
// 144×144, and the larger ones to 288×288 as well: one file each. Beside them are networks that
// others have published, for pictures of any size: Recognize finds out which one a file has. Open
// returns what enlarges any picture with one of them.
package superres

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"pixelgrad/autograd"
	"pixelgrad/nn"
)

// The operations, under the names that they have in the drawings of the networks.
var (
	relu    = autograd.ReLU
	sigmoid = autograd.Sigmoid
	up2     = autograd.Upsample2
	concat  = autograd.ConcatChannels
	expand  = autograd.Expand
	add     = autograd.Add
	scale   = autograd.Scale
	nearest = autograd.UpsampleNearest
	shuffle = autograd.PixelShuffle
)

// A Model is a network that enlarges photographs.
type Model interface {
	nn.Module

	// Forward returns the enlargements. It panics if in has no features although the model
	// leans on a frozen network: see Architecture.Features.
	Forward(in Input) Output
}

// Input is what a model sees. Features must be of Photo as it is: those that were computed once
// for a whole photograph do not fit a part of it, or a photograph that was flipped or turned
// (vision.Batch.Altered). Half of the size is exact for even sides alone.
type Input struct {
	Photo    *autograd.Value // (n,3,h,w), pixels in [0,1]
	Features *autograd.Value // what a frozen network sees in the photographs, or nil: see Features
}

// Map returns the input with f applied to each value.
func (in Input) Map(f func(*autograd.Value) *autograd.Value) Input {
	return Input{f(in.Photo), f(in.Features)}
}

// Output is what a model makes of photographs, and what it is compared with.
type Output struct {
	Mid   *autograd.Value // (n,3,2h,2w), pixels in [0,1]
	Large *autograd.Value // (n,3,4h,4w), or nil from a model with one output
}

// Map returns the output with f applied to each value.
func (out Output) Map(f func(*autograd.Value) *autograd.Value) Output {
	return Output{f(out.Mid), f(out.Large)}
}

// Sizes returns the enlargements that there are, the smaller one first.
func (out Output) Sizes() []*autograd.Value {
	if out.Large == nil {
		return []*autograd.Value{out.Mid}
	}
	return []*autograd.Value{out.Mid, out.Large}
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
	{"global", "SuperResNetGlobalResidual", 1, NoFeatures, func(rng *rand.Rand) Model { return NewSuperResNetGlobalResidual(rng) }, nil},
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
