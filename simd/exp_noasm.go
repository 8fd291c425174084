//go:build noasm || (!amd64 && !arm64)

package simd

func exp(dst, x []float32) {
	expGeneric(dst, x)
}
