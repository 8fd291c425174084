package superres

import (
	"math/rand/v2"
	"strconv"

	"pixelgrad/autograd"
	"pixelgrad/nn"
)

// A Network is Fast, or one that others have published, and whose weights people have: Recognize
// returns the network of a file. In contrast to a Model it has one output, and takes pictures of any size.
// Its results are about in [0,1], and have to be clipped.
type Network interface {
	nn.Layer // Forward: pixels in [0,1], (n,c,h,w) → (n,c,scale·h,scale·w)

	// Geometry tells how the enlarged picture depends on the picture.
	Geometry() Geometry

	// String names the architecture, with its sizes.
	String() string
}

// Geometry is what has to be known of a network to enlarge a large picture part by part.
type Geometry struct {
	Scale    int // how many times larger the result is, in both directions
	Channels int // of the picture and of the result: 3 for RGB, 1 for luma

	// Reach is how many pixels on each side of a pixel, at most, change what becomes of it. A
	// part of a picture with so many pixels around it gives what the whole picture does.
	Reach int

	// Multiple is 1 or, if the network looks at squares of Multiple×Multiple pixels, their side.
	// Parts must begin at multiples of it, and end there unless the picture does.
	Multiple int
}

// A builder makes the layers of a network: with random weights, or with those of a file. It
// writes down the parameters, in order and under their names.
type builder struct {
	rng        *rand.Rand // of random weights
	from       *state     // if not nil, where the weights come from
	parameters []nn.Parameter
}

// conv3 returns a 3×3 convolution.
func (b *builder) conv3(name string, in, out int) *nn.Conv2d {
	var c *nn.Conv2d
	if b.from == nil {
		c = nn.NewConv2d(b.rng, in, out, 3)
	} else {
		c = &nn.Conv2d{Weight: b.from.parameter(name+".weight", out, in, 3, 3), Bias: b.from.parameter(name+".bias", out), Dilation: 1}
	}
	b.note(name, c)
	return c
}

// prelu returns a PReLU.
func (b *builder) prelu(name string, channels int) *nn.PReLU {
	var p *nn.PReLU
	if b.from == nil {
		p = nn.NewPReLU(channels)
	} else {
		p = &nn.PReLU{Weight: b.from.parameter(name+".weight", channels)}
	}
	b.note(name, p)
	return p
}

func (b *builder) note(name string, layer nn.Module) {
	b.parameters = append(b.parameters, nn.Join(nn.Child{Name: name, Module: layer})...)
}

// numbered returns the name of an element of a list.
func numbered(list string, i int) string { return list + "." + strconv.Itoa(i) }

// leakyReLU returns the activation with a slope that is not learnt.
func leakyReLU(slope float32) nn.Func {
	return func(x *autograd.Value) *autograd.Value { return autograd.LeakyReLU(x, slope) }
}
