package clip

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"

	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

// Random returns a model with random weights, for demonstrations and measurements. Different
// pictures have different embeddings, but the embeddings mean nothing. The same seed gives
// the same weights on every machine. Random panics if the architecture is impossible. Both
// towers have the same activation, QuickGELU if c says none.
//
// The weights have the variances of OpenAI's code before training. Their distribution is
// uniform and not normal, because 150 million uniform numbers take a third of the time.
func Random(seed uint64, c Config) *Model {
	w := &random{seed: seed, config: c, shapes: map[string][]int{logitScale: {}}}
	for _, t := range c.tensors(&openAI) {
		w.shapes[t.name] = t.shape
	}
	gelu := c.Vision.GELU
	if c.Vision.Width == 0 {
		gelu = c.Text.GELU
	}
	if gelu == UnknownGELU {
		gelu = QuickGELU
	}
	o := Options{Vision: c.Vision.Width > 0, Text: c.Text.Width > 0, GELU: gelu, VisionHeads: c.Vision.Heads, TextHeads: c.Text.Heads}
	m, err := New(w, "random weights", o)
	if err != nil {
		panic(err)
	}
	return m
}

// random makes random weights on request.
type random struct {
	seed   uint64
	config Config
	shapes map[string][]int
}

func (w *random) Names() []string {
	var names []string
	for name := range w.shapes {
		names = append(names, name)
	}
	return names
}

func (w *random) Info(name string) (safetensors.Info, error) {
	return safetensors.Info{DType: safetensors.F32, Shape: w.shapes[name]}, nil
}

// randomChunk is the number of weights from one generator. Several threads can fill a tensor
// because each chunk has a generator of its own.
const randomChunk = 1 << 16

func (w *random) Tensor(name string) (*tensor.Tensor, error) {
	shape, ok := w.shapes[name]
	if !ok {
		return nil, fmt.Errorf("clip: no random tensor %q", name)
	}
	t := tensor.New(shape...)
	mean, deviation := w.distribution(name, shape)
	h := fnv.New64a()
	h.Write([]byte(name))
	stream, data := h.Sum64(), t.Data()
	scale := float32(2 * math.Sqrt(3) * deviation)
	tensor.Parallel((len(data)+randomChunk-1)/randomChunk, func(i int) {
		rng := rand.New(rand.NewPCG(w.seed, stream+uint64(i)))
		part := data[i*randomChunk : min(len(data), (i+1)*randomChunk)]
		for j := range part {
			part[j] = mean + scale*(rng.Float32()-0.5)
		}
	})
	return t, nil
}

// distribution returns the mean and the standard deviation of a tensor's numbers. The blocks
// of both towers follow the rules of the text tower.
func (w *random) distribution(name string, shape []int) (mean float32, deviation float64) {
	t := &w.config.Text.Transformer
	if strings.HasPrefix(name, openAI.vision) {
		t = &w.config.Vision.Transformer
	}
	ends := func(s string) bool { return strings.HasSuffix(name, s) }
	narrow := 1 / math.Sqrt(float64(t.Width))
	switch {
	case name == logitScale:
		return float32(math.Log(1 / 0.07)), 0
	case ends(".bias"), ends("_bias"):
		return 0, 0
	case len(shape) == 1 && ends(".weight"): // of a normalisation
		return 1, 0
	case name == openAI.tokens:
		return 0, 0.02
	case name == openAI.textPositions:
		return 0, 0.01
	case name == openAI.patches:
		return 0, 1 / math.Sqrt(3*3*float64(shape[2]*shape[3]))
	case ends(".out_proj.weight"), ends(".c_proj.weight"):
		return 0, narrow / math.Sqrt(2*float64(t.Layers))
	case ends(".c_fc.weight"):
		return 0, narrow / math.Sqrt2
	}
	return 0, narrow // projections, the class token, its tower's positions
}
