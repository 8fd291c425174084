package simd

import "math"

// AdamStep holds the constants of one step of Adam. NewAdamStep makes it.
type AdamStep struct {
	// The assembly relies on the order of the fields.
	beta1, oneMinusBeta1 float32
	beta2, oneMinusBeta2 float32
	rate                 float32 // lr / (1-beta1ᵗ)
	correction           float32 // 1 / √(1-beta2ᵗ)
	eps                  float32
}

// NewAdamStep returns the constants of step t = 1, 2, … In the first steps the moving
// averages are too near to zero; the factors that correct this bias are computed in
// float64.
func NewAdamStep(lr, beta1, beta2, eps float64, t int) AdamStep {
	return AdamStep{
		beta1: float32(beta1), oneMinusBeta1: float32(1 - beta1),
		beta2: float32(beta2), oneMinusBeta2: float32(1 - beta2),
		rate:       float32(lr / (1 - math.Pow(beta1, float64(t)))),
		correction: float32(1 / math.Sqrt(1-math.Pow(beta2, float64(t)))),
		eps:        float32(eps),
	}
}

// Adam updates the weights w with the gradient g = grad. It also updates the moving
// average m of the gradient and the moving average v of its square:
//
//	m = β₁·m + (1-β₁)·g
//	v = β₂·v + (1-β₂)·g²
//	w = w - lr · (m/(1-β₁ᵗ)) / (√(v/(1-β₂ᵗ)) + ε)
//
// It matches torch.optim.Adam. Source: Kingma and Ba, "Adam: A Method for Stochastic
// Optimization", 2015, algorithm 1.
func Adam(w, grad, m, v []float32, s AdamStep) {
	checkLengths("Adam", len(w), len(grad), len(m), len(v))
	for len(w) > maxCall {
		adam(w[:maxCall], grad[:maxCall], m[:maxCall], v[:maxCall], &s)
		w, grad, m, v = w[maxCall:], grad[maxCall:], m[maxCall:], v[maxCall:]
	}
	adam(w, grad, m, v, &s)
}

func adamGeneric(w, grad, m, v []float32, s *AdamStep) {
	for i, g := range grad {
		m[i] = s.beta1*m[i] + s.oneMinusBeta1*g
		v[i] = s.beta2*v[i] + s.oneMinusBeta2*(g*g)
		w[i] -= s.rate * m[i] / (sqrt(v[i])*s.correction + s.eps)
	}
}

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }
