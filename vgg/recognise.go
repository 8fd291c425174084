package vgg

import (
	"math"
	"slices"
	"strings"
	"sync"

	"pixelgrad/tensor"
)

// Two networks have VGG16's name: the one of its authors, which sees levels less their
// means, and the one that torchvision trained, which sees IMAGENET1K_V1. Their files have
// the same names and shapes, and what a file's network wants to see is written in none.
// But their first convolutions, which those of networks trained further resemble, are
// unlike each other. The filters of a file are compared with both:
//
//	likeness = mean over filters k of (w[k]·r[k]) / (|w[k]|·|r[k]|)
//
// It is 1 for the same filters, whatever their scale, and within 0.1 of 0 for others. The
// deviation that pixels are divided by follows from the biases, because these do not
// change with it: a network for pixels that are s times smaller has weights s times larger.

// alike is the least likeness of filters that come from the same training. Noise as large
// as three quarters of the weights leaves 0.8; the authors' filters for blue, green, red
// have 0.68 with themselves for red, green, blue.
const alike = 0.8

// A reference is a first convolution that is known, or some of its filters.
type reference struct {
	filters []int     // their numbers
	weights []float32 // 27 for each: red, green and blue, row by row
	biases  []float32
	std     float64 // of the input that they want, about
}

// authors returns the reference of the network's authors, from the embedded file.
var authors = sync.OnceValue(func() reference {
	weight, err := pretrained().Tensor("features.0.weight")
	if err != nil {
		panic(err) // the program itself is damaged
	}
	bias, err := pretrained().Tensor("features.0.bias")
	if err != nil {
		panic(err)
	}
	r := reference{weights: weight.Data(), biases: bias.Data(), std: 1}
	for i := range bias.Len() {
		r.filters = append(r.filters, i)
	}
	return r
})

// torchvisionV1 holds the first and the last three filters of torchvision's IMAGENET1K_V1 to
// four digits: what PyTorch prints of vgg16().features[0], in many public notebooks.
var torchvisionV1 = reference{
	filters: []int{0, 1, 2, 61, 62, 63},
	biases:  []float32{0.4034, 0.3778, 0.4644, 0.0117, -0.5516, 0.2108},
	std:     0.226,
	weights: []float32{
		-0.5537, 0.1427, 0.5290, -0.5831, 0.3566, 0.7657, -0.6902, -0.0480, 0.4841,
		0.1755, 0.0099, -0.0814, 0.0441, -0.0703, -0.2604, 0.1324, -0.1728, -0.1323,
		0.3130, -0.1659, -0.4275, 0.4752, -0.0827, -0.4870, 0.6320, 0.0193, -0.2775,

		0.2325, 0.1267, 0.1861, -0.4281, -0.2435, 0.2463, -0.2507, 0.1418, -0.0055,
		-0.1408, -0.2190, 0.1504, -0.8413, -0.3518, 0.5640, -0.2419, 0.5193, 0.5391,
		-0.3143, -0.3705, -0.1309, -0.4714, -0.1550, 0.3459, 0.0544, 0.5868, 0.4958,

		0.1772, 0.5215, 0.0099, -0.2718, -0.7171, 0.3129, -0.0758, -0.2208, 0.3346,
		0.3092, 0.6707, 0.0205, -0.4661, -1.0697, 0.3350, -0.0803, -0.3052, 0.5446,
		0.3157, 0.4233, -0.3498, 0.0864, -0.4646, 0.0118, 0.1048, -0.1458, -0.0158,

		0.0776, 0.1269, 0.0323, 0.2213, 0.2468, -0.0466, 0.0464, 0.0282, 0.0175,
		-0.1833, -0.0674, -0.0072, -0.0489, 0.0070, -0.1288, -0.0646, -0.0646, 0.0442,
		-0.2255, -0.1193, -0.0234, -0.0992, -0.0151, 0.0010, -0.0261, 0.0014, 0.1428,

		0.0165, -0.0322, -0.0038, -0.0682, -0.1944, -0.1417, -0.0695, -0.1834, -0.1742,
		0.0428, -0.0675, -0.0070, 0.0118, -0.1496, -0.1236, 0.0102, -0.1039, -0.1174,
		0.1266, 0.0850, 0.1307, 0.1759, 0.1129, 0.1194, 0.1466, 0.0989, 0.1035,

		0.0322, -0.1077, -0.2639, 0.2796, -0.0374, -0.2547, 0.3487, 0.0300, -0.0559,
		0.2506, 0.1554, -0.1743, 0.3925, 0.0323, -0.3519, 0.1930, -0.1990, -0.2971,
		0.4603, 0.4340, 0.2835, 0.1634, -0.0582, -0.1920, -0.1952, -0.4563, -0.4273,
	},
}

