package clip

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// TestBatches checks that the bits of an embedding do not depend on the rest of the batch.
// This must also hold for batches in several pieces, and for several goroutines at once.
func TestBatches(t *testing.T) {
	m := mustNew(t, newRecipe(small), quick)
	x := scaled(7, 130, 3, 32, 32) // 2,210 tokens
	all := m.EncodeImage(x)
	var ids [][]int
	for i := range 130 {
		ids = append(ids, text(i, 2+i%15, 16, 100))
	}
	words := mustEncode(t, m, ids)
	var wg sync.WaitGroup
	for _, i := range []int{0, 1, 42, 43, 44, 86, 129} {
		wg.Go(func() {
			one := tensor.FromSlice(x.Data()[i*3*32*32:(i+1)*3*32*32], 1, 3, 32, 32)
			if got := m.EncodeImage(one).Data(); !slices.Equal(got, all.Data()[i*48:(i+1)*48]) {
				t.Errorf("picture %d alone has another embedding", i)
			}
			got, err := m.EncodeText(ids[i : i+1])
			if err != nil || !slices.Equal(got.Data(), words.Data()[i*48:(i+1)*48]) {
				t.Errorf("text %d alone has another embedding (%v)", i, err)
			}
		})
	}
	wg.Wait()
	if s := m.EncodeImage(tensor.New(0, 3, 32, 32)).Shape(); !slices.Equal(s, []int{0, 48}) {
		t.Errorf("embeddings of no pictures: shape %v", s)
	}
	if s := mustEncode(t, m, nil).Shape(); !slices.Equal(s, []int{0, 48}) {
		t.Errorf("embeddings of no texts: shape %v", s)
	}
}

// TestThreads checks that the bits are the same for any number of threads, also in loading.
func TestThreads(t *testing.T) {
	defer tensor.SetThreads(0)
	x, ids := scaled(8, 3, 3, 32, 32), [][]int{text(0, 9, 16, 100), text(1, 16, 16, 100)}
	photo := picture("noise", 50, 40)
	var want []*tensor.Tensor
	for threads := 1; threads <= 5; threads++ {
		tensor.SetThreads(threads)
		m, random := mustNew(t, newRecipe(small), quick), Random(5, small)
		p, err := Preprocess(32, photo, photo)
		if err != nil {
			t.Fatal(err)
		}
		got := []*tensor.Tensor{m.EncodeImage(x), mustEncode(t, m, ids), random.EncodeImage(x), mustEncode(t, random, ids), p, PreprocessSquare(32, x)}
		if want == nil {
			want = got
		}
		for i := range got {
			equal(t, "with several threads", got[i], want[i])
		}
	}
}

func TestEndOfText(t *testing.T) {
	// The file's vocabulary was extended: 99 is a word, and 90 ends a text.
	m := mustNew(t, newRecipe(small), Options{Text: true, EndOfText: 90})
	plain := mustNew(t, newRecipe(small), Options{Text: true})
	long := mustEncode(t, m, [][]int{{98, 99, 5, 90, 99, 90, 0}})
	equal(t, "up to the first end", mustEncode(t, m, [][]int{{98, 99, 5, 90}}), long)
	if slices.Equal(long.Data(), mustEncode(t, plain, [][]int{{98, 99, 5, 90}}).Data()) {
		t.Error("without Options.EndOfText the embedding is the same, although 99 is the highest id")
	}

	for want, ids := range map[string][]int{
		"1 to 16 token ids, found 0":  {},
		"1 to 16 token ids, found 17": make([]int, 17),
		"id 100 at place 2":           {98, 5, 100, 90},
		"id -1 at place 0":            {-1, 90},
		"end-of-text token 90":        {98, 5, 99},
	} {
		_, err := m.EncodeText([][]int{{98, 90}, ids})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "text 2") {
			t.Errorf("ids %v: error %v, want one with %q", ids, err, want)
		}
	}
}

