package clip

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/tensor/weightfile"
)

// Options says which towers to load, and describes properties that the weights do not show.
// The zero value loads all towers in the file, and leaves the properties to the file.
type Options struct {
	// Vision and Text say which towers to load. If both are false, all towers in the
	// file are loaded. The other tower is not read, and the file need not have it.
	Vision, Text bool

	// GELU is the activation of both towers. UnknownGELU: the file tells, as Load says.
	GELU GELU

	// VisionHeads and TextHeads are the numbers of heads; 0: the file tells.
	VisionHeads, TextHeads int

	// EndOfText is the id of the token that becomes a text's embedding; 0 means what a
	// file of configuration says, or else the highest id in the text, which is right for
	// CLIP's own vocabulary. Extended vocabularies need it.
	EndOfText int

	// Key is the path of the dictionary that holds the weights, as weightfile.Options
	// has it; "" means that its content tells.
	Key string

	// Say is told, a line at a time, what was chosen in the file, and what was assumed
	// because nothing tells. nil: nobody.
	Say func(line string)
}

func (o Options) say(format string, args ...any) {
	if o.Say != nil {
		o.Say(fmt.Sprintf(format, args...))
	}
}

// Weights is a source of named tensors, such as a weightfile.File.
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
// Face's CLIPModel; package weightfile removes prefixes such as "module.". Numbers in half
// precision become float32.
//
// The shapes of the tensors give the sizes. Load accepts every CLIP whose image tower is a
// Vision Transformer. It ignores tensors beside the towers, and refuses those within the
// towers that it cannot use, because the network would be another one.
//
// The activation and the numbers of heads are not in the weights. They are, in this order,
// those of Options; what the code in a TorchScript archive does; what the files beside the
// weights say that open_clip (open_clip_config.json) and Hugging Face (config.json) leave
// there; what the metadata of a safetensors file (hidden_act, quick_gelu) or the file's own
// name (quickgelu) says. Otherwise they are assumed, and Options.Say is told.
//
// Load rearranges the weights for multiplication, one tensor after another, while it reads
// the file. Its peak memory is hardly more than the memory of the model.
//
// Errors: the file cannot be read; a tensor is missing, or has a wrong shape or a type that
// cannot be read; a tensor has NaN or infinite numbers; a file of configuration is not of
// this network. They name the file and say what was expected and what was found.
func Load(path string, o Options) (*Model, error) {
	// The file is read and not mapped into memory: every byte is needed only once, and
	// the pages of a mapping would count as used memory.
	f, err := weightfile.Open(path, weightfile.Options{Key: o.Key, Wanted: wanted(o), Say: o.Say})
	if err != nil {
		return nil, fmt.Errorf("clip: %w", err)
	}
	defer f.Close()
	return build(f, path, o, clues{
		folder: filepath.Dir(path),
		code: func() (GELU, error) {
			r, err := os.Open(path)
			if err != nil {
				return UnknownGELU, err
			}
			defer r.Close()
			st, err := r.Stat()
			if err != nil {
				return UnknownGELU, err
			}
			return geluOfCode(r, st.Size())
		},
	})
}

// Read reads a model from r, as Load does from a file of which nothing is beside. size is the
// number of bytes in r. Errors call r by the name in name.
func Read(name string, r io.ReaderAt, size int64, o Options) (*Model, error) {
	f, err := weightfile.Read(name, r, size, weightfile.Options{Key: o.Key, Wanted: wanted(o), Say: o.Say})
	if err != nil {
		return nil, fmt.Errorf("clip: %w", err)
	}
	defer f.Close()
	return build(f, name, o, clues{code: func() (GELU, error) { return geluOfCode(r, size) }})
}

// New makes a model from any source of tensors, as Load does from a file. Errors call the
// source by the name in source. If w has a method Metadata like that of weightfile.File, what
// it says counts.
func New(w Weights, source string, o Options) (*Model, error) {
	return build(w, source, o, clues{})
}

// build makes a model. It looks at all shapes before it reads the first tensor.
func build(w Weights, source string, o Options, c clues) (*Model, error) {
	r := newReader(w, source)
	config, err := r.config(o)
	if err != nil {
		return nil, err
	}
	s, err := r.settle(&config, o, c)
	if err != nil {
		return nil, err
	}
	list := config.tensors(r.naming)
	switch {
	case r.has[logitScale]:
		list = append(list, shaped{logitScale, nil})
	case config.Vision.Width > 0 && config.Text.Width > 0:
		return nil, r.fail("no tensor %q, the factor of cosines", logitScale)
	}
	if err := r.check(list); err != nil {
		return nil, err
	}
	if err := r.strict(list, &config); err != nil {
		return nil, err
	}
	return r.model(config, s)
}

// model reads the tensors.
func (r *reader) model(c Config, s *settings) (*Model, error) {
	m := &Model{config: c, logitScale: float32(math.NaN())}
	if r.has[logitScale] {
		m.logitScale = float32(math.Exp(float64(r.logitScale())))
		if s := float64(m.logitScale); math.IsInf(s, 0) || math.IsNaN(s) {
			return nil, r.fail("tensor %q: expected the logarithm of a factor, found one of %v", logitScale, s)
		}
	}
	n := r.naming
	if c.Vision.Width > 0 {
		v := &visionTower{VisionConfig: c.Vision, pixels: s.pixels.pixels()}
		v.patches = linear{weight: r.patches(n.patches)}
		v.positions = r.tensor(n.visionPositions)
		class := r.tensor(n.class)
		v.preNorm = r.norm(n.preNorm)
		v.transformer = r.transformer(n.visionBlocks, &c.Vision.Transformer)
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
		t := &textTower{TextConfig: c.Text, endOfText: s.endOfText}
		t.tokens = r.tensor(n.tokens)
		t.positions = r.tensor(n.textPositions)
		t.transformer = r.transformer(n.textBlocks, &c.Text.Transformer)
		t.transformer.causal = true
		t.finalNorm = r.norm(n.finalNorm)
		t.projection = r.projection(n.textProjection)
		m.text = t
	}
	if r.err != nil {
		return nil, r.err
	}
	return m, nil
}
