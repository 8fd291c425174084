package clip_test

import (
	"fmt"
	"log"

	"pixelgrad/clip"
	"pixelgrad/clip/bpe"
	"pixelgrad/vision"
)

// Which of three descriptions fits a photograph best?
func Example() {
	m, err := clip.Load("ViT-B-32.pt", clip.Options{})
	if err != nil {
		log.Fatal(err)
	}
	photo, err := vision.ReadFile("photo.jpg")
	if err != nil {
		log.Fatal(err)
	}
	x, err := clip.Preprocess(m.Config().Vision.ImageSize, photo)
	if err != nil {
		log.Fatal(err)
	}
	descriptions := []string{"a photo of a dog", "a photo of a cat", "a diagram"}
	tokenizer := bpe.New()
	var ids [][]int
	for _, text := range descriptions {
		tokens, err := tokenizer.Tokenize(text, bpe.Options{})
		if err != nil {
			log.Fatal(err)
		}
		ids = append(ids, tokens)
	}
	words, err := m.EncodeText(ids)
	if err != nil {
		log.Fatal(err)
	}
	cosines := clip.Cosine(m.EncodeImage(x), words)
	for i, p := range clip.Probabilities(cosines, m.LogitScale()).Data() {
		fmt.Printf("%5.1f %%  %s\n", 100*p, descriptions[i])
	}
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

func ExampleRandom() {
	c := clip.ViTB32()
	c.Vision.Layers, c.Text = 2, clip.TextConfig{} // a small one, without a text tower
	m := clip.Random(1, c)
	x, err := clip.Preprocess(224, vision.NewRGB(640, 480), vision.NewRGB(480, 640))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(x.Shape(), "→", m.EncodeImage(x).Shape())
	// Output: [2 3 224 224] → [2 512]
}

func ExampleCosine() {
	m := clip.Random(1, clip.Config{
		Embed: 16,
		Text:  clip.TextConfig{Transformer: clip.Transformer{Width: 64, Layers: 1, Heads: 1, Hidden: 256}, Context: 8, Vocabulary: 10},
	})
	words, err := m.EncodeText([][]int{{8, 1, 2, 9}, {8, 1, 2, 9, 0, 0}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", clip.Cosine(words, words).Data()) // what follows the highest id does not matter
	// Output: [1.000 1.000 1.000 1.000]
}
