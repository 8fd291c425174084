package optim_test

import (
	"fmt"

	"pixelgrad/autograd"
	"pixelgrad/nn"
	"pixelgrad/nn/optim"
	"pixelgrad/tensor"
)

// Adam finds the number whose distance from 3 is smallest.
func ExampleAdam() {
	x := autograd.Parameter(tensor.New(1))
	three := autograd.Constant(tensor.FromSlice([]float32{3}, 1))
	adam := optim.NewAdam([]nn.Parameter{{Name: "x", Value: x}}, 0.1)
	for range 200 {
		autograd.MSE(x, three).Backward()
		adam.Step()
		adam.ZeroGrad()
	}
	fmt.Printf("%.2f\n", x.Data().Data()[0])
	// Output: 3.00
}
