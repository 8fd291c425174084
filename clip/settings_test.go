package clip

import (
	"archive/zip"
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// beside copies weights into a new folder, with files of these names and contents.
func beside(t *testing.T, weights string, files map[string]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(weights))
	copyFile(t, others+weights, path)
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

const (
	hfWeights   = "huggingface/model.safetensors"
	openWeights = "nested/open_clip_model.safetensors"

	// What a configuration of the weights has.
	hfVision   = `"hidden_act":"gelu","num_attention_heads":2`
	hfText     = `"hidden_act":"gelu","num_attention_heads":4`
	openVision = `"width":16,"head_width":8`
	openText   = `"heads":4`
)

// hf is a config.json of these contents of its vision_config and text_config.
func hf(vision, text string) map[string]string {
	return map[string]string{huggingFaceFile: `{"model_type":"clip","vision_config":{` + vision + `},"text_config":{` + text + `}}`}
}

// open is an open_clip_config.json.
func open(model, vision, text string) map[string]string {
	return map[string]string{openCLIPFile: `{"model_cfg":{` + model + `"vision_cfg":{` + vision + `},"text_cfg":{` + text + `}}}`}
}

// TestSettings gives the files beside the weights many contents.
func TestSettings(t *testing.T) {
	given := Options{GELU: PlainGELU, VisionHeads: 2, TextHeads: 4}
	heads := Options{VisionHeads: 2, TextHeads: 4}
	for _, c := range []struct {
		what    string
		weights string
		files   map[string]string
		options Options
		vision  GELU // and of the text tower, unless text says otherwise
		text    GELU
		end     int    // the id of the end of a text
		want    string // in the error, or else in what is said
		fails   bool
	}{
		{"both towers", hfWeights, hf(hfVision, hfText), Options{}, PlainGELU, "", 0, "plain GELU and 2 heads", false},
		{"one activation each", hfWeights, hf(`"hidden_act":"quick_gelu","num_attention_heads":2`, hfText), Options{}, QuickGELU, PlainGELU, 0, "QuickGELU and 2 heads in the image tower, plain GELU and 4", false},
		{"the default activation", hfWeights, hf(`"num_attention_heads":2`, `"num_attention_heads":4`), Options{}, QuickGELU, "", 0, "QuickGELU", false},
		{"the default heads", hfWeights, hf(`"hidden_act":"gelu"`, hfText), Options{}, "", "", 0, "width of 16, found 12", true},
		{"options before it", hfWeights, hf(hfVision, hfText), Options{GELU: QuickGELU}, QuickGELU, "", 0, "", false},
		{"older keys", hfWeights, map[string]string{huggingFaceFile: `{"model_type":"clip","vision_config":{"hidden_act":"quick_gelu","num_attention_heads":4,"hidden_size":999},"vision_config_dict":{` + hfVision + `},"text_config":{` + hfText + `},"text_config_dict":null}`}, Options{}, PlainGELU, "", 0, "2 heads", false},
		{"another activation", hfWeights, hf(`"hidden_act":"gelu_new","num_attention_heads":2`, hfText), Options{}, "", "", 0, `activation "gelu_new"`, true},
		{"another epsilon", hfWeights, hf(hfVision+`,"layer_norm_eps":1e-6`, hfText), Options{}, "", "", 0, "layer_norm_eps of 1e-06", true},
		{"the same epsilon", hfWeights, hf(hfVision+`,"layer_norm_eps":1e-05`, hfText), Options{}, PlainGELU, "", 0, "", false},
		{"another width", hfWeights, hf(hfVision+`,"hidden_size":768`, hfText), Options{}, "", "", 0, "768 width of the image tower, the weights have 16", true},
		{"other blocks", hfWeights, hf(hfVision, hfText+`,"num_hidden_layers":12`), Options{}, "", "", 0, "12 blocks of the text tower, the weights have 1", true},
		{"other pictures", hfWeights, hf(hfVision+`,"image_size":[224,224]`, hfText), Options{}, "", "", 0, "224 pixels", true},
		{"oblong pictures", hfWeights, hf(hfVision+`,"image_size":[8,16]`, hfText), Options{}, "", "", 0, "expected a square's side", true},
		{"the other tower is another", hfWeights, hf(hfVision, hfText+`,"num_hidden_layers":12`), Options{Vision: true}, PlainGELU, "", 0, "", false},
		{"contradiction, but all is given", hfWeights, hf(hfVision+`,"hidden_size":768`, hfText), given, PlainGELU, "", 0, "passed over", false},
		{"contradiction, something is given", hfWeights, hf(hfVision+`,"hidden_size":768`, hfText), heads, "", "", 0, "-gelu and -heads", true},
		{"no JSON", hfWeights, map[string]string{huggingFaceFile: "<html>"}, Options{}, "", "", 0, "config.json beside it: expected the JSON", true},
		{"an array", hfWeights, map[string]string{huggingFaceFile: "[]"}, Options{}, "", "", 0, "expected the JSON", true},
		{"heads of text", hfWeights, hf(`"num_attention_heads":"2"`, hfText), Options{}, "", "", 0, "num_attention_heads", true},
		{"no heads", hfWeights, hf(`"num_attention_heads":0`, hfText), Options{}, "", "", 0, "expected heads", true},
		{"negative heads", hfWeights, hf(hfVision, `"num_attention_heads":-4`), Options{}, "", "", 0, "expected heads", true},
		{"too large", hfWeights, map[string]string{huggingFaceFile: strings.Repeat(" ", maxSettings) + "{}"}, Options{}, "", "", 0, "at most 1048576 bytes", true},
		{"of a SigLIP", hfWeights, map[string]string{huggingFaceFile: `{"model_type":"siglip"}`}, heads, PlainGELU, "", 0, `model_type is "siglip"`, false},
		{"of something else", hfWeights, map[string]string{huggingFaceFile: `{"model":"merge","seed":3}`}, heads, PlainGELU, "", 0, "passed over", false},
		{"the image tower's own", hfWeights, map[string]string{huggingFaceFile: `{"model_type":"clip_vision_model",` + hfVision + `}`}, Options{Vision: true}, PlainGELU, "", 0, "2 heads", false},
		{"end of text", hfWeights, hf(hfVision, hfText+`,"eos_token_id":30`), Options{}, PlainGELU, "", 30, "", false},
		{"end of text, by mistake", hfWeights, hf(hfVision, hfText+`,"eos_token_id":2`), Options{}, PlainGELU, "", 0, "", false},
		{"end of text, by default", hfWeights, hf(hfVision, hfText+`,"eos_token_id":49407`), Options{}, PlainGELU, "", 0, "", false},
		{"end of text, none", hfWeights, hf(hfVision, hfText+`,"eos_token_id":null`), Options{}, PlainGELU, "", 0, "", false},
		{"end of text, several", hfWeights, hf(hfVision, hfText+`,"eos_token_id":[1,2]`), Options{}, "", "", 0, "eos_token_id", true},
		{"end of text, not a token", hfWeights, hf(hfVision, hfText+`,"eos_token_id":40`), Options{}, "", "", 0, "among 0 to 39, found 40", true},
		{"options' end of text", hfWeights, hf(hfVision, hfText+`,"eos_token_id":30`), Options{EndOfText: 31}, PlainGELU, "", 31, "", false},

		{"open_clip's default", openWeights, open("", openVision, openText), Options{}, PlainGELU, "", 0, "open_clip_config.json beside it says: plain GELU and 2 heads", false},
		{"open_clip's quick_gelu", openWeights, open(`"quick_gelu":true,`, openVision, openText), Options{}, QuickGELU, "", 0, "", false},
		{"not quick_gelu", openWeights, open(`"quick_gelu":false,`, openVision, openText), Options{}, PlainGELU, "", 0, "", false},
		{"a name with quickgelu", openWeights, open(`"model_name":"ViT-B-32-quickgelu",`, openVision, openText), Options{}, QuickGELU, "", 0, "", false},
		{"without model_cfg", openWeights, map[string]string{openCLIPFile: `{"embed_dim":8,"vision_cfg":{` + openVision + `},"text_cfg":{` + openText + `}}`}, Options{}, PlainGELU, "", 0, "", false},
		{"without vision_cfg", openWeights, map[string]string{openCLIPFile: `{"model_cfg":{}}`}, heads, PlainGELU, "", 0, "passed over", false},
		{"the default width", openWeights, open("", `"head_width":384`, openText), Options{}, PlainGELU, "", 0, "2 heads", false},
		{"the default heads of texts", openWeights, open("", openVision, ""), Options{}, PlainGELU, "", 0, "8 heads in the text tower", false},
		{"mlp_ratio", openWeights, open("", openVision+`,"mlp_ratio":2.05`, openText), Options{}, PlainGELU, "", 0, "", false},
		{"another mlp_ratio", openWeights, open("", openVision+`,"mlp_ratio":4`, openText), Options{}, "", "", 0, "64 hidden numbers in the image tower, the weights have 32", true},
		{"no mlp_ratio", openWeights, open("", openVision+`,"mlp_ratio":0`, openText), Options{}, "", "", 0, "mlp_ratio, found 0", true},
		{"head_width 0", openWeights, open("", `"width":16,"head_width":0`, openText), Options{}, "", "", 0, "head_width 0", true},
		{"another embedding", openWeights, open(`"embed_dim":512,`, openVision, openText), Options{}, "", "", 0, "512 numbers of an embedding", true},
		{"pool_type of pictures", openWeights, open("", openVision+`,"pool_type":"avg"`, openText), Options{}, "", "", 0, `pool_type "avg"`, true},
		{"pool_type of texts", openWeights, open("", openVision, openText+`,"pool_type":"last"`), Options{}, "", "", 0, `pool_type "last"`, true},
		{"no_causal_mask", openWeights, open("", openVision, openText+`,"no_causal_mask":true`), Options{}, "", "", 0, "no_causal_mask", true},
		{"no_causal_mask false", openWeights, open("", openVision, openText+`,"no_causal_mask":false`), Options{}, PlainGELU, "", 0, "", false},
		{"GELU by tanh", openWeights, open("", openVision+`,"act_kwargs":{"approximate":"tanh"}`, openText), Options{}, "", "", 0, "act_kwargs", true},
		{"open_clip's epsilon", openWeights, open("", openVision+`,"norm_kwargs":{"eps":1e-6}`, openText), Options{}, "", "", 0, "norm_kwargs", true},
		{"eos", openWeights, open("", openVision, openText+`,"pool_type":"eos","eos_id":5`), Options{}, PlainGELU, "", 5, "", false},
		{"eos by default", openWeights, open("", openVision, openText+`,"pool_type":"eos"`), Options{}, PlainGELU, "", 2, "", false},
		{"eos_id that does not count", openWeights, open("", openVision, openText+`,"eos_id":5`), Options{}, PlainGELU, "", 0, "", false},
		{"a text tower of BERT", openWeights, open("", openVision, `"hf_model_name":"xlm-roberta-base"`), Options{}, "", "", 0, `"xlm-roberta-base"`, true},
		{"its image tower", openWeights, open("", openVision, `"hf_model_name":"xlm-roberta-base"`), Options{Vision: true}, PlainGELU, "", 0, "", false},
		{"a ResNet", openWeights, open("", `"layers":[3,4,6,3],"width":64`, openText), Options{}, "", "", 0, "a ResNet", true},
		{"timm", openWeights, open("", `"timm_model_name":"vit_base_patch16_siglip_224","image_size":224`, openText), Options{}, "", "", 0, "network of timm", true},

		// Of two files the one of the same program counts.
		{"both, open_clip's names", openWeights, merged(open(`"quick_gelu":true,`, openVision, openText), hf(hfVision, hfText)), Options{}, QuickGELU, "", 0, "open_clip_config.json", false},
		{"both, Hugging Face's names", hfWeights, merged(open(`"quick_gelu":true,`, openVision, openText), hf(hfVision, hfText)), Options{}, PlainGELU, "", 0, "config.json", false},
		{"the other program's", openWeights, hf(hfVision, hfText), Options{}, PlainGELU, "", 0, "config.json", false},
	} {
		path := beside(t, c.weights, c.files)
		m, said, err := load(t, path, c.options)
		if c.fails {
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: error %v, want one line with %q and the file's name", c.what, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if !strings.Contains(said, c.want) {
			t.Errorf("%s: said %q, want %q in it", c.what, said, c.want)
		}
		if c.text == "" {
			c.text = c.vision
		}
		if v := m.Config().Vision; v.Heads != 2 || v.GELU != c.vision {
			t.Errorf("%s: image tower: %+v, want 2 heads and %s GELU", c.what, v, c.vision)
		}
		if m.text != nil && (m.text.GELU != c.text || m.text.endOfText != c.end) {
			t.Errorf("%s: text tower: %s GELU, end of text %d; want %s, %d", c.what, m.text.GELU, m.text.endOfText, c.text, c.end)
		}
	}
}

func merged(a, b map[string]string) map[string]string {
	for name, content := range b {
		a[name] = content
	}
	return a
}

// TestPixels: a file beside the weights says how photographs are prepared.
func TestPixels(t *testing.T) {
	photo := picture("noise", 20, 11)
	half := [3]float32{0.5, 0.5, 0.5}
	square := func(mean, std [3]float32) *tensor.Tensor {
		x := tensor.New(1, 3, 8, 8)
		newPixelTable(mean, std).normalize(x, 0, vision.Resize(photo, 8, 8), 0, 0)
		return x
	}
	usual, err := Preprocess(8, photo)
	if err != nil {
		t.Fatal(err)
	}
	const means = `"mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5]`
	for _, c := range []struct {
		what    string
		weights string
		files   map[string]string
		want    *tensor.Tensor // nil: an error
		said    string
	}{
		{"nothing", openWeights, open("", openVision, openText), usual, ""},
		{"OpenAI's", openWeights, pixelsOf(`"mean":[0.48145466,0.4578275,0.40821073],"std":[0.26862954,0.26130258,0.27577711],"interpolation":"bicubic","resize_mode":"shortest"`), usual, ""},
		{"squashed", openWeights, pixelsOf(means + `,"resize_mode":"squash"`), square(half, half), "squeezed"},
		{"bilinear", openWeights, pixelsOf(`"interpolation":"bilinear"`), usual, `interpolation "bilinear"`},
		{"longest", openWeights, pixelsOf(`"resize_mode":"longest"`), usual, `resize_mode "longest"`},
		{"two means", openWeights, pixelsOf(`"mean":[0.5,0.5]`), nil, "means of three colours"},
		{"no deviation", openWeights, pixelsOf(`"std":[0.5,0,0.5]`), nil, "standard deviations of three colours"},
		{"levels", openWeights, pixelsOf(`"mean":[122.7,116.7,104.1]`), nil, "in [0,1]"},
		{"Hugging Face's", hfWeights, merged(hf(hfVision, hfText), map[string]string{pixelsFile: `{"image_mean":[0.5,0.5,0.5],"image_std":[0.5,0.5,0.5],"resample":3,"size":{"height":8,"width":8}}`}), square(half, half), "squeezed"},
		{"not normalised", hfWeights, merged(hf(hfVision, hfText), map[string]string{pixelsFile: `{"do_normalize":false,"size":{"height":8,"width":8}}`}), square([3]float32{}, [3]float32{1, 1, 1}), "means [0 0 0]"},
		{"usual size", hfWeights, merged(hf(hfVision, hfText), map[string]string{pixelsFile: `{"size":{"shortest_edge":8},"crop_size":{"height":8,"width":8}}`}), usual, ""},
		{"older size", hfWeights, merged(hf(hfVision, hfText), map[string]string{pixelsFile: `{"size":8}`}), usual, ""},
		{"another filter", hfWeights, merged(hf(hfVision, hfText), map[string]string{pixelsFile: `{"resample":2}`}), usual, "filter 2"},
		{"no JSON", hfWeights, merged(hf(hfVision, hfText), map[string]string{pixelsFile: `{`}), nil, pixelsFile},
	} {
		m, said, err := load(t, beside(t, c.weights, c.files), Options{})
		if c.want == nil {
			if err == nil || !strings.Contains(err.Error(), c.said) {
				t.Errorf("%s: error %v, want one with %q", c.what, err, c.said)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if !strings.Contains(said, c.said) || c.said == "" && strings.Contains(said, "means") {
			t.Errorf("%s: said %q, want %q in it", c.what, said, c.said)
		}
		got, err := m.Preprocess(photo)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, c.what, got, c.want)
	}
	m, _ := mustLoad(t, beside(t, openWeights, pixelsOf(means)), Options{})
	got := m.PreprocessSquare(photo.Tensor())
	for i, v := range square(half, half).Data() {
		if g := got.Data()[i]; !(math.Abs(float64(g-v)) < 1e-6) {
			t.Fatalf("PreprocessSquare: element %d is %v, want %v", i, g, v)
		}
	}
}

// pixelsOf is an open_clip_config.json with this preprocess_cfg.
func pixelsOf(content string) map[string]string {
	files := open("", openVision, openText)
	files[openCLIPFile] = strings.TrimSuffix(files[openCLIPFile], "}") + `,"preprocess_cfg":{` + content + `}}`
	return files
}

// archive makes a TorchScript archive with this code of the small file script.pt.
func archive(t testing.TB, code ...string) []byte {
	t.Helper()
	script, err := os.ReadFile("../testdata/golden/clip/script.pt")
	if err != nil {
		t.Fatal(err)
	}
	old, err := zip.NewReader(bytes.NewReader(script), int64(len(script)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range old.File {
		if err := w.Copy(f); err != nil {
			t.Fatal(err)
		}
	}
	root, _, _ := strings.Cut(old.File[0].Name, "/")
	for i, c := range code {
		f, err := w.Create(root + "/code/__torch__/" + string(rune('a'+i)) + ".py")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(c)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestCode: the code of an archive tells the activation, also if a file beside it is of
// another network.
func TestCode(t *testing.T) {
	const (
		plain = "def forward(self, x: Tensor) -> Tensor:\n  return torch.gelu(x)\n"
		quick = "def forward(self, x: Tensor) -> Tensor:\n  _0 = torch.sigmoid(torch.mul(x, CONSTANTS.c0))\n  return torch.mul(x, _0)\n"
	)
	o := Options{VisionHeads: 2, TextHeads: 2}
	for _, c := range []struct {
		what string
		code []string
		want GELU
		said string // in what is said or the error
		fail bool
	}{
		{"plain", []string{"x = 1\n", plain}, PlainGELU, "", false},
		{"quick", []string{quick, "x = 1\n"}, QuickGELU, "", false},
		{"neither", []string{"x = 1\n"}, PlainGELU, "assumed", false},
		{"none", nil, PlainGELU, "assumed", false},
		{"both", []string{plain, quick}, PlainGELU, "assumed", false},
		{"tanh", []string{"  return torch.gelu(x, approximate=\"tanh\")\n"}, "", "tanh", true},
	} {
		path := filepath.Join(t.TempDir(), "script.pt")
		if err := os.WriteFile(path, archive(t, c.code...), 0o666); err != nil {
			t.Fatal(err)
		}
		m, said, err := load(t, path, o)
		if c.fail {
			if err == nil || !strings.Contains(err.Error(), c.said) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: error %v, want one with %q", c.what, err, c.said)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if g := m.Config().Vision.GELU; g != c.want || !strings.Contains(said, c.said) || c.said == "" && said != "" {
			t.Errorf("%s: %s GELU, said %q; want %s, %q", c.what, g, said, c.want, c.said)
		}
		o2 := o
		if o2.GELU = QuickGELU; c.want == QuickGELU {
			o2.GELU = PlainGELU
		}
		if m, _ := mustLoad(t, path, o2); m.Config().Vision.GELU != o2.GELU {
			t.Errorf("%s: the option does not count", c.what)
		}
		// No file beside an archive whose code tells counts.
		if c.said == "" {
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), huggingFaceFile), []byte("{"), 0o666); err != nil {
				t.Fatal(err)
			}
			if m, _ := mustLoad(t, path, o); m.Config().Vision.GELU != c.want {
				t.Errorf("%s: a file beside the archive counts", c.what)
			}
		}
	}
}

func TestParseGELU(t *testing.T) {
	for name, want := range map[string]GELU{"quick": QuickGELU, "QuickGELU": QuickGELU, "quick_gelu": QuickGELU, "plain": PlainGELU, "gelu": PlainGELU} {
		if got, err := ParseGELU(name); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	if _, err := ParseGELU("relu"); err == nil || !strings.Contains(err.Error(), `"relu"`) {
		t.Errorf("relu: %v", err)
	}
}

// FuzzSettings reads arbitrary files of configuration.
func FuzzSettings(f *testing.F) {
	for _, files := range []map[string]string{hf(hfVision, hfText+`,"eos_token_id":[1]`), open(`"quick_gelu":true,`, openVision+`,"mlp_ratio":1e300,"image_size":[2,2]`, openText), pixelsOf(`"mean":[0.5]`), {"": `{"model_type":"clip_text_model","hidden_size":-1}`}} {
		for _, content := range files {
			f.Add([]byte(content))
		}
	}
	c := wide
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, parse := range []func([]byte) (*settings, error){parseHuggingFace, parseOpenCLIP} {
			s, err := parse(data)
			if (s == nil) == (err == nil) {
				t.Fatalf("settings %v, error %v", s, err)
			}
			if err != nil || s.check(&c) != nil {
				continue
			}
			// What passes the check must be safe to compute with.
			for _, h := range []struct{ heads, width int }{{s.vision.heads, c.Vision.Width}, {s.text.heads, c.Text.Width}} {
				if h.heads < 0 || h.heads > 0 && h.width%h.heads != 0 {
					t.Fatalf("%d heads of a width of %d", h.heads, h.width)
				}
			}
			if s.endOfText < 0 || s.endOfText >= c.Text.Vocabulary {
				t.Fatalf("end of text %d", s.endOfText)
			}
			mean, std := s.pixels.values()
			if slices.Min(mean[:]) < 0 || !(slices.Min(std[:]) > 0) {
				t.Fatalf("means %v, deviations %v", mean, std)
			}
		}
		if _, err := parsePixels(data); err != nil && errors.Is(err, errOther) {
			t.Fatal(err)
		}
	})
}
