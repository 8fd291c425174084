package clip

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/tensor/torchfile"
)

// Options says which towers to load, and describes properties that the weights do not show.
// The zero value loads all towers in the file, as those of one of OpenAI's models.
type Options struct {
	// Vision and Text say which towers to load. If both are false, all towers in the
	// file are loaded. The other tower is not read, and the file need not have it.
	Vision, Text bool

	// GELU is for weights that were trained with plain GELU, x·Φ(x), like most of
	// LAION's and open_clip's. OpenAI's weights were trained with QuickGELU,
	// x·σ(1.702·x), and so were models with "quickgelu" in their names. The wrong
	// choice gives worse embeddings and no error.
	GELU bool

	// VisionHeads and TextHeads are the numbers of heads; 0 means one head for each 64
	// numbers of the width, as in all of OpenAI's models. The image tower of LAION's
	// ViT-H/14 has 16.
	VisionHeads, TextHeads int

	// EndOfText is the id of the token that becomes a text's embedding; 0 means the
	// highest id in the text, which is right for CLIP's own vocabulary. Extended
	// vocabularies need it.
	EndOfText int
}

// Weights is a source of named tensors, such as a safetensors.File or a torchfile.File.
type Weights interface {
	// Names returns the names of all tensors.
	Names() []string

	// Info describes a tensor without reading it.
	Info(name string) (safetensors.Info, error)

	// Tensor returns the tensor called name, which belongs to the caller. An error
	// names the source.
	Tensor(name string) (*tensor.Tensor, error)
}

// Load reads a model from a file. It accepts OpenAI's TorchScript archives such as
// ViT-B-32.pt, files of torch.save, and safetensors files. The content decides which format
// a file has. The tensors have the names of OpenAI and open_clip, or those of Hugging
// Face's CLIPModel. Numbers in half precision become float32.
//
// The shapes of the tensors give the architecture. Load accepts every CLIP whose image
// tower is a Vision Transformer. It ignores tensors that it does not need.
//
// Load rearranges the weights for multiplication, one tensor after another, while it reads
// the file. Its peak memory is hardly more than the memory of the model.
//
// Errors: the file cannot be read; a tensor is missing, or has a wrong shape or a type that
// cannot be read; a tensor has NaN or infinite numbers. They name the file and say what was
// expected and what was found.
func Load(path string, o Options) (*Model, error) {
	st, err := os.Stat(path) // before os.Open, which would wait for a named pipe's writer
	if err != nil {
		return nil, fmt.Errorf("clip: %w", err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("clip: %s: expected a file of weights, found something else (%v)", path, st.Mode().Type())
	}
	src, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("clip: %w", err)
	}
	defer src.Close()
	// The file is read and not mapped into memory: every byte is needed only once, and
	// the pages of a mapping would count as used memory.
	return Read(path, src, st.Size(), o)
}

// Read reads a model from r, as Load does from a file. size is the number of bytes in r.
// Errors call r by the name in name.
func Read(name string, r io.ReaderAt, size int64, o Options) (*Model, error) {
	// A safetensors file begins with eight bytes, the length of its header. The header
	// is a JSON object. PyTorch's files begin like a zip archive or a pickle.
	var begin [9]byte
	n, err := r.ReadAt(begin[:min(size, 9)], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("clip: %s: %w", name, err)
	}
	if n == len(begin) && begin[8] == '{' {
		f, err := safetensors.NewFile(name, r, size)
		if err != nil {
			return nil, fmt.Errorf("clip: %w", err)
		}
		defer f.Close()
		return New(f, name, o)
	}
	if begin[0] != 0x80 && string(begin[:4]) != "PK\x03\x04" {
		return nil, fmt.Errorf("clip: %s: expected weights in a safetensors file or one of PyTorch, found a file of %d bytes that begins with %q", name, size, begin[:n])
	}
	f, err := torchfile.NewFile(name, r, size)
	if err != nil {
		return nil, fmt.Errorf("clip: %w", err)
	}
	defer f.Close()
	return New(f, name, o)
}

