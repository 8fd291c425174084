package simd

import "math"

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

// winogradBT returns Bᵀ·d.
func winogradBT(d [6]float32) [6]float32 {
	even, odd := d[4]-2*d[2], winogradA*(d[3]-2*d[1])
	even2, odd2 := d[4]-0.5*d[2], winogradB*(d[3]-0.5*d[1])
	return [6]float32{d[0] + d[4] - 2.5*d[2], even + odd, even - odd, even2 + odd2, even2 - odd2, d[1] + d[5] - 2.5*d[3]}
}

// winogradAT returns Aᵀ·m.
func winogradAT(m [6]float32) [4]float32 {
	s, d := m[1]+m[2], m[1]-m[2]
	s2, d2 := m[3]+m[4], m[3]-m[4]
	return [4]float32{m[0] + s + s2, winogradA*d + winogradB*d2, 0.5*s + 2*s2, m[5] + winogradA3*d + winogradB3*d2}
}

// winogradMulA returns A·g.
func winogradMulA(g [4]float32) [6]float32 {
	even, odd := g[0]+0.5*g[2], winogradA*(g[1]+0.5*g[3])
	even2, odd2 := g[0]+2*g[2], winogradB*(g[1]+2*g[3])
	return [6]float32{g[0], even + odd, even - odd, even2 + odd2, even2 - odd2, g[3]}
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
