package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"pixelgrad/clip"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

// vitName is what the image tower of CLIP ViT-B/32 is called among the models; it only
// predicts.
const vitName = "vitb32"

// vitRecipe makes the tower's weights as fill_scattered in testdata/peers/cases.py does.
type vitRecipe map[string][]int // shapes by name

func newViTRecipe() vitRecipe {
	r := vitRecipe{}
	c := clip.ViTB32()
	v := c.Vision
	grid := v.ImageSize / v.PatchSize
	r["visual.conv1.weight"] = []int{v.Width, 3, v.PatchSize, v.PatchSize}
	r["visual.class_embedding"] = []int{v.Width}
	r["visual.positional_embedding"] = []int{grid*grid + 1, v.Width}
	r["visual.proj"] = []int{v.Width, c.Embed}
	norm := func(name string) { r[name+".weight"], r[name+".bias"] = []int{v.Width}, []int{v.Width} }
	norm("visual.ln_pre")
	norm("visual.ln_post")
	for i := range v.Layers {
		block := fmt.Sprintf("visual.transformer.resblocks.%d.", i)
		linear := func(weight, bias string, out, in int) {
			r[block+weight], r[block+bias] = []int{out, in}, []int{out}
		}
		norm(block + "ln_1")
		linear("attn.in_proj_weight", "attn.in_proj_bias", 3*v.Width, v.Width)
		linear("attn.out_proj.weight", "attn.out_proj.bias", v.Width, v.Width)
		norm(block + "ln_2")
		linear("mlp.c_fc.weight", "mlp.c_fc.bias", v.Hidden, v.Width)
		linear("mlp.c_proj.weight", "mlp.c_proj.bias", v.Width, v.Hidden)
	}
	return r
}

func (r vitRecipe) Names() []string {
	var names []string
	for name := range r {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (r vitRecipe) Info(name string) (safetensors.Info, error) {
	return safetensors.Info{DType: safetensors.F32, Shape: r[name]}, nil
}

func (r vitRecipe) Tensor(name string) (*tensor.Tensor, error) {
	salt, ok := slices.BinarySearch(r.Names(), name)
	if !ok {
		return nil, fmt.Errorf("no tensor %s in the image tower", name)
	}
	shape := r[name]
	factor, shift := float32(1), float32(0)
	fanIn := func(n int) float32 { return float32(math.Sqrt(3 / float64(n))) }
	ends := func(s string) bool { return strings.HasSuffix(name, s) }
	t := scattered(salt, shape...)
	switch {
	case len(shape) == 1 && ends(".weight"): // of a normalisation
		factor, shift = 0.1, 1
	case ends("bias"):
		factor = 0.1
	case ends("proj"): // a matrix with a row for each input
		factor = fanIn(shape[0])
	case ends("weight"):
		factor = fanIn(t.Len() / shape[0])
	}
	for i, v := range t.Data() {
		t.Data()[i] = float32(v*factor) + shift // rounded twice, as NumPy does
	}
	return t, nil
}

// scattered returns numbers in [-1,1) that look random: number i is the upper 24 bits of a
// hash of i and salt. recipe.Numbers is too regular for a transformer: all pictures would
// end up alike.
func scattered(salt int, shape ...int) *tensor.Tensor {
	t := tensor.New(shape...)
	for i := range t.Data() {
		h := uint32(i)*0x9E3779B1 + uint32(salt)*0x85EBCA77
		h ^= h >> 15
		h *= 0x2C1B3C6D
		h ^= h >> 12
		h *= 0x297A2D39
		h ^= h >> 15
		t.Data()[i] = float32(h>>8)/(1<<23) - 1
	}
	return t
}

// serveViT runs the image tower.
func serveViT(o *options, in io.Reader, out io.Writer) error {
	m, err := clip.New(newViTRecipe(), "recipe", clip.Options{Vision: true, GELU: clip.QuickGELU})
	if err != nil {
		return err
	}
	x := scattered(1000, o.batch, 3, 224, 224)
	for i, v := range x.Data() {
		x.Data()[i] = 1.5 * v
	}
	return serveFrozen(o, in, out, x, m.EncodeImage)
}
