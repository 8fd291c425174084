package vgg_test

import (
	"fmt"
	"log"

	"pixelgrad/tensor"
	"pixelgrad/vgg"
	"pixelgrad/vision"
)

// What is on a photograph? The network in this file is a very small one, and knows ten
// classes that have no names. With torchvision's vgg16-397923af.pth instead, the classes
// are ImageNet's.
func Example() {
	model, err := vgg.Load("../testdata/golden/vgg_small.pth", vgg.Logits, vgg.Options{})
	if err != nil {
		log.Fatal(err)
	}
	photo, err := vision.ReadFile("../testdata/photos/red-panda_0.jpg")
	if err != nil {
		log.Fatal(err)
	}
	x, err := model.Preprocess(photo)
	if err != nil {
		log.Fatal(err)
	}
	logits := model.Forward(x)
	fmt.Println(x.Shape(), "→", logits.Shape())
	for _, c := range vgg.Top(logits.Data(), 2) {
		fmt.Printf("%5.1f %%  %s\n", 100*c.Probability, c.Name)
	}
	// Output:
	// [1 3 224 224] → [1 10]
	//  32.4 %  class 0
	//  27.5 %  class 4
}

// Features of 72×72 pixels, as the super-resolution networks use them.
func ExampleVGG_Features() {
	model, err := vgg.Pretrained("relu2_2") // for later layers: vgg.Load
	if err != nil {
		log.Fatal(err)
	}
	pixels := tensor.New(2, 3, 72, 72)
	for _, f := range model.Features(model.Normalize(pixels), "relu1_2", "relu2_2") {
		fmt.Println(f.Shape())
	}
	// Output:
	// [2 64 72 72]
	// [2 128 36 36]
}

// What the network sees in a photograph, or in any other image.Image.
func ExampleVGG_ImageFeatures() {
	model, err := vgg.Pretrained("relu2_2")
	if err != nil {
		log.Fatal(err)
	}
	photo, err := vision.ReadFile("../testdata/photos/red-panda_0.jpg")
	if err != nil {
		log.Fatal(err)
	}
	features, err := model.ImageFeatures(vision.Resize(photo, 101, 67), "relu2_2")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(features[0].Shape())
	// Output: [1 128 33 50]
}

func ExampleTop() {
	logits := make([]float32, 1000)
	logits[281], logits[282] = 9, 10
	for _, c := range vgg.Top(logits, 2) {
		fmt.Printf("%d %s %.2f\n", c.Index, c.Name, c.Probability)
	}
	// Output:
	// 282 tiger cat 0.71
	// 281 tabby 0.26
}
