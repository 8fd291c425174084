package tensor

import (
	"fmt"

	"pixelgrad/simd"
)

// A PackedLinear is what PackTransposed makes of the weights of a linear layer, but in
// the memory that the weights were in. A layer may be most of a network: VGG16's
// first has 411 of 553 MB, which should not be there twice, not even while it is
// loaded.
type PackedLinear struct {
	whole *Packed // the panels that are full, in the weights' own memory
	rest  *Packed // the columns that do not fill a panel
}

// PackLinear packs weights for PackedLinear.Mul. It takes their memory and leaves w
// empty, as Release does. Shapes: (n,k), a row for each output. It panics for another
// rank.
//
// A panel is made of nr whole rows, one after the other, and takes as much room as
// they do: so it can replace them, one panel at a time.
func PackLinear(w *Tensor) *PackedLinear {
	n, k := dims2("PackLinear", w)
	_, nr := simd.Tile()
	full := n / nr
	p := &PackedLinear{
		whole: &Packed{k: k, n: full * nr, data: w.data[:full*nr*k]},
		rest:  PackTransposed(FromSlice(w.data[full*nr*k:], n-full*nr, k)),
	}
	HugePages(p.whole.data)
	Parallel(full, func(panel int) {
		rows := takeBuffer(nr * k)
		defer giveBuffer(rows)
		dst := p.whole.data[panel*nr*k:][:nr*k]
		copy(rows, dst)
		for i := 0; i < nr; i += 8 { // nr is a multiple of 8 at every level
			simd.Transpose8(dst[i:], nr, rows[i*k:], k, k)
		}
	})
	w.data, w.shape = nil, []int{0}
	return p
}

// Bytes returns the memory that the weights take.
func (p *PackedLinear) Bytes() int { return p.whole.Bytes() + p.rest.Bytes() }

// Mul returns x·wᵀ + bias: y[i,j] = Σ_k x[i,k]·w[j,k] + bias[j]. bias may be nil.
// Shapes: x (m,k), bias (n) → (m,n). It panics if they do not fit. It matches
// torch.nn.functional.linear(x, w, bias).
func (p *PackedLinear) Mul(x, bias *Tensor) *Tensor {
	m, k := dims2("PackedLinear.Mul", x)
	split, n := p.whole.n, p.whole.n+p.rest.n
	var biases [2]*Tensor
	if bias != nil {
		if bias.Len() != n {
			panic(fmt.Sprintf("tensor: PackedLinear.Mul %v×[%d %d]: bias %v", x.shape, k, n, bias.shape))
		}
		biases[0], biases[1] = FromSlice(bias.data[:split], split), FromSlice(bias.data[split:], n-split)
	}
	y := NewUninitialized(m, n)
	for i, part := range []*Packed{p.whole, p.rest} {
		z := part.Mul(x, biases[i])
		for row := range m {
			copy(y.data[row*n+i*split:], z.data[row*part.n:(row+1)*part.n])
		}
		Release(z)
	}
	return y
}
