//go:build noasm || (!amd64 && !arm64)

package simd

func winogradInput(dst []float32, ldd int, src []float32, stride int, off []int32) {
	winogradInputGeneric(dst, ldd, src, stride, off)
}

func winogradOutput(dst []float32, stride int, off []int32, src []float32, lds int, bias float32, relu bool) {
	winogradOutputGeneric(dst, stride, off, src, lds, bias, relu)
}

func winogradOutputMasked(dst []float32, stride int, off []int32, src []float32, lds int) {
	winogradOutputMaskedGeneric(dst, stride, off, src, lds)
}

func winogradGradient(dst []float32, ldd int, src []float32, stride int, off []int32) {
	winogradGradientGeneric(dst, ldd, src, stride, off)
}
