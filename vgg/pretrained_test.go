package vgg

import (
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"

	"pixelgrad/internal/golden"
	"pixelgrad/internal/recipe"
	"pixelgrad/tensor"
	"pixelgrad/testdata/photos"
	"pixelgrad/vision"
)

// TestPretrainedGolden compares with torchvision's vgg16().features on three photographs:
// with the embedded weights in it, and, up to a factor for each layer, with the original
// ones on levels less their means.
func TestPretrainedGolden(t *testing.T) {
	file := golden.Open(t, "vgg_pretrained")
	read := func(name string) *tensor.Tensor {
		x, err := file.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	m, err := Pretrained("pool2")
	if err != nil {
		t.Fatal(err)
	}
	x, means := read("levels"), read("means").Data()
	for i := range x.Data() {
		x.Data()[i] /= 255
	}
	n := m.Normalize(x)
	convolution := -1
	for i, y := range m.Features(n, PretrainedTaps()...) {
		tap := PretrainedTaps()[i]
		checkLargest(t, file, "embedded/"+tap, sample(y), 1e-5, 0)
		if strings.HasPrefix(tap, "relu") { // a pool has the factor of the layer before it
			convolution++
		}
		for i := range y.Data() {
			y.Data()[i] *= means[convolution]
		}
		checkLargest(t, file, "original/"+tap, sample(y), 5e-4, 0) // half precision
	}
}

// TestPretrainedMeans wants a mean activation of 1 for each layer over the photographs that
// are part of the program, at the size at which networks see them.
func TestPretrainedMeans(t *testing.T) {
	m, err := Pretrained("relu2_2")
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(photos.FS, "*.jpg")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d photographs, %v", len(names), err)
	}
	taps := []string{"relu1_1", "relu1_2", "relu2_1", "relu2_2"}
	sums := make([]float64, len(taps))
	for _, name := range names {
		data, err := photos.FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := vision.Decode(strings.NewReader(string(data)), name)
		if err != nil {
			t.Fatal(err)
		}
		x := m.Normalize(vision.Resize(p, 72, 72).Tensor())
		for i, y := range m.Features(x, taps...) {
			sums[i] += tensor.Sum(y) / float64(y.Len())
			tensor.Release(y)
		}
	}
	for i, tap := range taps {
		if mean := sums[i] / float64(len(names)); !(math.Abs(mean-1) < 1e-3) {
			t.Errorf("%s: mean activation %v over %d photographs, want 1", tap, mean, len(names))
		}
	}
}

// scaled multiplies the output of each convolution of a source by a factor.
type scaled struct {
	Weights
	factors map[string]float32 // by layer, as "features.0"
	before  map[string]string  // the convolution before each
}

func (s scaled) Tensor(name string) (*tensor.Tensor, error) {
	t, err := s.Weights.Tensor(name)
	if err != nil {
		return nil, err
	}
	at := strings.LastIndexByte(name, '.')
	by := s.factors[name[:at]]
	if before := s.before[name[:at]]; name[at:] == ".weight" && before != "" {
		by /= s.factors[before]
	}
	for i := range t.Data() {
		t.Data()[i] *= by
	}
	return t, nil
}

// TestHomogeneous holds what scaling rests on: a network whose layers are multiplied by
// positive factors is the same network up to these factors. Powers of two change no bit of
// a fraction, so that the results must be equal to the last bit.
func TestHomogeneous(t *testing.T) {
	plain := recipeWeights{initialShapes}
	s := scaled{plain,
		map[string]float32{"features.0": 8, "features.2": 0.25, "features.5": 1. / 64, "features.7": 32},
		map[string]string{"features.2": "features.0", "features.5": "features.2", "features.7": "features.5"}}
	m, err := New(plain, "recipe", "pool2", Options{})
	if err != nil {
		t.Fatal(err)
	}
	other, err := New(s, "recipe", "pool2", Options{})
	if err != nil {
		t.Fatal(err)
	}
	x := recipe.Numbers(3, 2, 3, 37, 50)
	want, got := m.Features(x, PretrainedTaps()...), other.Features(x, PretrainedTaps()...)
	for i, tap := range PretrainedTaps() {
		layer := map[string]string{"relu1_1": "features.0", "relu1_2": "features.2", "pool1": "features.2", "relu2_1": "features.5", "relu2_2": "features.7", "pool2": "features.7"}[tap]
		zeros := 0
		for k, v := range want[i].Data() {
			if got[i].Data()[k] != v*s.factors[layer] {
				t.Errorf("%s: element %d is %v, want %v times %v", tap, k, got[i].Data()[k], v, s.factors[layer])
				break
			}
			if v == 0 {
				zeros++
			}
		}
		if zeros == 0 || zeros == want[i].Len() {
			t.Errorf("%s: %d of %d activations are 0: the test sees no ReLU", tap, zeros, want[i].Len())
		}
	}
}

func TestPretrainedTaps(t *testing.T) {
	want := []string{"relu1_1", "relu1_2", "pool1", "relu2_1", "relu2_2", "pool2"}
	if got := PretrainedTaps(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, tap := range []string{"relu3_1", Logits, "relu9_9"} {
		if _, err := Pretrained(tap); err == nil || !strings.Contains(err.Error(), "vgg16-397923af.pth") || !strings.Contains(err.Error(), "relu2_2") {
			t.Errorf("%s: error %v, want one that names the layers that there are, and a file with more", tap, err)
		}
	}
}
