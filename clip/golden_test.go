package clip

import (
	"fmt"
	"math"
	"testing"

	"pixelgrad/internal/golden"
	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// Tolerances of activations, which are about 1.
const rtol, atol = 1e-5, 2e-5

// TestStages compares a small model with OpenAI's code after each step, in the order of
// computation. The first step that differs has the mistake.
func TestStages(t *testing.T) {
	file := golden.Open(t, "clip")
	m := mustNew(t, newRecipe(small), quick)
	if m.Config() != small {
		t.Fatalf("the architecture read from the shapes is %+v, want %+v", m.Config(), small)
	}

	x := scaled(1000, 2, 3, 32, 32)
	v := m.vision
	h := v.embed(x)
	golden.Check(t, file, "vision/embed", h, rtol, atol)
	for i := range v.transformer.blocks {
		var wanted []int
		if i == len(v.transformer.blocks)-1 {
			wanted = []int{0, v.tokens()}
		}
		h = v.transformer.block(i, h, []int{v.tokens(), v.tokens()}, wanted)
		golden.Check(t, file, fmt.Sprintf("vision/block%d", i), h, rtol, atol)
	}
	image := m.EncodeImage(x)
	golden.Check(t, file, "vision/embedding", image, rtol, atol)

	var ids, short [][]int
	for i, n := range []int{5, 16, 2} {
		ids = append(ids, text(i, n, 16, 100))
		short = append(short, ids[i][:n])
	}
	h, lengths, ends := m.text.embed(short)
	golden.Check(t, file, "text/embed", h, rtol, atol)
	for i := range m.text.transformer.blocks {
		wanted := ends
		if i < len(m.text.transformer.blocks)-1 {
			wanted = nil
		}
		h = m.text.transformer.block(i, h, lengths, wanted)
		golden.Check(t, file, fmt.Sprintf("text/block%d", i), h, rtol, atol)
	}
	words := mustEncode(t, m, ids)
	golden.Check(t, file, "text/embedding", words, rtol, atol)
	equal(t, "texts without what follows their ends", mustEncode(t, m, short), words)

	cosine := Cosine(image, words)
	golden.Check(t, file, "cosine", cosine, 0, 1e-6)
	golden.Check(t, file, "probabilities", Probabilities(cosine, m.LogitScale()), 0, 1e-5)
}

// TestGELU compares with models in which QuickGELU is replaced by GELU.
func TestGELU(t *testing.T) {
	file := golden.Open(t, "clip")
	m := mustNew(t, newRecipe(small), Options{GELU: PlainGELU})
	golden.Check(t, file, "gelu/vision", m.EncodeImage(scaled(1000, 2, 3, 32, 32)), rtol, atol)
	golden.Check(t, file, "gelu/text", mustEncode(t, m, [][]int{text(0, 5, 16, 100), text(1, 16, 16, 100), text(2, 2, 16, 100)}), rtol, atol)
}

// TestFiles reads the same small weights from files of other programs, and compares the
// embeddings with those of these programs.
func TestFiles(t *testing.T) {
	file := golden.Open(t, "clip")
	x := scaled(1001, 2, 3, 8, 8)
	ids := [][]int{text(3, 5, 8, 40), text(4, 8, 8, 40)}
	for name, prefix := range map[string]string{
		"openai.pt":         "tiny",      // torch.save, OpenAI's names
		"pytorch_model.bin": "tiny",      // torch.save, Hugging Face's names
		"model.safetensors": "tiny",      // the same in the other format
		"script.pt":         "tiny/half", // torch.jit.save, half precision
	} {
		t.Run(name, func(t *testing.T) {
			path := "../testdata/golden/clip/" + name
			m, err := Load(path, Options{GELU: QuickGELU, VisionHeads: 2, TextHeads: 2})
			if err != nil {
				t.Fatal(err)
			}
			if m.Config() != tiny {
				t.Errorf("the architecture is %+v, want %+v", m.Config(), tiny)
			}
			image, words := m.EncodeImage(x), mustEncode(t, m, ids)
			golden.Check(t, file, prefix+"/vision", image, rtol, atol)
			golden.Check(t, file, prefix+"/text", words, rtol, atol)
			if got := m.LogitScale(); !(math.Abs(float64(got)-1/0.07) < 1e-5) {
				t.Errorf("LogitScale() = %v, want %v", got, 1/0.07)
			}

			// A single tower gives the same embeddings, and the other tower is missing.
			v, err := Load(path, Options{GELU: QuickGELU, Vision: true, VisionHeads: 2})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "the image tower alone", v.EncodeImage(x), image)
			w, err := Load(path, Options{GELU: QuickGELU, Text: true, TextHeads: 2})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "the text tower alone", mustEncode(t, w, ids), words)
			if v.text != nil || w.vision != nil || v.Bytes()+w.Bytes() != m.Bytes() {
				t.Errorf("the towers take %d and %d bytes, both %d", v.Bytes(), w.Bytes(), m.Bytes())
			}
		})
	}
}

// picture makes the same picture as resize.py.
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

// every returns every 61st number. Over a picture of width 224 these are in all columns.
func every(x *tensor.Tensor) *tensor.Tensor {
	n := (x.Len() + 60) / 61
	y := tensor.New(n)
	for i := range n {
		y.Data()[i] = x.Data()[61*i]
	}
	return y
}

// TestPreprocess expects exactly the numbers of torchvision and Pillow.
func TestPreprocess(t *testing.T) {
	file := golden.Open(t, "clip")
	seen := 0
	for _, name := range file.Names() {
		var kind string
		var w, h int
		var got *tensor.Tensor
		if n, _ := fmt.Sscanf(spaced(name), "preprocess %s %d %d", &kind, &w, &h); n == 3 {
			var err error
			if got, err = Preprocess(224, picture(kind, w, h)); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
		} else if n, _ := fmt.Sscanf(spaced(name), "square %s %d %d", &kind, &w, &h); n == 3 {
			got = PreprocessSquare(224, picture(kind, w, h).Tensor())
		} else {
			continue
		}
		seen++
		golden.Check(t, file, name, every(got), 0, 0)
	}
	if seen < 14 {
		t.Errorf("only %d pictures were compared", seen)
	}
}

// spaced returns a name with spaces in place of slashes, for Sscanf.
func spaced(name string) string {
	b := []byte(name)
	for i := range b {
		if b[i] == '/' {
			b[i] = ' '
		}
	}
	return string(b)
}