// New makes a model from any source of tensors, as Load does from a file. Errors call the
// source by the name in source.
func New(w Weights, source string, o Options) (*Model, error) {
	r := &reader{w: w, source: source, has: map[string]bool{}, shapes: map[string][]int{}}
	for _, name := range w.Names() {
		r.has[name] = true
	}
	c, err := r.config(o)
	if err != nil {
		return nil, err
	}
	list := c.tensors(r.naming)
	switch {
	case r.has[logitScale]:
		list = append(list, shaped{logitScale, nil})
	case c.Vision.Width > 0 && c.Text.Width > 0:
		return nil, r.fail("no tensor %q, the factor of cosines", logitScale)
	}
	if err := r.check(list); err != nil {
		return nil, err
	}
	m := &Model{config: c, logitScale: float32(math.NaN())}
	if r.has[logitScale] {
		m.logitScale = float32(math.Exp(float64(r.logitScale())))
		if s := float64(m.logitScale); math.IsInf(s, 0) || math.IsNaN(s) {
			return nil, r.fail("tensor %q: expected the logarithm of a factor, found one of %v", logitScale, s)
		}
	}
	activation := tensor.QuickGELU
	if o.GELU {
		activation = tensor.GELU
	}
	n := r.naming
	if c.Vision.Width > 0 {
		v := &visionTower{VisionConfig: c.Vision}
		v.patches = linear{weight: r.patches(n.patches)}
		v.positions = r.tensor(n.visionPositions)
		class := r.tensor(n.class)
		v.preNorm = r.norm(n.preNorm)
		v.transformer = r.transformer(n.visionBlocks, &c.Vision.Transformer)
		v.transformer.activation = activation
		v.postNorm = r.norm(n.postNorm)
		v.projection = r.projection(n.visionProjection)
		if r.err == nil { // the class token is the same in every picture
			for i, x := range class.Data() {
				v.positions.Data()[i] += x
			}
		}
		m.vision = v
	}
	if c.Text.Width > 0 {
		t := &textTower{TextConfig: c.Text, endOfText: o.EndOfText}
		t.tokens = r.tensor(n.tokens)
		t.positions = r.tensor(n.textPositions)
		t.transformer = r.transformer(n.textBlocks, &c.Text.Transformer)
		t.transformer.activation, t.transformer.causal = activation, true
		t.finalNorm = r.norm(n.finalNorm)
		t.projection = r.projection(n.textProjection)
		m.text = t
	}
	if r.err != nil {
		return nil, r.err
	}
	return m, nil
}

// reader reads tensors and checks them. It keeps its first error; after that, its methods
// for tensors return nothing useful.
type reader struct {
	w      Weights
	source string
	has    map[string]bool
	naming *naming
	shapes map[string][]int // the shapes that check has verified
	err    error
}

func (r *reader) fail(format string, args ...any) error {
	return fmt.Errorf("clip: %s: %s", r.source, fmt.Sprintf(format, args...))
}

// config reads the architecture from the shapes, by the rules of OpenAI's build_model.
func (r *reader) config(o Options) (c Config, err error) {
	// One name is enough to tell the two namings apart.
	r.naming = &openAI
	for name := range r.has {
		if strings.HasPrefix(name, huggingFace.vision) || strings.HasPrefix(name, huggingFace.text) {
			r.naming = &huggingFace
		}
	}
	n := r.naming
	vision, text := o.Vision, o.Text
	if !vision && !text {
		vision = r.has[n.patches]
		text = r.has[n.tokens]
	}
	switch {
	case r.has["visual.layer1.0.conv1.weight"] && (o.Vision || !o.Text):
		return c, r.fail("the image tower of this CLIP is a ResNet, such as RN50's; expected a Vision Transformer, such as ViT-B/32's, with a tensor %q", n.patches)
	case !vision && !text:
		return c, r.fail("no tensor %q or %q: %s", n.patches, n.tokens, r.guess())
	case vision && !r.has[n.patches]:
		return c, r.fail("no tensor %q, which an image tower begins with: %s", n.patches, r.guess())
	case text && !r.has[n.tokens]:
		return c, r.fail("no tensor %q, which a text tower begins with: %s", n.tokens, r.guess())
	}
	if vision {
		if err := r.visionConfig(&c, o); err != nil {
			return c, err
		}
	}
	if text {
		if err := r.textConfig(&c, o); err != nil {
			return c, err
		}
	}
	return c, nil
}

// Bounds on pictures and patches. The largest pictures of any CLIP have 384 pixels, in 27×27
// patches. Without bounds, a small file could claim shapes whose activations need very much
// memory.
const (
	maxImage = 1024
	maxGrid  = 64
	maxPatch = 64
)

