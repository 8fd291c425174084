package compile

import (
	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// constantChannels lets a convolution read a channel that is constant over an image as one
// number.
//
//	before:  e (512) ──▶ expand ──▶ (512,72,72) ──▶ conv 3×3 ──▶ y
//	         h (64,72,72) ──────────────────────────┘
//	after:   e (512) ──────▶ conv 3×3 ──▶ y
//	         h (64,72,72) ──┘
//
// What such a channel adds to the output depends only on which of the weights meet the image
// at a pixel: nine cases for 3×3 weights (the interior, four edges, four corners). So 512
// channels cost nearly nothing, in both directions. Results differ by rounding.
//
// Condition: a source of a convolution is the result of expand, and another source is an
// image. The pass must run after "inputs" to see the parts of a concatenation.
//
// Source: distributivity of the sum over the weights.
func constantChannels(g *Graph) {
	g.eachConv(func(s *Step, k conv) conv {
		images := 0
		for i := range k.forms {
			if !is[autograd.ExpandOp](g.producer(s.In[i])) {
				images++
			}
		}
		for i, f := range k.forms {
			if from := g.producer(s.In[i]); images > 0 && f == tensor.Plain && is[autograd.ExpandOp](from) {
				s.In[i], k.forms[i] = from.In[0], tensor.Constant
			}
		}
		return k
	})
}
