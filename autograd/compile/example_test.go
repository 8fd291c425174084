package compile_test

import (
	"fmt"
	"math/rand/v2"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/nn"
	"pixelgrad/nn/optim"
	"pixelgrad/tensor"
)

// Train a network of one's own as a compiled program.
func ExampleTrain() {
	rng := rand.New(rand.NewPCG(1, 1))
	network := nn.Sequential{nn.NewConv2d(rng, 1, 8, 3), nn.Func(autograd.ReLU), nn.NewConv2d(rng, 8, 1, 3)}
	loss := func(prediction, target *autograd.Value) []*autograd.Value {
		return []*autograd.Value{autograd.MSE(prediction, target)}
	}
	x, y := tensor.New(1, 1, 16, 16), tensor.New(1, 1, 16, 16)
	for i := range x.Data() { // learn to invert a picture
		x.Data()[i] = float32(i%16) / 15
		y.Data()[i] = 1 - x.Data()[i]
	}
	in, target := autograd.Constant(x), autograd.Constant(y)
	step, err := compile.Train(network.Forward, loss, in, target, compile.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	adam := optim.NewAdam(network.Parameters(), 0.02)
	for i := range 200 {
		step.Forward(in)
		losses := step.Loss(target)
		step.Backward()
		adam.Step()
		adam.ZeroGrad()
		if i == 0 || i == 199 {
			fmt.Printf("step %3d: loss below %.2f: %v\n", i, 0.05, losses[0] < 0.05)
		}
	}
	// Output:
	// step   0: loss below 0.05: false
	// step 199: loss below 0.05: true
}

// A compiled prediction runs in memory that is planned before.
func ExamplePredict() {
	network := nn.NewConv2d(rand.New(rand.NewPCG(1, 1)), 3, 8, 3)
	forward := func(x *autograd.Value) *autograd.Value { return autograd.ReLU(network.Forward(x)) }
	x := autograd.Constant(tensor.New(1, 3, 32, 32))
	p, err := compile.Predict(forward, x, compile.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Run(x).Shape(), "in", len(p.Graph.Steps), "step:", p.Graph.Steps[0].Kernel)
	// Output: [1 8 32 32] in 1 step: conv + relu
}

// The passes, in the order in which they run.
func ExampleOptions() {
	for _, p := range compile.Passes {
		fmt.Println(p.Name)
	}
	// Output:
	// exchange
	// fuse
	// inputs
	// constants
	// loss
	// activations
	// slopes
	// inplace
	// recompute
	// packed
	// memory
}
