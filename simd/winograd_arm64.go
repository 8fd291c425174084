//go:build !noasm

package simd

import "unsafe"

//go:noescape
func winogradInputRowsNEON(dst *float32, ldd int, src *float32, rows *int32, n, count int)

//go:noescape
func winogradInputTilesNEON(dst *float32, ldd int, src *float32, lds int, left, right *int32, n, d int)

//go:noescape
func winogradGradientRowsNEON(dst *float32, ldd int, src *float32, rows *int32, n, count int)

//go:noescape
func winogradGradientTilesNEON(dst *float32, ldd int, src *float32, lds, n, d int)

//go:noescape
func winogradOutputTilesNEON(dst *float32, ldd int, src *float32, lds, n, d int)

//go:noescape
func winogradOutputRowsNEON(dst *float32, rows *int32, src *float32, lds int, add *float32, n int, bias, least, slope float32, mode int)

func winogradInputRows(dst []float32, ldd int, src []float32, rows *[6]int32, n, count int) {
	if useNEON {
		winogradInputRowsNEON(&dst[0], ldd, unsafe.SliceData(src), &rows[0], n, count)
	} else {
		winogradInputRowsGeneric(dst, ldd, src, rows, n, count)
	}
}

func winogradInputTiles(dst []float32, ldd int, src []float32, lds int, left, right []int32, n, d int) {
	if useNEON {
		winogradInputTilesNEON(&dst[0], ldd, &src[0], lds, &left[0], &right[0], n, d)
	} else {
		winogradInputTilesGeneric(dst, ldd, src, lds, left, right, n, d)
	}
}

func winogradGradientRows(dst []float32, ldd int, src []float32, rows *[4]int32, n, count int) {
	if useNEON {
		winogradGradientRowsNEON(&dst[0], ldd, unsafe.SliceData(src), &rows[0], n, count)
	} else {
		winogradGradientRowsGeneric(dst, ldd, src, rows, n, count)
	}
}

func winogradGradientTiles(dst []float32, ldd int, src []float32, lds, n, d int) {
	if useNEON {
		winogradGradientTilesNEON(&dst[0], ldd, &src[0], lds, n, d)
	} else {
		winogradGradientTilesGeneric(dst, ldd, src, lds, n, d)
	}
}

func winogradOutputTiles(dst []float32, ldd int, src []float32, lds, n, d int) {
	if useNEON {
		winogradOutputTilesNEON(&dst[0], ldd, &src[0], lds, n, d)
	} else {
		winogradOutputTilesGeneric(dst, ldd, src, lds, n, d)
	}
}

func winogradOutputRows(dst []float32, rows *[4]int32, src []float32, lds, n int, e *WinogradEpilogue) {
	if useNEON {
		least, mode := e.assembly()
		winogradOutputRowsNEON(&dst[0], &rows[0], &src[0], lds, unsafe.SliceData(e.Add), n, e.Bias, least, e.Slope, mode)
	} else {
		winogradOutputRowsGeneric(dst, rows, src, lds, n, e)
	}
}
