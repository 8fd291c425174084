package compile

import (
	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// fuse computes what follows a convolution while its sums are in the cache.
//
//	before:  x ──▶ conv ──▶ (n,c,h,w) ──▶ add ──▶ (n,c,h,w) ──▶ relu ──▶ y
//	                          shortcut ────┘
//	after:   x ──▶ conv + add + relu ──▶ y
//	  shortcut ────┘
//
// The results between the steps are not stored, and memory is walked once instead of three
// times. Backward needs only y: it sets dy to 0 where y is 0, while it reads dy.
//
// Condition: nothing else reads the results between the steps. The addition is optional, and
// so is ReLU. Results are the same bit by bit. If three or more steps read a tensor, its gradients
// are summed in another order.
//
// Source: Chen et al., "TVM: An Automated End-to-End Optimizing Compiler for Deep Learning",
// 2018, section 3 (operator fusion).
func fuse(g *Graph) {
	for i := 0; i < len(g.Steps); i++ {
		s := g.Steps[i]
		if is[autograd.AddOp](s) {
			for side := range 2 {
				c := g.producer(s.In[side])
				if k, ok := fusible(g, c); ok && !k.add && s.In[0] != s.In[1] {
					k.add, k.addForm = true, tensor.Plain
					g.merge(c, s, k, s.In[1-side])
					i--
					break
				}
			}
		} else if is[autograd.ReLUOp](s) {
			c := g.producer(s.In[0])
			if k, ok := fusible(g, c); ok {
				k.relu = true
				g.merge(c, s, k)
				i--
			}
		}
	}
}

// fusible returns the kernel of c, and whether c is a convolution that can absorb the only
// reader of its result.
func fusible(g *Graph, c *Step) (k conv, ok bool) {
	if c == nil {
		return k, false
	}
	k, ok = c.Kernel.(conv)
	return k, ok && !k.relu && k.prelu == nil && g.reader(c.Out[0]) != nil
}

// merge puts a convolution in the place of the step that reads its result.
func (g *Graph) merge(c, reader *Step, k conv, more ...*Tensor) {
	g.replace(reader, &Step{Kernel: k, In: append(c.In[:len(c.In):len(c.In)], more...), Out: reader.Out, Phase: c.Phase})
	g.remove(c)
}
