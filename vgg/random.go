package vgg

import (
	"math"
	"math/rand/v2"
	"strconv"

	"pixelgrad/tensor"
)

// Random returns a network with random weights, initialised as torchvision does before
// training (He's initialisation). The weights of convolutions have a normal distribution
// with variance 2/(9·oc), those of the classifier one with standard deviation 0.01. Biases
// are 0. Its input is IMAGENET1K_V1. The network is for demonstrations: its features respond
// to edges and colours, like any random filters, but its classes mean nothing. The same seed
// gives the same weights. Random panics if upTo is neither one of Taps nor Logits.
//
// Source: K. He et al., "Delving Deep into Rectifiers", 2015, section 2.2.
func Random(seed uint64, upTo string) *VGG {
	m, err := New(initial{rand.New(rand.NewPCG(seed, 0))}, "random weights", upTo, Options{Input: input("IMAGENET1K_V1")})
	if err != nil {
		panic(err)
	}
	return m
}

// initial makes random weights on request.
type initial struct{ rng *rand.Rand }

// initialShapes holds the shapes of the published network.
var initialShapes = func() map[string][]int {
	shapes := map[string][]int{}
	add := func(name string, weight ...int) {
		shapes[name+".weight"], shapes[name+".bias"] = weight, weight[:1]
	}
	ic := 3
	for _, l := range layers {
		if l.index >= 0 {
			oc := min(64<<l.stage, 512)
			add("features."+strconv.Itoa(l.index), oc, ic, 3, 3)
			ic = oc
		}
	}
	add("classifier.0", 4096, ic*pooled*pooled)
	add("classifier.3", 4096, 4096)
	add("classifier.6", 1000, 4096)
	return shapes
}()

func (initial) Names() []string {
	var names []string
	for name := range initialShapes {
		names = append(names, name)
	}
	return names
}

func (w initial) Tensor(name string) (*tensor.Tensor, error) {
	shape := initialShapes[name]
	t := tensor.New(shape...)
	if len(shape) == 1 {
		return t, nil
	}
	std := 0.01
	if len(shape) == 4 {
		std = math.Sqrt(2 / float64(9*shape[0]))
	}
	for i := range t.Data() {
		t.Data()[i] = float32(std * w.rng.NormFloat64())
	}
	return t, nil
}
