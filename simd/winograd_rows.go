package simd

import (
	"fmt"
	"math"
	"slices"
)

// The transformations of Winograd's tiles, see winograd.go, are computed in two steps, as
// matrices are multiplied from the left and from the right. The product from the left combines
// rows of pixels, as they lie in the image. That from the right combines pixels of a row, and its
// results have a place for each tile. Between the two, rows of tiles lie one after the other.
//
// With dilation d the pixels of a tile are d apart, and d tiles interleave: pixel j of tile
// q = t·d+p, with p < d, is pixel
//
//	x(q,j) = d·(4t+j) + p
//
// of the row. In this order of tiles, 4·d pixels in memory are d tiles' pixels 0, then d tiles'
// pixels 1, 2 and 3:
//
//	d = 1:  0 1 2 3  0 1 2 3  …      of tiles 0, 1, …
//	d = 2:  0 0 1 1 2 2 3 3  …       of tiles 0 and 1, 2 and 3, …
//	d = 4:  0 0 0 0 1 1 1 1 2 2 2 2 3 3 3 3  …
//
// so that a few shuffles of registers give vectors with a lane for each tile, and no tile has to
// be looked for.

// WinogradDilation tells whether the kernels know tiles of a dilation.
func WinogradDilation(d int) bool { return d == 1 || d == 2 || d == 4 }

// WinogradLanes returns how many tiles the kernels transform at once.
func WinogradLanes() int {
	switch {
	case useAVX512:
		return 16
	case useAVX2:
		return 8
	case useNEON:
		return 4
	}
	return 1
}

// MaxWinogradTiles is how many tiles a row has at most.
const MaxWinogradTiles = 144

// WinogradOverrun is how many numbers must lie behind the last pixel that kernels read or write:
// those of all tiles in a vector.
const WinogradOverrun = 64

// winogradZeros are the pixels of a row outside of the image.
//
//lint:ignore U1000 the assembly reads it
var winogradZeros [maxPixels + WinogradOverrun]float32

// WinogradInputRows is the first step of Bᵀ·d·B:
//
//	dst[i·ldd+x] = Σ_r Bᵀ[i][r] · src[rows[r]+x]    for i < 6 and x < n
//
// and 0 for n ≤ x < count. A row with a negative number is outside of the image: its pixels are
// 0. Less than WinogradLanes numbers behind each row of dst are written over, with 0: rows of tiles
// are to be computed in their order. WinogradInputRows panics if a slice is too short, or the rows of
// dst are too near to each other.
func WinogradInputRows(dst []float32, ldd int, src []float32, rows *[6]int32, n, count int) {
	checkRows("WinogradInputRows", dst, ldd, src, slices.Max(rows[:]), n, count)
	if count > 0 {
		winogradInputRows(dst, ldd, src, rows, n, count)
	}
}

func winogradInputRowsGeneric(dst []float32, ldd int, src []float32, rows *[6]int32, n, count int) {
	for x := range count {
		var d [6]float32
		for r, at := range rows {
			if at >= 0 && x < n {
				d[r] = src[int(at)+x]
			}
		}
		for i, v := range winogradBT(d) {
			dst[i*ldd+x] = v
		}
	}
}

// WinogradInputTiles is the second step of Bᵀ·d·B, with rows of src that begin d pixels to the left
// of the first tile's pixel 1:
//
//	dst[(6i+j)·ldd+q] = Σ_r p[r] · B[r][j]    with p[r] = src[i·lds+x(q,r)], r < 6
//
// for i, j < 6 and q < n, except that p[0] is 0 where left[q] is, and p[5] where right[q] is; elsewhere
// they are −1: tiles at the edge of the image have no neighbours. n is a multiple of WinogradLanes,
// and d a dilation. WinogradInputTiles panics if they are not, or if a slice is too short.
func WinogradInputTiles(dst []float32, ldd int, src []float32, lds int, left, right []int32, n, d int) {
	checkTiles("WinogradInputTiles", dst, ldd, 36, src, lds, 5*lds+4*n+2*d, n, d)
	if len(left) < n || len(right) < n {
		panic(fmt.Sprintf("simd: WinogradInputTiles: edges of %d and %d tiles, want %d", len(left), len(right), n))
	}
	if n > 0 {
		winogradInputTiles(dst, ldd, src, lds, left, right, n, d)
	}
}

