package torchfile

import (
	"fmt"
	"path/filepath"
	"testing"

	"pixelgrad/tensor"
)

func BenchmarkOpen(b *testing.B) {
	for _, name := range []string{"zip.pt", "legacy.pt", "script.pt"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, err := Open(filepath.Join(golden, name))
				if err != nil {
					b.Fatal(err)
				}
				f.Close()
			}
		})
	}
}

// The pickle of a model with 1000 tensors.
func BenchmarkPickle(b *testing.B) {
	var items []string
	for i := range 1000 {
		items = append(items, text(fmt.Sprintf("model.layers.%d.attention.weight", i)), simple("0", 2))
	}
	file := zipped(dictionary(items...), floats(8))
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := openBytes(file); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTensor(b *testing.B) {
	const n = 2048
	file := zipped(dictionary(
		text("contiguous"), rebuild(store("0", n*n), 0, []int{n, n}, []int{n, 1}),
		text("transposed"), rebuild(store("0", n*n), 0, []int{n, n}, []int{1, n}),
	), floats(4*n*n))
	f, err := openBytes(file)
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range f.Names() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(4 * n * n)
			for b.Loop() {
				t, err := f.Tensor(name)
				if err != nil {
					b.Fatal(err)
				}
				tensor.Release(t)
			}
		})
	}
}
