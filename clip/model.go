package clip

import (
	"fmt"

	"pixelgrad/tensor"
)

// Model is a CLIP with one of its towers or both. Its methods may be called from several
// goroutines.
type Model struct {
	config     Config
	vision     *visionTower // nil if it was not loaded
	text       *textTower
	logitScale float32
}

// Config returns the architecture. A tower that was not loaded is all zeros.
func (m *Model) Config() Config { return m.config }

// LogitScale returns exp(logit_scale), what cosines are multiplied with before softmax:
// 100 in OpenAI's models. It is NaN if a file with a single tower does not have it.
func (m *Model) LogitScale() float32 { return m.logitScale }

// Bytes returns the memory that the weights take.
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

// rowsAtOnce is about how many tokens go through a tower together: enough that the
// weights, which come from memory once each time, cost little, and few enough that what is
// computed needs little memory beside them.
const rowsAtOnce = 1024

// A visionTower turns pictures into embeddings.
type visionTower struct {
	VisionConfig
	patches     linear         // a convolution whose stride is its kernel's size
	positions   *tensor.Tensor // (tokens,width); the class token is part of the first
	preNorm     norm
	transformer transformer
	postNorm    norm
	projection  linear
}

// EncodeImage returns the embeddings of pictures, as they come out of the projection:
// their length is not 1, see Normalize. The pictures are those of Preprocess or
// PreprocessSquare.
//
//	x   = [class; patches·W] + positions           tokens
//	y   = blocks(LayerNorm(x))
//	out = LayerNorm(y[0])·projection                of the class token
//
// Shapes: (n,3,s,s) → (n,embed), s = Config().Vision.ImageSize. It panics on another shape,
// and if the image tower was not loaded. It matches encode_image of OpenAI's code.
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
	// As many pieces as it takes, all of about the same size.
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

// embed returns the tokens that go into the first block, those of all pictures as rows.
func (v *visionTower) embed(x *tensor.Tensor) *tensor.Tensor {
	n, tokens, width := x.Dim(0), v.tokens(), v.Width
	patches := v.cut(x)
	p := v.patches.forward(patches)
	tensor.Release(patches)
	t := tensor.NewUninitialized(n*tokens, width)
	tensor.Parallel(n, func(i int) {
		dst := t.Data()[i*tokens*width:][:tokens*width]
		copy(dst, v.positions.Data())
		dst = dst[width:] // behind the class token
		for j, y := range p.Data()[i*len(dst):][:len(dst)] {
			dst[j] += y
		}
	})
	tensor.Release(p)
	y := v.preNorm.forward(t)
	tensor.Release(t)
	return y
}

// cut returns the patches of all pictures as rows of (c,y,x), from left to right and from
// top to bottom: the rows that a convolution's weights are multiplied with.
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

// A textTower turns texts into embeddings.
type textTower struct {
	TextConfig
	endOfText   int            // its id, or 0 for the highest of each text
	tokens      *tensor.Tensor // (vocabulary,width)
	positions   *tensor.Tensor // (context,width)
	transformer transformer
	finalNorm   norm
	projection  linear
}

// EncodeText returns the embeddings of texts, as they come out of the projection: their
// length is not 1, see Normalize. A text is the ids that package clip/bpe makes of it, of
// any length up to Config().Text.Context; what follows the end-of-text token does not
// matter.
//
//	x   = tokens[ids] + positions
//	y   = blocks(x), where a token sees only itself and those before it
//	out = LayerNorm(y[end of text])·projection
//
// Since no token sees those behind it, what follows the end of the text is not computed: a
// text of five words takes a tenth of the time of one that fills the context. The end
// is the token with the highest id, at its first place, as in OpenAI's code, or
// Options.EndOfText.
//
// Shape of the result: (len(ids),embed). Errors: a text without ids, or with more than
// the context has; an id beyond the vocabulary; no Options.EndOfText in a text. It panics
// if the text tower was not loaded. It matches encode_text of OpenAI's code.
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

// end returns the place of the end-of-text token.
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

// embed returns the tokens that go into the first block, those of all texts as rows, how
// many each text has, and the row of each one's last.
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
