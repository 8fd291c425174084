package tensor

import (
	"fmt"
	"math"

	"pixelgrad/simd"
)

// normRows is how many rows of a normalisation are one piece of work.
const normRows = 16

// LayerNorm gives every row a mean of 0 and a variance of 1, and scales and shifts its
// columns:
//
//	y[i,j] = (x[i,j] − mean_i) / √(var_i + eps) · gamma[j] + beta[j]
//
// with mean_i = Σ_j x[i,j] / k and var_i = Σ_j (x[i,j] − mean_i)² / k.
//
// Shapes: x (m,k), gamma and beta (k) → (m,k). It panics if they do not fit. It matches
// torch.nn.functional.layer_norm(x, (k,), gamma, beta, eps).
//
// Source: J. L. Ba et al., "Layer Normalization", 2016, equations 3 and 4.
func LayerNorm(x, gamma, beta *Tensor, eps float32) *Tensor {
	m, k := dims2("LayerNorm", x)
	if len(gamma.data) != k || len(beta.data) != k {
		panic(fmt.Sprintf("tensor: LayerNorm: rows of %d, gamma %v, beta %v", k, gamma.shape, beta.shape))
	}
	y := NewUninitialized(m, k)
	zero := New(k)
	defer Release(zero)
	Parallel((m+normRows-1)/normRows, func(c int) {
		for i := c * normRows; i < min(m, (c+1)*normRows); i++ {
			src, dst := x.data[i*k:(i+1)*k], y.data[i*k:(i+1)*k]
			mean := simd.Sum(src) / float64(k)
			simd.AddBias(dst, src, float32(-mean))
			variance := simd.SumSquaredDiff(dst, zero.data) / float64(k)
			simd.Scale(dst, float32(1/math.Sqrt(variance+float64(eps))), dst)
			simd.Mul(dst, dst, gamma.data)
			simd.Add(dst, dst, beta.data)
		}
	})
	return y
}