func winogradInputTilesGeneric(dst []float32, ldd int, src []float32, lds int, left, right []int32, n, d int) {
	for i := range 6 {
		for q := range n {
			var p [6]float32
			for r := range p {
				if r == 0 && left[q] == 0 || r == 5 && right[q] == 0 {
					continue
				}
				p[r] = src[i*lds+tilePixel(q, r, d)]
			}
			for j, v := range winogradBT(p) {
				dst[(6*i+j)*ldd+q] = v
			}
		}
	}
}

// tilePixel returns x(q,j).
func tilePixel(q, j, d int) int { return d*(4*(q/d)+j) + q%d }

// WinogradGradientRows is the first step of A·g·Aᵀ, of the gradient of the output, of which the
// gradient of the weights is computed. It is the transpose of WinogradOutputRows:
//
//	dst[i·ldd+x] = Σ_r A[i][r] · src[rows[r]+x]    for i < 6 and x < n
//
// and 0 for n ≤ x < count. See WinogradInputRows for all else.
func WinogradGradientRows(dst []float32, ldd int, src []float32, rows *[4]int32, n, count int) {
	checkRows("WinogradGradientRows", dst, ldd, src, slices.Max(rows[:]), n, count)
	if count > 0 {
		winogradGradientRows(dst, ldd, src, rows, n, count)
	}
}

func winogradGradientRowsGeneric(dst []float32, ldd int, src []float32, rows *[4]int32, n, count int) {
	for x := range count {
		var g [4]float32
		for r, at := range rows {
			if at >= 0 && x < n {
				g[r] = src[int(at)+x]
			}
		}
		for i, v := range winogradMulA(g) {
			dst[i*ldd+x] = v
		}
	}
}

// WinogradGradientTiles is the second step of A·g·Aᵀ:
//
//	dst[(6i+j)·ldd+q] = Σ_r src[i·lds+x(q,r)] · A[j][r]    for i, j < 6, r < 4 and q < n
//
// n is a multiple of WinogradLanes, and d a dilation. WinogradGradientTiles panics if they are not, or
// if a slice is too short.
func WinogradGradientTiles(dst []float32, ldd int, src []float32, lds, n, d int) {
	checkTiles("WinogradGradientTiles", dst, ldd, 36, src, lds, 5*lds+4*n, n, d)
	if n > 0 {
		winogradGradientTiles(dst, ldd, src, lds, n, d)
	}
}

func winogradGradientTilesGeneric(dst []float32, ldd int, src []float32, lds, n, d int) {
	for i := range 6 {
		for q := range n {
			var g [4]float32
			for r := range g {
				g[r] = src[i*lds+tilePixel(q, r, d)]
			}
			for j, v := range winogradMulA(g) {
				dst[(6*i+j)*ldd+q] = v
			}
		}
	}
}

// WinogradOutputTiles is the first step of Aᵀ·m·A, which comes from the right:
//
//	dst[i·ldd+x(q,j)] = Σ_r src[(6i+r)·lds+q] · A[r][j]    for i, r < 6, j < 4 and q < n
//
// n is a multiple of WinogradLanes, and d a dilation. WinogradOutputTiles panics if they are not, or if
// a slice is too short.
func WinogradOutputTiles(dst []float32, ldd int, src []float32, lds, n, d int) {
	checkTiles("WinogradOutputTiles", src, lds, 36, dst, ldd, 5*ldd+4*n, n, d)
	if n > 0 {
		winogradOutputTiles(dst, ldd, src, lds, n, d)
	}
}

func winogradOutputTilesGeneric(dst []float32, ldd int, src []float32, lds, n, d int) {
	for i := range 6 {
		for q := range n {
			var m [6]float32
			for r := range m {
				m[r] = src[(6*i+r)*lds+q]
			}
			for j, v := range winogradAT(m) {
				dst[i*ldd+tilePixel(q, j, d)] = v
			}
		}
	}
}

// A WinogradEpilogue is what becomes of the pixels of a result before they are stored.
type WinogradEpilogue struct {
	Bias float32

	// Add, unless it is nil, is an image that is added, in the layout of the one that is written.
	Add []float32

	ReLU  bool
	PReLU bool // what is negative is multiplied with Slope; ReLU is false
	Slope float32

	// Masked is for a gradient with respect to pixels that are the output of ReLU. Before the
	// call, the image that is written holds these pixels. Where one was 0 or less, 0 is stored.
	// Where one is NaN the gradient passes, as in ReLUBackward. All else is not set.
	Masked bool
}

