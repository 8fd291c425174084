package vgg

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pixelgrad/internal/golden"
	"pixelgrad/internal/recipe"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/tensor/weightfile"
	"pixelgrad/vision"
)

// recipeWeights makes the same weights as the function fill in testdata/golden/vgg.py.
type recipeWeights struct{ shapes map[string][]int }

// parameters lists the names in PyTorch's order.
var parameters = func() []string {
	var names []string
	for _, i := range []string{"features.0", "features.2", "features.5", "features.7", "features.10", "features.12", "features.14",
		"features.17", "features.19", "features.21", "features.24", "features.26", "features.28", "classifier.0", "classifier.3", "classifier.6"} {
		names = append(names, i+".weight", i+".bias")
	}
	return names
}()

func (recipeWeights) Names() []string { return parameters }

func (r recipeWeights) Tensor(name string) (*tensor.Tensor, error) {
	shape, i := r.shapes[name], slices.Index(parameters, name)
	if shape == nil {
		return nil, fmt.Errorf("recipe: no shape for %s", name)
	}
	t := mixed(i, shape...)
	factor := float32(0.1)
	if len(shape) > 1 {
		factor = float32(math.Sqrt(6 / float64(t.Len()/shape[0])))
	}
	for i := range t.Data() {
		t.Data()[i] *= factor
	}
	return t, nil
}

// mixed is the function mixed in vgg.py.
func mixed(salt int, shape ...int) *tensor.Tensor {
	t := tensor.New(shape...)
	const piece = 1 << 16
	tensor.Parallel((t.Len()+piece-1)/piece, func(p int) {
		for i := p * piece; i < min(t.Len(), (p+1)*piece); i++ {
			h := uint32(i) + uint32(salt*0x9e3779b9)
			h = (h ^ h>>16) * 0x85ebca6b
			h = (h ^ h>>13) * 0xc2b2ae35
			h ^= h >> 16
			t.Data()[i] = float32(h>>8)/(1<<23) - 1
		}
	})
	return t
}

// checkLargest fails the test if an element of got differs from the golden tensor by more
// than rtol times largest. If largest is 0, the largest element of that tensor is used.
func checkLargest(t *testing.T, file *safetensors.File, name string, got []float32, rtol, largest float64) {
	t.Helper()
	want, err := file.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != want.Len() {
		t.Fatalf("%s: %d elements, want %d", name, len(got), want.Len())
	}
	if largest == 0 {
		for _, w := range want.Data() {
			largest = max(largest, math.Abs(float64(w)))
		}
	}
	worst := 0.0
	for i, w := range want.Data() {
		d := math.Abs(float64(got[i])-float64(w)) / largest
		if !(d <= rtol) {
			t.Errorf("%s: element %d is %v, want %v; the largest is %v", name, i, got[i], w, largest)
			return
		}
		worst = max(worst, d)
	}
	t.Logf("%s: largest difference %.1e of the largest activation", name, worst)
}

// sample takes the same elements as the function sample in vgg.py.
func sample(x *tensor.Tensor) []float32 {
	step := (x.Len()+1499)/1500 | 1
	var s []float32
	for i := 0; i < x.Len(); i += step {
		s = append(s, x.Data()[i])
	}
	return s
}

