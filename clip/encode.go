package clip

import (
	"fmt"
	"image"

	"pixelgrad/clip/bpe"
	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// mostPixels is more than any photograph has.
const mostPixels = 1 << 30

// EncodeImages returns the embeddings of pictures of any type and size: EncodeImage of what the
// method Preprocess makes of them, converted as vision.FromImage does. A photograph that carries its
// orientation beside its pixels must be upright; vision.ReadFile turns it.
//
// Shape of the result: (len(pictures),embed). It is an error if a picture has no pixels or more than
// 2³⁰, or if one side is more than 1,000 times the other. EncodeImages panics if the image tower was
// not loaded.
func (m *Model) EncodeImages(pictures ...image.Image) (*tensor.Tensor, error) {
	if m.vision == nil {
		panic("clip: EncodeImages: the model was loaded without its image tower")
	}
	size := m.vision.ImageSize
	x := tensor.NewUninitialized(len(pictures), 3, size, size)
	for i, p := range pictures { // one at a time, for they may be large
		if b := p.Bounds(); b.Dx() <= 0 || b.Dy() <= 0 || max(b.Dx(), b.Dy()) > longest*min(b.Dx(), b.Dy()) {
			return nil, fmt.Errorf("clip: picture %d has %d×%d pixels, expected some, and one side at most %d times the other; crop it first", i+1, b.Dx(), b.Dy(), longest)
		}
		if b := p.Bounds(); b.Dx() > mostPixels/b.Dy() {
			return nil, fmt.Errorf("clip: picture %d has %d×%d pixels, expected at most %d; scale it down first", i+1, b.Dx(), b.Dy(), mostPixels)
		}
		rgb, ok := p.(*vision.RGB)
		if !ok {
			rgb = vision.FromImage(p)
		}
		one, err := m.Preprocess(rgb)
		if err != nil {
			return nil, err
		}
		copy(x.Data()[i*one.Len():], one.Data())
		tensor.Release(one)
	}
	y := m.EncodeImage(x)
	tensor.Release(x)
	return y, nil
}

// EncodeTexts returns the embeddings of texts in words: EncodeText of the ids that package clip/bpe
// gives them.
//
// Shape of the result: (len(texts),embed). Errors: a text is not valid UTF-8 (bpe.ErrNotUTF8), or has
// more tokens than the model reads (*bpe.TooLongError); the model has not the vocabulary of OpenAI's
// CLIP. EncodeTexts panics if the text tower was not loaded.
func (m *Model) EncodeTexts(texts ...string) (*tensor.Tensor, error) {
	if m.text == nil {
		panic("clip: EncodeTexts: the model was loaded without its text tower")
	}
	if n := m.text.Vocabulary; n != bpe.VocabularySize {
		return nil, fmt.Errorf("clip: EncodeTexts: expected a model with CLIP's own vocabulary of %d tokens, found %d; give EncodeText the ids of the model's tokenizer", bpe.VocabularySize, n)
	}
	ids := make([][]int, len(texts))
	for i, text := range texts {
		var err error
		if ids[i], err = bpe.New().Tokenize(text, bpe.Options{ContextLength: m.text.Context}); err != nil {
			return nil, fmt.Errorf("clip: text %d: %w", i+1, err)
		}
	}
	return m.EncodeText(ids)
}
