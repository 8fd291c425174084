package frozen

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"pixelgrad/clip"
	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/files"
	"pixelgrad/vision/superres"
)

func TestFlags(t *testing.T) {
	parse := func(args ...string) (o Options, err error) {
		f := cli.NewFlags("x")
		o.AddFlags(f)
		_, err = f.Parse(args, "", io.Discard)
		return o, err
	}
	if o, err := parse(); err != nil || o != (Options{VGGLayer: "relu2_2"}) {
		t.Errorf("without flags: %+v, %v", o, err)
	}
	want := Options{"a", "relu1_2", "b", true}
	if o, err := parse("-vgg-weights", "a", "-vgg-layer", "relu1_2", "-clip-weights", "b", "-random-features"); err != nil || o != want {
		t.Errorf("%+v, %v; want %+v", o, err, want)
	}
	if _, err := parse("-vgg-layer", "pool5"); err == nil || !strings.Contains(err.Error(), "-vgg-layer: expected relu2_2 or relu1_2, found pool5") {
		t.Errorf("-vgg-layer pool5: %v", err)
	}
}

// TestMissing: weights that nobody has fetched may be left out, a wrong path is a mistake.
func TestMissing(t *testing.T) {
	t.Setenv(files.Environment, t.TempDir())
	var missing *MissingError
	_, err := New(superres.VGGFeatures, Options{VGGLayer: Layers[0]}, 0)
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "weights get vgg16") || !strings.Contains(err.Error(), "-random-features") {
		t.Errorf("VGG16: %v", err)
	}
	_, err = CLIP(Options{CLIPWeights: filepath.Join(t.TempDir(), "gone.pt")}, 0, clip.Options{Vision: true})
	if err == nil || errors.As(err, &missing) || !strings.Contains(err.Error(), "gone.pt") {
		t.Errorf("a wrong path: %v", err)
	}
	if e, err := New(superres.NoFeatures, Options{}, 0); e != nil || err != nil {
		t.Errorf("no features: %v, %v", e, err)
	}
	if e, err := New(superres.VGGFeatures, Options{VGGLayer: "relu1_2", RandomFeatures: true}, 1); err != nil || e.Channels != 64 {
		t.Errorf("random: %+v, %v", e, err)
	}
}