// TestRandom checks that equal seeds give equal models and different seeds different ones.
// Different pictures must have different embeddings.
func TestRandom(t *testing.T) {
	x := scaled(9, 2, 3, 32, 32)
	a, b, c := Random(1, small).EncodeImage(x), Random(1, small).EncodeImage(x), Random(2, small).EncodeImage(x)
	equal(t, "the same seed", b, a)
	if slices.Equal(a.Data(), c.Data()) {
		t.Error("two seeds give the same model")
	}
	if cosine := Cosine(a, a).Data()[1]; !(cosine < 0.99) {
		t.Errorf("the cosine between two pictures is %v", cosine)
	}
	one := small
	one.Text = TextConfig{}
	m := Random(1, one)
	equal(t, "one tower", m.EncodeImage(x), a)
	if m.Config() != one || m.text != nil {
		t.Errorf("the architecture is %+v, want %+v", m.Config(), one)
	}
}

func TestLogitScale(t *testing.T) {
	alone := only(newRecipe(small), func(name string) bool { return strings.HasPrefix(name, "visual.") })
	m := mustNew(t, alone, Options{})
	if s := m.LogitScale(); s == s {
		t.Errorf("LogitScale() = %v without one in the file, want NaN", s)
	}
}

func TestSimilarity(t *testing.T) {
	a := tensor.FromSlice([]float32{3, 4, 0, 5, -1, 0, 0, 0}, 4, 2)
	n := Normalize(a).Data()
	for i, want := range []float32{0.6, 0.8, 0, 1, -1, 0} {
		if !(math.Abs(float64(n[i]-want)) < 1e-7) {
			t.Errorf("Normalize: element %d is %v, want %v", i, n[i], want)
		}
	}
	if n[6] == n[6] {
		t.Errorf("Normalize: a row of zeros became %v, want NaN", n[6])
	}
	c := Cosine(tensor.FromSlice(a.Data()[:6], 3, 2), tensor.FromSlice([]float32{0, 2}, 1, 2))
	for i, want := range []float32{0.8, 1, 0} {
		if !(math.Abs(float64(c.Data()[i]-want)) < 1e-6) {
			t.Errorf("Cosine: element %d is %v, want %v", i, c.Data()[i], want)
		}
	}
	p := Probabilities(tensor.FromSlice([]float32{0.3, 0.3 + float32(math.Ln2)/100, 1000, 1000}, 2, 2), 100).Data()
	for i, want := range []float32{1. / 3, 2. / 3, 0.5, 0.5} {
		if !(math.Abs(float64(p[i]-want)) < 1e-5) {
			t.Errorf("Probabilities: element %d is %v, want %v", i, p[i], want)
		}
	}
}

func TestPreprocessRefuses(t *testing.T) {
	for _, p := range []*vision.RGB{vision.NewRGB(0, 0), vision.NewRGB(5, 0), vision.NewRGB(1, 1001)} {
		if _, err := Preprocess(224, picture("noise", 3, 3), p); err == nil || !strings.Contains(err.Error(), "photograph 2") {
			t.Errorf("%d×%d pixels: error %v, want one that names photograph 2", p.W, p.H, err)
		}
	}
}

func TestMistakesPanic(t *testing.T) {
	v := mustNew(t, newRecipe(small), Options{Vision: true})
	w := mustNew(t, newRecipe(small), Options{Text: true})
	for name, f := range map[string]func(){
		"EncodeImage size":      func() { v.EncodeImage(tensor.New(1, 3, 32, 24)) },
		"EncodeImage rank":      func() { v.EncodeImage(tensor.New(3, 32, 32)) },
		"EncodeImage no tower":  func() { w.EncodeImage(tensor.New(1, 3, 32, 32)) },
		"EncodeText no tower":   func() { v.EncodeText([][]int{{1}}) },
		"PreprocessSquare":      func() { PreprocessSquare(32, tensor.New(1, 1, 5, 5)) },
		"PreprocessSquare none": func() { PreprocessSquare(32, tensor.New(1, 3, 0, 5)) },
		"Preprocess size":       func() { Preprocess(0, vision.NewRGB(3, 3)) },
		"Normalize":             func() { Normalize(tensor.New(3)) },
		"Cosine":                func() { Cosine(tensor.New(1, 3), tensor.New(1, 4)) },
		"Probabilities":         func() { Probabilities(tensor.New(3), 1) },
		"Random":                func() { Random(1, Config{Embed: 3, Vision: VisionConfig{Transformer{10, 1, 3, 40, QuickGELU}, 8, 4}}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
