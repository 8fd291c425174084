package safetensors

import (
	"bytes"
	"encoding/binary"
	"math"
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

// Integers and booleans become floats, and their bytes can be had as they are.
func TestGoldenIntegers(t *testing.T) {
	f := openGolden(t, "types.safetensors")
	for _, name := range []string{"i64", "i32", "i16", "i8", "u8"} {
		sameBits(t, name, read(t, f, name).Data(), []float32{0, 1, 2})
	}
	sameBits(t, "bool", read(t, f, "bool").Data(), []float32{1, 0})
	sameBits(t, "num_batches_tracked", read(t, f, "num_batches_tracked").Data(), []float32{7})
	b, err := f.Bytes("i32")
	if want := []byte{0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0}; err != nil || !bytes.Equal(b, want) {
		t.Errorf("Bytes = %v, %v; want %v", b, err, want)
	}
	_, err = f.Bytes("none")
	wantError(t, "bytes of an unknown name", err, `no tensor "none"`)
}

// All 256 numbers of the types of 8 bits, as PyTorch and ml_dtypes read them.
func TestGoldenFloat8(t *testing.T) {
	f := openGolden(t, "float8.safetensors")
	for _, d := range []DType{"F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F8_E8M0"} {
		info, err := f.Info(string(d))
		if err != nil || info.DType != d || info.Bytes != 256 {
			t.Fatalf("%s: %v, %v; want 256 numbers of this type", d, info, err)
		}
		got, want := read(t, f, string(d)).Data(), read(t, f, string(d)+".f32").Data()
		for b := range want {
			if math.Float32bits(got[b]) != math.Float32bits(want[b]) && !(got[b] != got[b] && want[b] != want[b]) {
				t.Errorf("%s: %#02x is %g, want %g", d, b, got[b], want[b])
			}
		}
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

// Also of tensors of all types, which are written as they are.
func TestWriteRawGolden(t *testing.T) {
	for _, name := range []string{"types.safetensors", "float8.safetensors"} {
		f := openGolden(t, name)
		var raw []Raw
		for _, name := range f.Names() {
			info, err := f.Info(name)
			if err != nil {
				t.Fatal(err)
			}
			b, err := f.Bytes(name)
			if err != nil {
				t.Fatal(err)
			}
			raw = append(raw, Raw{name, info.DType, info.Shape, b})
		}
		slices.Reverse(raw)
		var got bytes.Buffer
		if err := (Options{Raw: raw}).Write(&got, nil, nil); err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(golden, name))
		if err != nil {
			t.Fatal(err)
		}
		// The official writer does not sort the metadata, so it is left out of both.
		_, want, _ = bytes.Cut(want, []byte("},"))
		if _, after, _ := bytes.Cut(got.Bytes(), []byte("{")); !bytes.Equal(bytes.TrimRight(header1(after), " "), bytes.TrimRight(header1(want), " ")) || !bytes.HasSuffix(want, tail(got.Bytes())) {
			t.Errorf("%s: the Go writer makes\n%q\nand the official one\n%q", name, after, want)
		}
	}
}

// header1 returns what comes before the elements.
func header1(b []byte) []byte {
	before, _, _ := bytes.Cut(b, []byte("}}"))
	return before
}

// tail returns the elements of a file.
func tail(b []byte) []byte { return b[8+binary.LittleEndian.Uint64(b):] }

func TestReadErrors(t *testing.T) {
	f := openGolden(t, "types.safetensors")
	_, err := f.Tensor("none")
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
