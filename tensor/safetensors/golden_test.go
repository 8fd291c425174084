package safetensors

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Files of the official package, with every type that it and PyTorch share.
func TestGoldenTypes(t *testing.T) {
	f := openGolden(t, "types.safetensors")
	for i, name := range []string{"f32", "f64", "f16", "bf16"} {
		x := read(t, f, name)
		if !slices.Equal(x.Shape(), []int{2, 3}) {
			t.Errorf("%s: shape %v, want [2 3]", name, x.Shape())
		}
		sameBits(t, name, x.Data(), recipe(i+1, 2, 3).Data())
	}
	// What PyTorch makes of special values is in the same file.
	for _, p := range [][2]string{{"half", "half.f32"}, {"bfloat", "bfloat.f32"}, {"f64.third", "f64.third.f32"}} {
		sameBits(t, p[0], read(t, f, p[0]).Data(), read(t, f, p[1]).Data())
	}
	exact, half := read(t, f, "round").Data(), read(t, f, "round.f16").Data()
	for i, v := range exact {
		if got := fromF16(toF16(v)); !(got == half[i]) {
			t.Errorf("toF16(%g) means %g, PyTorch has %g", v, got, half[i])
		}
	}
	for name, want := range map[string]Info{
		"i64":                 {"I64", []int{3}, 24},
		"bool":                {"BOOL", []int{2}, 2},
		"u8":                  {"U8", []int{3}, 3},
		"num_batches_tracked": {"I64", []int{}, 8},
		"f16":                 {F16, []int{2, 3}, 12},
	} {
		got, err := f.Info(name)
		if err != nil || got.DType != want.DType || got.Bytes != want.Bytes || !slices.Equal(got.Shape, want.Shape) {
			t.Errorf("Info(%q) = %v, %v; want %v", name, got, err, want)
		}
	}
	if m := f.Metadata(); len(m) != 2 || m["torch"] == "" || m["safetensors"] == "" {
		t.Errorf("Metadata = %v, want the versions of torch and safetensors", m)
	}
	if n := len(f.Names()); n != 19 {
		t.Errorf("%d names, want 19: %q", n, f.Names())
	}
}

func TestGoldenPlain(t *testing.T) {
	f := openGolden(t, "f32.safetensors")
	for _, want := range plain() {
		got := read(t, f, want.Name)
		if !slices.Equal(got.Shape(), want.Tensor.Shape()) {
			t.Errorf("%q: shape %v, want %v", want.Name, got.Shape(), want.Tensor.Shape())
		}
		sameBits(t, want.Name, got.Data(), want.Tensor.Data())
	}
	if n := openGolden(t, "none.safetensors").Names(); len(n) != 0 {
		t.Errorf("a file without tensors has the names %q", n)
	}
}

// The writer must make the very bytes that the official one makes.
func TestWriteGolden(t *testing.T) {
	for _, c := range []struct {
		file     string
		opt      Options
		metadata map[string]string
	}{
		{"f32.safetensors", Options{}, map[string]string{"format": "pt"}},
		{"f16.safetensors", Options{Float16: true}, nil},
	} {
		want, err := os.ReadFile(filepath.Join(golden, c.file))
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := c.opt.Write(&got, plain(), c.metadata); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: the Go writer makes\n%q\nand the official one\n%q", c.file, got.Bytes(), want)
		}
		if *keep != "" {
			if err := c.opt.WriteFile(filepath.Join(*keep, c.file), plain(), c.metadata); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestReadErrors(t *testing.T) {
	f := openGolden(t, "types.safetensors")
	_, err := f.Tensor("i64")
	wantError(t, "an integer tensor", err, `tensor "i64" has dtype I64; only F32, F16, BF16 and F64 can be read`)
	_, err = f.Tensor("none")
	wantError(t, "an unknown name", err, `no tensor "none" among the 19`)
	_, err = f.Info("none")
	wantError(t, "an unknown name", err, "types.safetensors: no tensor")
	f.Close()
	_, err = f.Tensor("f32")
	wantError(t, "a closed file", err, "file already closed")
	_, err = Open(t.TempDir())
	wantError(t, "a folder", err, "expected a file, found a folder")
}

func wantError(t *testing.T, what string, err error, fragment string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), fragment) || !strings.HasPrefix(err.Error(), "safetensors: ") {
		t.Errorf("%s:\ngot the error  %v\nwant one with  %s", what, err, fragment)
	}
}
