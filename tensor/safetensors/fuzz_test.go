package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pixelgrad/tensor"
)

// FuzzOpen: no bytes may make the reader panic; what it accepts must be JSON
// that encoding/json understands alike, and must survive being written again.
func FuzzOpen(f *testing.F) {
	for _, c := range malformed {
		if len(c.file) < 1000 {
			f.Add(c.file)
		}
	}
	for _, name := range []string{"f32", "types", "none"} {
		b, err := os.ReadFile(filepath.Join(golden, name+".safetensors"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := openBytes(b)
		if err != nil {
			return
		}
		header := b[8 : 8+binary.LittleEndian.Uint64(b)]
		var want map[string]struct {
			Shape   []int    `json:"shape"`
			Offsets [2]int64 `json:"data_offsets"`
		}
		var metadata struct {
			M map[string]string `json:"__metadata__"`
		}
		if err := json.Unmarshal(header, &metadata); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		if len(metadata.M) != len(file.Metadata()) {
			t.Fatalf("metadata %q, encoding/json has %q", file.Metadata(), metadata.M)
		}
		for k, v := range metadata.M {
			if file.Metadata()[k] != v {
				t.Fatalf("metadata %q: %q, encoding/json has %q", k, file.Metadata()[k], v)
			}
		}
		if err := json.Unmarshal(header, &want); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		delete(want, metadataKey)
		if len(want) != len(file.Names()) {
			t.Fatalf("%d names, encoding/json has %d", len(file.Names()), len(want))
		}
		var tensors []Named
		for _, name := range file.Names() {
			w, ok := want[name]
			info, err := file.Info(name)
			if !ok || err != nil || len(info.Shape) != len(w.Shape) || info.Bytes != w.Offsets[1]-w.Offsets[0] {
				t.Fatalf("%q: %v, %v; encoding/json has %v", name, info, err, w)
			}
			x, err := file.Tensor(name)
			if (err == nil) != info.DType.Readable() && !(err != nil && strings.Contains(err.Error(), "the integer")) {
				t.Fatalf("%q of type %s: %v", name, info.DType, err)
			}
			if err == nil {
				tensors = append(tensors, Named{name, x})
			}
		}
		checkRewrite(t, tensors, file.Metadata())
	})
}

// checkRewrite writes and reads tensors.
func checkRewrite(t *testing.T, tensors []Named, metadata map[string]string) {
	var buf bytes.Buffer
	if err := Write(&buf, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	file, err := openBytes(buf.Bytes())
	if err != nil {
		t.Fatalf("the file that was written cannot be read: %v", err)
	}
	for _, want := range tensors {
		var got *tensor.Tensor
		if got, err = file.Tensor(want.Name); err != nil {
			t.Fatal(err)
		}
		sameBits(t, want.Name, got.Data(), want.Tensor.Data())
	}
}
