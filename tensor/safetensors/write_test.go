package safetensors

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pixelgrad/tensor"
)

var keep = flag.String("keep", "", "a folder in which to leave written files, for testdata/golden/safetensors.py check")

func TestRoundTrip(t *testing.T) {
	nan := math.Float32frombits(0x7fc12345)
	special := tensor.FromSlice([]float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), nan, math.SmallestNonzeroFloat32, math.MaxFloat32}, 7)
	tensors := append(plain(), Named{"special", special}, Named{"large", recipe(3, 70, 1001)})
	metadata := map[string]string{"format": "pt", "note": "“quoted”\n\x00", "": ""}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := WriteFile(path, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !maps.Equal(f.Metadata(), metadata) {
		t.Errorf("Metadata = %q, want %q", f.Metadata(), metadata)
	}
	names := f.Names()
	if !slices.IsSorted(names) || len(names) != len(tensors) {
		t.Errorf("Names = %q, want the %d names in order", names, len(tensors))
	}
	for _, want := range tensors {
		got := read(t, f, want.Name)
		if !slices.Equal(got.Shape(), want.Tensor.Shape()) {
			t.Errorf("%q: shape %v, want %v", want.Name, got.Shape(), want.Tensor.Shape())
		}
		sameBits(t, want.Name, got.Data(), want.Tensor.Data())
	}
}

// Neither the order of the slice nor that of a map may show in the file.
func TestWriteIsDeterministic(t *testing.T) {
	metadata := map[string]string{"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"}
	var first bytes.Buffer
	if err := Write(&first, plain(), metadata); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		tensors := plain()
		slices.Reverse(tensors)
		var b bytes.Buffer
		if err := Write(&b, tensors, metadata); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), first.Bytes()) {
			t.Fatal("the same tensors in another order made another file")
		}
	}
	if n := first.Bytes()[0]; n%8 != 0 {
		t.Errorf("the header has %d… bytes, want a multiple of 8", n)
	}
}

func TestWriteErrors(t *testing.T) {
	x := tensor.New(2)
	for _, c := range []struct {
		tensors  []Named
		metadata map[string]string
		want     string
	}{
		{[]Named{{"", x}}, nil, "empty name"},
		{[]Named{{"__metadata__", x}}, nil, "keeps for itself"},
		{[]Named{{"a", x}, {"b", x}, {"a", x}}, nil, `two tensors have the name "a"`},
		{[]Named{{"a\xff", x}}, nil, "not valid UTF-8"},
		{[]Named{{"a", nil}}, nil, `tensor "a" is nil`},
		{[]Named{{"a", tensor.New(slices.Repeat([]int{1}, 65)...)}}, nil, "65 dimensions"},
		{nil, map[string]string{"k": "\xff"}, "not valid UTF-8"},
		{nil, map[string]string{"k": strings.Repeat("x", maxHeader)}, "more than 100000001 bytes, the format's limit is 100000000"},
	} {
		var b bytes.Buffer
		err := Write(&b, c.tensors, c.metadata)
		wantError(t, c.want, err, c.want)
		if b.Len() > 0 {
			t.Errorf("%s: %d bytes were written before the error", c.want, b.Len())
		}
	}
}

func TestWriteRawErrors(t *testing.T) {
	for _, c := range []struct {
		raw  Raw
		want string
	}{
		{Raw{"a", "I64", []int{2}, make([]byte, 15)}, `tensor "a": 15 bytes are not the size of type "I64" and shape [2]`},
		{Raw{"a", "I31", []int{1}, make([]byte, 4)}, `not the size of type "I31"`},
		{Raw{"x", "I64", []int{}, make([]byte, 8)}, `two tensors have the name "x"`},
		{Raw{"", "I64", []int{}, make([]byte, 8)}, "empty name"},
	} {
		err := Options{Raw: []Raw{c.raw}}.Write(io.Discard, []Named{{"x", tensor.New(1)}}, nil)
		wantError(t, c.want, err, c.want)
	}
}

// A full disk must be reported wherever it strikes.
func TestWriteFails(t *testing.T) {
	tensors := []Named{{"a", tensor.New(100_000)}, {"b", tensor.New(100)}}
	for _, room := range []int{0, 4, 1000, 100_000, 400_100} {
		if err := Write(&limited{room}, tensors, nil); !errors.Is(err, errFull) {
			t.Errorf("room for %d bytes: error %v, want %v", room, err, errFull)
		}
	}
}

var errFull = errors.New("disk full")

type limited struct{ room int }

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.room {
		return 0, errFull
	}
	l.room -= len(p)
	return len(p), nil
}
