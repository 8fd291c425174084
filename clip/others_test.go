package clip

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pixelgrad/internal/golden"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/tensor/weightfile"
)

// wide is the architecture WIDE in testdata/golden/clip_others.py: heads of 80 numbers in the
// image tower, of 16 in the text tower.
var wide = Config{
	Embed:  24,
	Vision: VisionConfig{Transformer{160, 2, 2, 192, PlainGELU}, 16, 8},
	Text:   TextConfig{Transformer{48, 2, 3, 192, PlainGELU}, 8, 40},
}

const others = "../testdata/golden/clip_others/"

// texts are IDS in clip_others.py.
var texts = [][]int{text(3, 5, 8, 40), text(4, 8, 8, 40)}

// load is Load that also returns what was said, as one text.
func load(t *testing.T, path string, o Options) (*Model, string, error) {
	t.Helper()
	var said []string
	o.Say = func(line string) {
		if !strings.HasPrefix(line, path+": ") || strings.Contains(line, "\n") {
			t.Errorf("said %q, want one line that begins with the file's name", line)
		}
		said = append(said, line)
	}
	m, err := Load(path, o)
	return m, strings.Join(said, "\n"), err
}

func mustLoad(t *testing.T, path string, o Options) (*Model, string) {
	t.Helper()
	m, said, err := load(t, path, o)
	if err != nil {
		t.Fatal(err)
	}
	return m, said
}

// TestWide compares with open_clip's networks.
func TestWide(t *testing.T) {
	file := golden.Open(t, "clip_others")
	x := scaled(1001, 2, 3, 16, 16)
	for _, g := range []GELU{PlainGELU, QuickGELU} {
		want := wide
		want.Vision.GELU, want.Text.GELU = g, g
		m := mustNew(t, newRecipe(wide), Options{GELU: g, VisionHeads: 2, TextHeads: 3})
		if m.Config() != want {
			t.Errorf("the architecture is %+v, want %+v", m.Config(), want)
		}
		golden.Check(t, file, "wide/"+string(g)+"/vision", m.EncodeImage(x), rtol, atol)
		golden.Check(t, file, "wide/"+string(g)+"/text", mustEncode(t, m, texts), rtol, atol)
	}
}

