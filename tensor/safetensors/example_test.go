package safetensors_test

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

// Weights are written to a file and read again.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")

	weights := []safetensors.Named{
		{Name: "conv.weight", Tensor: tensor.FromSlice([]float32{1, 2, 3, 4}, 1, 1, 2, 2)},
		{Name: "conv.bias", Tensor: tensor.FromSlice([]float32{0.5}, 1)},
	}
	if err := safetensors.WriteFile(path, weights, map[string]string{"format": "pt"}); err != nil {
		log.Fatal(err)
	}

	f, err := safetensors.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	for _, name := range f.Names() {
		t, err := f.Tensor(name)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(name, t.Shape(), t.Data())
	}
	// Output:
	// conv.bias [1] [0.5]
	// conv.weight [1 1 2 2] [1 2 3 4]
}

// The names, types and shapes in a file. Only its header is read.
func ExampleOpen() {
	f, err := safetensors.Open("../../testdata/golden/safetensors/f32.safetensors")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	fmt.Println("metadata:", f.Metadata())
	for _, name := range f.Names()[:4] {
		info, err := f.Info(name)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(name, info.DType, info.Shape, info.Bytes, "bytes")
	}
	// Output:
	// metadata: map[format:pt]
	// conv1.bias F32 [4] 16 bytes
	// conv1.weight F32 [4 3 3 3] 432 bytes
	// conv10.bias F32 [1] 4 bytes
	// conv2.bias F32 [2] 8 bytes
}

// Half precision halves the file. A third is not exact in it.
func ExampleOptions_Write() {
	weights := []safetensors.Named{{Name: "w", Tensor: tensor.FromSlice([]float32{0.25, 1. / 3, 1e6}, 3)}}
	var b bytes.Buffer
	if err := (safetensors.Options{Float16: true}).Write(&b, weights, nil); err != nil {
		log.Fatal(err)
	}
	f, err := safetensors.NewFile("memory", bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		log.Fatal(err)
	}
	info, _ := f.Info("w")
	t, _ := f.Tensor("w")
	fmt.Println(info.DType, info.Shape, info.Bytes, "bytes:", t.Data())
	// Output: F16 [3] 6 bytes: [0.25 0.33325195 +Inf]
}
