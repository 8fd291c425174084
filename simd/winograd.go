package simd

import (
	"fmt"
	"math"
)

// Winograd's minimal filtering F(4×4,3×3) computes a 3×3 convolution on a tile of 6×6
// pixels. With pixels d and weights g, the 16 results take 36 multiplications instead of
// 144:
//
//	y = Aᵀ·[(G·g·Gᵀ) ⊙ (Bᵀ·d·B)]·A
//
// The idea: a convolution is a product of polynomials, and a product of polynomials is
// known from its values at a few points. The points here are 0, ±1/√2, ±√2 and ∞. Their
// rounding errors are a sixth of those of the usual points 0, ±1, ±2 and ∞.
//
// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016. For
// the choice of points: Barabasz et al., "Error Analysis and Improving the Accuracy of
// Winograd Convolution for Deep Neural Networks", 2020.
//
//	     | 1   0   -5/2   0    1  0 |        | 1    0     0   |        | 1  0   0    0  |
//	     | 0  -2a  -2     a    1  0 |        | -2/3 -2a/3 -1/3|        | 1  a   a²   a³ |
//	Bᵀ = | 0   2a  -2    -a    1  0 |    G = | -2/3 2a/3  -1/3|    A = | 1 -a   a²  -a³ |
//	     | 0  -b/2 -1/2   b    1  0 |        | 1/6  b/6   1/3 |        | 1  b   b²   b³ |
//	     | 0   b/2 -1/2  -b    1  0 |        | 1/6  -b/6  1/3 |        | 1 -b   b²  -b³ |
//	     | 0   1    0   -5/2   0  1 |        | 0    0     1   |        | 0  0   0    1  |
//
// with a = 1/√2 and b = √2. For many tiles and channels, the elementwise products become
// 36 matrix products, one for each of the 6×6 places ξ.

// The constants of the transformations.
const (
	winogradA  = 1 / math.Sqrt2
	winogradB  = math.Sqrt2
	winogradA3 = winogradA / 2 // a³
	winogradB3 = winogradB * 2 // b³
)

// WinogradLanes returns the number of tiles that the kernels below transform at once. They
// accept only multiples of it.
func WinogradLanes() int {
	switch {
	case useAVX2:
		return 8
	case useNEON:
		return 4
	}
	return 1
}

// WinogradInput transforms 6×6 tiles of one channel:
//
//	dst[ξ·ldd+t] = (Bᵀ·d·B)[ξ]    with d[i][j] = src[off[t]+i·stride+j]
//
// for t < len(off) and ξ = 6·row+column. len(off) is a multiple of WinogradLanes.
// WinogradInput panics if a slice is too short.
func WinogradInput(dst []float32, ldd int, src []float32, stride int, off []int32) {
	checkTiles("WinogradInput", dst, ldd, src, stride, off, 6)
	winogradInput(dst, ldd, src, stride, off)
}

func winogradInputGeneric(dst []float32, ldd int, src []float32, stride int, off []int32) {
	for t, o := range off {
		var d [6][6]float32
		for i := range d {
			d[i] = winogradBT([6]float32(src[int(o)+i*stride:]))
		}
		for j := range 6 {
			column := winogradBT([6]float32{d[0][j], d[1][j], d[2][j], d[3][j], d[4][j], d[5][j]})
			for i, v := range column {
				dst[(6*i+j)*ldd+t] = v
			}
		}
	}
}

// winogradBT returns Bᵀ·d.
func winogradBT(d [6]float32) [6]float32 {
	even, odd := d[4]-2*d[2], winogradA*(d[3]-2*d[1])
	even2, odd2 := d[4]-0.5*d[2], winogradB*(d[3]-0.5*d[1])
	return [6]float32{d[0] + d[4] - 2.5*d[2], even + odd, even - odd, even2 + odd2, even2 - odd2, d[1] + d[5] - 2.5*d[3]}
}

// WinogradOutput transforms the products of tiles back into pixels of one channel:
//
//	dst[off[t]+i·stride+j] = f((Aᵀ·m·A)[i][j] + bias)    with m[ξ] = src[ξ·lds+t]
//
// for i, j < 4 and t < len(off). len(off) is a multiple of WinogradLanes. If relu is true,
// f(v) = max(v, 0); otherwise f(v) = v. The products in src are overwritten. WinogradOutput
// panics if a slice is too short.
func WinogradOutput(dst []float32, stride int, off []int32, src []float32, lds int, bias float32, relu bool) {
	checkTiles("WinogradOutput", src, lds, dst, stride, off, 4)
	winogradOutput(dst, stride, off, src, lds, bias, relu)
}

func winogradOutputGeneric(dst []float32, stride int, off []int32, src []float32, lds int, bias float32, relu bool) {
	for t, o := range off {
		var m [4][6]float32
		for j := range 6 {
			var column [6]float32
			for i := range column {
				column[i] = src[(6*i+j)*lds+t]
			}
			for i, v := range winogradAT(column) {
				m[i][j] = v
			}
		}
		for i := range m {
			row := dst[int(o)+i*stride:][:4]
			for j, v := range winogradAT(m[i]) {
				row[j] = v + bias
				if relu {
					row[j] = max(row[j], 0)
				}
			}
		}
	}
}

// WinogradOutputMasked is WinogradOutput for a gradient with respect to pixels that are the
// output of ReLU. Before the call, dst holds these pixels. Afterwards it holds their
// gradient, which is 0 where a pixel was 0 or less. Where a pixel is NaN the gradient
// passes, as in ReLUBackward. Tiles must not overlap.
func WinogradOutputMasked(dst []float32, stride int, off []int32, src []float32, lds int) {
	checkTiles("WinogradOutputMasked", src, lds, dst, stride, off, 4)
	winogradOutputMasked(dst, stride, off, src, lds)
}

