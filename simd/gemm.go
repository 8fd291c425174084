package simd

import (
	"fmt"
	"slices"
)

// Tile returns the shape of the tile that GemmTile computes at the current level: mr
// rows, one for each output channel, and nr columns, one for each pixel. The sums of a
// tile keep the processor's multipliers busy and still fit in its registers. A 4×24 tile
// takes 12 of AVX2's 16 registers, or 24 of NEON's 32; an 8×48 tile takes 24 of
// AVX-512's 32.
func Tile() (mr, nr int) { return tileOf(current) }

// MaxTile is the largest nr of any level. A buffer with MaxTile elements after its last
// pixel has room for a whole tile at every pixel.
const MaxTile = 48

func tileOf(l Level) (mr, nr int) {
	if l == AVX512 {
		return 8, 48
	}
	return 4, 24
}

// GemmTile multiplies a block of packed rows by shifted rows of b:
//
//	c[p·mr+i][j] = Σ_k a[p][k][i] · b[off[k]+j]    for p < panels, i < mr, j < nr
//
// If accumulate is true, it adds the product to c. Tile returns mr and nr.
//
// The kernel serves two operations. In a matrix multiplication, row k of the matrix b
// begins at off[k] = k·n. In a convolution, off[k] is the place of weight k = (ic,ky,kx)
// in the padded image, so no row of the "im2col" matrix is copied.
//
// Shapes: c has panels·mr rows, ldc elements apart. a has panels, lda elements apart;
// each panel has len(off) groups of mr elements. b has nr elements from each offset on.
// GemmTile panics if a slice is too short. A call cannot be interrupted, so the caller
// keeps panels·len(off) so small that it lasts at most about 250 µs.
func GemmTile(c []float32, ldc int, a []float32, lda int, b []float32, off []int32, panels int, accumulate bool) {
	GemmTileBefore(c, ldc, a, lda, b, off, panels, accumulate, nil)
}

// GemmTileBefore is GemmTile, and meanwhile fetches the numbers of next into the cache, where the
// call after this one reads them. Weights that are streamed from memory for few panels come
// about half again as fast so. next may be nil; it changes no result. NEON and plain Go ignore it.
func GemmTileBefore(c []float32, ldc int, a []float32, lda int, b []float32, off []int32, panels int, accumulate bool, next []float32) {
	mr, nr := Tile()
	if panels == 0 {
		return
	}
	if panels < 0 || lda < 0 {
		panic(fmt.Sprintf("simd: GemmTile: %d panels %d apart: want no negative numbers", panels, lda))
	}
	if len(c) < (panels*mr-1)*ldc+nr || ldc < nr {
		panic(fmt.Sprintf("simd: GemmTile: c has %d elements, %d rows of %d lie %d apart", len(c), panels*mr, nr, ldc))
	}
	if len(a) < (panels-1)*lda+len(off)*mr {
		panic(fmt.Sprintf("simd: GemmTile: a has %d elements, %d panels of %d×%d lie %d apart", len(a), panels, len(off), mr, lda))
	}
	checkOffsets("GemmTile", len(b), off, nr)
	gemmTile(c, ldc, a, lda, b, off, panels, accumulate, next)
}

// checkOffsets panics unless a slice of n elements has at least beyond elements from each
// offset on.
func checkOffsets(kernel string, n int, off []int32, beyond int) {
	// As unsigned numbers, negative offsets are the largest.
	if len(off) > 0 && int64(maxOffset(off)) > int64(n-beyond) {
		panic(fmt.Sprintf("simd: %s: a slice has %d elements, offsets go from %d to %d and %d beyond", kernel, n, slices.Min(off), slices.Max(off), beyond))
	}
}

func maxOffsetGeneric(off []int32) (largest uint32) {
	for _, o := range off {
		largest = max(largest, uint32(o))
	}
	return largest
}

func gemmTileGeneric(c []float32, ldc int, a []float32, lda int, b []float32, off []int32, panels int, accumulate bool) {
	mr, nr := Tile()
	for p := range panels {
		for i := range mr {
			row := c[(p*mr+i)*ldc:][:nr]
			if !accumulate {
				clear(row)
			}
			for k, o := range off {
				w := a[p*lda+k*mr+i]
				for j, v := range b[o:][:nr] {
					row[j] += w * v
				}
			}
		}
	}
}