// TestFullSizeGolden compares VGG16 and its 138 million weights with torchvision's. It
// checks every tap at 40×40, where two pools meet odd sizes, and the logits at 224×224.
// With -short it omits the classifier.
func TestFullSizeGolden(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	file := golden.Open(t, "vgg")
	upTo := Logits
	if testing.Short() {
		upTo = "pool5"
	}
	m, err := New(recipeWeights{initialShapes}, "recipe", upTo, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, y := range m.Features(recipe.Numbers(60, 2, 3, 40, 40), Taps()...) {
		largest, err := file.Tensor("largest/" + Taps()[i])
		if err != nil {
			t.Fatal(err)
		}
		checkLargest(t, file, "features/"+Taps()[i], sample(y), 1e-4, float64(largest.Data()[0]))
	}
	if testing.Short() {
		return
	}
	y := m.Forward(recipe.Numbers(61, 1, 3, 224, 224))
	checkLargest(t, file, "logits", y.Data(), 1e-4, 0)

	// HeapSys never falls, so it is a bound on the heap since the first weight was read. It
	// says nothing if other weights were loaded before, as with -count 2.
	runtime.ReadMemStats(&after)
	const weights = 4 * 138_357_544 // as they are stored; some convolutions' are also kept transformed
	t.Logf("weights %d MB, heap at most %d MB, %d MB before", weights>>20, after.HeapSys>>20, before.HeapSys>>20)
	if before.HeapSys < weights/10 && after.HeapSys > weights*13/10 {
		t.Error("the heap has grown to more than 1.3 times the weights")
	}
	runtime.KeepAlive(m)
}

const smallFile = "../testdata/golden/vgg_small.pth"

// TestSmallGolden reads a file in the old format of torch.save, with other numbers of
// channels than VGG16, and compares the logits with torchvision's.
func TestSmallGolden(t *testing.T) {
	m, err := Load(smallFile, Logits, Options{})
	if err != nil {
		t.Fatal(err)
	}
	file := golden.Open(t, "vgg")
	for _, s := range [][3]int{{1, 224, 224}, {3, 32, 32}, {2, 97, 130}, {5, 71, 66}} {
		y := m.Forward(recipe.Numbers(7, s[0], 3, s[1], s[2]))
		if got, want := fmt.Sprint(y.Shape()), fmt.Sprint([]int{s[0], 10}); got != want {
			t.Errorf("shape %s, want %s", got, want)
		}
		checkLargest(t, file, fmt.Sprintf("small/%dx%dx%d", s[0], s[1], s[2]), y.Data(), 1e-4, 0)
	}

	// The same from a safetensors file without an extension, and from the recipe.
	f, err := weightfile.Open(smallFile, weightfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := f.Names(); !slices.Equal(got, parameters) {
		t.Errorf("the file has %v, want %v", got, parameters)
	}
	var named []safetensors.Named
	r := recipeWeights{map[string][]int{}}
	for _, name := range f.Names() {
		w, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		named = append(named, safetensors.Named{Name: name, Tensor: w})
		r.shapes[name] = w.Shape()
	}
	path := filepath.Join(t.TempDir(), "weights")
	if err := safetensors.WriteFile(path, named, nil); err != nil {
		t.Fatal(err)
	}
	x := recipe.Numbers(7, 3, 3, 32, 32)
	want := m.Forward(x)
	other, err := Load(path, Logits, Options{})
	if err != nil {
		t.Fatal(err)
	}
	made, err := New(r, "recipe", Logits, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*VGG{"safetensors": other, "recipe": made} {
		if got := m.Forward(x); !slices.Equal(got.Data(), want.Data()) {
			t.Errorf("%s: other logits than from the .pth file", name)
		}
	}
}

// TestPreprocessGolden compares with torchvision on Pillow's images.
func TestPreprocessGolden(t *testing.T) {
	data, err := os.ReadFile("../testdata/golden/vgg_preprocess.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Preprocess []struct {
			Kind   string
			W, H   int
			Values []float32
		}
	}
	if err := json.Unmarshal(data, &file); err != nil || len(file.Preprocess) == 0 {
		t.Fatalf("%d cases, error %v", len(file.Preprocess), err)
	}
	worst, m := 0.0, Random(1, "relu1_1")
	for _, c := range file.Preprocess {
		x, err := m.Preprocess(picture(c.Kind, c.W, c.H))
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(x.Shape()) != "[1 3 224 224]" {
			t.Fatalf("shape %v", x.Shape())
		}
		const stride = 1009
		for i, want := range c.Values {
			at := i * stride
			oneLevel := 1 / 255. / float64(m.Input().Std[at/(224*224)])
			d := math.Abs(float64(x.Data()[at])-float64(want)) / oneLevel
			if !(d <= 1) {
				t.Fatalf("%s %d×%d: element %d is %v, want %v", c.Kind, c.W, c.H, at, x.Data()[at], want)
			}
			worst = max(worst, d)
		}
	}
	t.Logf("largest difference: %.4f levels", worst)
}

// picture makes the same picture as the function picture in testdata/golden/resize.py.
func picture(kind string, w, h int) *vision.RGB {
	p := vision.NewRGB(w, h)
	for i := range p.Pix {
		x, y, c := i/3%w, i/3/w, i%3
		switch kind {
		case "noise":
			p.Pix[i] = uint8((x*73856093 ^ y*19349663 ^ c*83492791) >> 7)
		case "stripes":
			if (x*(c+1)/5+y/3)%2 == 1 {
				p.Pix[i] = 255
			}
		case "smooth":
			p.Pix[i] = uint8((x*(c+2) + y*(5-c)) / 2)
		}
	}
	return p
}

func TestClassNames(t *testing.T) {
	if len(classes) != 1000 || slices.ContainsFunc(classes, func(s string) bool { return s == "" || strings.TrimSpace(s) != s }) {
		t.Fatalf("%d classes, or an empty name among them", len(classes))
	}
	// Three indices that are known independently.
	for i, want := range map[int]string{0: "tench", 281: "tabby", 999: "toilet tissue"} {
		if classes[i] != want {
			t.Errorf("class %d is %q, want %q", i, classes[i], want)
		}
	}
}
