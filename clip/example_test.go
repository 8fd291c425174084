package clip_test

import (
	"fmt"
	"image"
	"log"

	"pixelgrad/clip"
	"pixelgrad/clip/bpe"
	"pixelgrad/tensor"
	"pixelgrad/testdata/photos"
	"pixelgrad/vision"
)

// How well do three descriptions fit two photographs? This model is small and has random
// weights, so its answers mean nothing. With
//
//	clip.Load("ViT-B-32.pt", clip.Options{})
//
// instead of clip.Random they do.
func Example() {
	c := clip.ViTB32()
	c.Embed = 64
	c.Vision.Transformer = clip.Transformer{Width: 64, Layers: 2, Heads: 1, Hidden: 256}
	c.Text.Transformer = clip.Transformer{Width: 64, Layers: 2, Heads: 1, Hidden: 256}
	model := clip.Random(1, c)

	var pictures []image.Image
	for _, name := range []string{"red-panda_0.jpg", "tabby-cat_0.jpg"} {
		photo, err := vision.ReadFS(photos.FS, name) // or vision.ReadFile
		if err != nil {
			log.Fatal(err)
		}
		pictures = append(pictures, photo)
	}
	images, err := model.EncodeImages(pictures...)
	if err != nil {
		log.Fatal(err)
	}
	words, err := model.EncodeTexts("a photo of a red panda", "a photo of a cat", "a diagram")
	if err != nil {
		log.Fatal(err)
	}

	cosines := clip.Cosine(images, words)
	probabilities := clip.Probabilities(cosines, model.LogitScale())
	fmt.Println("pictures", images.Shape(), "texts", words.Shape(), "cosines", cosines.Shape())
	for i := range pictures {
		row := probabilities.Data()[3*i:][:3]
		fmt.Printf("the probabilities of picture %d add up to %.2f\n", i, row[0]+row[1]+row[2])
	}
	// Output:
	// pictures [2 64] texts [3 64] cosines [2 3]
	// the probabilities of picture 0 add up to 1.00
	// the probabilities of picture 1 add up to 1.00
}

// The steps of EncodeTexts, for models with a tokenizer of their own.
func ExampleModel_EncodeText() {
	c := clip.ViTB32()
	c.Vision, c.Text.Layers = clip.VisionConfig{}, 1 // a small one, without an image tower
	m := clip.Random(1, c)
	ids, err := bpe.New().Tokenize("a photo of a red panda", bpe.Options{})
	if err != nil {
		log.Fatal(err)
	}
	words, err := m.EncodeText([][]int{ids})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(ids), "ids →", words.Shape())
	// Output: 77 ids → [1 512]
}

// The architecture is read from the shapes of the tensors.
func ExampleLoad() {
	// Heads of other than 64 numbers cannot be seen in the weights.
	m, err := clip.Load("../testdata/golden/clip/model.safetensors", clip.Options{VisionHeads: 2, TextHeads: 2})
	if err != nil {
		log.Fatal(err)
	}
	c := m.Config()
	fmt.Println("pictures of", c.Vision.ImageSize, "pixels in patches of", c.Vision.PatchSize)
	fmt.Println("texts of up to", c.Text.Context, "tokens")
	fmt.Println("embeddings of", c.Embed, "numbers")
	// Output:
	// pictures of 8 pixels in patches of 4
	// texts of up to 8 tokens
	// embeddings of 8 numbers
}

// Pictures of any size and shape become embeddings of one size.
func ExampleRandom() {
	c := clip.ViTB32()
	c.Vision.Layers, c.Text = 2, clip.TextConfig{} // a small one, without a text tower
	m := clip.Random(1, c)
	x, err := m.Preprocess(vision.NewRGB(640, 480), vision.NewRGB(480, 640))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(x.Shape(), "→", m.EncodeImage(x).Shape())
	// Output: [2 3 224 224] → [2 512]
}

// What follows the end of a text, the highest id, does not matter.
func ExampleCosine() {
	m := clip.Random(1, clip.Config{
		Embed: 16,
		Text:  clip.TextConfig{Transformer: clip.Transformer{Width: 64, Layers: 1, Heads: 1, Hidden: 256}, Context: 8, Vocabulary: 10},
	})
	words, err := m.EncodeText([][]int{{8, 1, 2, 9}, {8, 1, 2, 9, 0, 0}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", clip.Cosine(words, words).Data())
	// Output: [1.000 1.000 1.000 1.000]
}

// Embeddings of unit length: their scalar products are the cosines.
func ExampleNormalize() {
	x := tensor.FromSlice([]float32{3, 4, 0, 2}, 2, 2)
	fmt.Println(clip.Normalize(x).Data())
	// Output: [0.6 0.8 0 1]
}

// What a model makes of cosines: the larger its scale, the clearer the choice.
func ExampleProbabilities() {
	cosines := tensor.FromSlice([]float32{0.30, 0.28, 0.20}, 1, 3)
	fmt.Printf("%.3f\n", clip.Probabilities(cosines, 100).Data())
	// Output: [0.881 0.119 0.000]
}

// What a super-resolution network predicts, at the size that the model reads.
func ExamplePreprocessSquare() {
	prediction := tensor.New(1, 3, 144, 144) // in [0,1]
	fmt.Println(clip.PreprocessSquare(224, prediction).Shape())
	// Output: [1 3 224 224]
}
