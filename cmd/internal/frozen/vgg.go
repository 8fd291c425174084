package frozen

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/files"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/vgg"
)

// Layers are those of VGG16 whose features a model can lean on; the first is the usual one.
var Layers = []string{"relu2_2", "relu1_2"}

// Embedded stands for the weights of VGG16's first layers that are a part of the program.
const Embedded = "embedded"

// CheckLayer returns an error unless Layers has name.
func CheckLayer(name string) error {
	if !slices.Contains(Layers, name) {
		return fmt.Errorf("expected %s, found %s", strings.Join(Layers, " or "), format.Printable(name))
	}
	return nil
}

// CheckInput returns an error unless name is one of vgg.Inputs or empty.
func CheckInput(name string) error {
	if name == "" {
		return nil
	}
	_, err := vgg.FindInput(name)
	return err
}

// addVGGFlags adds those about VGG16.
func (o *Options) addVGGFlags(f *cli.Flags) {
	f.StringVar(&o.VGGWeights, "vgg-weights", Embedded, "`file` with VGG16's weights; "+Embedded+": those in the program, up to "+Layers[0])
	f.StringVar(&o.VGGInput, "vgg-input", "", "what VGG16 in that file was trained to see, `one` of "+strings.Join(vgg.InputNames(), ", ")+"; default: told from the weights")
	f.StringVar(&o.VGGKey, "vgg-key", "", "the `dictionary` in VGG16's file that holds the weights; default: its content tells")
	f.StringVar(&o.VGGLayer, "vgg-layer", Layers[0], "the `layer` of VGG16 whose features are used: "+strings.Join(Layers, " or "))
	f.Check(func() error {
		if err := CheckLayer(o.VGGLayer); err != nil {
			return fmt.Errorf("-vgg-layer: %w", err)
		}
		if err := CheckInput(o.VGGInput); err != nil {
			return fmt.Errorf("-vgg-input: %w", err)
		}
		if o.VGGWeights == "" {
			return fmt.Errorf("-vgg-weights: expected a file or %s, found nothing", Embedded)
		}
		if (o.VGGInput != "" || o.VGGKey != "") && (o.VGGWeights == Embedded || o.RandomFeatures) {
			return errors.New("-vgg-input and -vgg-key: expected -vgg-weights FILE, which they are about, and no -random-features")
		}
		return nil
	})
}

// VGG loads VGG16 up to the layer that is wanted, or makes a random one from seed. It returns
// a MissingError if there are no weights.
func VGG(o Options, seed uint64, say func(line string)) (*vgg.VGG, error) {
	switch {
	case o.RandomFeatures:
		return vgg.Random(seed, o.VGGLayer), nil
	case o.VGGWeights == Embedded:
		return vgg.Pretrained(o.VGGLayer)
	}
	path, err := find(o.VGGWeights, files.VGG16, "VGG16")
	if err != nil {
		return nil, err
	}
	vo := vgg.Options{Key: o.VGGKey, Say: say}
	if o.VGGInput != "" {
		if vo.Input, err = vgg.FindInput(o.VGGInput); err != nil {
			return nil, err
		}
	}
	network, err := vgg.Load(path, o.VGGLayer, vo)
	if err != nil {
		return nil, fmt.Errorf("-vgg-weights: %w", err)
	}
	return network, nil
}
