package clip

import (
	"errors"
	"image"
	"slices"
	"strings"
	"testing"

	"pixelgrad/clip/bpe"
	"pixelgrad/vision"
)

// words is an architecture with CLIP's vocabulary.
var words = Config{
	Embed:  8,
	Vision: VisionConfig{Transformer{16, 1, 2, 64, QuickGELU}, 8, 4},
	Text:   TextConfig{Transformer{16, 1, 2, 64, QuickGELU}, 12, bpe.VocabularySize},
}

// TestEncodeImages compares with the steps one by one, for pictures of several types and sizes, of
// which one does not begin at the origin.
func TestEncodeImages(t *testing.T) {
	m := Random(3, words)
	rgb := vision.FromTensor(scattered(1, 1, 3, 20, 13), 0)
	nrgba := image.NewNRGBA(image.Rect(-3, 5, 30, 25))
	for i := range nrgba.Pix {
		nrgba.Pix[i] = uint8(i * i)
	}
	gray := image.NewGray16(image.Rect(0, 0, 9, 8))
	for i := range gray.Pix {
		gray.Pix[i] = uint8(i * 7)
	}
	pictures := []image.Image{rgb, nrgba, gray}
	var converted []*vision.RGB
	for _, p := range pictures {
		converted = append(converted, vision.FromImage(p))
	}
	x, err := m.Preprocess(converted...)
	if err != nil {
		t.Fatal(err)
	}
	want := m.EncodeImage(x)
	got, err := m.EncodeImages(pictures...)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Shape(), []int{3, 8}) || !slices.Equal(got.Data(), want.Data()) {
		t.Errorf("got %v %v, want %v", got.Shape(), got.Data(), want.Data())
	}
	if got, err := m.EncodeImages(); err != nil || !slices.Equal(got.Shape(), []int{0, 8}) {
		t.Errorf("no pictures: %v, %v; want no embeddings", got, err)
	}
	for _, size := range []image.Rectangle{{}, image.Rect(0, 0, 5, 0), image.Rect(0, 0, 1001, 1)} {
		if _, err := m.EncodeImages(rgb, image.NewAlpha(size)); err == nil || !strings.Contains(err.Error(), "picture 2 has ") {
			t.Errorf("a picture of %v: error %v", size, err)
		}
	}
	if _, err := m.EncodeImages(image.NewUniform(image.White)); err == nil {
		t.Error("a picture without end: no error")
	}
}

// TestEncodeTexts compares with the ids of the tokenizer.
func TestEncodeTexts(t *testing.T) {
	m := Random(3, words)
	texts := []string{"a photo of a cat", "", "two dogs"}
	var ids [][]int
	for _, text := range texts {
		tokens, err := bpe.New().Tokenize(text, bpe.Options{ContextLength: 12})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, tokens)
	}
	got, err := m.EncodeTexts(texts...)
	if err != nil {
		t.Fatal(err)
	}
	if want := mustEncode(t, m, ids); !slices.Equal(got.Data(), want.Data()) {
		t.Errorf("got %v, want %v", got.Data(), want.Data())
	}
	if _, err := m.EncodeTexts("fine", "\xff"); !errors.Is(err, bpe.ErrNotUTF8) || !strings.Contains(err.Error(), "text 2") {
		t.Errorf("a text that is not UTF-8: error %v", err)
	}
	if _, err := m.EncodeTexts("a b c d e f g h i j k l"); !errors.As(err, new(*bpe.TooLongError)) {
		t.Errorf("a long text: error %v", err)
	}
	if _, err := Random(3, tiny).EncodeTexts("a"); err == nil || !strings.Contains(err.Error(), "49408 tokens, found 40") {
		t.Errorf("another vocabulary: error %v", err)
	}
}
