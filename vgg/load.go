package vgg

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"

	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/tensor/torchfile"
)

// Weights is a source of named tensors, such as a file.
type Weights interface {
	// Names returns the names of all tensors.
	Names() []string

	// Tensor returns the tensor called name, which belongs to the caller. An error
	// names the source.
	Tensor(name string) (*tensor.Tensor, error)
}

// Load reads the weights of VGG16 from a file. It accepts files of torch.save in the old
// and the new format, such as torchvision's vgg16-397923af.pth, and safetensors files. The
// content decides which format a file has. upTo is the last layer that will be used: one
// of Taps, or Logits for the whole network. Load does not read later layers, and the file
// need not have them.
//
// The tensors have torchvision's names, features.0.weight to classifier.6.bias. Their
// shapes give the numbers of channels and classes. The peak memory of Load is hardly more
// than the memory of the weights.
//
// Errors: the file cannot be read; a tensor is missing or has a wrong shape; upTo is not a
// layer. They name the file and say what was expected and what was found.
func Load(path, upTo string) (*VGG, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return New(f, path, upTo)
}

// file is the common interface of safetensors.File and torchfile.File.
type file interface {
	Weights
	io.Closer
}

// open opens a file of weights. The file is read and not mapped into memory: every byte is
// needed only once, and the pages of a mapping would count as used memory.
func open(path string) (file, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("vgg: %w", err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("vgg: %s: expected a file of weights, found something else (%v)", path, st.Mode().Type())
	}
	src, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("vgg: %w", err)
	}
	f, err := openContent(src, path, st.Size())
	if err != nil {
		src.Close()
		return nil, err
	}
	return closeBoth{f, src}, nil
}

