package vgg

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"pixelgrad/internal/recipe"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

// authorsFirst returns a copy of the embedded first convolution.
func authorsFirst(t *testing.T) (weight, bias *tensor.Tensor) {
	t.Helper()
	weight, err := pretrained().Tensor("features.0.weight")
	if err != nil {
		t.Fatal(err)
	}
	if bias, err = pretrained().Tensor("features.0.bias"); err != nil {
		t.Fatal(err)
	}
	return weight, bias
}

// torchvisionFirst returns a first convolution with the filters of torchvisionV1 and random
// ones.
func torchvisionFirst(rng *rand.Rand) (weight, bias *tensor.Tensor) {
	weight, bias = tensor.New(64, 3, 3, 3), tensor.New(64)
	for i := range weight.Data() {
		weight.Data()[i] = float32(0.3 * rng.NormFloat64())
	}
	for i := range bias.Data() {
		bias.Data()[i] = float32(0.5 * rng.NormFloat64())
	}
	for i, k := range torchvisionV1.filters {
		copy(weight.Data()[27*k:], torchvisionV1.weights[27*i:][:27])
		bias.Data()[k] = torchvisionV1.biases[i]
	}
	return weight, bias
}

func multiply(x *tensor.Tensor, by float64) *tensor.Tensor {
	for i := range x.Data() {
		x.Data()[i] *= float32(by)
	}
	return x
}

// TestRecognise makes first convolutions as they are published and converted, and such as
// training moved away from these.
func TestRecognise(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	levels := input("levels").Std[0]
	for _, c := range []struct {
		name, want string
		make       func() (weight, bias *tensor.Tensor)
	}{
		{"torchvision's", "IMAGENET1K_V1", func() (w, b *tensor.Tensor) { return torchvisionFirst(rng) }},
		{"the authors' for red, green, blue", "IMAGENET1K_FEATURES", func() (w, b *tensor.Tensor) {
			w, b = authorsFirst(t)
			return multiply(w, 23.6*float64(levels)), multiply(b, 23.6)
		}},
		{"the authors' for blue, green, red", "levels-BGR", func() (w, b *tensor.Tensor) {
			w, b = authorsFirst(t)
			return reversed(multiply(w, 23.6*float64(levels))), multiply(b, 23.6)
		}},
		{"with a factor for each filter, as L. Gatys has them", "levels-BGR", func() (w, b *tensor.Tensor) {
			w, b = authorsFirst(t)
			multiply(w, float64(levels))
			for k := range 64 {
				factor := float32(math.Exp(2 * rng.NormFloat64()))
				b.Data()[k] *= factor
				for i := range 27 {
					w.Data()[27*k+i] *= factor
				}
			}
			return reversed(w), b
		}},
		{"the embedded", "pixels", func() (w, b *tensor.Tensor) { return authorsFirst(t) }},
		{"the authors' converted to PyTorch's usual input", "IMAGENET1K_V1", func() (w, b *tensor.Tensor) {
			w, b = authorsFirst(t)
			for i := range w.Data() {
				w.Data()[i] *= 23.6 * input("IMAGENET1K_V1").Std[i/9%3]
			}
			return w, multiply(b, 23.6)
		}},
		{"random", "", func() (w, b *tensor.Tensor) {
			w, b = torchvisionFirst(rng)
			for i := range w.Data() {
				w.Data()[i] = float32(rng.NormFloat64())
			}
			return w, b
		}},
		{"the authors' at a scale that nobody uses", "", func() (w, b *tensor.Tensor) {
			w, b = authorsFirst(t)
			return multiply(w, 20), b
		}},
		{"zeros", "", func() (w, b *tensor.Tensor) { return tensor.New(64, 3, 3, 3), tensor.New(64) }},
		{"another size", "", func() (w, b *tensor.Tensor) { return tensor.New(3, 3, 3, 3), tensor.New(3) }},
	} {
		w, b := c.make()
		in, like, ok := recognise(w, b)
		if in.Name != c.want || ok != (c.want != "") {
			t.Errorf("%s: found %q (likeness %.2f, %v), want %q", c.name, in.Name, like, ok, c.want)
		}
		if c.want == "" {
			continue
		}
		// Training has moved every weight by about a third of the filter's root mean square,
		// and every bias by a quarter.
		for range 20 {
			w2, b2 := w.Clone(), b.Clone()
			for k := range 64 {
				filter := w2.Data()[27*k:][:27]
				size := math.Sqrt(dot(filter, filter) / 27)
				for i := range filter {
					filter[i] += float32(size * rng.NormFloat64() / 3)
				}
				b2.Data()[k] *= 1 + float32(rng.NormFloat64()/4)
			}
			if in, like, ok := recognise(w2, b2); in.Name != c.want || !ok {
				t.Errorf("%s, trained further: found %q (likeness %.2f, %v), want %q", c.name, in.Name, like, ok, c.want)
			}
		}
	}
}

