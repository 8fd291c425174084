package compile

import (
	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// fuseSlopes computes PReLU and LeakyReLU while a convolution's sums are in the cache.
//
//	before:  x ──▶ conv ──▶ (n,c,h,w) ──▶ prelu ──▶ y
//	                          slopes ──────┘
//	after:   x ──▶ conv + prelu ──▶ y
//
// It is what fuse does for ReLU, without a gradient: that of PReLU needs the result of the
// convolution, which is not stored. Results are the same bit by bit.
//
// Condition: the program has no backward phase; nothing else reads the result of the convolution,
// and the slopes are a parameter or a constant.
//
// Source: as fuse.
func fuseSlopes(g *Graph) {
	if len(g.Gradients) > 0 {
		return
	}
	for i := 0; i < len(g.Steps); i++ {
		s := g.Steps[i]
		k, ok := s.Kernel.(apply)
		if !ok {
			continue
		}
		var slopes *tensor.Tensor
		switch op := k.op.(type) {
		case autograd.LeakyReLUOp:
			slopes = tensor.FromSlice([]float32{op.Slope}, 1)
		case autograd.PReLUOp:
			if v := s.In[1].Value; v != nil {
				slopes = v.Data()
			}
		}
		if slopes == nil {
			continue
		}
		c := g.producer(s.In[0])
		if k, ok := fusible(g, c); ok {
			k.prelu = slopes
			g.merge(c, s, k)
			i--
		}
	}
}
