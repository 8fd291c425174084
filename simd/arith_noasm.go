//go:build noasm || (!amd64 && !arm64)

package simd

func add(dst, a, b []float32) {
	addGeneric(dst, a, b)
}

func mul(dst, a, b []float32) {
	mulGeneric(dst, a, b)
}

func scale(dst []float32, alpha float32, x []float32) {
	scaleGeneric(dst, alpha, x)
}

func axpy(dst []float32, alpha float32, x []float32) {
	axpyGeneric(dst, alpha, x)
}

func scaledDiff(dst []float32, alpha float32, a, b []float32) {
	scaledDiffGeneric(dst, alpha, a, b)
}
