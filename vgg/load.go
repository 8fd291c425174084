package vgg

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"pixelgrad/tensor"
	"pixelgrad/tensor/weightfile"
)

// Weights is a source of named tensors, such as a file.
type Weights interface {
	// Names returns the names of all tensors.
	Names() []string

	// Tensor returns the tensor called name, which belongs to the caller. An error
	// names the source.
	Tensor(name string) (*tensor.Tensor, error)
}

// Options of Load and New. The zero value serves for most files.
type Options struct {
	// Key is the path of the dictionary in the file that holds the network, such as
	// "model.state_dict"; "" lets the content decide. New has no use for it.
	Key string

	// Input is what the network was trained to see. The zero value lets the weights tell.
	Input Input

	// Say is told what was chosen, a line at a time: what the input is, what a file that
	// has other names than torchvision's is taken for. It may be nil.
	Say func(line string)
}

func (o Options) say(format string, args ...any) {
	if o.Say != nil {
		o.Say(fmt.Sprintf(format, args...))
	}
}

// Load reads the weights of VGG16 from a file. It accepts files of torch.save, such as
// torchvision's vgg16-397923af.pth, and safetensors files; package weightfile finds the
// network in them. upTo is the last layer that will be used: one of Taps, or Logits for the
// whole network. Load does not read later layers, and the file need not have them.
//
// The tensors have torchvision's names, features.0.weight to classifier.6.bias; or those of
// other programs: 0.weight, slice1.0.weight, conv1_1.weight and fc6.weight, or timm's
// pre_logits.fc1.weight and head.fc.weight. Their shapes give the numbers of channels and
// classes. The peak memory of Load is hardly more than the memory of the weights.
//
// What the network was trained to see is told from its first convolution, unless o says
// it: see Inputs. If nothing tells, it is assumed and said.
//
// Errors: the file cannot be read; it is of another network; a tensor is missing or has a
// wrong shape; upTo is not a layer. They name the file and say what was expected and what
// was found.
func Load(path, upTo string, o Options) (*VGG, error) {
	last, err := find(upTo)
	if err != nil {
		return nil, err
	}
	// The file is read and not mapped into memory: every byte is needed only once, and the
	// pages of a mapping would count as used memory.
	f, err := openNetwork(path, wanted(last, upTo == Logits), o)
	if err != nil {
		return nil, fmt.Errorf("vgg: %w", err)
	}
	defer f.Close()
	source := path
	if f.Key() != "" {
		source += ", in " + strconv.Quote(f.Key())
	}
	return New(f, source, upTo, o)
}

// openNetwork opens a weight file at one of the lists of names. The last list has layer
// numbers alone, which "features.0.weight" and "features.module.0.weight" end in too; so it
// is looked for only if there is nothing of the others.
func openNetwork(path string, lists [][]string, o Options) (*weightfile.File, error) {
	var said []string
	wo := weightfile.Options{Key: o.Key, Wanted: lists[:len(lists)-1], Say: func(line string) { said = append(said, line) }}
	f, err := weightfile.Open(path, wo)
	if err != nil {
		return nil, err
	}
	if n, _ := translate(f.Names()); !n.has("features.0.weight") {
		f.Close()
		said, wo.Wanted = nil, lists
		if f, err = weightfile.Open(path, wo); err != nil {
			return nil, err
		}
	}
	for _, line := range said {
		o.say("%s", line)
	}
	return f, nil
}

// find returns the index of the last layer that will be used.
func find(upTo string) (last int, err error) {
	if upTo == Logits {
		return len(layers) - 1, nil
	}
	if last = slices.Index(Taps(), upTo); last < 0 {
		return 0, fmt.Errorf("vgg: %q is no layer: there is %s %s", upTo, strings.Join(Taps(), " "), Logits)
	}
	return last, nil
}

// New makes a network from any source of weights, as Load does from a file. Errors call
// the source by the name in source.
func New(w Weights, source, upTo string, o Options) (*VGG, error) {
	last, err := find(upTo)
	if err != nil {
		return nil, err
	}
	m := &VGG{layers: layers[:last+1]}
	names, how := translate(w.Names())
	if kind := names.kind(); kind != "VGG16" {
		return nil, fmt.Errorf("vgg: %s: expected the weights of VGG16, found those of %s; %s", source, kind, published)
	}
	const first = "features.0.weight"
	if name := names[first]; names.has(first) && name != first {
		o.say("%s: %s is read as torchvision's %s, and the other layers likewise", source, name, first)
	}
	r := reader{w, source, names}
	channels := 3
	for _, l := range m.layers {
		var packed *tensor.PackedConv
		var bias *tensor.Tensor
		if l.index >= 0 {
			weight, b, err := r.layer("features."+strconv.Itoa(l.index), channels, 3, 3)
			if err != nil {
				return nil, err
			}
			if l.index == 0 {
				m.input = o.input(source, how, weight, b)
				if m.input.BGR {
					weight = reversed(weight)
				}
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
	names  names
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
	if !r.names.has(name) {
		return nil, fmt.Errorf("vgg: %s: no tensor %q, expected one of shape %s%s", r.source, name, want, r.guess())
	}
	layer := name
	name = r.names[name]
	t, err := r.w.Tensor(name)
	if err != nil {
		return nil, fmt.Errorf("vgg: %w", err)
	}
	got := t.Shape()
	if len(got) == 4 && len(shape) == 2 && name != layer { // a linear layer as a convolution
		got = []int{got[0], got[1] * got[2] * got[3]}
		if t.Len() > 0 {
			t = t.Reshape(got...)
		}
	}
	fits := len(got) == len(shape)
	for i := 0; fits && i < len(shape); i++ {
		fits = got[i] > 0 && (got[i] == shape[i] || shape[i] == 0)
	}
	if fits && len(got) == 4 && got[0] > maxChannels {
		return nil, fmt.Errorf("vgg: %s: tensor %q has shape %v, expected at most %d channels", r.source, name, got, maxChannels)
	}
	if sum := tensor.Sum(t); math.IsNaN(sum) || math.IsInf(sum, 0) {
		why := "the file is damaged, get it again"
		if strings.HasPrefix(layer, "classifier.") {
			why = "torchvision's IMAGENET1K_FEATURES has such a classifier, and serves for features up to pool5; " + published
		}
		return nil, fmt.Errorf("vgg: %s: tensor %q has numbers that are infinite or none at all (NaN): %s", r.source, name, why)
	}
	if !fits {
		return nil, fmt.Errorf("vgg: %s: tensor %q has shape %v, expected %s%s", r.source, name, got, want, r.guess())
	}
	return t, nil
}

// published says where the right file is.
const published = "those of VGG16 are in torchvision's vgg16-397923af.pth"

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
		return ": these are the weights of CLIP; " + published
	case prefix("features.") && !prefix("classifier."):
		return ": the file has no classifier; it serves for features up to pool5"
	case prefix("features."):
		return ": these may be the weights of another VGG; " + published
	}
	return ": these are not the weights of VGG16, which are in torchvision's vgg16-397923af.pth"
}
