package clip

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

// altered is a source in which one tensor is different.
type altered struct {
	Weights
	name string
	info safetensors.Info
}

func (a altered) Info(name string) (safetensors.Info, error) {
	if name == a.name {
		return a.info, nil
	}
	return a.Weights.Info(name)
}

func (a altered) Tensor(name string) (*tensor.Tensor, error) {
	if name == a.name {
		t := tensor.New(a.info.Shape...)
		t.Data()[0] = float32(math.NaN())
		return t, nil
	}
	return a.Weights.Tensor(name)
}

// named is a source that has only the names of tensors.
func named(names ...string) Weights {
	all := map[string]string{}
	for _, name := range names {
		all[name] = name
	}
	return mapped{&recipe{}, all}
}

// TestBadWeights expects errors with the source, the tensor, what was expected and what was
// found.
func TestBadWeights(t *testing.T) {
	good := newRecipe(small)
	without := func(name string) Weights { return only(good, func(s string) bool { return s != name }) }
	shaped := func(name string, shape ...int) Weights {
		return altered{good, name, safetensors.Info{DType: safetensors.F32, Shape: shape}}
	}
	for what, c := range map[string]struct {
		w    Weights
		o    Options
		want []string
	}{
		"VGG":                 {named("features.0.weight", "classifier.0.weight"), Options{}, []string{"VGG", openAI.patches}},
		"something else":      {named("a", "b", "c", "d"), Options{}, []string{"not the weights of a CLIP", "4 tensors"}},
		"nothing":             {named(), Options{}, []string{"not the weights of a CLIP", "0 tensors"}},
		"ResNet":              {named("visual.layer1.0.conv1.weight", openAI.tokens), Options{}, []string{"ResNet", "Vision Transformer"}},
		"no image tower":      {only(good, func(s string) bool { return !strings.HasPrefix(s, "visual.") }), Options{Vision: true}, []string{openAI.patches, "text tower only"}},
		"no text tower":       {only(good, func(s string) bool { return strings.HasPrefix(s, "visual.") }), Options{Text: true}, []string{openAI.tokens, "image tower only"}},
		"missing":             {without("visual.ln_post.bias"), Options{}, []string{`no tensor "visual.ln_post.bias"`, "[128]"}},
		"missing positions":   {without(openAI.textPositions), Options{}, []string{`no tensor "positional_embedding"`, "[context width]"}},
		"missing block":       {only(good, func(s string) bool { return !strings.HasPrefix(s, "transformer.resblocks.0.mlp.c_fc") }), Options{}, []string{`"transformer.resblocks.0.mlp.c_fc.weight"`}},
		"missing blocks":      {only(good, func(s string) bool { return !strings.HasPrefix(s, "visual.transformer.resblocks.1.") }), Options{}, []string{`"visual.transformer.resblocks.1.`, "11 more"}},
		"missing scale":       {without(logitScale), Options{}, []string{logitScale}},
		"shape":               {shaped("visual.transformer.resblocks.2.attn.in_proj_weight", 256, 128), Options{}, []string{`"visual.transformer.resblocks.2.attn.in_proj_weight"`, "[384 128]", "[256 128]"}},
		"rank":                {shaped(openAI.patches, 128, 3, 8), Options{}, []string{openAI.patches, "[width 3 patch patch]", "[128 3 8]"}},
		"grey":                {shaped(openAI.patches, 128, 1, 8, 8), Options{}, []string{openAI.patches, "[128 1 8 8]"}},
		"empty":               {shaped(openAI.tokens, 0, 64), Options{}, []string{openAI.tokens, "[0 64]"}},
		"not a square":        {shaped(openAI.visionPositions, 16, 128), Options{}, []string{openAI.visionPositions, "square", "16"}},
		"one position":        {shaped(openAI.visionPositions, 1, 128), Options{}, []string{openAI.visionPositions}},
		"towers apart":        {shaped(openAI.textProjection, 64, 40), Options{}, []string{openAI.textProjection, "48 and 40"}},
		"type":                {altered{good, "ln_final.bias", safetensors.Info{DType: "I64", Shape: []int{64}}}, Options{}, []string{`"ln_final.bias"`, "expected floats, such as F16, BF16 or F32", "I64"}},
		"NaN":                 {shaped("ln_final.bias", 64), Options{}, []string{`"ln_final.bias"`, "NaN"}},
		"heads":               {newRecipe(tiny), Options{}, []string{"16", "64", "Options.VisionHeads"}},
		"heads of the text":   {newRecipe(tiny), Options{VisionHeads: 2}, []string{"Options.TextHeads"}},
		"too many heads":      {good, Options{VisionHeads: 3}, []string{"128", "3 heads", "Options.VisionHeads"}},
		"no such end of text": {good, Options{EndOfText: 100}, []string{"EndOfText", "100", "99"}},
		"a name with percent": {named("%d%s"), Options{}, []string{"%d%s"}},
	} {
		m, err := New(c.w, "a%b.pt", c.o)
		if err == nil {
			t.Errorf("%s: no error, but a model %+v", what, m.Config())
			continue
		}
		for _, part := range append(c.want, "clip: a%b.pt: ") {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error does not have %q: %v", what, part, err)
			}
		}
	}
}

