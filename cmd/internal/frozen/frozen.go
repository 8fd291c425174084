// Package frozen loads the networks that models lean on without training them: VGG16
// and CLIP's picture tower.
package frozen

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"pixelgrad/clip"
	"pixelgrad/cmd/internal/files"
	"pixelgrad/tensor"
	"pixelgrad/vgg"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// Options says where weights are.
type Options struct {
	VGGWeights  string // file; "" for where 'weights get vgg16' puts it
	VGGLayer    string // relu2_2 or relu1_2
	CLIPWeights string // file; "" for where 'weights get clip-vit-b32' puts it
	Random      bool   // random weights instead, from Seed
	Seed        uint64
}

// An Extractor is a frozen network that looks at a model's inputs.
type Extractor struct {
	Name     string
	Channels int
	Shape    []int // of one photograph's features

	// See returns the features of pictures. Shapes: (n,3,72,72) in [0,1] → (n,Shape).
	See func(x *tensor.Tensor) *tensor.Tensor
}

// MissingError says that there is no file of weights, and how to get it.
type MissingError struct{ Network, Path, Name string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s: expected the weights of %s, found no such file; get them with: go run ./cmd/weights get %s", e.Path, e.Network, e.Name)
}

// New loads the frozen network that an architecture leans on; nil if it needs none. It
// returns a MissingError if there are no weights.
func New(f superres.Features, o Options) (*Extractor, error) {
	side := vision.WorkshopSizes.X
	switch f {
	case superres.VGGFeatures:
		var network *vgg.VGG
		if o.Random {
			network = vgg.Random(o.Seed, o.VGGLayer)
		} else {
			path, err := Path(o.VGGWeights, "vgg16", "VGG16")
			if err != nil {
				return nil, err
			}
			if network, err = vgg.Load(path, o.VGGLayer); err != nil {
				return nil, fmt.Errorf("-vgg-weights: %w", err)
			}
		}
		c, h, w := network.FeatureShape(o.VGGLayer, side, side)
		return &Extractor{"VGG16's " + o.VGGLayer, c, []int{c, h, w}, func(x *tensor.Tensor) *tensor.Tensor {
			n := vgg.Normalize(x)
			defer tensor.Release(n)
			return network.Features(n, o.VGGLayer)[0]
		}}, nil
	case superres.CLIPFeatures:
		var network *clip.Model
		if o.Random {
			c := clip.ViTB32()
			c.Text = clip.TextConfig{} // nobody asks it for words
			network = clip.Random(o.Seed, c)
		} else {
			path, err := Path(o.CLIPWeights, "clip-vit-b32", "CLIP ViT-B/32")
			if err != nil {
				return nil, err
			}
			if network, err = clip.Load(path, clip.Options{Vision: true}); err != nil {
				return nil, fmt.Errorf("-clip-weights: %w", err)
			}
		}
		size, embed := network.Config().Vision.ImageSize, network.Config().Embed
		return &Extractor{"CLIP's embeddings", embed, []int{embed}, func(x *tensor.Tensor) *tensor.Tensor {
			n := clip.PreprocessSquare(size, x)
			defer tensor.Release(n)
			return network.EncodeImage(n)
		}}, nil
	}
	return nil, nil
}

// Path returns where the weights of a network are: given, or the file that cmd/weights
// makes for name. It returns a MissingError if the latter is not there.
func Path(given, name, network string) (string, error) {
	path := given
	if path == "" {
		var err error
		if path, err = files.Default(name); err != nil {
			return "", err
		}
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		missing := &MissingError{network, path, name}
		if given != "" { // a mistake, and not a file that nobody has fetched yet
			return "", errors.New(missing.Error())
		}
		return "", missing
	}
	return path, nil
}
