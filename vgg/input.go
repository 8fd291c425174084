package vgg

import (
	"fmt"
	"strings"

	"pixelgrad/tensor"
)

// An Input is a convention: the numbers that a network was trained to see in place of
// pixels. For pixels x in [0,1] of red, green and blue it is
//
//	y[n,c,i,j] = (x[n,c,i,j] − Mean[c]) / Std[c]
//
// A network under another convention than its own runs without an error, and its features
// are wrong. The zero value is no convention.
type Input struct {
	Name string // one of those in Inputs, or a name for messages
	Mean [3]float32
	Std  [3]float32

	// BGR says that the first convolution in the file sees blue, green, red. Load puts its
	// channels in the order red, green, blue, so that a VGG always sees these.
	BGR bool
}

// levelMeans are the means of red, green and blue in ImageNet's photographs that VGG's
// authors subtracted from levels 0…255.
var levelMeans = [3]float32{123.68, 116.779, 103.939}

// Inputs lists the conventions that are in use.
//
//	IMAGENET1K_V1        means 0.485, 0.456, 0.406, deviations 0.229, 0.224, 0.225:
//	                     torchvision's vgg16-397923af.pth, and most networks of PyTorch
//	IMAGENET1K_FEATURES  means 0.48235, 0.45882, 0.40784, deviations 1/255: torchvision's
//	                     vgg16_features-amdegroot-88682ab5.pth, the authors' network
//	levels               levels 0…255 less 123.68, 116.779, 103.939, of red, green, blue
//	levels-BGR           the same for blue, green, red: Caffe's and Keras's files, and what
//	                     was converted from them
//	pixels               pixels in [0,1] less those means divided by 255: Pretrained's
//
// The means of IMAGENET1K_FEATURES are those of levels to within 0.7 levels.
var Inputs = []Input{
	{Name: "IMAGENET1K_V1", Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}},
	{Name: "IMAGENET1K_FEATURES", Mean: [3]float32{0.48235, 0.45882, 0.40784}, Std: same(1 / 255.)},
	{Name: "levels", Mean: pixelMeans(), Std: same(1 / 255.)},
	{Name: "levels-BGR", Mean: pixelMeans(), Std: same(1 / 255.), BGR: true},
	{Name: "pixels", Mean: pixelMeans(), Std: same(1)},
}

func pixelMeans() (m [3]float32) {
	for c, v := range levelMeans {
		m[c] = float32(float64(v) / 255)
	}
	return m
}

func same(v float32) [3]float32 { return [3]float32{v, v, v} }

// FindInput returns the convention of a name in Inputs; upper and lower case are the same.
// The error lists the names that there are.
func FindInput(name string) (Input, error) {
	for _, in := range Inputs {
		if strings.EqualFold(in.Name, name) {
			return in, nil
		}
	}
	return Input{}, fmt.Errorf("no input of VGG16 is called %q: there is %s", name, strings.Join(InputNames(), ", "))
}

// InputNames returns the names in Inputs.
func InputNames() []string {
	var names []string
	for _, in := range Inputs {
		names = append(names, in.Name)
	}
	return names
}

// input returns the convention of a name that is known to be in Inputs.
func input(name string) Input {
	in, err := FindInput(name)
	if err != nil {
		panic(err)
	}
	return in
}

// Normalize converts pixels in [0,1] to the numbers that the network was trained with, as
// Input says. Padding with zeros comes after it: the means cannot be a part of the first
// convolution's bias.
//
// Shapes: (n,3,h,w) → the same. Normalize panics on another shape. It matches
// torchvision.transforms.Normalize(mean, std).
func (m *VGG) Normalize(x *tensor.Tensor) *tensor.Tensor {
	s := x.Shape()
	if len(s) != 4 || s[1] != 3 {
		panic(fmt.Sprintf("vgg: Normalize: shape %v, want (n,3,h,w)", s))
	}
	y := tensor.NewUninitialized(s...)
	plane := s[2] * s[3]
	tensor.Parallel(3*s[0], func(p int) {
		mean, std := m.input.Mean[p%3], m.input.Std[p%3]
		dst := y.Data()[p*plane:][:plane]
		for i, v := range x.Data()[p*plane:][:plane] {
			dst[i] = (v - mean) / std
		}
	})
	return y
}

// Input returns the convention that Normalize follows.
func (m *VGG) Input() Input { return m.input }