func (r *reader) visionConfig(c *Config, o Options) error {
	n, v := r.naming, &c.Vision
	s, err := r.shape(n.patches, "[width 3 patch patch]", 4)
	if err != nil {
		return err
	}
	if s[1] != 3 || s[2] != s[3] {
		return r.fail("tensor %q: expected shape [width 3 patch patch], found %v", n.patches, s)
	}
	v.Width, v.PatchSize = s[0], s[2]
	if s, err = r.shape(n.visionPositions, "[patches+1 width]", 2); err != nil {
		return err
	}
	grid := int(math.Round(math.Sqrt(float64(s[0] - 1))))
	if grid < 1 || grid*grid+1 != s[0] {
		return r.fail("tensor %q: expected the positions of a square of patches and one more, found %d of them", n.visionPositions, s[0])
	}
	if grid > maxGrid || v.PatchSize > maxPatch || grid*v.PatchSize > maxImage {
		return r.fail("tensors %q and %q: expected pictures of at most %d pixels in at most %d×%d patches of at most %d, found %d×%d patches of %d", n.patches, n.visionPositions, maxImage, maxGrid, maxGrid, maxPatch, grid, grid, v.PatchSize)
	}
	v.ImageSize = grid * v.PatchSize
	if c.Embed, err = r.embed(n.visionProjection); err != nil {
		return err
	}
	return r.transformerConfig(&v.Transformer, n.visionBlocks, o.VisionHeads, "VisionHeads")
}

func (r *reader) textConfig(c *Config, o Options) error {
	n, t := r.naming, &c.Text
	s, err := r.shape(n.tokens, "[vocabulary width]", 2)
	if err != nil {
		return err
	}
	t.Vocabulary, t.Width = s[0], s[1]
	if s, err = r.shape(n.textPositions, "[context width]", 2); err != nil {
		return err
	}
	t.Context = s[0]
	if o.EndOfText < 0 || o.EndOfText >= t.Vocabulary {
		return r.fail("Options.EndOfText is %d, but the ids of the vocabulary are 0 to %d", o.EndOfText, t.Vocabulary-1)
	}
	embed, err := r.embed(n.textProjection)
	if err != nil {
		return err
	}
	if c.Vision.Width > 0 && embed != c.Embed {
		return r.fail("tensors %q and %q: expected towers with embeddings of one size, found %d and %d", n.visionProjection, n.textProjection, c.Embed, embed)
	}
	c.Embed = embed
	return r.transformerConfig(&t.Transformer, n.textBlocks, o.TextHeads, "TextHeads")
}

// embed returns the size of a projection's embeddings.
func (r *reader) embed(name string) (int, error) {
	if r.naming.projectionTransposed {
		s, err := r.shape(name, "[embed width]", 2)
		return s[0], err
	}
	s, err := r.shape(name, "[width embed]", 2)
	return s[1], err
}

// transformerConfig finds the number of the blocks and their size. The width is known
// already.
func (r *reader) transformerConfig(t *Transformer, prefix string, heads int, option string) error {
	blocks := map[string]bool{}
	for name := range r.has {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			number, _, _ := strings.Cut(rest, ".")
			blocks[number] = true
		}
	}
	// If the numbers are not 0, 1, 2, …, check will miss a tensor.
	t.Layers = max(1, len(blocks))
	s, err := r.shape(r.naming.block(prefix, 0).hidden+".weight", "[hidden width]", 2)
	if err != nil {
		return err
	}
	t.Hidden = s[0]
	if t.Heads = heads; heads == 0 {
		t.Heads = t.Width / 64
		if t.Width%64 != 0 {
			return r.fail("the blocks %s* have a width of %d, which is not a multiple of 64: how many heads they have must be said in Options.%s", prefix, t.Width, option)
		}
	}
	if t.Heads < 1 || t.Width%t.Heads != 0 {
		return r.fail("the blocks %s* have a width of %d, which %d heads cannot share (Options.%s)", prefix, t.Width, t.Heads, option)
	}
	return nil
}

// shape returns the shape of a tensor of the given rank, with positive dimensions. In case
// of an error it returns zeros, as many as rank says. want is the expected shape, for the
// error.
func (r *reader) shape(name, want string, rank int) ([]int, error) {
	none := make([]int, rank)
	if !r.has[name] {
		return none, r.fail("no tensor %q, expected one of shape %s", name, want)
	}
	info, err := r.w.Info(name)
	if err != nil {
		return none, fmt.Errorf("clip: %w", err)
	}
	if len(info.Shape) != rank || slices.Min(append([]int{1}, info.Shape...)) < 1 {
		return none, r.fail("tensor %q: expected shape %s, found %v", name, want, info.Shape)
	}
	return info.Shape, nil
}

// check verifies, before any tensor is read, that all tensors exist and have the right
// shapes and readable types. The error names the first bad tensor and counts the others.
func (r *reader) check(list []shaped) error {
	var first error
	wrong := 0
	report := func(err error) {
		if wrong++; first == nil {
			first = err
		}
	}
	for _, t := range list {
		if !r.has[t.name] {
			report(r.fail("no tensor %q, expected one of shape %v", t.name, t.shape))
			continue
		}
		info, err := r.w.Info(t.name)
		switch {
		case err != nil:
			report(fmt.Errorf("clip: %w", err))
		case !slices.Equal(info.Shape, t.shape) && !(t.name == logitScale && slices.Equal(info.Shape, []int{1})):
			report(r.fail("tensor %q: expected shape %v, found %v", t.name, t.shape, info.Shape))
		case !info.DType.Readable():
			report(r.fail("tensor %q: expected elements of type F16, BF16, F32 or F64, found %s", t.name, info.DType))
		}
		r.shapes[t.name] = info.Shape
	}
	if wrong > 1 {
		return fmt.Errorf("%w; and %d more tensors are missing or wrong", first, wrong-1)
	}
	return first
}

