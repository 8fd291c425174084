package vgg

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"pixelgrad/tensor/weightfile"
)

// The weights are those of K. Simonyan and A. Zisserman, under CC BY 4.0.
// pretrained/README.md says where they are from and what was changed.
//
//go:embed pretrained/vgg16-relu2_2.safetensors
var pretrainedFile []byte

// pretrainedName is what errors call the embedded file.
const pretrainedName = "VGG16's first convolutions in the program"

// pretrained opens the embedded file.
var pretrained = sync.OnceValue(func() *weightfile.File {
	f, err := weightfile.Read(pretrainedName, bytes.NewReader(pretrainedFile), int64(len(pretrainedFile)), weightfile.Options{})
	if err != nil {
		panic(err) // the program itself is damaged
	}
	return f
})

// PretrainedTaps returns the names of the layers that Pretrained has.
func PretrainedTaps() []string { return Taps()[:slices.Index(Taps(), "pool2")+1] }

// Pretrained returns VGG16's first four convolutions, trained on ImageNet by its authors.
// They are a part of the program. upTo is the last layer that will be used, at most pool2;
// for later ones and for the classifier, Load reads a file. Its input is "pixels" in
// Inputs.
//
// The activations are those of the original network divided by a number for each layer,
// so that their mean is 1 over the photographs in testdata/photos at 72×72 pixels. That is
// possible because relu(a·x) = a·relu(x) for a > 0, and the same holds for max pooling:
//
//	w'ₗ = wₗ · mₗ₋₁/mₗ      b'ₗ = bₗ/mₗ      mₗ: mean activation of layer l, m₀ = 255
//
// A network that is trained beside them at the usual learning rates would drown in
// activations of about 200. They are stored in half precision, which changes activations
// by 3 in 10,000; rounding pixels to levels changes them by 4 in 1,000.
//
// Pretrained returns an error if upTo is not among PretrainedTaps.
//
// Source: L. Gatys et al., "Image Style Transfer Using Convolutional Neural Networks",
// 2016, section 2, where each channel has a factor. Here a layer has one, so that its
// channels stay in proportion.
func Pretrained(upTo string) (*VGG, error) {
	if !slices.Contains(PretrainedTaps(), upTo) {
		return nil, fmt.Errorf("vgg: %q is not in the program: there is %s; for the rest Load reads a file, such as torchvision's vgg16-397923af.pth", upTo, strings.Join(PretrainedTaps(), " "))
	}
	return New(pretrained(), pretrainedName, upTo, Options{Input: input("pixels")})
}
