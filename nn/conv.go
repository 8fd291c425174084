package nn

import (
	"fmt"
	"math"
	"math/rand/v2"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// Conv2d is a convolution layer: stride 1, "same" zero padding, with a bias. Its
// parameters are called weight, of shape (out,in,kernel,kernel), and bias, (out).
// It matches torch.nn.Conv2d(in, out, kernel, padding="same", dilation=Dilation).
type Conv2d struct {
	Weight, Bias *autograd.Value
	Dilation     int // distance between the pixels that neighbouring weights meet
}

// NewConv2d returns a layer of kernel×kernel weights with PyTorch's default
// initialisation, from rng. It panics if a size is not positive or kernel is even.
func NewConv2d(rng *rand.Rand, in, out, kernel int) *Conv2d {
	if in <= 0 || out <= 0 || kernel <= 0 || kernel%2 == 0 {
		panic(fmt.Sprintf("nn: NewConv2d: %d to %d channels, kernel %d: want positive numbers and an odd kernel", in, out, kernel))
	}
	fanIn := in * kernel * kernel
	return &Conv2d{
		Weight:   autograd.Parameter(initUniform(rng, fanIn, out, in, kernel, kernel)),
		Bias:     autograd.Parameter(initUniform(rng, fanIn, out)),
		Dilation: 1,
	}
}

// initUniform returns a tensor from the uniform distribution on ±1/√fanIn: what
// PyTorch's kaiming_uniform_(a=√5) comes to for weights, and its default for biases.
// fanIn is the number of inputs that one output is computed from. Source: He et al.,
// "Delving Deep into Rectifiers", 2015, and reset_parameters of torch.nn.Conv2d.
func initUniform(rng *rand.Rand, fanIn int, shape ...int) *tensor.Tensor {
	bound := 1 / math.Sqrt(float64(fanIn))
	t := tensor.New(shape...)
	for i := range t.Data() {
		t.Data()[i] = float32((2*rng.Float64() - 1) * bound)
	}
	return t
}

// Forward returns the convolution of x. Shapes: (n,in,h,w) → (n,out,h,w).
func (c *Conv2d) Forward(x *autograd.Value) *autograd.Value {
	return autograd.Conv2d(x, c.Weight, c.Bias, c.Dilation)
}

// Parameters returns weight and bias.
func (c *Conv2d) Parameters() []Parameter {
	return []Parameter{{"weight", c.Weight}, {"bias", c.Bias}}
}
