package words

import (
	"context"
	"fmt"
	"math"

	"pixelgrad/clip"
	"pixelgrad/clip/bpe"
	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/progress"
	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// Check returns an error if CLIP cannot read a description: it is too long, unless truncate
// says that it is to be cut, or has no words. The error names where it is from, and wraps a
// [bpe.TooLongError] if it is too long.
func Check(texts []Text, truncate bool) error {
	_, err := tokenize(texts, truncate)
	return err
}

// tokenize turns descriptions into tokens.
func tokenize(texts []Text, truncate bool) ([][]int, error) {
	t := bpe.New()
	ids := make([][]int, len(texts))
	for i, text := range texts {
		var err error
		if ids[i], err = t.Tokenize(text.Text, bpe.Options{Truncate: truncate}); err != nil {
			return nil, fmt.Errorf("%s: %w", text.From, err)
		}
		if ids[i][1] == bpe.EndOfText {
			return nil, fmt.Errorf("%s: expected a description, found %q, of which no word is left", text.From, text.Text)
		}
	}
	return ids, nil
}

// A Picture is a picture with its name.
type Picture struct {
	Name string
	*vision.RGB
}

// Options say how texts and pictures are compared.
type Options struct {
	frozen.Options                   // CLIP's alone
	Seed           uint64            // of random weights
	Truncate       bool              // cut descriptions that are too long, instead of refusing them
	Say            func(line string) // is told what was found in a file of weights; nil: nobody
}

// A Result is how near the directions of texts and pictures are.
type Result struct {
	Cosine     *tensor.Tensor // (texts,pictures)
	LogitScale float32        // by which CLIP multiplies a cosine before softmax
}

// Compare encodes texts and pictures with CLIP. It returns a [frozen.MissingError] if there are
// no weights of CLIP, which are looked for before anything is computed.
func Compare(ctx context.Context, texts []Text, pictures []Picture, o Options) (*Result, error) {
	tokens, err := tokenize(texts, o.Truncate)
	if err != nil {
		return nil, err
	}
	model, err := frozen.CLIP(o.Options, o.Seed, clip.Options{Vision: true, Text: true, Say: o.Say})
	if err != nil {
		return nil, err
	}
	switch n := model.Config().Text.Vocabulary; {
	case n < bpe.VocabularySize:
		return nil, fmt.Errorf("-clip-weights: expected a network with CLIP's own vocabulary of %d tokens, found one of %d, whose tokenizer is another", bpe.VocabularySize, n)
	case n > bpe.VocabularySize && o.Say != nil:
		o.Say(fmt.Sprintf("the network has %d tokens, more than CLIP's own vocabulary of %d: if its tokenizer is another, these numbers mean nothing", n, bpe.VocabularySize))
	}
	images, err := encodeImages(ctx, model, pictures)
	if err != nil {
		return nil, err
	}
	words, err := encodeTexts(ctx, model, tokens)
	if err != nil {
		return nil, err
	}
	r := &Result{clip.Cosine(words, images), model.LogitScale()}
	for i, row := range Rows(r.Cosine) {
		for j, v := range row {
			if math.IsNaN(v) {
				return nil, fmt.Errorf("the cosine of %q and %s is no number: expected CLIP's weights, found some that give embeddings without a direction", texts[i].Text, pictures[j].Name)
			}
		}
	}
	return r, nil
}

// Rows returns the rows of a matrix.
func Rows(x *tensor.Tensor) [][]float64 {
	n, m := x.Dim(0), x.Dim(1)
	all := make([][]float64, n)
	for i := range all {
		all[i] = make([]float64, m)
		for j := range all[i] {
			all[i][j] = float64(x.Data()[i*m+j])
		}
	}
	return all
}

// together is how many pictures or descriptions are encoded at a time.
const together = 16

// encodeImages returns an embedding for each picture. Shape: (n,embed).
func encodeImages(ctx context.Context, m *clip.Model, pictures []Picture) (*tensor.Tensor, error) {
	bar := progress.New(len(pictures), "Looking at pictures")
	defer bar.Close()
	c := m.Config()
	all := tensor.New(len(pictures), c.Embed)
	for i := 0; i < len(pictures); i += together {
		if err := cli.Interrupted(ctx); err != nil {
			return nil, err
		}
		n := min(together, len(pictures)-i)
		photos := make([]*vision.RGB, n)
		for j := range photos {
			photos[j] = pictures[i+j].RGB
		}
		x, err := m.Preprocess(photos...)
		if err != nil {
			return nil, err
		}
		y := m.EncodeImage(x)
		copy(all.Data()[i*c.Embed:], y.Data())
		tensor.Release(x)
		tensor.Release(y)
		bar.Set(i+n, "")
	}
	return all, nil
}

// encodeTexts returns an embedding for each description. Shape: (n,embed).
func encodeTexts(ctx context.Context, m *clip.Model, ids [][]int) (*tensor.Tensor, error) {
	embed := m.Config().Embed
	all := tensor.New(len(ids), embed)
	for i := 0; i < len(ids); i += together {
		if err := cli.Interrupted(ctx); err != nil {
			return nil, err
		}
		y, err := m.EncodeText(ids[i:min(i+together, len(ids))])
		if err != nil {
			return nil, err
		}
		copy(all.Data()[i*embed:], y.Data())
		tensor.Release(y)
	}
	return all, nil
}
