package clip

import (
	"fmt"
	"strings"

	"pixelgrad/tensor"
)

// Config is the architecture of a model. The fields of a missing tower are zero.
type Config struct {
	Embed  int // numbers of an embedding, the same for both towers
	Vision VisionConfig
	Text   TextConfig
}

// VisionConfig is the architecture of an image tower. It reads
// (ImageSize/PatchSize)² patches and one class token.
type VisionConfig struct {
	Transformer
	ImageSize int // pixels, of each side
	PatchSize int // pixels, of each side
}

// TextConfig is the architecture of a text tower.
type TextConfig struct {
	Transformer
	Context    int // the largest number of tokens in a text
	Vocabulary int // the number of different tokens
}

// Transformer describes the blocks of a tower.
type Transformer struct {
	Width  int // numbers of a token
	Layers int
	Heads  int
	Hidden int // numbers between the two linear layers of a block
	GELU   GELU
}

// ViTB32 returns the architecture of OpenAI's ViT-B/32: 87.8 million parameters in the
// image tower, 63.4 million in the text tower.
func ViTB32() Config {
	return Config{
		Embed:  512,
		Vision: VisionConfig{Transformer{768, 12, 12, 3072, QuickGELU}, 224, 32},
		Text:   TextConfig{Transformer{512, 12, 8, 2048, QuickGELU}, 77, 49408},
	}
}

// GELU is the activation in the blocks of a tower. Weights work only with the activation that
// they were trained with, and do not show it: with the other one the embeddings are worse,
// and nothing fails.
type GELU string

const (
	// UnknownGELU is no activation. In Options it stands for the one that the file tells.
	UnknownGELU GELU = ""

	// QuickGELU is x·σ(1.702·x): of OpenAI's models, and of those with "quickgelu" in
	// their names.
	QuickGELU GELU = "quick"

	// PlainGELU is x·Φ(x), nn.GELU in PyTorch: of most models of LAION and open_clip.
	PlainGELU GELU = "plain"
)

// ParseGELU returns the activation of a name: quick or plain, or the names that open_clip and
// Hugging Face have for them. The error says which there are.
func ParseGELU(name string) (GELU, error) {
	switch strings.ToLower(name) {
	case "quick", "quickgelu", "quick_gelu", "quick-gelu":
		return QuickGELU, nil
	case "plain", "gelu":
		return PlainGELU, nil
	}
	return UnknownGELU, fmt.Errorf("expected quick (OpenAI's QuickGELU) or plain (GELU, as in most of LAION's and open_clip's), found %q", name)
}

// name returns the activation's usual name.
func (g GELU) name() string {
	if g == PlainGELU {
		return "plain GELU"
	}
	return "QuickGELU"
}

// activation returns the function.
func (g GELU) activation() tensor.Activation {
	if g == PlainGELU {
		return tensor.GELU
	}
	return tensor.QuickGELU
}

// tokens returns the number of tokens that the image tower makes from a picture.
func (c *VisionConfig) tokens() int {
	grid := c.ImageSize / c.PatchSize
	return grid*grid + 1
}

// shaped is the name of a tensor and its shape.
type shaped struct {
	name  string
	shape []int
}

// tensors lists all tensors of an architecture, except the scale of the logits.
func (c *Config) tensors(n *naming) []shaped {
	var list []shaped
	add := func(name string, shape ...int) { list = append(list, shaped{name, shape}) }
	norm := func(name string, width int) {
		add(name+".weight", width)
		add(name+".bias", width)
	}
	linear := func(name string, out, in int) {
		add(name+".weight", out, in)
		add(name+".bias", out)
	}
	projection := func(name string, in, out int) {
		if n.projectionTransposed {
			in, out = out, in
		}
		add(name, in, out)
	}
	blocks := func(prefix string, t *Transformer) {
		for i := range t.Layers {
			b := n.block(prefix, i)
			norm(b.norm1, t.Width)
			for j := range b.inWeights {
				rows := 3 * t.Width / len(b.inWeights)
				add(b.inWeights[j], rows, t.Width)
				add(b.inBiases[j], rows)
			}
			linear(b.out, t.Width, t.Width)
			norm(b.norm2, t.Width)
			linear(b.hidden, t.Hidden, t.Width)
			linear(b.project, t.Width, t.Hidden)
		}
	}
	if v := &c.Vision; v.Width > 0 {
		add(n.patches, v.Width, 3, v.PatchSize, v.PatchSize)
		add(n.class, v.Width)
		add(n.visionPositions, v.tokens(), v.Width)
		norm(n.preNorm, v.Width)
		blocks(n.visionBlocks, &v.Transformer)
		norm(n.postNorm, v.Width)
		projection(n.visionProjection, v.Width, c.Embed)
	}
	if t := &c.Text; t.Width > 0 {
		add(n.tokens, t.Vocabulary, t.Width)
		add(n.textPositions, t.Context, t.Width)
		blocks(n.textBlocks, &t.Transformer)
		norm(n.finalNorm, t.Width)
		projection(n.textProjection, t.Width, c.Embed)
	}
	return list
}
