//go:build noasm || (!amd64 && !arm64)

package simd

func sigmoid(dst, x []float32) {
	sigmoidGeneric(dst, x)
}

func sigmoidBackward(dst, dy, y []float32) {
	sigmoidBackwardGeneric(dst, dy, y)
}
