package simd

import (
	"testing"
)

// perf reports how much work a benchmark did in a second, in billions.
func perf(b *testing.B, unit string, each float64) {
	b.ReportMetric(each*float64(b.N)/b.Elapsed().Seconds()/1e9, unit)
}

func BenchmarkFMAPeak(b *testing.B) {
	var each float64
	for b.Loop() {
		each = FMAPeak(10_000)
	}
	perf(b, "GFLOP/s", each)
}

// BenchmarkGemmTile is the inner part of a 3×3 convolution 64→64 at width 72, with 32 of
// the input channels and all output channels.
func BenchmarkGemmTile(b *testing.B) {
	mr, nr := Tile()
	const k, stride, plane = 32 * 9, 73, 5403
	off := make([]int32, k)
	for i := range off {
		off[i] = int32(i/9*plane + i/3%3*stride + i%3)
	}
	x, w, c := make([]float32, 33*plane), make([]float32, 64*k), make([]float32, 64*nr)
	for b.Loop() {
		GemmTile(c, nr, w, k*mr, x, off, 64/mr, false)
	}
	perf(b, "GFLOP/s", 2*64*k*float64(nr))
}

// BenchmarkWeightGradTile is the weight gradient of the same layer, with 32 input channels,
// 512 pixels and the output channels of one tile.
func BenchmarkWeightGradTile(b *testing.B) {
	_, nt := GradTile()
	const k, n, stride, plane = 32 * 9, 512, 73, 5403
	off := make([]int32, k)
	for i := range off {
		off[i] = int32(i/9*plane + i/3%3*stride + i%3)
	}
	x, g, c := make([]float32, 33*plane), make([]float32, n*nt), make([]float32, k*nt)
	for b.Loop() {
		WeightGradTile(c, nt, x, off, g, n)
	}
	perf(b, "GFLOP/s", 2*k*n*float64(nt))
}

func BenchmarkTranspose8(b *testing.B) {
	const n, ldd = 512, 16
	dst, src := make([]float32, n*ldd), make([]float32, 8*5403)
	for b.Loop() {
		Transpose8(dst, ldd, src, 5403, n)
	}
	perf(b, "GB/s", 2*4*8*n)
}

// BenchmarkElementwise gives each of those kernels 4,096 elements, which stay in
// the first and second level of cache.
func BenchmarkElementwise(b *testing.B) {
	for _, k := range elementwiseKernels {
		b.Run(k.name, func(b *testing.B) {
			var s [][]float32
			bytes := 0
			for _, n := range k.sizes(4096) {
				s = append(s, make([]float32, n))
				bytes += 4 * n
			}
			for b.Loop() {
				k.call(s)
			}
			perf(b, "GB/s", float64(bytes))
		})
	}
}