// converted makes a file of the embedded weights under another convention and other names.
func converted(t *testing.T, in Input, rename func(index int) string) string {
	t.Helper()
	var list []safetensors.Named
	for _, index := range []int{0, 2, 5, 7} {
		for _, part := range []string{".weight", ".bias"} {
			w, err := pretrained().Tensor(fmt.Sprintf("features.%d%s", index, part))
			if err != nil {
				t.Fatal(err)
			}
			if index == 0 && part == ".weight" {
				for i := range w.Data() {
					w.Data()[i] *= in.Std[i/9%3]
				}
				if in.BGR {
					w = reversed(w)
				}
			}
			list = append(list, safetensors.Named{Name: rename(index) + part, Tensor: w})
		}
	}
	path := filepath.Join(t.TempDir(), "converted.safetensors")
	if err := safetensors.WriteFile(path, list, nil); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestInputs loads the same network from files of all kinds, and wants the same features of
// the same photographs, whatever the file wants to be shown.
func TestInputs(t *testing.T) {
	numbered := func(head string) func(int) string {
		return func(i int) string { return fmt.Sprintf("%s%d", head, i) }
	}
	inCaffe := func(i int) string {
		return map[int]string{0: "conv1_1", 2: "conv1_2", 5: "conv2_1", 7: "conv2_2"}[i]
	}
	inPieces := func(i int) string { return fmt.Sprintf("slice%d.%d", 1+i/5, i) }
	x := recipe.Pixels(1, 1, 3, 40, 40)
	m, err := Pretrained("relu2_2")
	if err != nil {
		t.Fatal(err)
	}
	want := m.Features(m.Normalize(x), "relu2_2")[0]
	for _, c := range []struct {
		name      string
		input     string // of the file
		rename    func(int) string
		asked     string // -vgg-input
		tolerance float64
		said      []string
	}{
		{"embedded, saved", "pixels", numbered("features."), "", 1e-5, []string{"sees pixels", "likeness 1.00"}},
		{"torchvision's features", "IMAGENET1K_FEATURES", numbered("features."), "", 0.03, []string{"sees IMAGENET1K_FEATURES"}},
		{"the same, asked for the authors' means", "levels", numbered("features."), "LEVELS", 1e-5, nil},
		{"DataParallel", "levels", numbered("features.module."), "levels", 1e-5, []string{"features.module.0"}},
		{"Caffe's names", "levels-BGR", inCaffe, "", 1e-5, []string{"conv1_1.weight is read as torchvision's features.0.weight", "sees levels-BGR", "usually come from Caffe"}},
		{"Caffe's names for red, green, blue", "levels", inCaffe, "", 1e-5, []string{"sees levels,", "usually come from Caffe"}},
		{"numbers", "levels-BGR", numbered(""), "", 1e-5, []string{"0.weight is read as torchvision's features.0.weight", "sees levels-BGR", "usually come from Caffe"}},
		{"pieces", "levels-BGR", inPieces, "", 1e-5, []string{"slice1.0.weight is read as", "sees levels-BGR"}},
		{"a prefix", "levels-BGR", numbered("loss.vgg.features."), "", 1e-5, []string{"loss.vgg.", "sees levels-BGR"}},
		{"asked for what it is not", "levels", numbered("features."), "IMAGENET1K_V1", -1, []string{"IMAGENET1K_V1 is taken as asked", "sees IMAGENET1K_FEATURES"}},
	} {
		var o Options
		var said []string
		o.Say = func(line string) { said = append(said, line) }
		if c.asked != "" {
			if o.Input, err = FindInput(c.asked); err != nil {
				t.Fatal(err)
			}
		}
		path := converted(t, input(c.input), c.rename)
		m, err := Load(path, "relu2_2", o)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := m.Features(m.Normalize(x), "relu2_2")[0]
		largest, worst := 0.0, 0.0
		for i, w := range want.Data() {
			largest, worst = max(largest, float64(w)), max(worst, math.Abs(float64(got.Data()[i]-w)))
		}
		if c.tolerance > 0 && !(worst <= c.tolerance*largest) {
			t.Errorf("%s: features differ by %v, the largest is %v", c.name, worst, largest)
		}
		if c.tolerance < 0 && !(worst > 0.1*largest) {
			t.Errorf("%s: features differ by %v only: the input that was asked for was not taken", c.name, worst)
		}
		all := strings.Join(said, "\n")
		for _, want := range c.said {
			if !strings.Contains(all, want) {
				t.Errorf("%s: said %q, want %q in it", c.name, all, want)
			}
		}
		for _, line := range said {
			if !strings.HasPrefix(line, path) {
				t.Errorf("%s: a line should begin with the file: %s", c.name, line)
			}
		}
		if len(c.said) == 0 && len(said) > 0 {
			t.Errorf("%s: said %q, want nothing", c.name, all)
		}
	}
}

// TestAssumed: nothing tells what the network of random numbers sees, and that is said.
func TestAssumed(t *testing.T) {
	for _, c := range []struct{ first, want string }{
		{"features.0", "IMAGENET1K_V1"},
		{"0", "IMAGENET1K_V1"},
		{"conv1_1", "levels-BGR"},
	} {
		var said []string
		w, b := tensor.New(64, 3, 3, 3), tensor.New(64)
		copy(w.Data(), mixed(1, w.Len()).Data())
		source := listed{{Name: c.first + ".weight", Tensor: w}, {Name: c.first + ".bias", Tensor: b}}
		m, err := New(source, "file.pth", "relu1_1", Options{Say: func(line string) { said = append(said, line) }})
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Join(said, "\n")
		if m.Input().Name != c.want || !strings.Contains(all, "file.pth: nothing in the weights tells") || !strings.Contains(all, c.want+" is assumed") {
			t.Errorf("%s: input %s, said %q; want %s, and that it is assumed", c.first, m.Input().Name, all, c.want)
		}
		if usual := c.first != "features.0"; usual != strings.Contains(all, "usually come from Caffe") {
			t.Errorf("%s: said %q; that such names come from Caffe: want %v", c.first, all, usual)
		}
	}
}

// listed is a source of weights in memory.
type listed []safetensors.Named

func (l listed) Names() (names []string) {
	for _, t := range l {
		names = append(names, t.Name)
	}
	return names
}

func (l listed) Tensor(name string) (*tensor.Tensor, error) {
	for _, t := range l {
		if t.Name == name {
			return t.Tensor.Clone(), nil
		}
	}
	return nil, fmt.Errorf("no %s", name)
}

func TestFindInput(t *testing.T) {
	for _, in := range Inputs {
		if got, err := FindInput(strings.ToLower(in.Name)); err != nil || got != in {
			t.Errorf("%s: %v, %v", in.Name, got, err)
		}
	}
	if _, err := FindInput("Lab"); err == nil || !strings.Contains(err.Error(), "IMAGENET1K_V1, IMAGENET1K_FEATURES, levels, levels-BGR, pixels") {
		t.Errorf("Lab: error %v, want one that lists the names", err)
	}
}

// TestNormalize writes out what networks see of a pixel of the levels 200, 100, 50.
func TestNormalize(t *testing.T) {
	x := tensor.FromSlice([]float32{200 / 255., 100 / 255., 50 / 255.}, 1, 3, 1, 1)
	for name, want := range map[string][3]float64{
		"IMAGENET1K_V1":       {(200/255. - 0.485) / 0.229, (100/255. - 0.456) / 0.224, (50/255. - 0.406) / 0.225},
		"IMAGENET1K_FEATURES": {200 - 0.48235*255, 100 - 0.45882*255, 50 - 0.40784*255},
		"levels":              {200 - 123.68, 100 - 116.779, 50 - 103.939},
		"levels-BGR":          {200 - 123.68, 100 - 116.779, 50 - 103.939}, // the weights are turned round instead
		"pixels":              {(200 - 123.68) / 255, (100 - 116.779) / 255, (50 - 103.939) / 255},
	} {
		m := &VGG{input: input(name)}
		for c, v := range m.Normalize(x).Data() {
			if !(math.Abs(float64(v)-want[c]) <= 2e-6*(1+math.Abs(want[c]))*10) {
				t.Errorf("%s: channel %d is %v, want %v", name, c, v, want[c])
			}
		}
	}
}
