//go:build !noasm

package simd

import "math"

//go:noescape
func winogradInputNEON(dst *float32, ldd int, src *float32, stride int, off *int32, n int)

//go:noescape
func winogradOutputNEON(dst *float32, stride int, off *int32, src *float32, lds, n int, bias, least float32, masked bool)

//go:noescape
func winogradGradientNEON(dst *float32, ldd int, src *float32, stride int, off *int32, n int)

func winogradInput(dst []float32, ldd int, src []float32, stride int, off []int32) {
	if !useNEON || len(off) == 0 {
		winogradInputGeneric(dst, ldd, src, stride, off)
	} else {
		winogradInputNEON(&dst[0], ldd, &src[0], stride, &off[0], len(off))
	}
}

func winogradOutput(dst []float32, stride int, off []int32, src []float32, lds int, bias float32, relu bool) {
	if !useNEON || len(off) == 0 {
		winogradOutputGeneric(dst, stride, off, src, lds, bias, relu)
		return
	}
	least := float32(math.Inf(-1))
	if relu {
		least = 0
	}
	winogradOutputNEON(&dst[0], stride, &off[0], &src[0], lds, len(off), bias, least, false)
}

func winogradOutputMasked(dst []float32, stride int, off []int32, src []float32, lds int) {
	if !useNEON || len(off) == 0 {
		winogradOutputMaskedGeneric(dst, stride, off, src, lds)
	} else {
		winogradOutputNEON(&dst[0], stride, &off[0], &src[0], lds, len(off), 0, float32(math.Inf(-1)), true)
	}
}

func winogradGradient(dst []float32, ldd int, src []float32, stride int, off []int32) {
	if !useNEON || len(off) == 0 {
		winogradGradientGeneric(dst, ldd, src, stride, off)
	} else {
		winogradGradientNEON(&dst[0], ldd, &src[0], stride, &off[0], len(off))
	}
}
