package clip

import "pixelgrad/tensor"

// normEps is added to variances, as in PyTorch's LayerNorm.
const normEps = 1e-5

// linear is a linear layer: x·weight + bias.
type linear struct {
	weight *tensor.Packed
	bias   *tensor.Tensor // nil if there is none
}

func (l *linear) forward(x *tensor.Tensor) *tensor.Tensor {
	return l.weight.Linear(x, tensor.LinearOptions{Bias: l.bias})
}

// norm is a layer normalisation.
type norm struct{ weight, bias *tensor.Tensor }

func (n *norm) forward(x *tensor.Tensor) *tensor.Tensor {
	return tensor.LayerNorm(x, n.weight, n.bias, normEps)
}

// transformer is a stack of residual blocks.
type transformer struct {
	blocks     []block
	heads      int
	causal     bool // whether a token sees only itself and earlier tokens
	activation tensor.Activation
}

// block holds the weights of one residual block.
type block struct {
	norm1   norm
	in      linear // to query, key and value
	out     linear
	norm2   norm
	hidden  linear
	project linear
}

// forward computes all blocks and returns the wanted tokens. The rows of x are the tokens of
// all sequences; lengths has the number of tokens in each. forward changes x and
// takes it over.
func (t *transformer) forward(x *tensor.Tensor, lengths, wanted []int) *tensor.Tensor {
	for i := range t.blocks {
		if i < len(t.blocks)-1 {
			x = t.block(i, x, lengths, nil)
		} else {
			x = t.block(i, x, lengths, wanted)
		}
	}
	return x
}

// block computes block i:
//
//	x += out(attention(in(norm1(x))))
//	x += project(activation(hidden(norm2(x))))
//
// If wanted is not nil, only these rows are kept after the attention, which is the last step
// that combines rows. The last block needs only one token of each sequence, so it avoids
// most of its work.
func (t *transformer) block(i int, x *tensor.Tensor, lengths, wanted []int) *tensor.Tensor {
	b := &t.blocks[i]
	h := b.norm1.forward(x)
	qkv := b.in.forward(h)
	tensor.Release(h)
	a := tensor.Attention(qkv, lengths, t.heads, t.causal)
	tensor.Release(qkv)
	if wanted != nil {
		x, a = rows(x, wanted), rows(a, wanted)
	}
	b.out.weight.Linear(a, tensor.LinearOptions{Bias: b.out.bias, AddTo: x})
	tensor.Release(a)

	h = b.norm2.forward(x)
	m := b.hidden.weight.Linear(h, tensor.LinearOptions{Bias: b.hidden.bias, Activation: t.activation})
	tensor.Release(h)
	b.project.weight.Linear(m, tensor.LinearOptions{Bias: b.project.bias, AddTo: x})
	tensor.Release(m)
	return x
}

// rows returns the wanted rows of a matrix, and releases the matrix.
func rows(x *tensor.Tensor, wanted []int) *tensor.Tensor {
	k := x.Dim(1)
	y := tensor.NewUninitialized(len(wanted), k)
	for i, row := range wanted {
		copy(y.Data()[i*k:(i+1)*k], x.Data()[row*k:])
	}
	tensor.Release(x)
	return y
}

// bytes returns the memory of the weights.
func (t *transformer) bytes() int {
	n := 0
	for i := range t.blocks {
		b := &t.blocks[i]
		n += b.norm1.bytes() + b.in.bytes() + b.out.bytes() + b.norm2.bytes() + b.hidden.bytes() + b.project.bytes()
	}
	return n
}

func (l *linear) bytes() int {
	n := l.weight.Bytes()
	if l.bias != nil {
		n += 4 * l.bias.Len()
	}
	return n
}

func (n *norm) bytes() int { return 4 * (n.weight.Len() + n.bias.Len()) }
