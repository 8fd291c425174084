package safetensors

import (
	"bytes"
	"encoding/binary"
	"math"
	"path/filepath"
	"testing"

	"pixelgrad/tensor"
)

const golden = "../../testdata/golden/safetensors"

// recipe makes the same tensor as the function of this name in
// testdata/golden/safetensors.py: multiples of ⅛ from −6.25 to 6.25.
func recipe(seed int, shape ...int) *tensor.Tensor {
	t := tensor.New(shape...)
	for i := range t.Data() {
		t.Data()[i] = float32((i*37+seed)%101-50) / 8
	}
	return t
}

// plain returns the tensors that the script's plain returns.
func plain() []Named {
	return []Named{
		{"conv1.weight", recipe(1, 4, 3, 3, 3)},
		{"conv1.bias", recipe(2, 4)},
		{"conv10.bias", recipe(3, 1)},
		{"conv2.bias", recipe(4, 2)},
		{"scalar", recipe(5)},
		{"empty", recipe(6, 0, 3)},
		{"odd \"name\"\\\t\x01/é 漢", recipe(7, 2, 2)},
	}
}

// build returns a file of this header and so many bytes of data.
func build(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	for i := range data {
		b = append(b, byte(i))
	}
	return b
}

func openBytes(b []byte) (*File, error) {
	return NewFile("test.safetensors", bytes.NewReader(b), int64(len(b)))
}

func openGolden(t *testing.T, name string) *File {
	t.Helper()
	f, err := Open(filepath.Join(golden, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func read(t *testing.T, f *File, name string) *tensor.Tensor {
	t.Helper()
	x, err := f.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// sameBits compares elements by their bits, so that NaN and −0 count.
func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d elements, want %d", what, len(got), len(want))
		return
	}
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Errorf("%s: element %d is %g, want %g", what, i, got[i], want[i])
			return
		}
	}
}
