package compile

import (
	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// exchange computes a 1×1 convolution of an enlarged image before the enlargement.
//
//	before:  x (64,72,72) ──▶ up2 ──▶ (64,144,144) ──▶ conv 1×1 ──▶ (3,144,144)
//	after:   x (64,72,72) ──▶ conv 1×1 ──▶ (3,72,72) ──▶ up2 ──▶ (3,144,144)
//
// The two linear maps commute: one works on the channels of a pixel, the other on the pixels
// of a channel. The bias commutes too, because the weights of bilinear interpolation add up
// to 1 for every new pixel. The convolution then has a quarter of the pixels, and the
// enlargement 3 channels instead of 64. Results differ by rounding.
//
// Condition: the convolution has 1×1 weights and no fused step, and its input is the result of
// up2 (autograd.Upsample2). Two enlargements in a row are exchanged one after the other. The
// step of the old up2 stays if anything else reads its result.
//
// Without this pass, "inputs" still lets the convolution enlarge the image while it reads it.
//
// Source: linearity; torch.nn.functional.interpolate with align_corners=False for the weights.
func exchange(g *Graph) {
	for i := 0; i < len(g.Steps); i++ {
		c := g.Steps[i]
		k, ok := c.Kernel.(conv)
		if !ok || k.relu || k.add || len(k.forms) != 1 || k.forms[0] != tensor.Plain {
			continue
		}
		up := g.producer(c.In[0])
		if w := c.In[1].Shape; w[2] != 1 || w[3] != 1 || !is[autograd.Upsample2Op](up) {
			continue
		}
		x, y := up.In[0], c.Out[0]
		small := &Tensor{Shape: []int{y.Shape[0], y.Shape[1], x.Shape[2], x.Shape[3]}}
		g.replace(c,
			&Step{Kernel: k, In: []*Tensor{x, c.In[1], c.In[2]}, Out: []*Tensor{small}, Phase: c.Phase},
			&Step{Kernel: up.Kernel, In: []*Tensor{small}, Out: []*Tensor{y}, Phase: c.Phase})
		i-- // x may be the result of up2 as well
	}
}
