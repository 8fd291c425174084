package clip

import (
	"fmt"
	"sync"
	"testing"

	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// base is a ViT-B/32 with random weights, made on first use.
var base = sync.OnceValue(func() *Model { return Random(1, ViTB32()) })

// BenchmarkEncodeImage reports the multiplications in a second. It does not count those of
// the last block's other tokens, which are not computed.
func BenchmarkEncodeImage(b *testing.B) {
	for _, n := range []int{1, 16} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m, x := base(), scaled(1, n, 3, 224, 224)
			tensor.Release(m.EncodeImage(x))
			b.ReportAllocs()
			for b.Loop() {
				tensor.Release(m.EncodeImage(x))
			}
			b.ReportMetric(8.23*float64(n*b.N)/b.Elapsed().Seconds(), "GFLOP/s")
		})
	}
}

// BenchmarkEncodeText has 16 texts: short ones, as people write them, and long ones that
// fill the context.
func BenchmarkEncodeText(b *testing.B) {
	for _, length := range []int{10, 77} {
		b.Run(fmt.Sprint(length), func(b *testing.B) {
			m, ids := base(), [][]int{}
			for i := range 16 {
				ids = append(ids, text(i, length, 77, 49408))
			}
			b.ReportAllocs()
			for b.Loop() {
				tensor.Release(mustEncode(b, m, ids))
			}
		})
	}
}

func BenchmarkPreprocess(b *testing.B) {
	p := picture("noise", 500, 375)
	var photos []*vision.RGB
	for range 16 {
		photos = append(photos, p)
	}
	for b.Loop() {
		x, err := Preprocess(224, photos...)
		if err != nil {
			b.Fatal(err)
		}
		tensor.Release(x)
	}
}

func BenchmarkPreprocessSquare(b *testing.B) {
	x := scattered(1, 16, 3, 72, 72)
	for b.Loop() {
		tensor.Release(PreprocessSquare(224, x))
	}
}

// BenchmarkRandom is the time to make and pack 151 million numbers, which is the time of
// loading without the file.
func BenchmarkRandom(b *testing.B) {
	for b.Loop() {
		Random(1, ViTB32())
	}
}
