package runs

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"pixelgrad/cmd/internal/frozen"
)

// TestWriteRead fills every field, and compares the file's names with those that other
// programs know.
func TestWriteRead(t *testing.T) {
	dir := t.TempDir()
	want := &Config{
		Flags: Flags{Model: "vgg", Scale: 2, Data: "photos", Epochs: 2, Batch: 4, LR: 0.01, Seed: 1 << 63, Threads: 3, Limit: 10, Shuffle: true, Steps: 7, Init: "a", InitKey: "k", SkipBad: true,
			SplitSeed: new(uint64), Repeat: 2, Loss: "ssim", Schedule: "cosine", WarmUp: 3, ClipNorm: 0.5, EarlyStop: 4, Augment: Alterations{true, true}, Crop: 24,
			SaveEvery: Every{Steps: 100}, TensorBoard: true, Descriptions: "d.tsv",
			Options: frozen.Options{VGGWeights: "v", VGGInput: "levels", VGGLayer: "relu1_2", CLIPWeights: "c", RandomFeatures: true,
				CLIPOptions: frozen.CLIPOptions{GELU: "plain", VisionHeads: 16, TextHeads: 12, CLIPKey: "k"}}},
		Network: "VGG", BatchUsed: 4, Photos: "photos", Train: 8, Val: 2, Skipped: 1, Parameters: 5, TotalSteps: 4, ThreadsUsed: 3, SIMD: "avx2", Go: "go1", Bicubic: []Decibels{25, 24},
		Start: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), DataSum: "00", Command: "train",
	}
	if err := want.Write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := Read(dir)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	text, err := os.ReadFile(filepath.Join(dir, ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	names := strings.Fields("model scale data epochs batch lr seed threads limit shuffle steps init init_key skip_bad vgg_weights vgg_input vgg_key vgg_layer clip_weights random_features clip_gelu clip_vision_heads clip_text_heads clip_key plain without " +
		"split_seed repeat loss schedule warmup clip_norm early_stop augment crop save_every tensorboard descriptions data_sha256 command network batch_used photographs train_photographs val_photographs skipped_photographs parameters total_steps threads_used simd go bicubic_psnr start")
	for _, name := range names {
		if _, ok := fields[name]; !ok {
			t.Errorf("%s lacks %s:\n%s", ConfigFile, name, text)
		}
	}
	if len(fields) != len(names) {
		t.Errorf("%d fields, want %d", len(fields), len(names))
	}
}

// Photographs of one colour are enlarged without an error: an infinite PSNR.
func TestWriteInfinite(t *testing.T) {
	dir := t.TempDir()
	c := &Config{Flags: Defaults(), Bicubic: []Decibels{Decibels(math.Inf(1)), 24.5}}
	if err := c.Write(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Bicubic []*float64 `json:"bicubic_psnr"`
	}
	if err := json.Unmarshal(text, &got); err != nil || len(got.Bicubic) != 2 || got.Bicubic[0] != nil || *got.Bicubic[1] != 24.5 {
		t.Errorf("%s: %v, want null and 24.5", text, err)
	}
	if _, err := Read(dir); err != nil {
		t.Error(err)
	}
}

// folder makes a folder with a config.json.
func folder(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ConfigFile), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestReadOthers(t *testing.T) {
	c, err := Read(folder(t, `{"model":"multi","seed":7,"a newer flag":{"x":1}}`))
	if err != nil || c.Model != "multi" || c.Seed != 7 || c.VGGLayer != "relu2_2" || c.VGGWeights != "" || c.VGGInput != "IMAGENET1K_V1" {
		t.Errorf("an unknown flag, and missing ones: %+v, %v", c, err)
	}
	blocked := t.TempDir()
	if err := os.Mkdir(filepath.Join(blocked, ConfigFile), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ dir, want string }{
		"nothing":       {t.TempDir(), "folder of a training run, found none: name that folder"},
		"a folder":      {blocked, "found a folder"},
		"too large":     {folder(t, strings.Repeat(" ", maxConfig+1)), "expected a file of at most 1.0 MB"},
		"empty":         {folder(t, ""), "found no JSON"},
		"half":          {folder(t, `{"model":`), "no JSON (unexpected end of JSON input, at byte 9)"},
		"two":           {folder(t, `{"model":"multi"}{}`), "at byte 18"},
		"a list":        {folder(t, `[]`), "found JSON's array where an object"},
		"a word":        {folder(t, `{"model":"multi","seed":"x"}`), `JSON's string where "seed" has a uint64`},
		"negative seed": {folder(t, `{"model":"multi","seed":-1}`), `"seed"`},
		"a layer":       {folder(t, `{"model":"vgg","vgg_layer":"pool5"}`), `"vgg_layer": expected relu2_2 or relu1_2, found pool5`},
		"an input":      {folder(t, `{"model":"vgg","vgg_input":"HSV"}`), `"vgg_input": no input of VGG16 is called "HSV": there is IMAGENET1K_V1, `},
		"no model":      {folder(t, `{}`), "there is superresnet"},
		"a long model":  {folder(t, `{"model":"`+strings.Repeat("m", 5000)+`"}`), "mmm…"},
		"a long number": {folder(t, `{"model":"multi","seed":`+strings.Repeat("1", 5000)+`}`), "111… where"},
		"a long time":   {folder(t, `{"model":"multi","start":"`+strings.Repeat("1", 5000)+`"}`), "111…"},
		"limit":         {folder(t, `{"model":"multi","limit":1}`), `"limit"`},
	} {
		if _, err := Read(c.dir); err == nil || len(err.Error()) > 1000 || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), filepath.Join(c.dir, ConfigFile)) {
			t.Errorf("%s: error %v, want one that names the file and has %q", name, err, c.want)
		}
	}
}

