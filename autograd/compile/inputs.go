package compile

import (
	"slices"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// inputsInPlace lets convolutions read concatenated and enlarged channels where they are.
//
//	before:  a ───────────▶ concat ──▶ (a, up2(b)) ──▶ conv ──▶ y
//	         b ──▶ up2 ─────┘
//	after:   a ───────────▶ conv ──▶ y
//	         b ─────────────┘
//
// A convolution copies its input anyway, channel by channel, to put zeros around it. It can
// collect the channels from several tensors, and enlarge an image while it copies it. So
// neither the concatenation nor the enlargement is stored, nor are their gradients. Results are
// the same bit by bit. If several steps read a tensor, its gradients are summed in another
// order.
//
// Condition: the input of a convolution comes from concat or up2, or its shortcut comes from
// up2. The steps of concat and up2 stay if anything else reads their results.
//
// Source: Pleiss et al., "Memory-Efficient Implementation of DenseNets", 2017.
func inputsInPlace(g *Graph) { readInPlace(g, true) }

// readInPlace is inputsInPlace, of enlarged channels only if enlarged is set.
func readInPlace(g *Graph, enlarged bool) {
	g.eachConv(func(s *Step, k conv) conv {
		if _, _, _, add := k.split(s.In); enlarged && add != nil && k.addForm == tensor.Plain {
			if up := g.producer(add); is[autograd.Upsample2Op](up) {
				s.In[len(s.In)-1], k.addForm = up.In[0], tensor.Enlarged
			}
		}
		for i := 0; i < len(k.forms); i++ {
			from := g.producer(s.In[i])
			switch {
			case k.forms[i] != tensor.Plain:
			case is[autograd.ConcatChannelsOp](from):
				s.In = slices.Replace(s.In, i, i+1, from.In...)
				k.forms = slices.Replace(k.forms, i, i+1, make([]tensor.InputForm, len(from.In))...)
				i-- // a part may be the result of concat or up2 as well
			case enlarged && is[autograd.Upsample2Op](from):
				s.In[i], k.forms[i] = from.In[0], tensor.Enlarged
			}
		}
		return k
	})
}

// eachConv gives every convolution a new kernel. f may change the step's own list of operands.
func (g *Graph) eachConv(f func(s *Step, k conv) conv) {
	for _, s := range g.Steps {
		if k, ok := s.Kernel.(conv); ok {
			s.In, k.forms = slices.Clone(s.In), slices.Clone(k.forms)
			s.change(f(s, k))
		}
	}
}
