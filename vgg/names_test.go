package vgg

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pixelgrad/internal/recipe"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/tensor/weightfile"
)

// convolutions names the convolutions of torchvision's networks, without and with batch
// normalisation.
func convolutions(count [5]int, normalised bool) []string {
	var list []string
	for _, i := range indices(count, normalised) {
		list = append(list, fmt.Sprintf("features.%d.weight", i))
		if normalised {
			list = append(list, fmt.Sprintf("features.%d.weight", i+1), fmt.Sprintf("features.%d.running_mean", i+1))
		}
	}
	return list
}

// TestIndices compares with what torchvision's models are made of.
func TestIndices(t *testing.T) {
	for _, c := range []struct {
		count      [5]int
		normalised bool
		want       []int
	}{
		{stages[0].count, false, []int{0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28}},
		{stages[0].count, true, []int{0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40}},
		{stages[1].count, false, []int{0, 3, 6, 8, 11, 13, 16, 18}},
		{stages[2].count, false, []int{0, 2, 5, 7, 10, 12, 15, 17, 20, 22}},
		{stages[3].count, false, []int{0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34}},
		{stages[3].count, true, []int{0, 3, 7, 10, 14, 17, 20, 23, 27, 30, 33, 36, 40, 43, 46, 49}},
	} {
		if got := indices(c.count, c.normalised); !slices.Equal(got, c.want) {
			t.Errorf("%v, batch normalisation %v: %v, want %v", c.count, c.normalised, got, c.want)
		}
	}
}

func TestKind(t *testing.T) {
	inCaffe := func(count [5]int) []string {
		var list []string
		for s, n := range count {
			for i := range n {
				list = append(list, fmt.Sprintf("conv%d_%d.weight", s+1, i+1))
			}
		}
		return list
	}
	cases := map[string][]string{
		"another network": {"features.0.weight", "features.3.weight", "features.6.weight", "features.8.weight", "features.10.weight"}, // AlexNet
	}
	check := func(want string, list []string) {
		t.Helper()
		if n, _ := translate(list); n.kind() != want {
			t.Errorf("%v: %s, want %s", list, n.kind(), want)
		}
	}
	for want, list := range cases {
		check(want, list)
	}
	for _, s := range stages {
		check(s.network, convolutions(s.count, false))
		check(s.network+" with batch normalisation", convolutions(s.count, true))
		check(s.network, inCaffe(s.count))
		var bare []string
		for _, name := range convolutions(s.count, false) {
			bare = append(bare, strings.TrimPrefix(name, "features."))
		}
		check(s.network, bare)
	}
	check("VGG16", convolutions(stages[0].count, false)[:4])
	check("VGG16", append(convolutions(stages[0].count, false), "features.31.weight"))
	check("VGG16", []string{"visual.conv1.weight"}) // nothing speaks against it; its tensors are missing
}

// TestOtherNetworks expects files of other networks to be named as what they are, even if
// they have all the layers that are wanted.
func TestOtherNetworks(t *testing.T) {
	first := listed{
		{Name: "features.0.weight", Tensor: tensor.New(64, 3, 3, 3)}, {Name: "features.0.bias", Tensor: tensor.New(64)},
		{Name: "features.2.weight", Tensor: tensor.New(64, 64, 3, 3)}, {Name: "features.2.bias", Tensor: tensor.New(64)},
	}
	source := append(slices.Clone(first), safetensors.Named{Name: "features.16.weight", Tensor: tensor.New(1)})
	_, err := New(source, "file.pth", "relu1_2", Options{})
	if err == nil || !strings.Contains(err.Error(), "file.pth: expected the weights of VGG16, found those of VGG19") || !strings.Contains(err.Error(), "vgg16-397923af.pth") {
		t.Errorf("VGG19: error %v", err)
	}
	if _, err := New(first, "file.pth", "relu1_2", Options{}); err != nil {
		t.Errorf("its first layers alone, which may be VGG16's: %v", err)
	}
}

// renamed gives the tensors of a source other names, and some of them another shape.
func renamed(t *testing.T, to map[string]string, shape map[string][]int) listed {
	t.Helper()
	f, err := weightfile.Open(smallFile, weightfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list listed
	for _, name := range f.Names() {
		w, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		at := strings.LastIndexByte(name, '.')
		if other, ok := to[name[:at]]; ok {
			name = other + name[at:]
		}
		if s := shape[name]; s != nil {
			w = w.Reshape(s...)
		}
		list = append(list, safetensors.Named{Name: name, Tensor: w})
	}
	return list
}

// TestLinearNames reads the classifier under timm's and Caffe's names.
func TestLinearNames(t *testing.T) {
	x := recipe.Numbers(7, 1, 3, 32, 32)
	want := small(t, Logits).Forward(x)
	for name, source := range map[string]listed{
		"timm": renamed(t, map[string]string{"classifier.0": "pre_logits.fc1", "classifier.3": "pre_logits.fc2", "classifier.6": "head.fc"},
			map[string][]int{"pre_logits.fc1.weight": {18, 15, 7, 7}, "pre_logits.fc2.weight": {17, 18, 1, 1}}),
		"Caffe": renamed(t, map[string]string{"classifier.0": "fc6", "classifier.3": "fc7", "classifier.6": "fc8"}, nil),
	} {
		m, err := New(source, name, Logits, Options{Input: input("IMAGENET1K_V1")})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := m.Forward(x); !slices.Equal(got.Data(), want.Data()) {
			t.Errorf("%s: other logits", name)
		}
	}
}
