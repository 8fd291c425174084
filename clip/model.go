package clip

import (
	"fmt"

	"pixelgrad/tensor"
)

// Model is a CLIP model with one or both of its towers. Several goroutines may call its
// methods at once.
type Model struct {
	config     Config
	vision     *visionTower // nil if it was not loaded
	text       *textTower
	logitScale float32
}

// Config returns the architecture. The fields of a tower that was not loaded are zero.
func (m *Model) Config() Config { return m.config }

// LogitScale returns exp(logit_scale), the factor of the cosines before softmax. It is 100
// in OpenAI's models. It is NaN if the file has a single tower and no logit_scale.
func (m *Model) LogitScale() float32 { return m.logitScale }

// Bytes returns the memory of the weights.
func (m *Model) Bytes() int {
	n := 0
	if v := m.vision; v != nil {
		n += v.patches.bytes() + 4*v.positions.Len() + v.preNorm.bytes() + v.transformer.bytes() + v.postNorm.bytes() + v.projection.bytes()
	}
	if t := m.text; t != nil {
		n += 4*(t.tokens.Len()+t.positions.Len()) + t.transformer.bytes() + t.finalNorm.bytes() + t.projection.bytes()
	}
	return n
}

// rowsAtOnce is the approximate number of tokens that go through a tower together. The
// weights are read from memory once for each group of tokens; with this many tokens that
// costs little. The activations of a group still need little memory beside the weights.
const rowsAtOnce = 1024

// visionTower computes the embeddings of pictures.
type visionTower struct {
	VisionConfig
	pixels      pixels
	patches     linear         // a convolution whose stride is its kernel's size
	positions   *tensor.Tensor // (tokens,width); the first includes the class token
	preNorm     norm
	transformer transformer
	postNorm    norm
	projection  linear
}

// EncodeImage returns the embeddings of pictures. x comes from Preprocess or
// PreprocessSquare. The embeddings are the projection's output, and their length is not 1;
// see Normalize.
//
//	x   = [class; patches·W] + positions           tokens
//	y   = blocks(LayerNorm(x))
//	out = LayerNorm(y[0])·projection                of the class token
//
// Shapes: (n,3,s,s) → (n,embed), s = Config().Vision.ImageSize. EncodeImage panics on
// another shape, and if the image tower was not loaded. It matches encode_image in OpenAI's
// code.
//
// Source: A. Radford et al., "Learning Transferable Visual Models From Natural Language
// Supervision", 2021, section 2.4; A. Dosovitskiy et al., "An Image is Worth 16×16
// Words", 2021, equations 1 to 4.
func (m *Model) EncodeImage(x *tensor.Tensor) *tensor.Tensor {
	v := m.vision
	if v == nil {
		panic("clip: EncodeImage: the model was loaded without its image tower")
	}
	s := x.Shape()
	if len(s) != 4 || s[1] != 3 || s[2] != v.ImageSize || s[3] != v.ImageSize {
		panic(fmt.Sprintf("clip: EncodeImage: shape %v, want (n,3,%d,%d)", s, v.ImageSize, v.ImageSize))
	}
	n, size := s[0], 3*v.ImageSize*v.ImageSize
	y := tensor.NewUninitialized(n, m.config.Embed)
	// As few pieces as possible, all of about the same size.
	pieces := (n*v.tokens() + rowsAtOnce - 1) / rowsAtOnce
	pieces = min(pieces, n)
	for i := range pieces {
		from, to := i*n/pieces, (i+1)*n/pieces
		part := tensor.FromSlice(x.Data()[from*size:to*size], to-from, 3, v.ImageSize, v.ImageSize)
		e := v.forward(part)
		copy(y.Data()[from*m.config.Embed:], e.Data())
		tensor.Release(e)
	}
	return y
}

func (v *visionTower) forward(x *tensor.Tensor) *tensor.Tensor {
	n := x.Dim(0)
	lengths, class := make([]int, n), make([]int, n)
	for i := range lengths {
		lengths[i], class[i] = v.tokens(), i*v.tokens()
	}
	y := v.transformer.forward(v.embed(x), lengths, class)
	h := v.postNorm.forward(y)
	tensor.Release(y)
	e := v.projection.forward(h)
	tensor.Release(h)
	return e
}

// embed returns the input of the first block. Its rows are the tokens of all pictures.
func (v *visionTower) embed(x *tensor.Tensor) *tensor.Tensor {
	n, tokens, width := x.Dim(0), v.tokens(), v.Width
	patches := v.cut(x)
	p := v.patches.forward(patches)
	tensor.Release(patches)
	t := tensor.NewUninitialized(n*tokens, width)
	tensor.Parallel(n, func(i int) {
		dst := t.Data()[i*tokens*width:][:tokens*width]
		copy(dst, v.positions.Data())
		dst = dst[width:] // after the class token
		for j, y := range p.Data()[i*len(dst):][:len(dst)] {
			dst[j] += y
		}
	})
	tensor.Release(p)
	y := v.preNorm.forward(t)
	tensor.Release(t)
	return y
}

