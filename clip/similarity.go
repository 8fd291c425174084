package clip

import (
	"fmt"
	"math"

	"pixelgrad/tensor"
)

// Normalize divides each row of x by its length:
//
//	y[i,j] = x[i,j] / √(Σ_k x[i,k]²)
//
// A row of zeros has no direction and becomes NaN. Shapes: (n,embed) → the same. Normalize
// panics for another rank. It matches x / x.norm(dim=-1, keepdim=True).
func Normalize(x *tensor.Tensor) *tensor.Tensor {
	n, k := matrix("Normalize", x)
	y := tensor.NewUninitialized(n, k)
	for i := range n {
		row, sum := x.Data()[i*k:(i+1)*k], 0.0
		for _, v := range row {
			sum += float64(v) * float64(v)
		}
		length := math.Sqrt(sum)
		for j, v := range row {
			y.Data()[i*k+j] = float32(float64(v) / length)
		}
	}
	return y
}

// Cosine returns the cosines between embeddings. The result has a row for each row of a and
// a column for each row of b:
//
//	y[i,j] = a_i·b_j / (|a_i|·|b_j|)
//
// Cosines between pictures and texts are small. In OpenAI's models a good match has 0.25 to
// 0.35, a bad one 0.1 to 0.2. Shapes: a (n,embed), b (m,embed) → (n,m). Cosine panics if
// they do not fit.
func Cosine(a, b *tensor.Tensor) *tensor.Tensor {
	_, k := matrix("Cosine", a)
	if _, l := matrix("Cosine", b); k != l {
		panic(fmt.Sprintf("clip: Cosine %v, %v: embeddings of different sizes", a.Shape(), b.Shape()))
	}
	a, b = Normalize(a), Normalize(b)
	y := tensor.PackTransposed(b).Linear(a, tensor.LinearOptions{})
	tensor.Release(a)
	tensor.Release(b)
	return y
}

// Probabilities returns the softmax of each row of cosines. scale is the model's LogitScale:
//
//	p[i,j] = exp(scale·cosine[i,j]) / Σ_k exp(scale·cosine[i,k])
//
// Shapes: (n,m) → (n,m). Probabilities panics for another rank.
func Probabilities(cosine *tensor.Tensor, scale float32) *tensor.Tensor {
	n, m := matrix("Probabilities", cosine)
	y := tensor.NewUninitialized(n, m)
	for i := range n {
		row, largest, sum := cosine.Data()[i*m:(i+1)*m], math.Inf(-1), 0.0
		for _, v := range row {
			largest = max(largest, float64(scale)*float64(v))
		}
		for _, v := range row {
			sum += math.Exp(float64(scale)*float64(v) - largest)
		}
		for j, v := range row {
			y.Data()[i*m+j] = float32(math.Exp(float64(scale)*float64(v)-largest) / sum)
		}
	}
	return y
}

// matrix returns the dimensions of a matrix. It panics for another rank.
func matrix(op string, x *tensor.Tensor) (n, k int) {
	if len(x.Shape()) != 2 {
		panic(fmt.Sprintf("clip: %s: shape %v, want (n,embed)", op, x.Shape()))
	}
	return x.Dim(0), x.Dim(1)
}
