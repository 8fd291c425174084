package vgg

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pixelgrad/internal/recipe"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/tensor/weightfile"
	"pixelgrad/vision"
)

// small returns the network of vgg_small.pth.
func small(t testing.TB, upTo string) *VGG {
	t.Helper()
	m, err := Load(smallFile, upTo, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestGroups computes a batch in groups of every size, with several numbers of threads. The
// bits must be the same as those of the whole batch at once.
func TestGroups(t *testing.T) {
	defer func(n int) { groupElements = n; tensor.SetThreads(0) }(groupElements)
	m := small(t, Logits)
	x := recipe.Numbers(1, 7, 3, 50, 41)
	groupElements = 1 << 30
	taps := []string{"relu5_1", "relu1_2", "pool3", "relu1_2", "relu4_3"}
	want, logits := m.Features(x, taps...), m.Forward(x)
	for threads := 1; threads <= 3; threads++ {
		tensor.SetThreads(threads)
		for _, groupElements = range []int{1, 10_000, 20_000, 30_000} {
			got := m.Features(x, taps...)
			for i := range taps {
				if !slices.Equal(got[i].Shape(), want[i].Shape()) || !slices.Equal(got[i].Data(), want[i].Data()) {
					t.Errorf("%d threads, groups of %d elements: %s differs", threads, groupElements, taps[i])
				}
			}
			if got := m.Forward(x); !slices.Equal(got.Data(), logits.Data()) {
				t.Errorf("%d threads, groups of %d elements: the logits differ", threads, groupElements)
			}
		}
	}
	if n := len(m.Features(x, "pool1")); n != 1 {
		t.Errorf("%d outputs for one tap", n)
	}
}

// asked records the tensors that are requested.
type asked struct {
	Weights
	names []string
}

func (a *asked) Tensor(name string) (*tensor.Tensor, error) {
	a.names = append(a.names, name)
	return a.Weights.Tensor(name)
}

// TestLoadsNoMoreThanNeeded loads the network up to each layer.
func TestLoadsNoMoreThanNeeded(t *testing.T) {
	f, err := weightfile.Open(smallFile, weightfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x := recipe.Numbers(1, 1, 3, 32, 32)
	convolutions := 0
	for i, tap := range append(Taps(), Logits) {
		if strings.HasPrefix(tap, "relu") {
			convolutions++
		}
		a := &asked{Weights: f}
		m, err := New(a, smallFile, tap, Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := parameters[:2*convolutions]
		if tap == Logits {
			want = parameters
		}
		if !slices.Equal(a.names, want) {
			t.Errorf("%s: reads %v, want %v", tap, a.names, want)
		}
		if tap != Logits {
			y := m.Features(x, tap)[0]
			c, h, w := m.FeatureShape(tap, 32, 32)
			if got, want := y.Shape(), []int{1, c, h, w}; !slices.Equal(got, want) {
				t.Errorf("%s: shape %v, FeatureShape says %v", tap, got, want)
			}
			if side := 32 >> strings.Count(strings.Join(Taps()[:i+1], " "), "pool"); h != side || w != side {
				t.Errorf("%s: %d×%d pixels, want %d", tap, w, h, side)
			}
		}
	}
}

// TestBadWeights expects an error with the file's name, what was expected and what was
// found.
func TestBadWeights(t *testing.T) {
	f, err := weightfile.Open(smallFile, weightfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dir := t.TempDir()
	// write makes a file of the small network's tensors, after change.
	write := func(change func(named map[string]*tensor.Tensor)) string {
		named := map[string]*tensor.Tensor{}
		for _, name := range f.Names() {
			w, err := f.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			named[name] = w
		}
		change(named)
		var list []safetensors.Named
		for name, w := range named {
			list = append(list, safetensors.Named{Name: name, Tensor: w})
		}
		path := filepath.Join(dir, "weights.safetensors")
		if err := safetensors.WriteFile(path, list, nil); err != nil {
			t.Fatal(err)
		}
		return path
	}
	raw := func(content string) string {
		path := filepath.Join(dir, "raw.pth")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole, err := os.ReadFile(smallFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, upTo string
		path       func() string
		want       []string
	}{
		{"missing", Logits, func() string {
			return write(func(n map[string]*tensor.Tensor) { delete(n, "features.7.bias") })
		}, []string{"weights.safetensors", `no tensor "features.7.bias"`, "shape [6]", "vgg16-397923af.pth"}},
		{"misshapen weight", Logits, func() string {
			return write(func(n map[string]*tensor.Tensor) { n["features.5.weight"] = tensor.New(5, 4, 3, 1) })
		}, []string{`"features.5.weight"`, "shape [5 4 3 1]", "expected [any 4 3 3]"}},
		{"no channels", Logits, func() string {
			return write(func(n map[string]*tensor.Tensor) { n["features.0.weight"] = tensor.New(0, 3, 3, 3) })
		}, []string{`"features.0.weight"`, "shape [0 3 3 3]", "expected [any 3 3 3]"}},
		{"rank", Logits, func() string {
			return write(func(n map[string]*tensor.Tensor) { n["features.0.weight"] = tensor.New(3, 27) })
		}, []string{`"features.0.weight"`, "shape [3 27]"}},
		{"misshapen bias", Logits, func() string {
			return write(func(n map[string]*tensor.Tensor) { n["classifier.3.bias"] = tensor.New(16) })
		}, []string{`"classifier.3.bias"`, "shape [16]", "expected [17]"}},
		{"inputs of the classifier", Logits, func() string {
			return write(func(n map[string]*tensor.Tensor) { n["classifier.0.weight"] = tensor.New(18, 15*36) })
		}, []string{`"classifier.0.weight"`, "shape [18 540]", "expected [any 735]"}},
		{"features only", Logits, func() string {
			return write(func(n map[string]*tensor.Tensor) {
				for name := range n {
					if strings.HasPrefix(name, "classifier") {
						delete(n, name)
					}
				}
			})
		}, []string{`no tensor "classifier.0.weight"`, "no classifier", "pool5"}},
		{"CLIP", "relu2_2", func() string {
			return write(func(n map[string]*tensor.Tensor) {
				clear(n)
				n["visual.conv1.weight"], n["logit_scale"] = tensor.New(8, 3, 4, 4), tensor.New()
			})
		}, []string{`no tensor "features.0.weight"`, "weights of CLIP"}},
		{"CLIP, other names", Logits, func() string {
			return write(func(n map[string]*tensor.Tensor) {
				clear(n)
				n["vision_model.embeddings.class_embedding"] = tensor.New(8)
			})
		}, []string{"weights of CLIP"}},
		{"batch normalisation", Logits, func() string {
			return write(func(n map[string]*tensor.Tensor) {
				delete(n, "features.2.weight")
				n["features.1.running_mean"] = tensor.New(3)
			})
		}, []string{"expected the weights of VGG16", "a network with batch normalisation", "vgg16-397923af.pth"}},
		{"another network", Logits, func() string {
			return write(func(n map[string]*tensor.Tensor) { clear(n); n["conv1.weight"] = tensor.New(64, 3, 3, 3) })
		}, []string{`no tensor "features.0.weight"`, "not the weights of VGG16"}},
		{"unknown layer", "relu3_4", func() string { return smallFile }, []string{`"relu3_4" is no layer`, "relu3_3", "logits"}},
		{"not there", Logits, func() string { return filepath.Join(dir, "absent.pth") }, []string{"absent.pth"}},
		{"a folder", Logits, func() string { return dir }, []string{filepath.Base(dir), "found a folder"}},
		{"empty", Logits, func() string { return raw("") }, []string{"raw.pth", "empty"}},
		{"a text", Logits, func() string { return raw("<html>\nnot found") }, []string{"raw.pth", "torch.save"}},
		{"cut off", Logits, func() string { return raw(string(whole[:len(whole)/2])) }, []string{"raw.pth"}},
	} {
		_, err := Load(c.path(), c.upTo, Options{})
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the error should say %q: %v", c.name, want, err)
			}
		}
	}
	// The file without a classifier does have features.
	path := write(func(n map[string]*tensor.Tensor) { delete(n, "classifier.0.weight"); delete(n, "features.28.bias") })
	if _, err := Load(path, "relu5_2", Options{}); err != nil {
		t.Error(err)
	}
}

func TestMistakesPanic(t *testing.T) {
	m, image := small(t, "pool2"), tensor.New(1, 3, 8, 8)
	for name, f := range map[string]func(){
		"unknown tap":        func() { m.Features(image, "relu9_9") },
		"not loaded":         func() { m.Features(image, "relu3_1") },
		"no taps":            func() { m.Features(image) },
		"no classifier":      func() { m.Forward(tensor.New(1, 3, 32, 32)) },
		"channels":           func() { m.Features(tensor.New(1, 4, 8, 8), "pool1") },
		"rank":               func() { m.Features(tensor.New(3, 8, 8), "pool1") },
		"no images":          func() { m.Features(tensor.New(0, 3, 8, 8), "pool1") },
		"no pixels":          func() { m.Features(tensor.New(1, 3, 0, 8), "relu1_1") },
		"nothing is left":    func() { m.Features(tensor.New(1, 3, 8, 3), "pool2") },
		"small image":        func() { small(t, Logits).Forward(tensor.New(1, 3, 31, 40)) },
		"FeatureShape":       func() { m.FeatureShape("pool5", 32, 32) },
		"Normalize":          func() { m.Normalize(tensor.New(1, 1, 8, 8)) },
		"Random, no layer":   func() { Random(1, "relu0") },
		"FeatureShape, none": func() { m.FeatureShape("pool1", 1, 1) },
	} {
		func() {
			defer func() {
				if p := recover(); p == nil {
					t.Errorf("%s: no panic", name)
				} else if !strings.HasPrefix(fmt.Sprint(p), "vgg: ") {
					t.Errorf("%s: the panic should begin with the package: %v", name, p)
				}
			}()
			f()
		}()
	}
}

func TestTop(t *testing.T) {
	top := Top([]float32{1, 3, -2, 3, 500, float32(math.Inf(-1))}, 3)
	if p := math.Exp(3 - 500); fmt.Sprint(top) != fmt.Sprintf("[{4 class 4 1} {1 class 1 %v} {3 class 3 %v}]", p, p) {
		t.Errorf("got %v", top)
	}
	if top := Top([]float32{float32(math.NaN()), -1}, 5); len(top) != 2 || top[0].Index != 1 || !math.IsNaN(top[0].Probability) {
		t.Errorf("got %v", top)
	}
	if top := Top(nil, 5); len(top) != 0 {
		t.Errorf("got %v", top)
	}
	logits, sum := make([]float32, 1000), 0.0
	logits[207] = 5
	for _, c := range Top(logits, 1000) {
		sum += c.Probability
	}
	if !(math.Abs(sum-1) < 1e-12) {
		t.Errorf("the probabilities add up to %v", sum)
	}
	if c := Top(logits, 1)[0]; c.Index != 207 || c.Name != "golden retriever" {
		t.Errorf("got %v", c)
	}
}

func TestPreprocessSizes(t *testing.T) {
	m := Random(1, "relu1_1")
	for _, s := range [][2]int{{1, 1}, {1, 999}, {224, 224}, {999, 1}} {
		if x, err := m.Preprocess(vision.NewRGB(s[0], s[1])); err != nil || x.Len() != 3*224*224 {
			t.Errorf("%v: error %v", s, err)
		}
	}
	for _, s := range [][2]int{{0, 5}, {1, 1000}, {65535, 3}} {
		if _, err := m.Preprocess(vision.NewRGB(9, 9), vision.NewRGB(s[0], s[1])); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("photograph 2 has %d×%d", s[0], s[1])) {
			t.Errorf("%v: error %v", s, err)
		}
	}
	a, b := picture("noise", 60, 40), picture("smooth", 40, 60)
	both, err := m.Preprocess(a, b)
	if err != nil {
		t.Fatal(err)
	}
	second, err := m.Preprocess(b)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(both.Data()[3*224*224:], second.Data()) {
		t.Error("the second of a batch is not what it is alone")
	}
}

// TestRandom checks the standard deviations of the initial weights.
func TestRandom(t *testing.T) {
	source := initial{rand.New(rand.NewPCG(1, 0))}
	for _, l := range layers[:5] {
		if l.index < 0 {
			continue
		}
		w, err := source.Tensor(fmt.Sprintf("features.%d.weight", l.index))
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, v := range w.Data() {
			sum += float64(v) * float64(v)
		}
		got, want := sum/float64(w.Len()), 2/float64(9*w.Dim(0))
		if !(math.Abs(got/want-1) < 6*math.Sqrt(2/float64(w.Len()))) {
			t.Errorf("%s: variance %v, want %v", l.name, got, want)
		}
	}
	x := recipe.Pixels(1, 1, 3, 8, 8)
	a, b, c := Random(1, "relu2_2").Features(x, "pool1")[0], Random(1, "pool1").Features(x, "pool1")[0], Random(2, "pool1").Features(x, "pool1")[0]
	if !slices.Equal(a.Data(), b.Data()) {
		t.Error("the same seed gave other weights")
	}
	if slices.Equal(a.Data(), c.Data()) {
		t.Error("another seed gave the same weights")
	}
}

// damaged is a source of weights with a NaN.
type damaged struct{ Weights }

func (d damaged) Tensor(name string) (*tensor.Tensor, error) {
	t, err := d.Weights.Tensor(name)
	if err == nil && name == "features.0.bias" {
		t.Data()[3] = float32(math.NaN())
	}
	return t, err
}

func TestDamagedWeights(t *testing.T) {
	_, err := New(damaged{recipeWeights{initialShapes}}, "file.pth", "relu1_1", Options{})
	if err == nil || !strings.Contains(err.Error(), "file.pth") || !strings.Contains(err.Error(), `"features.0.bias"`) || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("weights with NaN: %v", err)
	}
}
