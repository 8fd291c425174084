// Package smallclip makes the CLIP that tests load: a whole one has 600 MB.
package smallclip

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"pixelgrad/clip/bpe"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

// Write makes a file of random weights, always the same, of a CLIP with CLIP's vocabulary and
// with heads of 4 numbers, and returns its path. What the weights do not show must be given to
// whoever loads them: 2 heads in each tower, and the activation.
func Write(t testing.TB) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	var list []safetensors.Named
	add := func(name string, shape ...int) {
		x := tensor.New(shape...)
		for i := range x.Data() {
			x.Data()[i] = float32(rng.NormFloat64()) / 2
		}
		list = append(list, safetensors.Named{Name: name, Tensor: x})
	}
	layer := func(name string, shape ...int) {
		add(name+".weight", shape...)
		add(name+".bias", shape[0])
	}
	blocks := func(prefix string) {
		layer(prefix+"0.ln_1", 8)
		add(prefix+"0.attn.in_proj_weight", 24, 8)
		add(prefix+"0.attn.in_proj_bias", 24)
		layer(prefix+"0.attn.out_proj", 8, 8)
		layer(prefix+"0.ln_2", 8)
		layer(prefix+"0.mlp.c_fc", 16, 8)
		layer(prefix+"0.mlp.c_proj", 8, 16)
	}
	add("visual.conv1.weight", 8, 3, 16, 16)
	add("visual.class_embedding", 8)
	add("visual.positional_embedding", 5, 8)
	layer("visual.ln_pre", 8)
	blocks("visual.transformer.resblocks.")
	layer("visual.ln_post", 8)
	add("visual.proj", 8, 8)
	add("token_embedding.weight", bpe.VocabularySize, 8)
	add("positional_embedding", bpe.ContextLength, 8)
	blocks("transformer.resblocks.")
	layer("ln_final", 8)
	add("text_projection", 8, 8)
	add("logit_scale")
	list[len(list)-1].Tensor.Data()[0] = float32(math.Log(5))
	path := filepath.Join(t.TempDir(), "small.safetensors")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := safetensors.Write(f, list, nil); err != nil {
		t.Fatal(err)
	}
	return path
}
