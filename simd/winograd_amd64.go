//go:build !noasm

package simd

import "unsafe"

//go:noescape
func winogradInputRowsAVX2(dst *float32, ldd int, src *float32, rows *int32, n, count int)

//go:noescape
func winogradInputRowsAVX512(dst *float32, ldd int, src *float32, rows *int32, n, count int)

//go:noescape
func winogradInputTilesAVX2(dst *float32, ldd int, src *float32, lds int, left, right *int32, n, d int)

//go:noescape
func winogradInputTilesAVX512(dst *float32, ldd int, src *float32, lds int, left, right *int32, n, d int)

//go:noescape
func winogradGradientRowsAVX2(dst *float32, ldd int, src *float32, rows *int32, n, count int)

//go:noescape
func winogradGradientRowsAVX512(dst *float32, ldd int, src *float32, rows *int32, n, count int)

//go:noescape
func winogradGradientTilesAVX2(dst *float32, ldd int, src *float32, lds, n, d int)

//go:noescape
func winogradGradientTilesAVX512(dst *float32, ldd int, src *float32, lds, n, d int)

//go:noescape
func winogradOutputTilesAVX2(dst *float32, ldd int, src *float32, lds, n, d int)

//go:noescape
func winogradOutputTilesAVX512(dst *float32, ldd int, src *float32, lds, n, d int)

//go:noescape
func winogradOutputRowsAVX2(dst *float32, rows *int32, src *float32, lds int, add *float32, n int, bias, least, slope float32, mode int)

//go:noescape
func winogradOutputRowsAVX512(dst *float32, rows *int32, src *float32, lds int, add *float32, n int, bias, least, slope float32, mode int)

func winogradInputRows(dst []float32, ldd int, src []float32, rows *[6]int32, n, count int) {
	if useAVX512 {
		winogradInputRowsAVX512(&dst[0], ldd, unsafe.SliceData(src), &rows[0], n, count)
	} else if useAVX2 {
		winogradInputRowsAVX2(&dst[0], ldd, unsafe.SliceData(src), &rows[0], n, count)
	} else {
		winogradInputRowsGeneric(dst, ldd, src, rows, n, count)
	}
}

func winogradInputTiles(dst []float32, ldd int, src []float32, lds int, left, right []int32, n, d int) {
	if useAVX512 {
		winogradInputTilesAVX512(&dst[0], ldd, &src[0], lds, &left[0], &right[0], n, d)
	} else if useAVX2 {
		winogradInputTilesAVX2(&dst[0], ldd, &src[0], lds, &left[0], &right[0], n, d)
	} else {
		winogradInputTilesGeneric(dst, ldd, src, lds, left, right, n, d)
	}
}

func winogradGradientRows(dst []float32, ldd int, src []float32, rows *[4]int32, n, count int) {
	if useAVX512 {
		winogradGradientRowsAVX512(&dst[0], ldd, unsafe.SliceData(src), &rows[0], n, count)
	} else if useAVX2 {
		winogradGradientRowsAVX2(&dst[0], ldd, unsafe.SliceData(src), &rows[0], n, count)
	} else {
		winogradGradientRowsGeneric(dst, ldd, src, rows, n, count)
	}
}

func winogradGradientTiles(dst []float32, ldd int, src []float32, lds, n, d int) {
	if useAVX512 {
		winogradGradientTilesAVX512(&dst[0], ldd, &src[0], lds, n, d)
	} else if useAVX2 {
		winogradGradientTilesAVX2(&dst[0], ldd, &src[0], lds, n, d)
	} else {
		winogradGradientTilesGeneric(dst, ldd, src, lds, n, d)
	}
}

func winogradOutputTiles(dst []float32, ldd int, src []float32, lds, n, d int) {
	if useAVX512 {
		winogradOutputTilesAVX512(&dst[0], ldd, &src[0], lds, n, d)
	} else if useAVX2 {
		winogradOutputTilesAVX2(&dst[0], ldd, &src[0], lds, n, d)
	} else {
		winogradOutputTilesGeneric(dst, ldd, src, lds, n, d)
	}
}

func winogradOutputRows(dst []float32, rows *[4]int32, src []float32, lds, n int, e *WinogradEpilogue) {
	least, mode := e.assembly()
	if useAVX512 {
		winogradOutputRowsAVX512(&dst[0], &rows[0], &src[0], lds, unsafe.SliceData(e.Add), n, e.Bias, least, e.Slope, mode)
	} else if useAVX2 {
		winogradOutputRowsAVX2(&dst[0], &rows[0], &src[0], lds, unsafe.SliceData(e.Add), n, e.Bias, least, e.Slope, mode)
	} else {
		winogradOutputRowsGeneric(dst, rows, src, lds, n, e)
	}
}
