package clip

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// clues lead to what the weights do not show. Missing ones are zero.
type clues struct {
	folder string               // of the weights, where files of configuration may be
	code   func() (GELU, error) // what the code of a TorchScript archive has
}

// settings are what a file of configuration says about a network. Zeros are what it does not
// say.
type settings struct {
	path         string
	embed        int
	vision, text towerSettings
	image, patch int // pixels, of each side
	context      int
	vocabulary   int
	endOfText    int // its id; 0 for the highest of each text
	pixels       pixelSettings
}

// towerSettings are what it says about a tower.
type towerSettings struct {
	gelu                  GELU
	heads                 int
	width, layers, hidden int
	unable                string // what it has that the package cannot compute
}

// settle fills in the activations and the heads, in the order that Load's comment has, and
// returns what else the file of configuration says.
func (r *reader) settle(c *Config, o Options, from clues) (*settings, error) {
	var err error
	archive := UnknownGELU
	if w, ok := r.w.(interface{ Format() string }); ok && w.Format() == "TorchScript" && from.code != nil {
		if archive, err = from.code(); err != nil {
			return nil, r.fail("%v", err)
		}
	}
	// The code is that of the network. A file beside an archive is probably of another
	// network: neither open_clip nor Hugging Face writes both.
	var s *settings
	if archive == UnknownGELU && from.folder != "" {
		if s, err = r.beside(c, o, from.folder); err != nil {
			return nil, err
		}
	}
	if s == nil {
		s = &settings{}
	}

	gelu, how := o.GELU, ""
	if gelu == UnknownGELU {
		gelu = archive
	}
	if gelu == UnknownGELU && s.path == "" {
		if gelu, err = r.labelled(); err != nil {
			return nil, err
		}
	}
	assumed := []string{}
	if gelu == UnknownGELU && s.path == "" {
		gelu, how = guessGELU(c)
		assumed = append(assumed, gelu.name()+how)
	}
	towers := []struct {
		t      *Transformer
		s      *towerSettings
		heads  int
		what   string
		option string
		guess  func(width int) int
	}{
		{&c.Vision.Transformer, &s.vision, o.VisionHeads, "image", "VisionHeads", guessVisionHeads},
		{&c.Text.Transformer, &s.text, o.TextHeads, "text", "TextHeads", guessTextHeads},
	}
	for _, w := range towers {
		if w.t.Width == 0 {
			continue
		}
		if w.t.GELU = gelu; gelu == UnknownGELU {
			w.t.GELU = w.s.gelu
		}
		if w.t.Heads = w.heads; w.t.Heads == 0 {
			w.t.Heads = w.s.heads
		}
		if w.t.Heads == 0 {
			if w.t.Heads = w.guess(w.t.Width); w.t.Heads == 0 {
				return nil, r.fail("the blocks of the %s tower have a width of %d, which is not a multiple of 64: how many heads they have must be said, with -heads (Options.%s)", w.what, w.t.Width, w.option)
			}
			// In OpenAI's own archives the heads follow from the width.
			if archive != QuickGELU || !slices.Contains(openAIWidths, w.t.Width) {
				assumed = append(assumed, fmt.Sprintf("%d heads in the %s tower", w.t.Heads, w.what))
			}
		}
		if w.t.Heads < 1 || w.t.Width%w.t.Heads != 0 {
			return nil, r.fail("the blocks of the %s tower have a width of %d, which %d heads cannot share (-heads, Options.%s)", w.what, w.t.Width, w.t.Heads, w.option)
		}
	}
	if len(assumed) > 0 {
		o.say("%s: nothing tells, so assumed: %s. If the embeddings are poor, -gelu quick or plain and -heads VISION,TEXT choose (Options.GELU, VisionHeads and TextHeads)", r.source, strings.Join(assumed, "; "))
	}
	if s.path != "" {
		lines := []string{c.described()}
		if c.Vision.Width > 0 {
			lines = append(lines, s.pixels.unusual()...)
		}
		o.say("%s: %s beside it says: %s", r.source, filepath.Base(s.path), strings.Join(lines, "; "))
	}
	if r.has[logitBias] {
		o.say("%s: it has a %s, so it was trained with SigLIP's loss: cosines compare as usual, but it was not trained for shares of softmax", r.source, logitBias)
	}
	if o.EndOfText != 0 {
		s.endOfText = o.EndOfText
	}
	return s, nil
}

// logitBias is a tensor of networks that were trained with SigLIP's loss.
const logitBias = "logit_bias"

// described says which activation and heads a network has.
func (c *Config) described() string {
	var parts []string
	add := func(what string, t *Transformer) {
		if t.Width > 0 {
			parts = append(parts, fmt.Sprintf("%s and %d heads in the %s tower", t.GELU.name(), t.Heads, what))
		}
	}
	add("image", &c.Vision.Transformer)
	add("text", &c.Text.Transformer)
	return strings.Join(parts, ", ")
}

// labelled returns the activation that the metadata of a safetensors file or the file's name
// says. open_clip has "quickgelu" in the names of its weight files with QuickGELU; the
// absence of it says nothing.
func (r *reader) labelled() (GELU, error) {
	if w, ok := r.w.(interface{ Metadata() map[string]string }); ok {
		m := w.Metadata()
		if name, ok := m["hidden_act"]; ok {
			g, err := ParseGELU(name)
			if err != nil {
				return g, r.fail("metadata %q: %v", "hidden_act", err)
			}
			return g, nil
		}
		switch strings.ToLower(m["quick_gelu"]) {
		case "true", "1":
			return QuickGELU, nil
		case "false", "0":
			return PlainGELU, nil
		}
	}
	if strings.Contains(strings.ToLower(filepath.Base(r.source)), "quickgelu") {
		return QuickGELU, nil
	}
	return UnknownGELU, nil
}

// openAIWidths are those of the towers that OpenAI published.
var openAIWidths = []int{512, 768, 1024}

// guessGELU returns the activation that a network of these sizes probably has, and why.
// OpenAI trained ViT-B/32, ViT-B/16 and ViT-L/14; the other sizes are of open_clip's models,
// of which most have plain GELU.
func guessGELU(c *Config) (GELU, string) {
	v := &c.Vision
	switch {
	case v.Width == 768 && (v.PatchSize == 32 || v.PatchSize == 16), v.Width == 1024 && v.PatchSize == 14:
		return QuickGELU, " as in OpenAI's model of this size, although most of LAION's and open_clip's have plain GELU"
	case v.Width == 0 && (c.Text.Width == 512 || c.Text.Width == 768):
		return QuickGELU, " as in OpenAI's models, although most of LAION's and open_clip's have plain GELU"
	}
	return PlainGELU, " as in most of open_clip's models, because OpenAI's have other sizes"
}

// guessVisionHeads returns how many heads an image tower probably has, or 0. In OpenAI's
// models a head has 64 numbers. In open_clip's larger ones, ViT-H/14, g/14, bigG/14 and e/14,
// there are 16.
func guessVisionHeads(width int) int {
	switch width {
	case 1280, 1408, 1664, 1792:
		return 16
	}
	return guessTextHeads(width)
}

// guessTextHeads returns how many heads a text tower probably has, or 0: all that OpenAI and
// open_clip published have heads of 64 numbers.
func guessTextHeads(width int) int {
	if width%64 != 0 {
		return 0
	}
	return width / 64
}
