package clip

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// config reads the sizes from the shapes, by the rules of OpenAI's build_model. Heads and
// activations are not in them.
func (r *reader) config(o Options) (c Config, err error) {
	r.naming = r.findNaming()
	n := r.naming
	vision, text := o.Vision, o.Text
	if !vision && !text {
		vision = r.has[n.patches]
		text = r.has[n.tokens]
	}
	if o.Vision || !o.Text {
		if other := r.otherVision(); other != "" {
			return c, r.fail("%s; expected a Vision Transformer, such as ViT-B/32's, with a tensor %q", other, n.patches)
		}
	}
	switch {
	case !vision && !text:
		return c, r.fail("no tensor %q or %q: %s", n.patches, n.tokens, r.guess())
	case vision && !r.has[n.patches]:
		return c, r.fail("no tensor %q, which an image tower begins with: %s", n.patches, r.guess())
	case text && !r.has[n.tokens]:
		return c, r.fail("no tensor %q, which a text tower begins with: %s", n.tokens, r.guess())
	}
	if vision {
		if err := r.visionConfig(&c); err != nil {
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

// findNaming tells the namings apart. One name is enough.
func (r *reader) findNaming() *naming {
	switch {
	case r.some(huggingFace.vision), r.some(huggingFace.text):
		return &huggingFace
	case r.has[nested.tokens]:
		return &nested
	}
	return &openAI
}

// some reports whether a name begins with prefix.
func (r *reader) some(prefix string) bool {
	for name := range r.has {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// otherVision names an image tower that is not a Vision Transformer like CLIP's; "" if there
// is none.
func (r *reader) otherVision() string {
	switch {
	case r.has[resNet]:
		return "the image tower of this CLIP is a ResNet, such as RN50's"
	case r.some("visual.trunk."):
		return `the image tower (visual.trunk…) is a network of timm, as in open_clip's models with SigLIP, EVA, ConvNeXt or ViTamin in their names`
	case r.some("vision_model.head."):
		return "these are the weights of a SigLIP, whose image tower ends with attention pooling and has no class token"
	}
	return ""
}

// Bounds on pictures and patches. The largest pictures of any CLIP have 384 pixels, in 27×27
// patches. Without bounds, a small file could claim shapes whose activations need very much
// memory.
const (
	maxImage = 1024
	maxGrid  = 64
	maxPatch = 64
)

func (r *reader) visionConfig(c *Config) error {
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
	return r.transformerConfig(&v.Transformer, n.visionBlocks)
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
	return r.transformerConfig(&t.Transformer, n.textBlocks)
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
func (r *reader) transformerConfig(t *Transformer, prefix string) error {
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
		case !info.DType.Readable() || !info.DType.Float():
			// Integers would be weights that were divided by a scale, which is not here.
			report(r.fail("tensor %q: expected floats, such as F16, BF16 or F32, found %s", t.name, info.DType))
		}
		r.shapes[t.name] = info.Shape
	}
	if wrong > 1 {
		return fmt.Errorf("%w; and %d more tensors are missing or wrong", first, wrong-1)
	}
	return first
}

// strict returns an error if a tower has tensors that are not in list: it would be another
// network without them, such as one with layer scale.
func (r *reader) strict(list []shaped, c *Config) error {
	known := map[string]bool{}
	for _, t := range list {
		known[t.name] = true
	}
	var more []string
	for name := range r.has {
		vision := strings.HasPrefix(name, r.naming.vision) && c.Vision.Width > 0
		text := c.Text.Width > 0 && (r.naming.text != "" && strings.HasPrefix(name, r.naming.text) || strings.HasPrefix(name, r.naming.textBlocks))
		// Buffers with the numbers 0, 1, 2, … or a mask are no weights.
		buffer := strings.HasSuffix(name, "position_ids") || strings.HasSuffix(name, "attn_mask")
		if (vision || text) && !known[name] && !buffer {
			more = append(more, name)
		}
	}
	if len(more) == 0 {
		return nil
	}
	return r.fail("tensor %q belongs to a tower, but not to that of a CLIP of OpenAI's kind, and %d more: expected no others than those, because the network computes something else with them", slices.Min(more), len(more)-1)
}

// guess says what kind of file lacks the first tensor of a tower.
func (r *reader) guess() string {
	for name := range r.has {
		for _, n := range namings {
			for _, first := range []string{n.patches, n.tokens} {
				if before, ok := strings.CutSuffix(name, "."+first); ok && !r.has[openAI.patches] {
					return fmt.Sprintf("it is called %q here; take %q off all names, or name the dictionary with -key (Options.Key)", name, before+".")
				}
			}
		}
	}
	switch {
	case r.has[openAI.patches] || r.has[huggingFace.patches]:
		if r.some("text.") {
			return "the text tower is that of another network, such as XLM-RoBERTa; the image tower alone can be loaded (Options.Vision)"
		}
		return "the file has an image tower only"
	case r.has[openAI.tokens] || r.has[nested.tokens] || r.has[huggingFace.tokens]:
		return "the file has a text tower only"
	case r.has["embeddings.class_embedding"]:
		return "these are the weights of Hugging Face's CLIPVisionModel, which has no projection; take those of CLIPVisionModelWithProjection or CLIPModel"
	case r.some("constants."):
		return "the file is a frozen archive (torch.jit.freeze), in which most tensors have lost their names; save the network without freezing it"
	case r.some("features."):
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
