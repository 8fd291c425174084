package nn_test

import (
	"fmt"
	"math/rand/v2"

	"pixelgrad/autograd"
	"pixelgrad/nn"
	"pixelgrad/tensor"
)

// A network of two layers, with the names that PyTorch would give its parameters.
func Example() {
	rng := rand.New(rand.NewPCG(1, 2))
	network := nn.Sequential{nn.NewConv2d(rng, 3, 8, 3), nn.Func(autograd.ReLU), nn.NewConv2d(rng, 8, 3, 1)}
	y := network.Forward(autograd.Constant(tensor.New(1, 3, 16, 16)))
	fmt.Println(y.Shape(), nn.Count(network), "parameters")
	for _, p := range network.Parameters() {
		fmt.Println(p.Name, p.Shape())
	}
	// Output:
	// [1 3 16 16] 251 parameters
	// 0.weight [8 3 3 3]
	// 0.bias [8]
	// 2.weight [3 8 1 1]
	// 2.bias [3]
}

// Every pixel is off by 0.1: the mean squared error is 0.01, the PSNR 20 dB.
func ExamplePSNRLoss() {
	pred := autograd.Parameter(tensor.FromSlice([]float32{0.3, 0.7}, 2))
	target := autograd.Constant(tensor.FromSlice([]float32{0.4, 0.6}, 2))
	fmt.Printf("%.3f\n", nn.PSNRLoss(pred, target).Data().Data()[0])
	// Output: 0.050
}