// TestOthers reads files as open_clip and transformers write them, with no options. What is
// beside them tells.
func TestOthers(t *testing.T) {
	file := golden.Open(t, "clip_others")
	x := scaled(1001, 2, 3, 8, 8)
	for _, c := range []struct {
		folder, name string
		gelu         GELU
		ids          [][]int
		said         []string
	}{
		{"checkpoint", "epoch_3.pt", PlainGELU, texts, []string{`"state_dict"`, `"module."`, "open_clip_config.json beside it says: plain GELU and 2 heads in the image tower, plain GELU and 4 heads in the text tower"}},
		{"nested", "open_clip_model.safetensors", QuickGELU, texts, []string{"open_clip_config.json", "QuickGELU"}},
		{"huggingface", "model.safetensors", PlainGELU, [][]int{{38, 7, 35, 30, 30, 0, 0, 0}, {38, 39, 4, 11, 2, 3, 30, 30}}, []string{"config.json", "plain GELU", "2 heads", "4 heads"}},
	} {
		t.Run(c.folder, func(t *testing.T) {
			path := others + c.folder + "/" + c.name
			m, said := mustLoad(t, path, Options{})
			want := Config{
				Embed:  8,
				Vision: VisionConfig{Transformer{16, 1, 2, 32, c.gelu}, 8, 4},
				Text:   TextConfig{Transformer{16, 1, 4, 32, c.gelu}, 8, 40},
			}
			if m.Config() != want {
				t.Errorf("the architecture is %+v, want %+v", m.Config(), want)
			}
			golden.Check(t, file, c.folder+"/vision", m.EncodeImage(x), rtol, atol)
			golden.Check(t, file, c.folder+"/text", mustEncode(t, m, c.ids), rtol, atol)
			for _, part := range c.said {
				if !strings.Contains(said, part) {
					t.Errorf("said %q, want %q in it", said, part)
				}
			}
			if strings.Contains(said, "assumed") {
				t.Errorf("said %q, although all is told", said)
			}
			// One tower alone.
			v, _ := mustLoad(t, path, Options{Vision: true})
			equal(t, "the image tower alone", v.EncodeImage(x), m.EncodeImage(x))
			w, _ := mustLoad(t, path, Options{Text: true})
			equal(t, "the text tower alone", mustEncode(t, w, c.ids), mustEncode(t, m, c.ids))

			// Without the file of configuration, options say the same.
			alone := filepath.Join(t.TempDir(), c.name)
			copyFile(t, path, alone)
			o, _ := mustLoad(t, alone, Options{GELU: c.gelu, VisionHeads: 2, TextHeads: 4, EndOfText: m.text.endOfText})
			equal(t, "by options", o.EncodeImage(x), m.EncodeImage(x))
			equal(t, "by options", mustEncode(t, o, c.ids), mustEncode(t, m, c.ids))
		})
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestAssumed: nothing tells, so a line does. It gives the choice, and what was chosen by
// options is not in it.
func TestAssumed(t *testing.T) {
	like := func(width, patch, text int) Config {
		return Config{
			Embed:  8,
			Vision: VisionConfig{Transformer{width, 1, 1, 1, ""}, patch, patch},
			Text:   TextConfig{Transformer{text, 1, 1, 1, ""}, 8, 40},
		}
	}
	for _, c := range []struct {
		name    string
		sizes   Config
		options Options
		gelu    GELU
		heads   [2]int
		said    []string
		not     []string
	}{
		{"ViT-B/32", like(768, 32, 512), Options{}, QuickGELU, [2]int{12, 8}, []string{"assumed: QuickGELU", "most of LAION's", "12 heads in the image tower", "8 heads in the text tower", "-gelu", "-heads"}, nil},
		{"ViT-H/14", like(1280, 14, 1024), Options{}, PlainGELU, [2]int{16, 16}, []string{"assumed: plain GELU", "16 heads in the image tower"}, nil},
		{"ViT-g/14", like(1408, 14, 1024), Options{}, PlainGELU, [2]int{16, 16}, nil, nil},
		{"ViT-bigG/14", like(1664, 14, 1280), Options{}, PlainGELU, [2]int{16, 20}, nil, nil},
		{"GELU given", like(768, 32, 512), Options{GELU: PlainGELU}, PlainGELU, [2]int{12, 8}, []string{"assumed: 12 heads"}, []string{"QuickGELU,"}},
		{"all given", like(768, 32, 512), Options{GELU: PlainGELU, VisionHeads: 6, TextHeads: 4}, PlainGELU, [2]int{6, 4}, nil, []string{"assumed"}},
		{"quickgelu in the name", like(768, 32, 512), Options{}, QuickGELU, [2]int{12, 8}, []string{"assumed: 12 heads"}, []string{"QuickGELU"}},
	} {
		var said string
		c.options.Say = func(line string) { said += line }
		source := "weights.pt"
		if c.name == "quickgelu in the name" {
			source = "vit_b_32-quickgelu-laion400m_e32-46683a32.pt"
		}
		m := mustNewNamed(t, newRecipe(c.sizes), source, c.options)
		v, w := m.Config().Vision, m.Config().Text
		if v.GELU != c.gelu || w.GELU != c.gelu || v.Heads != c.heads[0] || w.Heads != c.heads[1] {
			t.Errorf("%s: %s, heads %d and %d; want %s, %v", c.name, v.GELU, v.Heads, w.Heads, c.gelu, c.heads)
		}
		for _, part := range c.said {
			if !strings.Contains(said, part) {
				t.Errorf("%s: said %q, want %q in it", c.name, said, part)
			}
		}
		for _, part := range c.not {
			if strings.Contains(said, part) {
				t.Errorf("%s: said %q, want no %q in it", c.name, said, part)
			}
		}
	}
}

func mustNewNamed(t *testing.T, w Weights, source string, o Options) *Model {
	t.Helper()
	m, err := New(w, source, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// tensorsOf reads a whole file.
func tensorsOf(t *testing.T, path string) []safetensors.Named {
	t.Helper()
	f, err := weightfile.Open(path, weightfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []safetensors.Named
	for _, name := range f.Names() {
		v, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, safetensors.Named{Name: name, Tensor: v})
	}
	return all
}

// writeTensors makes a file of tensors, in a folder of its own.
func writeTensors(t *testing.T, list []safetensors.Named, metadata map[string]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := safetensors.Write(f, list, metadata); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPrefixes reads a CLIP behind the prefixes of wrappers and programs.
func TestPrefixes(t *testing.T) {
	x := scaled(1001, 2, 3, 8, 8)
	o := Options{GELU: PlainGELU, VisionHeads: 2, TextHeads: 4, EndOfText: 39}
	for _, source := range []string{"nested/open_clip_model.safetensors", "huggingface/model.safetensors"} {
		want, _ := mustLoad(t, others+source, o)
		plain := tensorsOf(t, others+source)
		for _, prefix := range []string{"module.", "model.", "clip_model.", "_orig_mod.", "module._orig_mod.", "state_dict.module.", "student.clip."} {
			list := slices.Clone(plain)
			for i := range list {
				list[i].Name = prefix + list[i].Name
			}
			list = append(list, safetensors.Named{Name: "epoch", Tensor: tensor.New(1)}, safetensors.Named{Name: "head.weight", Tensor: tensor.New(3, 8)})
			path := writeTensors(t, list, nil)
			m, said, err := load(t, path, o)
			if err != nil {
				t.Errorf("%s, %s: %v", source, prefix, err)
				continue
			}
			equal(t, prefix, m.EncodeImage(x), want.EncodeImage(x))
			equal(t, prefix, mustEncode(t, m, texts), mustEncode(t, want, texts))
			if !strings.Contains(said, prefix) {
				t.Errorf("%s: said %q, want the prefix in it", prefix, said)
			}
			// A part is missing: the message is about that part, and not that this is no CLIP.
			list = slices.DeleteFunc(list, func(n safetensors.Named) bool { return strings.HasSuffix(n.Name, "class_embedding") })
			_, _, err = load(t, writeTensors(t, list, nil), o)
			if err == nil || !strings.Contains(err.Error(), "class_embedding") {
				t.Errorf("%s without a class token: error %v, want one that names it", prefix, err)
			}
		}
	}
	// A prefix that only New sees, which does not look for any.
	w := newRecipe(small)
	names := map[string]string{}
	for _, name := range w.Names() {
		names["module."+name] = name
	}
	if _, err := New(mapped{w, names}, "recipe", Options{}); err == nil || strings.Contains(err.Error(), "not the weights of a CLIP") || !strings.Contains(err.Error(), `"module."`) {
		t.Errorf("New with a prefix: error %v, want one that names it", err)
	}
}

// TestKey chooses between two networks of one file.
func TestKey(t *testing.T) {
	x := scaled(1001, 2, 3, 8, 8)
	o := Options{GELU: PlainGELU, VisionHeads: 2, TextHeads: 4}
	var both []safetensors.Named
	for _, n := range tensorsOf(t, others+"nested/open_clip_model.safetensors") {
		other := tensor.New(n.Tensor.Shape()...)
		copy(other.Data(), n.Tensor.Data())
		if n.Name == "visual.proj" {
			other.Data()[0] += 3
		}
		both = append(both, safetensors.Named{Name: "teacher." + n.Name, Tensor: n.Tensor}, safetensors.Named{Name: "student." + n.Name, Tensor: other})
	}
	path := writeTensors(t, both, nil)
	want, _ := mustLoad(t, others+"nested/open_clip_model.safetensors", o)
	o.Key = "teacher"
	m, _ := mustLoad(t, path, o)
	equal(t, "the teacher", m.EncodeImage(x), want.EncodeImage(x))
	o.Key = "student"
	m, _ = mustLoad(t, path, o)
	if slices.Equal(m.EncodeImage(x).Data(), want.EncodeImage(x).Data()) {
		t.Error("two keys give the same network")
	}
}

// TestMetadata: a safetensors file may say its activation itself.
func TestMetadata(t *testing.T) {
	list := tensorsOf(t, others+"nested/open_clip_model.safetensors")
	for _, c := range []struct {
		metadata map[string]string
		want     GELU
		err      string
	}{
		{map[string]string{"hidden_act": "gelu"}, PlainGELU, ""},
		{map[string]string{"hidden_act": "quick_gelu"}, QuickGELU, ""},
		{map[string]string{"quick_gelu": "True"}, QuickGELU, ""},
		{map[string]string{"quick_gelu": "false"}, PlainGELU, ""},
		{map[string]string{"hidden_act": "relu"}, "", `found "relu"`},
	} {
		m, said, err := load(t, writeTensors(t, list, c.metadata), Options{VisionHeads: 2, TextHeads: 4})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v: error %v, want one with %q", c.metadata, err, c.err)
			}
			continue
		}
		if err != nil || m.Config().Vision.GELU != c.want || strings.Contains(said, "assumed") {
			t.Errorf("%v: %v, said %q", c.metadata, err, said)
		}
	}
}

// TestOtherNetworks expects errors that name what the weights are instead of a CLIP that can
// be run, and models where only the other tower is foreign.
func TestOtherNetworks(t *testing.T) {
	good := newRecipe(small)
	with := func(more ...string) Weights {
		names := map[string]string{}
		for _, name := range good.Names() {
			names[name] = name
		}
		for _, name := range more {
			names[name] = openAI.class
		}
		return mapped{good, names}
	}
	for _, c := range []struct {
		what string
		w    Weights
		o    Options
		want []string // nil: no error
	}{
		{"timm", named("visual.trunk.patch_embed.proj.weight", "text.token_embedding.weight", "logit_scale", "logit_bias"), Options{}, []string{"timm", "SigLIP"}},
		{"SigLIP", named("vision_model.embeddings.patch_embedding.weight", "vision_model.head.probe", "text_model.embeddings.token_embedding.weight", "logit_bias"), Options{}, []string{"SigLIP", "attention pooling"}},
		{"layer scale", with("visual.transformer.resblocks.0.ls_1.gamma", "visual.transformer.resblocks.0.ls_2.gamma"), Options{}, []string{`"visual.transformer.resblocks.0.ls_1.gamma"`, "1 more"}},
		{"attention pooling", with("visual.attn_pool.query"), Options{}, []string{`"visual.attn_pool.query"`}},
		{"layer scale of the other tower", with("visual.transformer.resblocks.0.ls_1.gamma"), Options{Text: true}, nil},
		{"masks and numbers", with("attn_mask", "visual.transformer.attn_mask", "transformer.resblocks.0.attn_mask", "input_resolution", "context_length", "head.weight"), Options{}, nil},
		{"a text tower of BERT", only(with("text.transformer.embeddings.word_embeddings.weight"), func(s string) bool { return strings.HasPrefix(s, "visual.") || strings.HasPrefix(s, "text.") }), Options{Text: true}, []string{"text tower", "XLM-RoBERTa"}},
		{"its image tower", only(with("text.transformer.embeddings.word_embeddings.weight"), func(s string) bool { return strings.HasPrefix(s, "visual.") || strings.HasPrefix(s, "text.") }), Options{Vision: true}, nil},
		{"CLIPVisionModel", named("embeddings.class_embedding", "embeddings.patch_embedding.weight"), Options{}, []string{"CLIPVisionModelWithProjection"}},
	} {
		_, err := New(c.w, "recipe", c.o)
		if c.want == nil {
			if err != nil {
				t.Errorf("%s: %v", c.what, err)
			}
			continue
		}
		for _, part := range c.want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %v, want one with %q", c.what, err, part)
			}
		}
	}
	var said string
	if _, err := New(with(logitBias), "recipe", Options{Say: func(line string) { said += line }}); err != nil || !strings.Contains(said, "SigLIP's loss") {
		t.Errorf("a CLIP with logit_bias: %v, said %q", err, said)
	}
}