// guess says what kind of file lacks the first tensor of a tower.
func (r *reader) guess() string {
	some := func(prefix string) bool {
		for name := range r.has {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
		return false
	}
	switch {
	case r.has[openAI.patches] || r.has[huggingFace.patches]:
		return "the file has an image tower only"
	case r.has[openAI.tokens] || r.has[huggingFace.tokens]:
		return "the file has a text tower only"
	case some("features."):
		return "these are the weights of another network, probably VGG; CLIP's are in OpenAI's ViT-B-32.pt, for example"
	}
	names := r.w.Names()
	list := make([]string, 0, 3)
	for _, name := range names[:min(len(names), 3)] {
		if len(name) > 60 {
			name = name[:60] + "…"
		}
		list = append(list, strconv.Quote(name))
	}
	return fmt.Sprintf("these are not the weights of a CLIP; found %d tensors (%s …)", len(names), strings.Join(list, ", "))
}

// tensor reads a tensor that check has verified.
func (r *reader) tensor(name string) *tensor.Tensor {
	if r.err != nil {
		return nil
	}
	t, err := r.w.Tensor(name)
	if err != nil {
		r.err = fmt.Errorf("clip: %w", err)
		return nil
	}
	if !slices.Equal(t.Shape(), r.shapes[name]) {
		r.err = r.fail("tensor %q: expected shape %v, found %v", name, r.shapes[name], t.Shape())
		return nil
	}
	if sum := tensor.Sum(t); math.IsNaN(sum) || math.IsInf(sum, 0) {
		r.err = r.fail("tensor %q has numbers that are infinite or none at all (NaN): the file is damaged", name)
		return nil
	}
	return t
}

// logitScale reads the logarithm of the factor of cosines.
func (r *reader) logitScale() float32 {
	t := r.tensor(logitScale)
	if r.err != nil {
		return 0
	}
	return t.Data()[0]
}

// pack rearranges weights with a row for each output, and releases them.
func (r *reader) pack(t *tensor.Tensor) *tensor.Packed {
	if r.err != nil {
		return nil
	}
	p := tensor.PackTransposed(t)
	tensor.Release(t)
	return p
}

// patches reads the weights of the convolution over patches, as a linear layer whose input is
// a whole patch.
func (r *reader) patches(name string) *tensor.Packed {
	t := r.tensor(name)
	if r.err != nil {
		return nil
	}
	return r.pack(t.Reshape(t.Dim(0), t.Len()/t.Dim(0)))
}

func (r *reader) projection(name string) linear {
	t := r.tensor(name)
	if r.err != nil {
		return linear{}
	}
	if r.naming.projectionTransposed {
		return linear{weight: r.pack(t)}
	}
	p := tensor.PackMatrix(t)
	tensor.Release(t)
	return linear{weight: p}
}

func (r *reader) norm(name string) norm {
	return norm{r.tensor(name + ".weight"), r.tensor(name + ".bias")}
}

func (r *reader) linear(name string) linear {
	return linear{r.pack(r.tensor(name + ".weight")), r.tensor(name + ".bias")}
}

// joined reads several tensors and joins their rows to one tensor.
func (r *reader) joined(names []string) *tensor.Tensor {
	if len(names) == 1 {
		return r.tensor(names[0])
	}
	shape := slices.Clone(r.shapes[names[0]])
	shape[0] *= len(names)
	all := tensor.NewUninitialized(shape...)
	dst := all.Data()
	for _, name := range names {
		t := r.tensor(name)
		if r.err != nil {
			return nil
		}
		dst = dst[copy(dst, t.Data()):]
		tensor.Release(t)
	}
	return all
}

func (r *reader) transformer(prefix string, c *Transformer) transformer {
	t := transformer{heads: c.Heads}
	for i := 0; i < c.Layers && r.err == nil; i++ {
		n := r.naming.block(prefix, i)
		t.blocks = append(t.blocks, block{
			norm1:   r.norm(n.norm1),
			in:      linear{r.pack(r.joined(n.inWeights)), r.joined(n.inBiases)},
			out:     r.linear(n.out),
			norm2:   r.norm(n.norm2),
			hidden:  r.linear(n.hidden),
			project: r.linear(n.project),
		})
	}
	return t
}
