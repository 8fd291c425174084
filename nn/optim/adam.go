// Package optim changes parameters so that a loss falls.
package optim

import (
	"fmt"

	"pixelgrad/nn"
	"pixelgrad/simd"
	"pixelgrad/tensor"
)

// Adam is the optimiser of Kingma and Ba: each parameter moves against a moving
// average of its gradient, divided by the root of a moving average of its square. See
// simd.Adam for the formula. It matches torch.optim.Adam without weight decay.
type Adam struct {
	LR, Beta1, Beta2, Eps float64

	parameters []nn.Parameter
	m, v       []*tensor.Tensor
	step       *tensor.Tensor // a single number
}

// NewAdam returns an optimiser for the parameters with PyTorch's defaults, β₁ = 0.9,
// β₂ = 0.999, ε = 1e-8, and the learning rate lr. It panics unless lr is a positive
// number.
func NewAdam(parameters []nn.Parameter, lr float64) *Adam {
	if !(lr > 0) {
		panic(fmt.Sprintf("optim: NewAdam: learning rate %v: want a positive number", lr))
	}
	a := &Adam{LR: lr, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, parameters: parameters, step: tensor.New()}
	for _, p := range parameters {
		a.m = append(a.m, tensor.New(p.Shape()...))
		a.v = append(a.v, tensor.New(p.Shape()...))
	}
	return a
}

// Step moves the parameters by one step against their gradients. Parameters without a
// gradient stay.
func (a *Adam) Step() {
	a.step.Data()[0]++
	s := simd.NewAdamStep(a.LR, a.Beta1, a.Beta2, a.Eps, int(a.step.Data()[0]))
	tensor.Parallel(len(a.parameters), func(i int) {
		p := a.parameters[i]
		if p.Grad() == nil {
			return
		}
		simd.Adam(p.Data().Data(), p.Grad().Data(), a.m[i].Data(), a.v[i].Data(), s)
	})
}

// LearningRate returns LR.
func (a *Adam) LearningRate() float64 { return a.LR }

// SetLearningRate sets LR, for the steps to come. 0 lets the parameters stay.
func (a *Adam) SetLearningRate(lr float64) { a.LR = lr }

// ZeroGrad forgets the gradients of the parameters.
func (a *Adam) ZeroGrad() {
	for _, p := range a.parameters {
		p.SetGrad(nil)
	}
}

// StateDict returns what Adam remembers from step to step: the memory itself, not a copy. Who
// copies numbers into it sets Adam back to where they were taken. The names are those of
// torch.optim.Adam: step, a single number, and of each parameter exp_avg (m) and exp_avg_sq (v).
func (a *Adam) StateDict() []nn.NamedTensor {
	state := []nn.NamedTensor{{Name: "step", Tensor: a.step}}
	for i, p := range a.parameters {
		state = append(state, nn.NamedTensor{Name: p.Name + ".exp_avg", Tensor: a.m[i]}, nn.NamedTensor{Name: p.Name + ".exp_avg_sq", Tensor: a.v[i]})
	}
	return state
}