// cut returns the patches of all pictures as rows, from left to right and from top to
// bottom. The pixels of a row are in the order (c,y,x), like the weights of a convolution.
func (v *visionTower) cut(x *tensor.Tensor) *tensor.Tensor {
	n, size, p := x.Dim(0), v.ImageSize, v.PatchSize
	grid := size / p
	y := tensor.NewUninitialized(n*grid*grid, 3*p*p)
	tensor.Parallel(n*grid, func(i int) { // a row of patches
		dst := y.Data()[i*grid*3*p*p:]
		for column := range grid {
			for c := range 3 {
				plane := x.Data()[(i/grid*3+c)*size*size:]
				for r := range p {
					copy(dst[:p], plane[(i%grid*p+r)*size+column*p:])
					dst = dst[p:]
				}
			}
		}
	})
	return y
}

// textTower computes the embeddings of texts.
type textTower struct {
	TextConfig
	endOfText   int            // its id, or 0 for the highest of each text
	tokens      *tensor.Tensor // (vocabulary,width)
	positions   *tensor.Tensor // (context,width)
	transformer transformer
	finalNorm   norm
	projection  linear
}

// EncodeText returns the embeddings of texts. A text is a list of token ids from package
// clip/bpe, of any length up to Config().Text.Context. The embeddings are the projection's
// output, and their length is not 1; see Normalize.
//
//	x   = tokens[ids] + positions
//	y   = blocks(x), where a token sees only itself and earlier tokens
//	out = LayerNorm(y[end of text])·projection
//
// No token sees later tokens, so EncodeText does not compute those after the end of the
// text. A text of five words takes a tenth of the time of a text that fills the context.
// The end is the first token with the highest id, as in OpenAI's code, or the first
// Options.EndOfText.
//
// Shape of the result: (len(ids),embed). Errors: a text has no ids, or more than the
// context; an id is outside the vocabulary; a text has no Options.EndOfText. EncodeText
// panics if the text tower was not loaded. It matches encode_text in OpenAI's code.
//
// Source: A. Radford et al., "Learning Transferable Visual Models From Natural Language
// Supervision", 2021, section 2.4.
func (m *Model) EncodeText(ids [][]int) (*tensor.Tensor, error) {
	t := m.text
	if t == nil {
		panic("clip: EncodeText: the model was loaded without its text tower")
	}
	texts := make([][]int, len(ids))
	for i, text := range ids {
		end, err := t.end(text)
		if err != nil {
			return nil, fmt.Errorf("clip: text %d: %w", i+1, err)
		}
		texts[i] = text[:end+1]
	}
	y := tensor.NewUninitialized(len(ids), m.config.Embed)
	for from := 0; from < len(texts); {
		to, tokens := from, 0
		for to < len(texts) && (to == from || tokens+len(texts[to]) <= rowsAtOnce) {
			tokens += len(texts[to])
			to++
		}
		e := t.forward(texts[from:to])
		copy(y.Data()[from*m.config.Embed:], e.Data())
		tensor.Release(e)
		from = to
	}
	return y, nil
}

// end returns the index of the end-of-text token.
func (t *textTower) end(text []int) (int, error) {
	if len(text) == 0 || len(text) > t.Context {
		return 0, fmt.Errorf("expected 1 to %d token ids, found %d", t.Context, len(text))
	}
	highest := 0
	for i, id := range text {
		if id < 0 || id >= t.Vocabulary {
			return 0, fmt.Errorf("id %d at place %d is not in the vocabulary, whose ids are 0 to %d", id, i, t.Vocabulary-1)
		}
		if id > text[highest] {
			highest = i
		}
	}
	if t.endOfText == 0 {
		return highest, nil
	}
	for i, id := range text {
		if id == t.endOfText {
			return i, nil
		}
	}
	return 0, fmt.Errorf("expected the end-of-text token %d, found none", t.endOfText)
}

func (t *textTower) forward(texts [][]int) *tensor.Tensor {
	x, lengths, ends := t.embed(texts)
	y := t.transformer.forward(x, lengths, ends)
	h := t.finalNorm.forward(y)
	tensor.Release(y)
	e := t.projection.forward(h)
	tensor.Release(h)
	return e
}

// embed returns the input of the first block: the tokens of all texts as rows. It also
// returns the number of tokens in each text, and the row of each text's last token.
func (t *textTower) embed(texts [][]int) (x *tensor.Tensor, lengths, ends []int) {
	n := 0
	for _, text := range texts {
		n += len(text)
		lengths = append(lengths, len(text))
		ends = append(ends, n-1)
	}
	x = tensor.NewUninitialized(n, t.Width)
	dst := x.Data()
	for _, text := range texts {
		for place, id := range text {
			token := t.tokens.Data()[id*t.Width:][:t.Width]
			position := t.positions.Data()[place*t.Width:][:t.Width]
			for j, v := range token {
				dst[j] = v + position[j]
			}
			dst = dst[t.Width:]
		}
	}
	return x, lengths, ends
}
