// Package vgg runs VGG16, a network that classifies photographs. The outputs of its inner
// layers serve other networks as features. The package uses trained networks and computes
// no gradients.
//
// The network has thirteen 3×3 convolutions in five stages. ReLU follows each convolution.
// Each stage ends with a pool that halves the image. Three linear layers compute 1,000
// logits:
//
//	relu1_1 relu1_2 pool1           64 channels
//	relu2_1 relu2_2 pool2          128
//	relu3_1 relu3_2 relu3_3 pool3  256
//	relu4_1 relu4_2 relu4_3 pool4  512
//	relu5_1 relu5_2 relu5_3 pool5  512
//	average to 7×7 → 25088 → 4096 → 4096 → 1000
//
// The first four convolutions are part of the program, trained. To compute features of
// images of any size:
//
//	Pretrained("relu2_2") → VGG.Normalize → VGG.Features(x, "relu2_2")
//
// Later layers and the classifier come from a file. To name a photograph:
//
//	Load(path, Logits, Options{}) → VGG.Preprocess → VGG.Forward → Top
//
// Two networks of this layout are in use, and they were trained to see different numbers
// in place of pixels: see Inputs. Load finds out which one it has, and Normalize follows.
//
// Read vgg.go first, then input.go, pretrained.go and classes.go. load.go reads weight
// files, names.go knows how others name the tensors, recognise.go tells the two networks
// apart, and pass.go computes large batches with little memory.
//
// Source: K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale
// Image Recognition", 2015, table 1, configuration D. The layout, the names in weight
// files and the preprocessing are those of torchvision.models.vgg16.
package vgg

import (
	"fmt"
	"slices"
	"strings"

	"pixelgrad/tensor"
)

// layer is a layer of the convolutional part.
type layer struct {
	name  string
	stage int
	index int // of the convolution in torchvision's "features"; -1 for a pool
}

// layers lists the layers in the order of computation.
var layers = []layer{
	{"relu1_1", 0, 0}, {"relu1_2", 0, 2}, {"pool1", 0, -1},
	{"relu2_1", 1, 5}, {"relu2_2", 1, 7}, {"pool2", 1, -1},
	{"relu3_1", 2, 10}, {"relu3_2", 2, 12}, {"relu3_3", 2, 14}, {"pool3", 2, -1},
	{"relu4_1", 3, 17}, {"relu4_2", 3, 19}, {"relu4_3", 3, 21}, {"pool4", 3, -1},
	{"relu5_1", 4, 24}, {"relu5_2", 4, 26}, {"relu5_3", 4, 28}, {"pool5", 4, -1},
}

// Logits stands for the whole network. Load, New and Random accept it in place of the name
// of a layer.
const Logits = "logits"

// pooled is the side, in pixels, of the classifier's input.
const pooled = 7

// Taps returns the names of the layers whose output Features can return, first to last.
// ReLU is part of its convolution, so the output before it is not available.
func Taps() []string {
	names := make([]string, len(layers))
	for i, l := range layers {
		names[i] = l.name
	}
	return names
}

// VGG is the network, or only its first layers, up to the one that was given to Load.
// Several goroutines may call its methods at once.
type VGG struct {
	layers     []layer              // the layers that were loaded
	weight     []*tensor.PackedConv // of each layer, nil for pools
	bias       []*tensor.Tensor
	classifier []linear // three, or none
	input      Input
}

// linear is a layer of the classifier.
type linear struct {
	weight *tensor.PackedLinear
	bias   *tensor.Tensor
}

// Bytes returns the memory of the weights.
func (m *VGG) Bytes() int {
	n := 0
	for i, w := range m.weight {
		if w != nil {
			n += w.Bytes() + 4*m.bias[i].Len()
		}
	}
	for _, l := range m.classifier {
		n += l.weight.Bytes() + 4*l.bias.Len()
	}
	return n
}

// FeatureShape returns the shape of the features of one image of h×w pixels at a tap. It
// panics if the network has no such layer, or if no pixel of the image is left there.
func (m *VGG) FeatureShape(tap string, h, w int) (channels, height, width int) {
	last := m.find("FeatureShape", tap)
	channels, height, width = m.sizes("FeatureShape", last, h, w)
	return channels, height, width
}

// Features returns the outputs of the layers in taps, in the same order. A name may occur
// more than once. Layers after the last tap are not computed.
//
// Shapes: x (n,3,h,w) → (n,channels,h/2ⁱ,w/2ⁱ) after i pools; each pool rounds down. x is
// normalised as by m.Normalize. Its images may have any size that leaves at least one pixel.
// Features panics if x does not fit, if a name is not among Taps, or if its layer was not
// loaded. It matches the activations in torchvision's vgg16().features.
func (m *VGG) Features(x *tensor.Tensor, taps ...string) []*tensor.Tensor {
	if len(taps) == 0 {
		panic("vgg: Features: no taps")
	}
	p := m.newPass("Features", x, taps)
	last := p.stage(m.layers[p.last].stage, 0, x.Dim(0))
	out := make([]*tensor.Tensor, len(taps))
	for i, tap := range taps {
		at := m.find("Features", tap)
		if out[i] = p.taps[at]; at == p.last {
			out[i] = last
		}
	}
	return out
}

// Forward returns the logits of the classes. Top converts them to probabilities.
//
// Shapes: x (n,3,h,w) → (n,classes). torchvision's network has 1,000 classes. x is
// normalised as by m.Normalize. Its images have at least 32×32 pixels; the network was
// trained with 224×224. Forward panics if x does not fit or if the classifier was not
// loaded. It matches torchvision's vgg16().eval().
func (m *VGG) Forward(x *tensor.Tensor) *tensor.Tensor {
	if m.classifier == nil {
		panic(fmt.Sprintf("vgg: Forward: the classifier was not loaded, only the layers up to %s", m.layers[len(m.layers)-1].name))
	}
	p := m.newPass("Forward", x, []string{"pool5"})
	n := x.Dim(0)
	features := p.stage(4, 0, n)
	y := features
	if features.Dim(2) != pooled || features.Dim(3) != pooled {
		y = tensor.AdaptiveAvgPool(features, pooled, pooled)
		tensor.Release(features)
	}
	y = y.Reshape(n, y.Len()/n)
	for i, l := range m.classifier {
		z := l.weight.Mul(y, l.bias)
		tensor.Release(y)
		if y = z; i < 2 {
			y = tensor.ReLU(z)
			tensor.Release(z)
		}
	}
	return y
}

// find returns the index of the layer called name.
func (m *VGG) find(op, name string) int {
	i := slices.IndexFunc(m.layers, func(l layer) bool { return l.name == name })
	if i < 0 {
		what := "no such layer"
		if slices.Contains(Taps(), name) {
			what = "it was not loaded"
		}
		panic(fmt.Sprintf("vgg: %s: %q: %s; there is %s", op, name, what, strings.Join(Taps()[:len(m.layers)], " ")))
	}
	return i
}

// sizes returns the shape of the output for one image after a layer.
func (m *VGG) sizes(op string, last, h, w int) (channels, height, width int) {
	channels, height, width = 3, h, w
	for i, l := range m.layers[:last+1] {
		if l.index < 0 {
			height, width = height/2, width/2
		} else {
			channels = m.weight[i].Shape()[0]
		}
	}
	if height <= 0 || width <= 0 {
		panic(fmt.Sprintf("vgg: %s: nothing is left of an image of %d×%d pixels at %s", op, w, h, m.layers[last].name))
	}
	return channels, height, width
}
