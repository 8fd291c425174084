//go:build !noasm

package simd

import "math"

//go:noescape
func winogradInputAVX2(dst *float32, ldd int, src *float32, stride int, off *int32, n int)

//go:noescape
func winogradInputAVX512(dst *float32, ldd int, src *float32, stride int, off *int32, n int)

//go:noescape
func winogradOutputAVX2(dst *float32, stride int, off *int32, src *float32, lds, n int, bias, least float32, masked bool)

//go:noescape
func winogradOutputAVX512(dst *float32, stride int, off *int32, src *float32, lds, n int, bias, least float32, masked bool)

//go:noescape
func winogradGradientAVX2(dst *float32, ldd int, src *float32, stride int, off *int32, n int)

//go:noescape
func winogradGradientAVX512(dst *float32, ldd int, src *float32, stride int, off *int32, n int)

// inHalves returns how many of n tiles the AVX-512 kernels transform, sixteen at a time. If
// eight tiles remain, an AVX2 kernel transforms them.
func inHalves(n int) int {
	if useAVX512 {
		return n &^ 15
	}
	return 0
}

func winogradInput(dst []float32, ldd int, src []float32, stride int, off []int32) {
	if !useAVX2 {
		winogradInputGeneric(dst, ldd, src, stride, off)
		return
	}
	n := inHalves(len(off))
	if n > 0 {
		winogradInputAVX512(&dst[0], ldd, &src[0], stride, &off[0], n)
	}
	if n < len(off) {
		winogradInputAVX2(&dst[n], ldd, &src[0], stride, &off[n], len(off)-n)
	}
}

func winogradOutput(dst []float32, stride int, off []int32, src []float32, lds int, bias float32, relu bool) {
	if !useAVX2 {
		winogradOutputGeneric(dst, stride, off, src, lds, bias, relu)
		return
	}
	least := float32(math.Inf(-1))
	if relu {
		least = 0
	}
	winogradOutputAVX(dst, stride, off, src, lds, bias, least, false)
}

func winogradOutputMasked(dst []float32, stride int, off []int32, src []float32, lds int) {
	if !useAVX2 {
		winogradOutputMaskedGeneric(dst, stride, off, src, lds)
		return
	}
	winogradOutputAVX(dst, stride, off, src, lds, 0, float32(math.Inf(-1)), true)
}

func winogradOutputAVX(dst []float32, stride int, off []int32, src []float32, lds int, bias, least float32, masked bool) {
	n := inHalves(len(off))
	if n > 0 {
		winogradOutputAVX512(&dst[0], stride, &off[0], &src[0], lds, n, bias, least, masked)
	}
	if n < len(off) {
		winogradOutputAVX2(&dst[0], stride, &off[n], &src[n], lds, len(off)-n, bias, least, masked)
	}
}

func winogradGradient(dst []float32, ldd int, src []float32, stride int, off []int32) {
	if !useAVX2 {
		winogradGradientGeneric(dst, ldd, src, stride, off)
		return
	}
	n := inHalves(len(off))
	if n > 0 {
		winogradGradientAVX512(&dst[0], ldd, &src[0], stride, &off[0], n)
	}
	if n < len(off) {
		winogradGradientAVX2(&dst[n], ldd, &src[0], stride, &off[n], len(off)-n)
	}
}
