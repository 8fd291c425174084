package weightfile

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

const golden = "../../testdata/golden/"

// The name of a file says nothing: each is opened under a wrong one.
func TestOpen(t *testing.T) {
	for file, want := range map[string]string{
		"safetensors/f32.safetensors": "safetensors",
		"torchfile/zip.pt":            "zip",
		"torchfile/legacy.pt":         "legacy",
		"torchfile/script.pt":         "TorchScript",
	} {
		content, err := os.ReadFile(golden + file)
		if err != nil {
			t.Fatal(err)
		}
		name := "weights.pt"
		if want != "safetensors" {
			name = "weights.safetensors"
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path, Options{})
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if f.Format() != want {
			t.Errorf("%s: format %s, want %s", file, f.Format(), want)
		}
		for _, name := range f.Names() {
			if _, err := f.Info(name); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
		if err := f.Close(); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// A header of 640 bytes has the length 80 02 …, which is how pickles begin.
func TestOpenAmbiguous(t *testing.T) {
	named := []safetensors.Named{{Name: "a", Tensor: tensor.New(3)}}
	var b bytes.Buffer
	for pad := 0; b.Len() < 8 || binary.LittleEndian.Uint64(b.Bytes()) < 0x280; pad++ {
		b.Reset()
		if err := safetensors.Write(&b, named, map[string]string{"pad": strings.Repeat("x", pad)}); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.HasPrefix(b.String(), "\x80\x02") {
		t.Fatalf("the file begins with %q", b.Bytes()[:8])
	}
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Format() != "safetensors" || !slices.Equal(f.Names(), []string{"a"}) || len(f.Metadata()) != 1 {
		t.Errorf("format %s, names %v, metadata %v", f.Format(), f.Names(), f.Metadata())
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	put := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole, err := os.ReadFile(golden + "safetensors/f32.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	legacy, err := os.ReadFile(golden + "torchfile/legacy.pt")
	if err != nil {
		t.Fatal(err)
	}
	archive, err := os.ReadFile(golden + "torchfile/zip.pt")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{filepath.Join(dir, "missing"), "no such file"},
		{dir, "found a folder"},
		{os.DevNull, "found a device"},
		{golden + "safetensors/none.safetensors", "without any tensor"},
		{put("zip", "PK\x03\x04 and no more"), "the archive's directory is missing at its end: download or copy it again"},
		{put("cut", string(whole[:100])), "is the file cut off?: download"},
		{put("cut data", string(whole[:len(whole)-1])), "is the file cut off?: download"},
		{put("cut pickle", string(legacy[:200])), "the pickle is cut off: download"},
		{put("cut storage", string(legacy[:len(legacy)-1])), "the file is cut off at byte"},
		{put("cut archive", string(archive[:len(archive)-30])), "the archive's directory is missing at its end: download"},
	} {
		f, err := Open(c.path, Options{})
		if err == nil {
			f.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q and the file's name", c.path, err, c.want)
		}
	}
}

// Numbers of 8 bits are what they are, and it is said if there are scales for them.
func TestScales(t *testing.T) {
	for _, c := range []struct {
		dtype       safetensors.DType
		scale, want string
	}{
		{"F8_E4M3", "scale", `a: "w" has numbers of 8 bits, F8_E4M3, and there are scales, such as "scale", which are not applied to them`},
		{"F8_E5M2", "w.weight_scale_inv", `a: "w" has numbers of 8 bits, F8_E5M2, and there are scales, such as "w.weight_scale_inv", which are not applied to them`},
		{"F8_E4M3", "bias", ""},
		{"U8", "scale", ""},
	} {
		var b bytes.Buffer
		raw := []safetensors.Raw{{Name: "w", DType: c.dtype, Shape: []int{2}, Bytes: []byte{0x40, 0xc8}}}
		if err := (safetensors.Options{Raw: raw}).Write(&b, []safetensors.Named{{Name: c.scale, Tensor: tensor.New(1)}}, nil); err != nil {
			t.Fatal(err)
		}
		said := ""
		f, err := Read("a", bytes.NewReader(b.Bytes()), int64(b.Len()), Options{Say: func(line string) { said += line }})
		if err != nil {
			t.Fatal(err)
		}
		if said != c.want {
			t.Errorf("%s and %s: said %q, want %q", c.dtype, c.scale, said, c.want)
		}
		if w, err := f.Tensor("w"); err != nil || c.dtype == "F8_E4M3" && !slices.Equal(w.Data(), []float32{2, -4}) {
			t.Errorf("%s: %v, %v; want 2 and −4", c.dtype, w, err)
		}
	}
}
