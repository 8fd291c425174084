package clip

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

// small is the architecture SMALL in testdata/golden/clip.py.
var small = Config{
	Embed:  48,
	Vision: VisionConfig{Transformer{128, 3, 2, 512, QuickGELU}, 32, 8},
	Text:   TextConfig{Transformer{64, 2, 1, 256, QuickGELU}, 16, 100},
}

// tiny is the architecture of the weight files in testdata/golden/clip.
var tiny = Config{
	Embed:  8,
	Vision: VisionConfig{Transformer{16, 1, 2, 64, QuickGELU}, 8, 4},
	Text:   TextConfig{Transformer{16, 1, 2, 64, QuickGELU}, 8, 40},
}

// quick are the options of OpenAI's networks.
var quick = Options{GELU: QuickGELU}

// scattered returns numbers in [-1,1) that look random. It matches scattered in clip.py.
func scattered(salt int, shape ...int) *tensor.Tensor {
	t := tensor.NewUninitialized(shape...)
	data := t.Data()
	const chunk = 1 << 16
	tensor.Parallel((len(data)+chunk-1)/chunk, func(c int) {
		for i := c * chunk; i < min(len(data), (c+1)*chunk); i++ {
			h := uint32(i)*0x9E3779B1 + uint32(salt)*0x85EBCA77
			h ^= h >> 15
			h *= 0x2C1B3C6D
			h ^= h >> 12
			h *= 0x297A2D39
			h ^= h >> 15
			data[i] = float32(h>>8)/(1<<23) - 1
		}
	})
	return t
}

// recipe makes weights on request, like the function weights in clip.py.
type recipe struct {
	shapes map[string][]int
	salts  map[string]int
}

func newRecipe(c Config) *recipe {
	r := &recipe{map[string][]int{logitScale: {}}, map[string]int{}}
	for _, t := range c.tensors(&openAI) {
		r.shapes[t.name] = t.shape
	}
	names := r.Names()
	slices.Sort(names)
	for i, name := range names {
		r.salts[name] = i
	}
	return r
}

func (r *recipe) Names() []string {
	var names []string
	for name := range r.shapes {
		names = append(names, name)
	}
	return names
}

func (r *recipe) Info(name string) (safetensors.Info, error) {
	return safetensors.Info{DType: safetensors.F32, Shape: r.shapes[name]}, nil
}

func (r *recipe) Tensor(name string) (*tensor.Tensor, error) {
	shape, ok := r.shapes[name]
	if !ok {
		return nil, fmt.Errorf("no recipe for %s", name)
	}
	if name == logitScale {
		return tensor.FromSlice([]float32{float32(math.Log(1 / 0.07))}), nil
	}
	t := scattered(r.salts[name], shape...)
	factor, shift := float32(1), float32(0)
	switch {
	case len(shape) == 1 && strings.HasSuffix(name, ".weight"):
		factor, shift = 0.1, 1
	case strings.HasSuffix(name, "bias"):
		factor = 0.1
	case name == openAI.visionProjection, name == openAI.textProjection:
		factor = float32(math.Sqrt(3 / float64(shape[0])))
	case strings.HasSuffix(name, "weight") && name != openAI.tokens:
		factor = float32(math.Sqrt(3 / float64(t.Len()/shape[0])))
	}
	data := t.Data()
	const chunk = 1 << 16
	tensor.Parallel((len(data)+chunk-1)/chunk, func(c int) {
		part := data[c*chunk : min(len(data), (c+1)*chunk)]
		for i, v := range part {
			part[i] = float32(v*factor) + shift // rounded twice, as NumPy does
		}
	})
	return t, nil
}

// text returns the same ids as the function text in clip.py.
func text(salt, length, context, vocabulary int) []int {
	ids := make([]int, context)
	ids[0] = vocabulary - 2
	for i := range length - 2 {
		ids[i+1] = (i*7919 + salt*104729) % (vocabulary - 2)
	}
	ids[length-1] = vocabulary - 1
	return ids
}

// mapped is a source with the tensors of another source, or some of them, under other names.
type mapped struct {
	Weights
	names map[string]string // new to old
}

func (m mapped) Names() []string {
	var names []string
	for name := range m.names {
		names = append(names, name)
	}
	return names
}

func (m mapped) Info(name string) (safetensors.Info, error) { return m.Weights.Info(m.names[name]) }

func (m mapped) Tensor(name string) (*tensor.Tensor, error) { return m.Weights.Tensor(m.names[name]) }

// only returns the tensors of a source whose names are wanted.
func only(w Weights, wanted func(name string) bool) Weights {
	names := map[string]string{}
	for _, name := range w.Names() {
		if wanted(name) {
			names[name] = name
		}
	}
	return mapped{w, names}
}

func mustNew(t testing.TB, w Weights, o Options) *Model {
	t.Helper()
	m, err := New(w, "recipe", o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustEncode(t testing.TB, m *Model, ids [][]int) *tensor.Tensor {
	t.Helper()
	e, err := m.EncodeText(ids)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// scaled returns numbers in [-1.5,1.5), like normalised pixels.
func scaled(salt int, shape ...int) *tensor.Tensor {
	return tensor.Scale(1.5, scattered(salt, shape...))
}

// equal fails the test unless two tensors have the same bits.
func equal(t *testing.T, what string, got, want *tensor.Tensor) {
	t.Helper()
	if !slices.Equal(got.Shape(), want.Shape()) {
		t.Fatalf("%s: shape %v, want %v", what, got.Shape(), want.Shape())
	}
	for i, w := range want.Data() {
		if g := got.Data()[i]; math.Float32bits(g) != math.Float32bits(w) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, g, w)
		}
	}
}