// WinogradOutputRows is the second step of Aᵀ·m·A:
//
//	dst[rows[i]+x] = e(Σ_r Aᵀ[i][r] · src[r·lds+x])    for i < 4, r < 6 and x < n
//
// Rows from the first one with a negative number on are left out. e is the epilogue, with ReLU
//
//	e(v) = max(v + bias + add, 0)
//
// whose zeros may be negative. Behind each row of src, up to WinogradOverrun numbers are read. WinogradOutputRows panics if
// a slice is too short.
func WinogradOutputRows(dst []float32, rows *[4]int32, src []float32, lds, n int, e *WinogradEpilogue) {
	last := -1
	for _, at := range rows {
		if at < 0 {
			break
		}
		last = max(last, int(at))
	}
	if last < 0 && n >= 0 || n == 0 {
		return
	}
	if n < 0 || n > maxPixels || last+n > len(dst) || e.Add != nil && last+n > len(e.Add) {
		panic(fmt.Sprintf("simd: WinogradOutputRows: rows of %d pixels at %v: the image has %d pixels, what is added %d", n, *rows, len(dst), len(e.Add)))
	}
	if lds < 0 || len(src) < 5*lds+n+WinogradOverrun {
		panic(fmt.Sprintf("simd: WinogradOutputRows: %d elements for 6 rows of %d pixels, %d apart, and %d more", len(src), n, lds, WinogradOverrun))
	}
	winogradOutputRows(dst, rows, src, lds, n, e)
}

func winogradOutputRowsGeneric(dst []float32, rows *[4]int32, src []float32, lds, n int, e *WinogradEpilogue) {
	for x := range n {
		var m [6]float32
		for r := range m {
			m[r] = src[r*lds+x]
		}
		for i, v := range winogradAT(m) {
			if rows[i] < 0 {
				break
			}
			at := int(rows[i]) + x
			var add float32
			if e.Add != nil {
				add = e.Add[at]
			}
			dst[at] = e.of(v, add, dst[at])
		}
	}
}

// of returns what is stored for the result v, where there is pixel and add is to be added.
func (e *WinogradEpilogue) of(v, add, pixel float32) float32 {
	if e.Masked {
		if pixel <= 0 {
			return 0
		}
		return v
	}
	v += e.Bias
	if e.Add != nil {
		v += add
	}
	switch {
	case e.ReLU:
		v = max(v, 0)
	case e.PReLU && v < 0:
		v *= e.Slope
	}
	return v
}

// assembly returns what the kernels are told: the least number that is stored, and whether it is
// max(·, least) that is (0), PReLU (1), or what is masked (2).
func (e *WinogradEpilogue) assembly() (least float32, mode int) {
	least = float32(math.Inf(-1))
	switch {
	case e.Masked:
		mode = 2
	case e.ReLU:
		least = 0
	case e.PReLU:
		mode = 1
	}
	return least, mode
}

// maxPixels is how many pixels a row of tiles has at most.
const maxPixels = 4 * MaxWinogradTiles

// checkRows panics unless rows of n pixels, of which the last begins at last, lie inside of src, and
// six rows of count pixels inside of dst.
func checkRows(kernel string, dst []float32, ldd int, src []float32, last int32, n, count int) {
	if n < 0 || n > count || count > maxPixels {
		panic(fmt.Sprintf("simd: %s: %d pixels of %d: want at most %d", kernel, n, count, maxPixels))
	}
	if int(last)+n > len(src) && last >= 0 || count > 0 && (ldd < count+WinogradLanes()-1 || len(dst) < 5*ldd+count+WinogradOverrun) {
		panic(fmt.Sprintf("simd: %s: rows of %d pixels, the last at %d of %d, to %d elements, 6 rows of %d, %d apart, and %d more", kernel, n, last, len(src), len(dst), count, ldd, WinogradOverrun))
	}
}

// checkTiles panics unless n is a number of whole vectors, and planes of n tiles, ld apart, and so
// many pixels and some more are there.
func checkTiles(kernel string, tiles []float32, ld, planes int, pixels []float32, stride, want, n, d int) {
	if !WinogradDilation(d) || n < 0 || n%WinogradLanes() != 0 || n%d != 0 || n > MaxWinogradTiles || n > 0 && (ld < n || stride < 4*n || len(tiles) < (planes-1)*ld+n || len(pixels) < want+WinogradOverrun) {
		panic(fmt.Sprintf("simd: %s: %d tiles of dilation %d, %d planes of them %d apart in %d elements, %d elements of pixels, rows %d apart: want a multiple of %d tiles, %d at most, and room for %d pixels",
			kernel, n, d, planes, ld, len(tiles), len(pixels), stride, WinogradLanes(), MaxWinogradTiles, want+WinogradOverrun))
	}
}
