//go:build noasm || (!amd64 && !arm64)

package simd

func winogradInputRows(dst []float32, ldd int, src []float32, rows *[6]int32, n, count int) {
	winogradInputRowsGeneric(dst, ldd, src, rows, n, count)
}

func winogradInputTiles(dst []float32, ldd int, src []float32, lds int, left, right []int32, n, d int) {
	winogradInputTilesGeneric(dst, ldd, src, lds, left, right, n, d)
}

func winogradGradientRows(dst []float32, ldd int, src []float32, rows *[4]int32, n, count int) {
	winogradGradientRowsGeneric(dst, ldd, src, rows, n, count)
}

func winogradGradientTiles(dst []float32, ldd int, src []float32, lds, n, d int) {
	winogradGradientTilesGeneric(dst, ldd, src, lds, n, d)
}

func winogradOutputTiles(dst []float32, ldd int, src []float32, lds, n, d int) {
	winogradOutputTilesGeneric(dst, ldd, src, lds, n, d)
}

func winogradOutputRows(dst []float32, rows *[4]int32, src []float32, lds, n int, e *WinogradEpilogue) {
	winogradOutputRowsGeneric(dst, rows, src, lds, n, e)
}