func winogradOutputMaskedGeneric(dst []float32, stride int, off []int32, src []float32, lds int) {
	var pixels [16]float32
	for t, o := range off {
		winogradOutputGeneric(pixels[:], 4, []int32{0}, src[t:], lds, 0, false)
		for i := range 4 {
			reluBackwardGeneric(dst[int(o)+i*stride:][:4], pixels[4*i:][:4], dst[int(o)+i*stride:][:4])
		}
	}
}

// winogradAT returns Aᵀ·m.
func winogradAT(m [6]float32) [4]float32 {
	s, d := m[1]+m[2], m[1]-m[2]
	s2, d2 := m[3]+m[4], m[3]-m[4]
	return [4]float32{m[0] + s + s2, winogradA*d + winogradB*d2, 0.5*s + 2*s2, m[5] + winogradA3*d + winogradB3*d2}
}

// WinogradGradient transforms 4×4 tiles of the output's gradient, in one channel:
//
//	dst[ξ·ldd+t] = (A·g·Aᵀ)[ξ]    with g[i][j] = src[off[t]+i·stride+j]
//
// for t < len(off). len(off) is a multiple of WinogradLanes. It is the transpose of
// WinogradOutput, and is used for the gradient of the weights. WinogradGradient panics if
// a slice is too short.
func WinogradGradient(dst []float32, ldd int, src []float32, stride int, off []int32) {
	checkTiles("WinogradGradient", dst, ldd, src, stride, off, 4)
	winogradGradient(dst, ldd, src, stride, off)
}

func winogradGradientGeneric(dst []float32, ldd int, src []float32, stride int, off []int32) {
	for t, o := range off {
		var g [4][6]float32
		for i := range g {
			g[i] = winogradMulA([4]float32(src[int(o)+i*stride:]))
		}
		for j := range 6 {
			for i, v := range winogradMulA([4]float32{g[0][j], g[1][j], g[2][j], g[3][j]}) {
				dst[(6*i+j)*ldd+t] = v
			}
		}
	}
}

// winogradMulA returns A·g.
func winogradMulA(g [4]float32) [6]float32 {
	even, odd := g[0]+0.5*g[2], winogradA*(g[1]+0.5*g[3])
	even2, odd2 := g[0]+2*g[2], winogradB*(g[1]+2*g[3])
	return [6]float32{g[0], even + odd, even - odd, even2 + odd2, even2 - odd2, g[3]}
}

// checkTiles panics unless values has 36 rows of len(off) elements, ld apart, and all tiles
// of side×side pixels lie inside the image.
func checkTiles(kernel string, values []float32, ld int, image []float32, stride int, off []int32, side int) {
	if n := len(off); n%WinogradLanes() != 0 || ld < n || len(values) < 35*ld+n {
		panic(fmt.Sprintf("simd: %s: %d elements for 36 rows of %d tiles, %d apart; want a multiple of %d tiles", kernel, len(values), n, ld, WinogradLanes()))
	}
	if stride < 0 {
		panic(fmt.Sprintf("simd: %s: rows %d apart: want no negative number", kernel, stride))
	}
	checkOffsets(kernel, len(image), off, (side-1)*stride+side)
}

// WinogradWeights returns G·g·Gᵀ, row by row, for the nine weights g of a 3×3 convolution.
func WinogradWeights(g *[9]float32) (u [36]float32) {
	var rows [18]float32 // G·g
	for j := range 3 {
		for i, v := range winogradG(g[j], g[3+j], g[6+j]) {
			rows[3*i+j] = v
		}
	}
	for i := range 6 {
		r := winogradG(rows[3*i], rows[3*i+1], rows[3*i+2])
		copy(u[6*i:], r[:])
	}
	return u
}

// winogradG returns G·g.
func winogradG(g0, g1, g2 float32) [6]float32 {
	even, odd := -2.0/3*(g0+0.5*g2), -2.0/3*winogradA*g1
	even2, odd2 := 1.0/6*(g0+2*g2), 1.0/6*winogradB*g1
	return [6]float32{g0, even + odd, even - odd, even2 + odd2, even2 - odd2, g2}
}

// WinogradWeightsGradient returns Gᵀ·u·G, the gradient of nine weights, where u is the
// gradient of their transform. It is the transpose of WinogradWeights.
func WinogradWeightsGradient(u *[36]float32) (g [9]float32) {
	var rows [18]float32 // Gᵀ·u
	for j := range 6 {
		for i, v := range winogradGT(u[j], u[6+j], u[12+j], u[18+j], u[24+j], u[30+j]) {
			rows[6*i+j] = v
		}
	}
	for i := range 3 {
		r := winogradGT(rows[6*i], rows[6*i+1], rows[6*i+2], rows[6*i+3], rows[6*i+4], rows[6*i+5])
		copy(g[3*i:], r[:])
	}
	return g
}

// winogradGT returns Gᵀ·u.
func winogradGT(u0, u1, u2, u3, u4, u5 float32) [3]float32 {
	even, odd := -2.0/3*(u1+u2), -2.0/3*winogradA*(u1-u2)
	even2, odd2 := 1.0/6*(u3+u4), 1.0/6*winogradB*(u3-u4)
	return [3]float32{u0 + even + even2, odd + odd2, u5 + 0.5*even + 2*even2}
}