// recognise tells what a network wants to see from the weight (64,3,3,3) and the bias of
// its first convolution, and how much that resembles one that is known. ok is false if
// it resembles none.
func recognise(weight, bias *tensor.Tensor) (in Input, likeness float64, ok bool) {
	if !slices.Equal(weight.Shape(), []int{64, 3, 3, 3}) || !slices.Equal(bias.Shape(), []int{64}) {
		return Input{}, 0, false
	}
	turned := reversed(weight)
	for _, c := range []struct {
		r      reference
		weight *tensor.Tensor
		inputs []string // in which it may be found
	}{
		{torchvisionV1, weight, []string{"IMAGENET1K_V1", "IMAGENET1K_FEATURES", "pixels"}},
		{authors(), weight, []string{"IMAGENET1K_V1", "IMAGENET1K_FEATURES", "pixels"}},
		{authors(), turned, []string{"levels-BGR"}},
	} {
		like, std := c.r.compare(c.weight.Data(), bias.Data())
		likeness = max(likeness, like)
		if !(like >= alike) {
			continue
		}
		for _, name := range c.inputs {
			in := input(name)
			if ratio := std / float64(in.Std[1]); ratio > 1/1.7 && ratio < 1.7 {
				return in, like, true
			}
		}
	}
	return Input{}, likeness, false
}

// compare returns the likeness of filters to those of the reference, and the deviation of
// the input that they want.
func (r reference) compare(weights, biases []float32) (likeness, std float64) {
	const size = 27
	var ratios []float64
	for i, k := range r.filters {
		w, known := weights[k*size:][:size], r.weights[i*size:][:size]
		length, known2 := math.Sqrt(dot(w, w)), math.Sqrt(dot(known, known))
		if length == 0 {
			continue // a filter that was cut away is like none
		}
		likeness += dot(w, known) / (length * known2) / float64(len(r.filters))
		if biases[k] != 0 {
			ratios = append(ratios, length/math.Abs(float64(biases[k]))*math.Abs(float64(r.biases[i]))/known2)
		}
	}
	if len(ratios) == 0 {
		return likeness, 0
	}
	slices.Sort(ratios)
	return likeness, r.std * ratios[len(ratios)/2]
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum
}

// reversed returns a weight (oc,3,kh,kw) with the order of the inputs turned round.
func reversed(weight *tensor.Tensor) *tensor.Tensor {
	y := tensor.New(weight.Shape()...)
	plane := weight.Len() / weight.Dim(0) / 3
	for k := range weight.Dim(0) {
		for c := range 3 {
			copy(y.Data()[(3*k+2-c)*plane:][:plane], weight.Data()[(3*k+c)*plane:][:plane])
		}
	}
	return y
}

// input returns the convention of a network whose first convolution is given, and says how
// it was found. Without a sign it is torchvision's usual one, or that of Caffe for a file
// with Caffe's names.
func (o Options) input(source string, how habit, weight, bias *tensor.Tensor) Input {
	found, likeness, ok := recognise(weight, bias)
	if found.Name == "IMAGENET1K_FEATURES" && how == caffe {
		found = input("levels") // nobody but torchvision rounds the means
	}
	usual := ""
	if how == numbers || how == caffe {
		usual = "; files that name layers so usually come from Caffe, whose networks see levels-BGR"
	}
	switch {
	case o.Input != Input{}:
		if ok && (found.Std != o.Input.Std || found.BGR != o.Input.BGR) {
			o.say("%s: the input %s is taken as asked, although the first convolution is that of a network that sees %s", source, o.Input.Name, found.Name)
		}
		return o.Input
	case ok:
		o.say("%s: the network sees %s, as its first convolution tells (likeness %.2f)%s", source, found.Name, likeness, usual)
		return found
	}
	assumed := input("IMAGENET1K_V1")
	if how == caffe {
		assumed = input("levels-BGR")
	}
	o.say("%s: nothing in the weights tells what the network sees (likeness %.2f to those that are known): %s is assumed%s; if that is wrong, name another input: %s", source, likeness, assumed.Name, usual, strings.Join(InputNames(), ", "))
	return assumed
}