// FuzzRead: whatever the file, an error in a few printable words or a configuration that can
// be used.
func FuzzRead(f *testing.F) {
	for _, s := range []string{`{"model":"multi"}`, `{"model":"vgg","limit":2,"vgg_layer":"relu1_2","bicubic_psnr":[1e3]}`, `{"start":"x"}`, `null`, `{"limit":1e99}`, `{"model":"multi","seed":-1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<10 {
			return
		}
		c, err := parse("a/"+ConfigFile, text, len(text)%2 == 0)
		if err != nil {
			if s := err.Error(); len(s) > 1000 || !strings.HasPrefix(s, "a/"+ConfigFile+": expected") && !strings.HasPrefix(s, "a/"+ConfigFile+`: "`) || strings.ContainsFunc(s, unicode.IsControl) {
				t.Errorf("%q: error of %d bytes: %q", text, len(s), s)
			}
			return
		}
		if c.check() != nil || c.Limit < 0 {
			t.Errorf("%q: %+v", text, c)
		}
	})
}

// TestLoad reads what a run leaves, and what people write by hand.
func TestLoad(t *testing.T) {
	c, err := Open(folder(t, `{"lr":0.01,"save_every":"90s","augment":"flips"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := Defaults()
	want.LR, want.SaveEvery, want.Augment = 0.01, Every{Time: 90 * time.Second}, Alterations{Flips: true}
	if name, x, y := c.Flags.Difference(&want); name != "" || c.SaveEvery != want.SaveEvery || c.Epochs != 10 {
		t.Errorf("%+v: -%s is %s, want %s", c.Flags, name, x, y)
	}
	dir := t.TempDir()
	if err := (&Config{Flags: Defaults(), Bicubic: []Decibels{25}}).Write(dir); err != nil {
		t.Fatal(err)
	}
	if c, err := Open(dir); err != nil || c.Epochs != 10 {
		t.Errorf("what a run leaves: %+v, %v", c, err)
	}
	if c, err := Open(folder(t, `{"model":"all"}`)); err != nil || c.Model != All {
		t.Errorf("all networks: %v, %v", c, err)
	}
	if _, err := Read(folder(t, `{"model":"all"}`)); err == nil || !strings.Contains(err.Error(), "expected the folder of one network") {
		t.Errorf("the folder of all networks: %v", err)
	}
	for text, want := range map[string]string{
		`{"learning_rate":1}`:     `found an unknown field "learning_rate"`,
		`{"save_every":"often"}`:  "expected a number of steps such as 500",
		`{"save_every":"-5m"}`:    "expected a number of steps",
		`{"save_every":"0"}`:      "expected a number of steps",
		`{"augment":"flips,all"}`: "expected flips, rotations or both",
		`{"augment":"flips,"}`:    "expected flips, rotations or both",
		`{"epochs":"ten"}`:        `where "epochs" has a int`,
	} {
		if _, err := Open(folder(t, text)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), ConfigFile) {
			t.Errorf("%s: error %v, want one that has %q", text, err, want)
		}
	}
}

// TestDifferences changes each setting by itself: a checkpoint of a training with another one leads
// elsewhere, but for a few.
func TestDifferences(t *testing.T) {
	base := Defaults()
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Flags]()) {
		if field.Anonymous {
			continue
		}
		other := Defaults()
		switch v := reflect.ValueOf(&other).Elem().FieldByIndex(field.Index); v.Interface().(type) {
		case Alterations:
			v.Set(reflect.ValueOf(Alterations{Flips: true}))
		case Every:
			v.Set(reflect.ValueOf(Every{Steps: 7}))
		case *uint64:
			v.Set(reflect.ValueOf(new(uint64)))
		case []string:
			v.Set(reflect.ValueOf([]string{"fuse"}))
		default:
			switch {
			case v.CanInt():
				v.SetInt(77)
			case v.CanUint():
				v.SetUint(77)
			case v.CanFloat():
				v.SetFloat(77)
			case v.Kind() == reflect.Bool:
				v.SetBool(!v.Bool())
			default:
				v.SetString("77")
			}
		}
		same := field.Name == "Threads" || field.Name == "SaveEvery" || field.Name == "TensorBoard" || field.Name == "Descriptions"
		if name, x, y := base.Difference(&other); (name == "") != same || !same && x == y {
			t.Errorf("%s was changed: difference %q, %s and %s", field.Name, name, x, y)
		}
	}
}

// TestDifference gives settings the names of their flags: all but those that lead to the same must be named, under
// the name of their flag.
func TestDifference(t *testing.T) {
	base := Defaults()
	for change, want := range map[*Flags]string{
		{}:                                      "",
		{Threads: 3}:                            "",
		{TensorBoard: true}:                     "",
		{Descriptions: "d"}:                     "",
		{SaveEvery: Every{Steps: 1}}:            "",
		{Data: "x"}:                             "data",
		{InitKey: "k"}:                          "init-key",
		{ClipNorm: 1}:                           "clip-norm",
		{EarlyStop: 1}:                          "early-stop",
		{SplitSeed: new(uint64)}:                "split-seed",
		{Augment: Alterations{Rotations: true}}: "augment",
		{Without: []string{"fuse"}}:             "without",
		{Options: frozen.Options{VGGLayer: "relu1_2"}}:                             "vgg-layer",
		{Options: frozen.Options{CLIPOptions: frozen.CLIPOptions{GELU: "plain"}}}:  "gelu",
		{Options: frozen.Options{CLIPOptions: frozen.CLIPOptions{VisionHeads: 2}}}: "heads",
	} {
		d := Defaults()
		change.Model, change.Epochs, change.LR, change.Shuffle, change.Repeat, change.Loss, change.Schedule = d.Model, d.Epochs, d.LR, d.Shuffle, d.Repeat, d.Loss, d.Schedule
		if change.VGGLayer == "" {
			change.VGGLayer = d.VGGLayer
		}
		change.VGGWeights = d.VGGWeights
		if name, x, y := base.Difference(change); name != want || name != "" && x == y {
			t.Errorf("-%s differs (%s, %s), want -%s", name, x, y, want)
		}
	}
}

// TestTexts reads and writes settings that are texts.
func TestTexts(t *testing.T) {
	a := Alterations{Flips: true}
	if err := a.UnmarshalText([]byte("rotations")); err != nil || a != (Alterations{Rotations: true}) {
		t.Errorf("rotations on top of flips: %+v, %v", a, err)
	}
	for _, text := range []string{"500", "90s", "5m", "1h", "1h30m", "2h0m5s"} {
		var e Every
		if err := e.UnmarshalText([]byte(text)); err != nil {
			t.Error(err)
		}
		want := text
		if text == "90s" {
			want = "1m30s"
		}
		if got, err := e.MarshalText(); err != nil || string(got) != want {
			t.Errorf("%s is written as %s, %v", text, got, err)
		}
	}
	if c, err := Read(folder(t, `{"model":"multi","bicubic_psnr":[null]}`)); err != nil || !math.IsInf(float64(c.Bicubic[0]), 1) {
		t.Errorf("null is read as %+v, %v; want infinity", c, err)
	}
}

func TestPhotographs(t *testing.T) {
	if d := Defaults(); d.SaveEvery != (Every{Time: 5 * time.Minute}) || d.Split() != d.Seed {
		t.Errorf("%+v", d)
	}
	if f := (Flags{Seed: 1, SplitSeed: new(uint64)}); f.Split() != 0 {
		t.Errorf("split by the seed %d, want its own, 0", f.Split())
	}
	f := Flags{Limit: 10}
	set, err := f.Photographs()
	if err != nil || len(set.Train)+len(set.Val) != 10 || f.Source() != embedded {
		t.Errorf("the program's: %v from %s, %v", set, f.Source(), err)
	}
	f.Data = filepath.Join(t.TempDir(), "gone")
	if _, err := f.Photographs(); err == nil || f.Source() != f.Data {
		t.Errorf("no folder: %v", err)
	}
}

func ExampleModels() {
	fmt.Println(Models())
	// Output: [superresnet multi residual dilated vgg clip global]
}
