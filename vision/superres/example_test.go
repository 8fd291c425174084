package superres_test

import (
	"fmt"
	"log"
	"math/rand/v2"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/nn/optim"
	"pixelgrad/tensor/weightfile"
	"pixelgrad/testdata/photos"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// Enlarge a photograph. train.LoadWeights would give the network weights that cmd/train has
// left; here they are random.
func Example() {
	model := superres.NewSuperResNetMulti(rand.New(rand.NewPCG(0, 0)))
	photo, err := vision.ReadFS(photos.FS, "alpaca_0.jpg")
	if err != nil {
		log.Fatal(err)
	}
	small := vision.Resize(photo, 72, 72)
	larger := model.Forward(superres.Input{Photo: autograd.Constant(small.Tensor())})
	fmt.Println(larger.Mid.Shape(), larger.Large.Shape())
	// Output: [1 3 144 144] [1 3 288 288]
}

// Enlarge with weights that others have trained. The file tells which network they are of; this one
// is a tiny SRVGGNetCompact, as Real-ESRGAN's training leaves it.
func ExampleRecognize() {
	const path = "../../testdata/golden/networks.pth"
	f, err := weightfile.Open(path, weightfile.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	network, err := superres.Recognize(path, f)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(network)
	photo, err := vision.ReadFS(photos.FS, "alpaca_0.jpg")
	if err != nil {
		log.Fatal(err)
	}
	small := autograd.Constant(vision.Resize(photo, 35, 51).Tensor())
	program, err := compile.Predict(network.Forward, small, compile.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(small.Shape(), "to", program.Run(small).Shape())
	// Output:
	// SRVGGNetCompact ×2, 4 features, 1 convolutions
	// [1 3 51 35] to [1 3 102 70]
}

// A training step, compiled.
func ExampleLoss() {
	model := superres.NewSuperResNet(rand.New(rand.NewPCG(0, 0)))
	photo, err := vision.ReadFS(photos.FS, "alpaca_0.jpg")
	if err != nil {
		log.Fatal(err)
	}
	in := superres.Input{Photo: autograd.Constant(vision.Resize(photo, 72, 72).Tensor())}
	target := superres.Output{Mid: autograd.Constant(vision.Resize(photo, 144, 144).Tensor())}
	step, err := compile.Train(model.Forward, superres.Loss, in, target, compile.Options{})
	if err != nil {
		log.Fatal(err)
	}
	adam := optim.NewAdam(model.Parameters(), 0.001)
	var first, last float64
	for i := range 10 {
		step.Forward(in)
		last = step.Loss(target)[0]
		step.Backward()
		adam.Step()
		adam.ZeroGrad()
		if i == 0 {
			first = last
		}
	}
	fmt.Println("the loss falls:", last < first)
	// Output: the loss falls: true
}
