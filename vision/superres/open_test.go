package superres

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pixelgrad/nn"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

// TestOpen recognizes every network by its tensors, in a file and in the folder of a run, alone and
// among others' tensors.
func TestOpen(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	cases := map[string]nn.Module{
		"SuperResNetWithVGG ×2":                          NewSuperResNetWithVGG(rng, 64),
		"SuperResNetWithCLIP ×2":                         NewSuperResNetWithCLIP(rng, 12),
		"SRVGGNetCompact ×2, 4 features, 7 convolutions": NewSRVGGNetCompact(rng, 3, 4, 7, 2, PReLU),
		"RRDBNet ×4, 4 features, 1 blocks":               NewRRDBNet(rng, RRDBSizes{3, 4, 2, 1, 2, 1}),
	}
	for _, a := range Architectures {
		if a.Name != FastName {
			cases[a.Title+" ×2"] = a.New(rng)
		}
	}
	for _, scale := range []int{2, 3, 4} {
		n := NewFast(rng, scale)
		cases[n.String()] = n
	}
	for name, m := range cases {
		path := savedNetwork(t, m)
		for _, at := range []string{path, filepath.Dir(path)} {
			if u, err := Open(at, Options{}); err != nil || u.String() != name {
				t.Errorf("opened %v, %v; want %s", u, err, name)
			}
		}
	}
	// Beside what a training keeps, and with a prefix.
	var all []safetensors.Named
	said := 0
	for _, p := range nn.StateDict(cases["SuperResNet ×2"]) {
		all = append(all, safetensors.Named{Name: "net.module." + p.Name, Tensor: p.Tensor}, safetensors.Named{Name: "adam." + p.Name + ".m", Tensor: tensor.New(2)})
	}
	path := filepath.Join(t.TempDir(), "training.safetensors")
	if err := safetensors.WriteFile(path, all, nil); err != nil {
		t.Fatal(err)
	}
	if u, err := Open(path, Options{Say: func(string) { said++ }}); err != nil || u.String() != "SuperResNet ×2" || said == 0 {
		t.Errorf("from a training: opened %v, %v, with %d lines about it", u, err, said)
	}
	if u := opened(t, FastName, Options{Scale: 3}); u.Scale() != 3 {
		t.Errorf("fast ×3 is ×%d", u.Scale())
	}
}

// TestOpenRefuses wants errors that name the file and what was found.
func TestOpenRefuses(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	multi, compact := savedNetwork(t, NewSuperResNetMulti(rng)), savedNetwork(t, NewSRVGGNetCompact(rng, 3, 4, 1, 2, PReLU))
	four := savedNetwork(t, NewSRVGGNetCompact(rng, 4, 4, 1, 2, PReLU))
	diverged := NewSuperResNet(rng)
	diverged.conv1.Bias.Data().Data()[3] = float32(math.NaN())
	text := filepath.Join(t.TempDir(), "notes.pth")
	if err := os.WriteFile(text, []byte("no weights"), 0o666); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	for _, c := range []struct {
		path string
		o    Options
		want []string
	}{
		{FastName, Options{Scale: 5}, []string{"fast: expected a scale of 2, 3 or 4, found 5"}},
		{FastName, Options{Scale: -1}, []string{"found -1"}},
		{BicubicName, Options{Scale: 9}, []string{"bicubic: expected a scale of 2, 3, 4", "found 9"}},
		{multi, Options{Scale: 3}, []string{multi, "SuperResNetMulti: expected a scale of 2 or 4, found 3"}},
		{compact, Options{Scale: 4}, []string{compact, "expected a scale of 2, found 4"}},
		{multi, Options{Network: "dilated"}, []string{multi, "conv1.weight"}},
		{compact, Options{Network: "multi"}, []string{compact, "conv1.weight"}},
		{multi, Options{Network: "none"}, []string{`unknown model "none"`, "multi"}},
		{four, Options{}, []string{four, "of 4"}},
		{savedNetwork(t, diverged), Options{}, []string{"conv1.bias", "finite"}},
		{text, Options{}, []string{text}},
		{"superresnet", Options{}, []string{"superresnet: this network is not part of the program"}},
		{filepath.Join(empty, "none.pth"), Options{}, []string{"none.pth: expected fast, bicubic, a file of weights"}},
		{empty, Options{}, []string{empty, "found no weights.safetensors in it"}},
		{"", Options{}, []string{"expected fast, bicubic"}},
	} {
		u, err := Open(c.path, c.o)
		if err == nil {
			t.Errorf("%s, %+v: opened %v", c.path, c.o, u)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %+v: error %q, want %q in it", c.path, c.o, err, want)
			}
		}
		if scale := (*ScaleError)(nil); errors.As(err, &scale) != strings.Contains(err.Error(), "expected a scale") || scale != nil && !slices.Contains(scale.Scales, 2) {
			t.Errorf("%s: %v is a ScaleError: %+v", c.path, err, scale)
		}
	}
}

// TestBounded: what the computation takes does not grow with the height.
func TestBounded(t *testing.T) {
	u := opened(t, FastName, Options{})
	for _, f := range []Format{{}, {Gray: true}, {Alpha: true}} {
		var sizes []int64
		for _, h := range []int{1000, 30000} {
			e, err := u.engine(job{300, h, f.Gray, f.Alpha})
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, e.bytes())
		}
		if sizes[1] > sizes[0] {
			t.Errorf("%+v: %d bytes for 1,000 rows, %d for 30,000", f, sizes[0], sizes[1])
		}
	}
}