func openContent(src *os.File, path string, size int64) (file, error) {
	// A safetensors file begins with eight bytes, the length of its header. The header
	// is a JSON object.
	var begin [9]byte
	if n, err := src.ReadAt(begin[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("vgg: %s: %w", path, err)
	} else if n == len(begin) && begin[8] == '{' {
		f, err := safetensors.NewFile(path, src, size)
		if err != nil {
			return nil, err // not f: a nil pointer in an interface is not nil
		}
		return f, nil
	}
	f, err := torchfile.NewFile(path, src, size)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// closeBoth also closes the underlying file.
type closeBoth struct {
	file
	src io.Closer
}

func (c closeBoth) Close() error { return errors.Join(c.file.Close(), c.src.Close()) }

// New makes a network from any source of weights, as Load does from a file. Errors call
// the source by the name in source.
func New(w Weights, source, upTo string) (*VGG, error) {
	m := &VGG{}
	last := len(layers) - 1
	if upTo != Logits {
		if last = slices.Index(Taps(), upTo); last < 0 {
			return nil, fmt.Errorf("vgg: %q is no layer: there is %s %s", upTo, strings.Join(Taps(), " "), Logits)
		}
	}
	m.layers = layers[:last+1]
	r := reader{w, source, map[string]bool{}}
	for _, name := range w.Names() {
		r.names[name] = true
	}
	channels := 3
	for _, l := range m.layers {
		var packed *tensor.PackedConv
		var bias *tensor.Tensor
		if l.index >= 0 {
			weight, b, err := r.layer("features."+strconv.Itoa(l.index), channels, 3, 3)
			if err != nil {
				return nil, err
			}
			channels = weight.Dim(0)
			packed, bias = tensor.PackConv(weight), b
		}
		m.weight, m.bias = append(m.weight, packed), append(m.bias, bias)
	}
	if upTo != Logits {
		return m, nil
	}
	inputs := channels * pooled * pooled
	for _, name := range []string{"classifier.0", "classifier.3", "classifier.6"} { // between them: ReLU, dropout
		weight, bias, err := r.layer(name, inputs)
		if err != nil {
			return nil, err
		}
		inputs = weight.Dim(0)
		m.classifier = append(m.classifier, linear{tensor.PackLinear(weight), bias})
	}
	return m, nil
}

// reader reads tensors and checks them.
type reader struct {
	w      Weights
	source string
	names  map[string]bool
}

// layer reads the weight and the bias of a layer. The weight has any number of outputs and
// the given inputs.
func (r reader) layer(name string, inputs ...int) (weight, bias *tensor.Tensor, err error) {
	if weight, err = r.tensor(name+".weight", append([]int{0}, inputs...)); err != nil {
		return nil, nil, err
	}
	bias, err = r.tensor(name+".bias", weight.Shape()[:1])
	return weight, bias, err
}

// tensor reads a tensor and checks its shape. In shape, 0 stands for any positive number.
func (r reader) tensor(name string, shape []int) (*tensor.Tensor, error) {
	want := strings.Replace(fmt.Sprint(shape), "[0", "[any", 1)
	if !r.names[name] {
		return nil, fmt.Errorf("vgg: %s: no tensor %q, expected one of shape %s%s", r.source, name, want, r.guess())
	}
	t, err := r.w.Tensor(name)
	if err != nil {
		return nil, fmt.Errorf("vgg: %w", err)
	}
	got := t.Shape()
	fits := len(got) == len(shape)
	for i := 0; fits && i < len(shape); i++ {
		fits = got[i] > 0 && (got[i] == shape[i] || shape[i] == 0)
	}
	if fits && len(got) == 4 && got[0] > maxChannels {
		return nil, fmt.Errorf("vgg: %s: tensor %q has shape %v, expected at most %d channels", r.source, name, got, maxChannels)
	}
	if sum := tensor.Sum(t); math.IsNaN(sum) || math.IsInf(sum, 0) {
		return nil, fmt.Errorf("vgg: %s: tensor %q has numbers that are infinite or none at all (NaN): the file is damaged, get it again", r.source, name)
	}
	if !fits {
		return nil, fmt.Errorf("vgg: %s: tensor %q has shape %v, expected %s%s", r.source, name, got, want, r.guess())
	}
	return t, nil
}

// maxChannels limits the memory of a layer's output. VGG16 has at most 512 channels.
const maxChannels = 4096

// guess says what kind of file lacks the expected tensor.
func (r reader) guess() string {
	prefix := func(p string) bool {
		for name := range r.names {
			if strings.HasPrefix(name, p) {
				return true
			}
		}
		return false
	}
	switch {
	case prefix("visual.") || prefix("vision_model.") || prefix("text_model."):
		return ": these are the weights of CLIP; those of VGG16 are in torchvision's vgg16-397923af.pth"
	case r.names["features.1.running_mean"]:
		return ": these weights are of a network with batch normalisation, such as vgg16_bn; plain VGG16's are in torchvision's vgg16-397923af.pth"
	case prefix("features.") && !prefix("classifier."):
		return ": the file has no classifier; it serves for features up to pool5"
	case prefix("features."):
		return ": these may be the weights of another VGG; those of VGG16 are in torchvision's vgg16-397923af.pth"
	}
	return ": these are not the weights of VGG16, which are in torchvision's vgg16-397923af.pth"
}

// Random returns a network with random weights, initialised as torchvision does before
// training (He's initialisation). The weights of convolutions have a normal distribution
// with variance 2/(9·oc), those of the classifier one with standard deviation 0.01. Biases
// are 0. The network is for demonstrations: its features respond to edges and colours,
// like any random filters, but its classes mean nothing. The same seed gives the same
// weights. Random panics if upTo is neither one of Taps nor Logits.
//
// Source: K. He et al., "Delving Deep into Rectifiers", 2015, section 2.2.
func Random(seed uint64, upTo string) *VGG {
	m, err := New(initial{rand.New(rand.NewPCG(seed, 0))}, "random weights", upTo)
	if err != nil {
		panic(err)
	}
	return m
}

// initial makes random weights on request.
type initial struct{ rng *rand.Rand }

// initialShapes holds the shapes of the published network.
var initialShapes = func() map[string][]int {
	shapes := map[string][]int{}
	add := func(name string, weight ...int) {
		shapes[name+".weight"], shapes[name+".bias"] = weight, weight[:1]
	}
	ic := 3
	for _, l := range layers {
		if l.index >= 0 {
			oc := min(64<<l.stage, 512)
			add("features."+strconv.Itoa(l.index), oc, ic, 3, 3)
			ic = oc
		}
	}
	add("classifier.0", 4096, ic*pooled*pooled)
	add("classifier.3", 4096, 4096)
	add("classifier.6", 1000, 4096)
	return shapes
}()

func (initial) Names() []string {
	var names []string
	for name := range initialShapes {
		names = append(names, name)
	}
	return names
}

func (w initial) Tensor(name string) (*tensor.Tensor, error) {
	shape := initialShapes[name]
	t := tensor.New(shape...)
	if len(shape) == 1 {
		return t, nil
	}
	std := 0.01
	if len(shape) == 4 {
		std = math.Sqrt(2 / float64(9*shape[0]))
	}
	for i := range t.Data() {
		t.Data()[i] = float32(std * w.rng.NormFloat64())
	}
	return t, nil
}
