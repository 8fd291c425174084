//go:build noasm || (!amd64 && !arm64)

package simd

func addBias(dst, x []float32, bias float32) {
	addBiasGeneric(dst, x, bias)
}

func addBiasReLU(dst, x []float32, bias float32) {
	addBiasReLUGeneric(dst, x, bias)
}

func reluBackward(dst, dy, y []float32) {
	reluBackwardGeneric(dst, dy, y)
}
