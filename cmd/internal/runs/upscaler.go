package runs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/tensor"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// partOfProgram tells whether superres.Open takes a name for that of a network of its own.
func partOfProgram(name string) bool {
	return name == superres.FastName || name == superres.BicubicName
}

// WeightsPath returns the name of a file or folder of weights for Upscaler, which has networks of its
// own for some names.
func WeightsPath(name string) string {
	if partOfProgram(name) {
		return "." + string(filepath.Separator) + name
	}
	return name
}

// Upscaler opens what enlarges pictures, as superres.Open does, and returns also what it may be
// called in a table. If it leans on a frozen network, that is loaded: for the folder of a run as the
// run had it, and for a file of weights as runs have it by default. o.Network must be that of the
// run, if there is a config.json in the folder. o.Features is not used.
func Upscaler(path string, o superres.Options) (u *superres.Upscaler, name string, err error) {
	settings := Defaults()
	name = o.Network
	if info, err := os.Stat(path); err == nil && info.IsDir() && !partOfProgram(path) {
		_, err := os.Stat(filepath.Join(path, ConfigFile))
		if name == "" || !errors.Is(err, fs.ErrNotExist) {
			c, err := Read(path)
			if err != nil {
				return nil, "", err
			}
			if name != "" && name != c.Model {
				return nil, "", fmt.Errorf("expected the network of the run %s, %s, found %s", path, c.Model, name)
			}
			settings, name, o.Network = c.Flags, c.Model, c.Model
		}
	}
	if name == "" {
		base := filepath.Base(path)
		name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	var eye *frozen.Extractor
	o.Features = func(ctx context.Context, photo *tensor.Tensor) (*tensor.Tensor, error) {
		if u.Features() == superres.CLIPFeatures { // as in training, it sees a square
			side := vision.WorkshopSizes.X
			photo = vision.Resize(vision.FromTensor(photo, 0), side, side).Tensor()
		}
		return eye.See(photo), nil
	}
	if u, err = superres.Open(path, o); err != nil {
		return nil, "", err
	}
	if u.FeatureChannels() == 64 {
		settings.VGGLayer = "relu1_2" // whatever the usual one is
	}
	if eye, err = frozen.New(u.Features(), settings.Options, settings.Seed, o.Say); err != nil {
		return nil, "", err
	}
	if eye != nil && eye.Channels != u.FeatureChannels() {
		return nil, "", fmt.Errorf("%s: expected features of %d channels, with which its network was trained, found %s, of %d; take the weights that the training had", path, u.FeatureChannels(), eye.Name, eye.Channels)
	}
	return u, name, nil
}
