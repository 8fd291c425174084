package simd

import "fmt"

// GradTile returns the shape of the tiles that WeightGradTile computes at the current
// level: a multiple of mt taps by nt output channels. A tap is a weight's place (ic,ky,kx). Tiles
// of 6×16 take 12 of AVX2's 16 registers, or 24 of NEON's 32; of 12×32, 24 of AVX-512's
// 32. Of the taps that are left over, AVX2 computes 4 at a time, and AVX-512 8.
func GradTile() (mt, nt int) { return gradTileOf(current) }

func gradTileOf(l Level) (mt, nt int) {
	switch l {
	case AVX512:
		return 8, 32
	case AVX2:
		return 4, 16
	}
	return 6, 16
}

// WeightGradTile adds the contribution of n consecutive pixels to the gradient of a
// convolution's weights:
//
//	c[t][j] += Σ_q x[off[t]+q] · g[q·nt+j]    for t < len(off), j < nt, q < n
//
// off[t] is the place of tap t = (ic,ky,kx) in the padded image, as in GemmTile. g is the
// gradient of the output with the pixel as its slow index, see Transpose8. With this
// layout one factor is an aligned vector and the other a broadcast. Without it, both
// factors would be vector loads from unaligned addresses.
//
// Shapes: len(off) is a multiple of mt. c has len(off) rows, ldc elements apart. g has n
// rows of nt elements. WeightGradTile panics if a slice is too short.
func WeightGradTile(c []float32, ldc int, x []float32, off []int32, g []float32, n int) {
	mt, nt := GradTile()
	if len(off) == 0 || n == 0 {
		return
	}
	if n < 0 {
		panic(fmt.Sprintf("simd: WeightGradTile: %d pixels: want no negative number", n))
	}
	if len(off)%mt != 0 || len(c) < (len(off)-1)*ldc+nt || ldc < nt {
		panic(fmt.Sprintf("simd: WeightGradTile: c has %d elements, %d rows of %d in groups of %d lie %d apart", len(c), len(off), nt, mt, ldc))
	}
	if len(g) < n*nt {
		panic(fmt.Sprintf("simd: WeightGradTile: g has %d elements, want %d pixels of %d", len(g), n, nt))
	}
	checkOffsets("WeightGradTile", len(x), off, n)
	weightGradTile(c, ldc, x, off, g, n)
}

func weightGradTileGeneric(c []float32, ldc int, x []float32, off []int32, g []float32, n int) {
	_, nt := GradTile()
	for t, o := range off {
		row := c[t*ldc:][:nt]
		for q, v := range x[o:][:n] {
			for j, w := range g[q*nt:][:nt] {
				row[j] += v * w
			}
		}
	}
}

// Transpose8 turns eight rows of n elements into n rows of eight:
// dst[q·ldd+i] = src[i·lds+q] for q < n, i < 8. dst and src must not overlap.
func Transpose8(dst []float32, ldd int, src []float32, lds, n int) {
	if n == 0 {
		return
	}
	if n < 0 || len(dst) < (n-1)*ldd+8 || len(src) < 7*lds+n || ldd < 8 || lds < 0 {
		panic(fmt.Sprintf("simd: Transpose8: dst has %d elements, src %d; want %d rows %d apart from 8 rows %d apart", len(dst), len(src), n, ldd, lds))
	}
	transpose8(dst, ldd, src, lds, n)
}

func transpose8Generic(dst []float32, ldd int, src []float32, lds, n int) {
	for i := range 8 {
		for q, v := range src[i*lds:][:n] {
			dst[q*ldd+i] = v
		}
	}
}
