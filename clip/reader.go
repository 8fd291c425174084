package clip

import (
	"fmt"
	"math"
	"slices"

	"pixelgrad/tensor"
)

// reader reads tensors and checks them. It keeps its first error; after that, its methods
// for tensors return nothing useful.
type reader struct {
	w      Weights
	source string
	has    map[string]bool
	naming *naming
	shapes map[string][]int // the shapes that check has verified
	err    error
}

func newReader(w Weights, source string) *reader {
	r := &reader{w: w, source: source, has: map[string]bool{}, shapes: map[string][]int{}}
	for _, name := range w.Names() {
		r.has[name] = true
	}
	return r
}

func (r *reader) fail(format string, args ...any) error {
	return fmt.Errorf("clip: %s: %s", r.source, fmt.Sprintf(format, args...))
}

// tensor reads a tensor that check has verified.
func (r *reader) tensor(name string) *tensor.Tensor {
	if r.err != nil {
		return nil
	}
	t, err := r.w.Tensor(name)
	if err != nil {
		r.err = fmt.Errorf("clip: %w", err)
		return nil
	}
	if !slices.Equal(t.Shape(), r.shapes[name]) {
		r.err = r.fail("tensor %q: expected shape %v, found %v", name, r.shapes[name], t.Shape())
		return nil
	}
	if sum := tensor.Sum(t); math.IsNaN(sum) || math.IsInf(sum, 0) {
		r.err = r.fail("tensor %q has numbers that are infinite or none at all (NaN): the file is damaged", name)
		return nil
	}
	return t
}

// logitScale reads the logarithm of the factor of cosines.
func (r *reader) logitScale() float32 {
	t := r.tensor(logitScale)
	if r.err != nil {
		return 0
	}
	return t.Data()[0]
}

// pack rearranges weights with a row for each output, and releases them.
func (r *reader) pack(t *tensor.Tensor) *tensor.Packed {
	if r.err != nil {
		return nil
	}
	p := tensor.PackTransposed(t)
	tensor.Release(t)
	return p
}

// patches reads the weights of the convolution over patches, as a linear layer whose input is
// a whole patch.
func (r *reader) patches(name string) *tensor.Packed {
	t := r.tensor(name)
	if r.err != nil {
		return nil
	}
	return r.pack(t.Reshape(t.Dim(0), t.Len()/t.Dim(0)))
}

func (r *reader) projection(name string) linear {
	t := r.tensor(name)
	if r.err != nil {
		return linear{}
	}
	if r.naming.projectionTransposed {
		return linear{weight: r.pack(t)}
	}
	p := tensor.PackMatrix(t)
	tensor.Release(t)
	return linear{weight: p}
}

func (r *reader) norm(name string) norm {
	return norm{r.tensor(name + ".weight"), r.tensor(name + ".bias")}
}

func (r *reader) linear(name string) linear {
	return linear{r.pack(r.tensor(name + ".weight")), r.tensor(name + ".bias")}
}

// joined reads several tensors and joins their rows to one tensor.
func (r *reader) joined(names []string) *tensor.Tensor {
	if len(names) == 1 {
		return r.tensor(names[0])
	}
	shape := slices.Clone(r.shapes[names[0]])
	shape[0] *= len(names)
	all := tensor.NewUninitialized(shape...)
	dst := all.Data()
	for _, name := range names {
		t := r.tensor(name)
		if r.err != nil {
			return nil
		}
		dst = dst[copy(dst, t.Data()):]
		tensor.Release(t)
	}
	return all
}

func (r *reader) transformer(prefix string, c *Transformer) transformer {
	t := transformer{heads: c.Heads, activation: c.GELU.activation()}
	for i := 0; i < c.Layers && r.err == nil; i++ {
		n := r.naming.block(prefix, i)
		t.blocks = append(t.blocks, block{
			norm1:   r.norm(n.norm1),
			in:      linear{r.pack(r.joined(n.inWeights)), r.joined(n.inBiases)},
			out:     r.linear(n.out),
			norm2:   r.norm(n.norm2),
			hidden:  r.linear(n.hidden),
			project: r.linear(n.project),
		})
	}
	return t
}
