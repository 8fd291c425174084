//go:build noasm || (!amd64 && !arm64)

package simd

func gelu(dst, x []float32) {
	geluGeneric(dst, x)
}
