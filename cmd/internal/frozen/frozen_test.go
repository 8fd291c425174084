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
	if o, err := parse(); err != nil || o != (Options{VGGWeights: Embedded, VGGLayer: "relu2_2"}) {
		t.Errorf("without flags: %+v, %v", o, err)
	}
	want := Options{VGGWeights: "a", VGGInput: "levels", VGGLayer: "relu1_2", CLIPWeights: "b"}
	if o, err := parse("-vgg-weights", "a", "-vgg-input", "levels", "-vgg-layer", "relu1_2", "-clip-weights", "b"); err != nil || o != want {
		t.Errorf("%+v, %v; want %+v", o, err, want)
	}
	for args, want := range map[string]string{
		"-vgg-layer pool5":                                  "-vgg-layer: expected relu2_2 or relu1_2, found pool5",
		"-vgg-weights a -vgg-input HSV":                     `-vgg-input: no input of VGG16 is called "HSV": there is IMAGENET1K_V1, IMAGENET1K_FEATURES, levels`,
		"-vgg-input levels":                                 "-vgg-input and -vgg-key: expected -vgg-weights FILE",
		"-vgg-input levels -vgg-weights a -random-features": "-vgg-input and -vgg-key: expected -vgg-weights FILE",
		"-vgg-key model":                                    "-vgg-input and -vgg-key: expected -vgg-weights FILE",
		"-vgg-weights=":                                     "-vgg-weights: expected a file or embedded",
	} {
		if _, err := parse(strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that has %q", args, err, want)
		}
	}
}

// TestMissing: weights that nobody has fetched may be left out, a wrong path is a mistake.
func TestMissing(t *testing.T) {
	t.Setenv(files.Environment, t.TempDir())
	var missing *MissingError
	_, err := New(superres.VGGFeatures, Options{VGGLayer: Layers[0]}, 0, nil) // as in a run of before
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "weights get vgg16") {
		t.Errorf("VGG16: %v", err)
	}
	_, err = CLIP(Options{CLIPWeights: filepath.Join(t.TempDir(), "gone.pt")}, 0, clip.Options{Vision: true})
	if err == nil || errors.As(err, &missing) || !strings.Contains(err.Error(), "gone.pt") {
		t.Errorf("a wrong path: %v", err)
	}
	if early := CheckCLIP(Options{CLIPWeights: filepath.Join(t.TempDir(), "gone.pt")}); early == nil || errors.As(early, &missing) {
		t.Errorf("a wrong path, looked for early: %v", early)
	}
	if early := CheckCLIP(Options{}); !errors.As(early, &missing) || missing.Name != files.CLIP.Name {
		t.Errorf("no weights of CLIP, looked for early: %v", early)
	}
	if early := CheckCLIP(Options{RandomFeatures: true}); early != nil {
		t.Errorf("random features need no file: %v", early)
	}
	if e, err := New(superres.NoFeatures, Options{}, 0, nil); e != nil || err != nil {
		t.Errorf("no features: %v, %v", e, err)
	}
	if e, err := New(superres.VGGFeatures, Options{VGGLayer: "relu1_2", RandomFeatures: true}, 1, nil); err != nil || e.Channels != 64 {
		t.Errorf("random: %+v, %v", e, err)
	}
	for layer, channels := range map[string]int{"relu2_2": 128, "relu1_2": 64} {
		if e, err := New(superres.VGGFeatures, Options{VGGWeights: Embedded, VGGLayer: layer}, 0, nil); err != nil || e.Channels != channels || e.Input != "pixels" {
			t.Errorf("embedded, %s: %+v, %v", layer, e, err)
		}
	}
}
