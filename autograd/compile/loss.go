package compile

import (
	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// fuseLoss computes the derivatives of the mean squared error, or of another PairLoss, and of the
// sigmoid that feeds it in one step.
//
//	before:  dloss ──▶ ∂mse ──▶ dy ──▶ ∂sigmoid ──▶ dx
//	            y ─────┘───────────────┘
//	after:   dloss ──▶ ∂mse ∂sigmoid ──▶ dx
//	            y ─────┘
//
//	dx = 2/N·dloss·(y-t)·y·(1-y)   for the mean squared error
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
		if !isBackward[autograd.MSEOp](loss) && !isBackward[PairLoss](loss) || g.reader(s.In[0]) != s || len(loss.Out) != 1 || loss.In[1] != s.In[1] || !loss.Kernel.(applyBackward).want[0] {
			continue
		}
		g.replace(s, &Step{Kernel: sigmoidLoss{loss.Kernel.(applyBackward).op}, In: loss.In, Out: s.Out, Phase: Backward})
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

// sigmoidLoss is the gradient of op(σ(x), t) with respect to x. In: that of the loss, σ(x), t.
type sigmoidLoss struct{ op autograd.Operation }

func (k sigmoidLoss) String() string { return "∂ " + operationName(k.op) + ", ∂ Sigmoid" }

func (k sigmoidLoss) prepare(*Step) *prepared {
	return &prepared{run: func(out, in []*tensor.Tensor, _ []float32) {
		switch op := k.op.(type) {
		case autograd.MSEOp:
			tensor.SigmoidBackwardMSETo(out[0], op.Alpha(in[1].Len(), in[0]), in[1], in[2])
		case PairLoss:
			op.Slope(in[1].Len(), in[0]).SigmoidBackwardTo(out[0], in[1], in[2])
		}
	}}
}

func (sigmoidLoss) gradient(*differentiation, *Step, *Tensor, []bool) []*Tensor {
	panic("compile: a gradient of a gradient")
}

func (sigmoidLoss) overwrites(*Step) []int {
	return []int{1}
}
