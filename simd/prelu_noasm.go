//go:build noasm || (!amd64 && !arm64)

package simd

func addBiasPReLU(dst, x []float32, bias, slope float32) {
	addBiasPReLUGeneric(dst, x, bias, slope)
}

func preluBackward(dst, dy, x []float32, slope float32) {
	preluBackwardGeneric(dst, dy, x, slope)
}