// TestBadFiles expects an error that names the file.
func TestBadFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none.pt"):  "no such file",
		dir:                            "found a folder",
		write("empty.pt", nil):         "an empty file",
		write("short.pt", []byte("P")): "found a text",
		write("page.pt", []byte("<!DOCTYPE html><title>404</title>")): "found a web page",
		write("zip.pt", []byte("PK\x03\x04 and nothing else")):        "zip",
		"../testdata/golden/vgg_small.pth":                            "VGG",
		"../testdata/golden/vgg.safetensors":                          "not the weights of a CLIP",
	} {
		_, err := Load(path, Options{})
		if err == nil {
			t.Errorf("%s: no error", path)
		} else if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error does not have the path and %q: %v", path, want, err)
		}
	}
}

// TestDamagedFiles truncates files and flips bits in them. Loading must not panic or return
// a part of a model. It need not give an error, because some files have no checksums.
func TestDamagedFiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	o := Options{VisionHeads: 2, TextHeads: 2}
	for name, whole := range weightFiles(t) {
		try := func(what string, data []byte) bool {
			m, err := Read(name, bytes.NewReader(data), int64(len(data)), o)
			if err != nil && !strings.Contains(err.Error(), name) {
				t.Errorf("%s, %s: the error does not name the file: %v", name, what, err)
			}
			if err == nil && (m.Config().Vision.Width != 16 || m.vision == nil) && (m.Config().Text.Width != 16 || m.text == nil) {
				t.Errorf("%s, %s: a model of nothing: %+v", name, what, m.Config())
			}
			return err == nil
		}
		if !try("whole", whole) {
			t.Errorf("%s: the whole file cannot be read", name)
		}
		for n := 0; n < len(whole); n += 1 + len(whole)/200 {
			if try(fmt.Sprintf("%d bytes", n), whole[:n]) {
				t.Errorf("%s: no error although it was cut off after %d of %d bytes", name, n, len(whole))
			}
		}
		for range 300 {
			data := slices.Clone(whole)
			at, bit := rng.IntN(len(data)), rng.IntN(8)
			data[at] ^= 1 << bit
			try(fmt.Sprintf("bit %d of byte %d", bit, at), data)
		}
	}
}

// weightFiles returns the contents of the files in testdata/golden/clip.
func weightFiles(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../testdata/golden/clip/*")
	if err != nil || len(paths) != 4 {
		t.Fatalf("found %d weight files, want 4 (%v)", len(paths), err)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = data
	}
	return files
}

// FuzzRead reads arbitrary files. If the result is a model, it encodes a picture and a text.
func FuzzRead(f *testing.F) {
	for _, data := range weightFiles(f) {
		f.Add(data)
	}
	f.Add(archive(f, "torch.gelu(x)"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Read("fuzz", bytes.NewReader(data), int64(len(data)), Options{VisionHeads: 2, TextHeads: 2})
		if err != nil {
			return
		}
		if s := m.Config().Vision.ImageSize; s > 0 && s <= 32 {
			m.EncodeImage(tensor.New(1, 3, s, s))
		}
		if m.Config().Text.Width > 0 {
			if _, err := m.EncodeText([][]int{{0}}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestHugePictures expects an error for shapes that fit together and take little space in a
// file, but have pictures of gigabytes.
func TestHugePictures(t *testing.T) {
	c := Config{Embed: 8, Vision: VisionConfig{Transformer{64, 1, 1, 64, QuickGELU}, 200 * 200, 200}}
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, "expected pictures of at most") {
			t.Errorf("200×200 patches of 200×200 pixels: %s", text)
		}
	}()
	Random(0, c)
}
