package compile

import (
	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// fuseLoss computes the derivatives of the mean squared error and of the sigmoid that feeds it
// in one step.
//
//	before:  dloss ──▶ ∂mse ──▶ dy ──▶ ∂sigmoid ──▶ dx
//	            y ─────┘───────────────┘
//	after:   dloss ──▶ ∂mse ∂sigmoid ──▶ dx
//	            y ─────┘
//
//	dx = 2/N·dloss·(y-t)·y·(1-y)
//
// Memory is walked once, and dy is not stored. Results are the same bit by bit.
//
// Condition: the loss compares the sigmoid's result itself, ∂sigmoid is the only reader of dy,
// and the target t needs no gradient.
//
// Source: as fuse.
func fuseLoss(g *Graph) {
	for i := 0; i < len(g.Steps); i++ {
		s := g.Steps[i]
		if !isBackward[autograd.SigmoidOp](s) {
			continue
		}
		loss := g.producer(s.In[0])
		if !isBackward[autograd.MSEOp](loss) || g.reader(s.In[0]) != s || len(loss.Out) != 1 || loss.In[1] != s.In[1] || !loss.Kernel.(applyBackward).want[0] {
			continue
		}
		g.replace(s, &Step{Kernel: sigmoidMSE{}, In: loss.In, Out: s.Out, Phase: Backward})
		g.remove(loss)
		i--
	}
}

// isBackward says whether the step is the backward pass of an operation of op's type.
func isBackward[Op autograd.Operation](s *Step) bool {
	if s == nil {
		return false
	}
	k, ok := s.Kernel.(applyBackward)
	if !ok {
		return false
	}
	_, ok = k.op.(Op)
	return ok
}

// sigmoidMSE is the gradient of MSE(σ(x), t) with respect to x. In: that of the loss, σ(x), t.
type sigmoidMSE struct{}

func (sigmoidMSE) String() string { return "∂ MSE, ∂ Sigmoid" }

func (sigmoidMSE) prepare(*Step) *prepared {
	return &prepared{run: func(out, in []*tensor.Tensor, _ []float32) {
		tensor.SigmoidBackwardMSETo(out[0], autograd.MSEOp{}.Alpha(in[1].Len(), in[0]), in[1], in[2])
	}}
}

func (sigmoidMSE) gradient(*differentiation, *Step, *Tensor, []bool) []*Tensor {
	panic("compile: a gradient of a gradient")
}

func (sigmoidMSE) overwrites(*Step) []int {
	return []int{1}
}
