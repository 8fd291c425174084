package compile

import (
	"slices"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// gradientsOverActivations writes the gradient of a convolution's input over the input.
//
//	before:  dy ──▶ ∂conv ──▶ dx ──▶ ∂relu ──▶ dz
//	          x ────┘───────────────┘
//	after:   dy ──▶ ∂conv, ∂relu ──▶ dz (in the memory of x)
//	          x ────┘
//
// The input x = relu(z) is needed twice: for the gradient of the weights, and to say where
// relu clipped. The kernel computes the gradient of the weights of an image first, and then
// replaces each pixel of x by its gradient, or by 0 where x is 0. So ∂relu costs no walk over
// memory, and dx no memory. Results are the same bit by bit.
//
// Condition, for every source of the convolution that has a gradient, constant channels aside:
//
//   - the source is read as it is, not enlarged;
//   - the only reader of dx is a ∂relu, which masks by the source;
//   - no other later step reads the source;
//   - the result of that ∂relu is not the gradient of a parameter, which has memory of its own.
//
// Source: Rota Bulò et al., "In-Place Activated BatchNorm for Memory-Optimized Training of
// DNNs", 2018, for the idea that the result of an activation is enough for its gradient.
func gradientsOverActivations(g *Graph) {
	for _, s := range g.Steps {
		k, ok := s.Kernel.(convBackward)
		if !ok {
			continue
		}
		var masks []*Step // of each gradient that is written over its source
		var sources []*Tensor
		possible, next := true, 0
		for i, grad := range k.grads {
			if grad == tensor.NoGrad {
				continue
			}
			dx := s.Out[next]
			next++
			if k.forms[i] == tensor.Constant {
				masks, sources = append(masks, nil), append(sources, nil)
				continue
			}
			x := s.In[2+i]
			mask := g.reader(dx)
			possible = possible && k.forms[i] == tensor.Plain && g.isMask(mask, dx, x) && g.lastOf(x, s, mask)
			masks, sources = append(masks, mask), append(sources, x)
		}
		if !possible || slices.IndexFunc(masks, func(m *Step) bool { return m != nil }) < 0 {
			continue
		}
		s.Over = make([]*Tensor, len(s.Out))
		k.grads = slices.Clone(k.grads)
		next = 0
		for i, grad := range k.grads {
			if grad == tensor.NoGrad {
				continue
			}
			if k.forms[i] != tensor.Constant {
				k.grads[i] = tensor.MaskedGrad
				s.Over[next] = sources[next]
				g.takeMask(masks[next], s.Out[next])
			}
			next++
		}
		s.change(k)
	}
	g.Steps = slices.DeleteFunc(g.Steps, func(s *Step) bool { return s.Kernel == nil })
}

// isMask says whether a step sets dx to 0 where relu clipped x, and whether that can be removed.
func (g *Graph) isMask(s *Step, dx, x *Tensor) bool {
	if s == nil || s.In[0] != dx {
		return false
	}
	if k, ok := s.Kernel.(convBackward); ok {
		return k.result(s) == x && !slices.Contains(s.In[1:len(s.In)-1], dx)
	}
	return isBackward[autograd.ReLUOp](s) && s.In[1] == x && !g.isGradient(s.Out[0])
}

// lastOf says whether no step after s reads x, except for mask.
func (g *Graph) lastOf(x *Tensor, s, mask *Step) bool {
	after := g.Steps[slices.Index(g.Steps, s)+1:]
	for _, r := range after {
		if r != mask && slices.Contains(r.In, x) {
			return false
		}
	}
	// mask reads x only as its mask
	return !slices.Contains(mask.In[:len(mask.In)-1], x)
}

// takeMask takes the derivative of relu out of the reader of dx: dx is masked already.
func (g *Graph) takeMask(mask *Step, dx *Tensor) {
	if k, ok := mask.Kernel.(convBackward); ok {
		k.relu = false
		mask.In = mask.In[:len(mask.In)-1]
		mask.change(k)
		return
	}
	for _, r := range g.Steps { // dx is its result now
		for i, t := range r.In {
			if t == mask.Out[0] {
				r.In = slices.Clone(r.In)
				r.In[i] = dx
			}
		}
		for i, t := range r.Over {
			if t == mask.Out[0] {
				r.Over[i] = dx
			}
		}
	}
	mask.Kernel = nil // to be deleted
	mask.In, mask.Out = nil, nil
}
