// Package frozen loads the networks that models lean on without training them: VGG16
// and CLIP's picture tower.
package frozen

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"pixelgrad/clip"
	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/files"
	"pixelgrad/tensor"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// Options says where weights are. The names in JSON are those of a run's config.json.
type Options struct {
	VGGWeights     string `json:"vgg_weights"`     // Embedded or a file; "" for where 'weights get vgg16' puts it
	VGGInput       string `json:"vgg_input"`       // one of vgg.Inputs; "" if the weights tell
	VGGKey         string `json:"vgg_key"`         // the dictionary with the weights; "" if the content tells
	VGGLayer       string `json:"vgg_layer"`       // one of Layers
	CLIPWeights    string `json:"clip_weights"`    // file; "" for where 'weights get clip-vit-b32' puts it
	RandomFeatures bool   `json:"random_features"` // random weights instead
	CLIPOptions
}

// AddFlags adds the flags that set o.
func (o *Options) AddFlags(f *cli.Flags) {
	o.addVGGFlags(f)
	o.AddCLIPFlags(f)
}

// AddCLIPFlags adds those of them that a command needs which has CLIP alone.
func (o *Options) AddCLIPFlags(f *cli.Flags) {
	weights(f, &o.CLIPWeights, "clip-weights", "CLIP", files.CLIP)
	f.BoolVar(&o.RandomFeatures, "random-features", false, "give VGG16 and CLIP random weights: to see the code run, not to judge it")
	o.CLIPOptions.addFlags(f)
	f.Check(func() error {
		if o.RandomFeatures && o.CLIPOptions != (CLIPOptions{}) {
			return errors.New("-random-features: expected no -gelu, -heads or -clip-key with it, which are about a file of weights")
		}
		return nil
	})
}

func weights(f *cli.Flags, p *string, name, network string, file files.File) {
	f.StringVar(p, name, "", fmt.Sprintf("`file` with %s's weights; default: where 'weights get %s' puts it", network, file.Name))
}

// An Extractor is a frozen network that looks at a model's inputs.
type Extractor struct {
	Name     string
	Channels int
	Shape    []int  // of one photograph's features
	Input    string // of VGG16: the name of what it sees

	// CLIP are its options with what its file of weights told.
	CLIP CLIPOptions

	// See returns the features of pictures. Shapes: (n,3,72,72) in [0,1] → (n,Shape).
	See func(x *tensor.Tensor) *tensor.Tensor
}

// ShapeOf returns the shape of the features of one picture of another side: those of VGG16 grow
// with it.
func (e *Extractor) ShapeOf(side int) []int {
	if len(e.Shape) != 3 {
		return e.Shape
	}
	usual := vision.WorkshopSizes.X
	return []int{e.Shape[0], e.Shape[1] * side / usual, e.Shape[2] * side / usual}
}

// MissingError says that there is no file of weights, and how to get it.
type MissingError struct{ Network, Path, Name string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s: expected the weights of %s, found no such file; get them with: go run ./cmd/weights get %s; -random-features does without", e.Path, e.Network, e.Name)
}

// New loads the frozen network that an architecture leans on; nil if it needs none. Random
// weights are from seed. say is told what was found in a file of weights, a line at a time.
// It returns a MissingError if there are no weights.
func New(f superres.Features, o Options, seed uint64, say func(line string)) (*Extractor, error) {
	side := vision.WorkshopSizes.X
	switch f {
	case superres.VGGFeatures:
		network, err := VGG(o, seed, say)
		if err != nil {
			return nil, err
		}
		c, h, w := network.FeatureShape(o.VGGLayer, side, side)
		return &Extractor{"VGG16's " + o.VGGLayer, c, []int{c, h, w}, network.Input().Name, CLIPOptions{}, func(x *tensor.Tensor) *tensor.Tensor {
			n := network.Normalize(x)
			defer tensor.Release(n)
			return network.Features(n, o.VGGLayer)[0]
		}}, nil
	case superres.CLIPFeatures:
		network, err := CLIP(o, seed, clip.Options{Vision: true, Say: say})
		if err != nil {
			return nil, err
		}
		embed, told := network.Config().Embed, o.CLIPOptions
		if v := network.Config().Vision; !o.RandomFeatures {
			told.GELU, told.VisionHeads = v.GELU, v.Heads
		}
		return &Extractor{"CLIP's embeddings", embed, []int{embed}, "", told, func(x *tensor.Tensor) *tensor.Tensor {
			n := network.PreprocessSquare(x)
			defer tensor.Release(n)
			return network.EncodeImage(n)
		}}, nil
	}
	return nil, nil
}

// CLIP loads the towers of CLIP that are wanted, or makes random ones of ViT-B/32 from seed. It
// returns a MissingError if there are no weights.
func CLIP(o Options, seed uint64, wanted clip.Options) (*clip.Model, error) {
	if o.RandomFeatures {
		c := clip.ViTB32()
		if !wanted.Text {
			c.Text = clip.TextConfig{}
		}
		return clip.Random(seed, c), nil
	}
	path, err := findCLIP(o)
	if err != nil {
		return nil, err
	}
	o.CLIPOptions.set(&wanted)
	m, err := clip.Load(path, wanted)
	if err != nil {
		return nil, fmt.Errorf("-clip-weights: %w", err)
	}
	return m, nil
}

// CheckCLIP returns the error that [CLIP] would return because there is no file of weights,
// without reading one: before a training of hours, after which CLIP is wanted.
func CheckCLIP(o Options) error {
	if o.RandomFeatures {
		return nil
	}
	_, err := findCLIP(o)
	return err
}

func findCLIP(o Options) (string, error) { return find(o.CLIPWeights, files.CLIP, "CLIP ViT-B/32") }

// find returns where the weights of a network are: given, or where cmd/weights puts file. It
// returns a MissingError if the latter is not there.
func find(given string, file files.File, network string) (string, error) {
	path := given
	if path == "" {
		var err error
		if path, err = files.Default(file.Name); err != nil {
			return "", err
		}
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		missing := &MissingError{network, path, file.Name}
		if given != "" { // a mistake, and not a file that nobody has fetched yet
			return "", errors.New(missing.Error())
		}
		return "", missing
	}
	return path, nil
}
