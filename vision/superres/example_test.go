package superres_test

import (
	"log"
	"math/rand/v2"

	"pixelgrad/autograd"
	"pixelgrad/nn/train"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// Enlarge a photograph with weights that cmd/train has left.
func Example() {
	model := superres.NewSuperResNet(rand.New(rand.NewPCG(0, 0)))
	if err := train.LoadWeights("weights.safetensors", model); err != nil {
		log.Fatal(err)
	}
	photo, err := vision.ReadFile("photo.jpg")
	if err != nil {
		log.Fatal(err)
	}
	larger := model.Forward(autograd.Inference(photo.Tensor()))[0]
	if err := vision.WritePNG("larger.png", vision.FromTensor(larger.Data(), 0)); err != nil {
		log.Fatal(err)
	}
}
