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
// It is what fuse does for ReLU, but after the gradients are known: the convolution's does not look
// at what follows. Results are the same bit by bit.
//
// Condition: nothing else reads the result of the convolution, and the slopes are a parameter or a
// constant. In a training the gradient of PReLU reads that result; that of LeakyReLU does not.
//
// Source: as fuse.
func fuseSlopes(g *Graph) {
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
