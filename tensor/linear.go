package tensor

import (
	"fmt"
	"slices"

	"pixelgrad/simd"
)

// Activation is what a linear layer does to each of its outputs.
type Activation int

// The activations.
const (
	Identity Activation = iota // f(x) = x

	// QuickGELU is f(x) = x·σ(1.702·x), an approximation of GELU: what CLIP was trained
	// with. Source: D. Hendrycks, K. Gimpel, "Gaussian Error Linear Units", 2016, section 2.
	QuickGELU

	// GELU is f(x) = x·Φ(x), with the normal distribution Φ(x) = (1 + erf(x/√2)) / 2. It
	// matches torch.nn.functional.gelu(x, approximate="none").
	GELU
)

// LinearOptions are what a linear layer does besides multiplying. The zero value is a
// layer without a bias.
type LinearOptions struct {
	Bias       *Tensor    // (n), or nil
	Activation Activation // of the product with its bias
	AddTo      *Tensor    // (m,n): if not nil, the result is added to it and it is returned
}

// The product is cut into pieces of as many rows as linearPanels panels of packed rows
// have and about linearColumns columns, and the sum over k into blocks of linearDepth.
// What one piece needs of one block stays in the second level of cache: 128 KB of x,
// 192 KB of p and 96 KB of sums on AVX2. So x is not read again from farther away
// for each panel of p, as Mul does, and rows of the result are long enough for the
// kernels of bias and activation while they are still near.
const (
	linearPanels  = 32
	linearColumns = 192
)

// linearDepth returns how many rows of p are multiplied at a time with so many panels of x: as many
// as make a block of one panel of p 24 KB, which stays in the first level of cache while all
// panels of x are multiplied with it. With few panels that would make the calls too short.
func linearDepth(panels int) int {
	if panels < linearPanels/2 {
		return mulBlock
	}
	_, nr := simd.Tile()
	return min(mulBlock, 24<<10/4/nr)
}

// Linear returns f(x·p + bias), or adds that to a tensor:
//
//	y[i,j] = f(Σ_k x[i,k]·p[k,j] + bias[j])
//
// It computes the product as Mul does, bit by bit, which is the simpler of the two to
// read; it is faster for large matrices, and the steps that follow the product cost it
// no passes through memory. A row of the result depends on its row of x alone.
//
// Shapes: x (m,k) → (m,n). It panics if the shapes do not fit. It matches
// torch.nn.functional.linear with PackTransposed weights.
func (p *Packed) Linear(x *Tensor, o LinearOptions) *Tensor {
	m, k := dims2("Linear", x)
	if k != p.k || o.Bias != nil && o.Bias.Len() != p.n {
		panic(fmt.Sprintf("tensor: Linear %v×[%d %d], bias %v: inner dimensions differ or the bias does not fit", x.shape, p.k, p.n, shapeOf(o.Bias)))
	}
	y := o.AddTo
	if y == nil {
		y = NewUninitialized(m, p.n)
	} else if !slices.Equal(y.shape, []int{m, p.n}) {
		panic(fmt.Sprintf("tensor: Linear %v×[%d %d]: cannot be added to %v", x.shape, p.k, p.n, y.shape))
	}
	if m == 0 || p.n == 0 {
		return y
	}
	l := newLinearProduct(p, x, y, o)
	defer giveBuffer(l.rows)
	Parallel(l.pieces(), l.piece)
	return y
}

// A linearProduct is one call of Linear.
type linearProduct struct {
	p       *Packed
	o       LinearOptions
	y       *Tensor
	m       int       // rows of x
	rows    []float32 // x, packed
	panels  int       // of x
	columns int       // panels of p
	chunks  int       // pieces below each other
	wide    int       // panels of p in a piece
	depth   int       // rows of p in a block
}

func newLinearProduct(p *Packed, x, y *Tensor, o LinearOptions) *linearProduct {
	mr, nr := simd.Tile()
	m := x.shape[0]
	l := &linearProduct{p: p, o: o, y: y, m: m, panels: (m + mr - 1) / mr, columns: (p.n + nr - 1) / nr}
	l.depth = linearDepth(l.panels)
	l.rows = packRowBlocks(x.data, m, p.k, l.depth)
	l.chunks = (l.panels + linearPanels - 1) / linearPanels
	l.wide = max(1, linearColumns/nr)
	for l.wide > 1 && l.pieces() < 3*Threads() { // fewer than threads could share evenly
		l.wide--
	}
	return l
}

func (l *linearProduct) pieces() int { return l.chunks * ((l.columns + l.wide - 1) / l.wide) }

// piece computes one piece of the result.
func (l *linearProduct) piece(i int) {
	mr, nr := simd.Tile()
	first := i % l.chunks * l.panels / l.chunks
	count := (i%l.chunks+1)*l.panels/l.chunks - first
	column := i / l.chunks * l.wide
	width := min(l.wide, l.columns-column)
	ld := width * nr
	sums := takeBuffer(count * mr * ld)
	defer giveBuffer(sums)
	if l.p.k == 0 {
		clear(sums)
	}
	for at := 0; at < l.p.k; at += l.depth {
		depth := min(l.depth, l.p.k-at)
		a := l.rows[(at*l.panels+first*depth)*mr:]
		for c := range width {
			b := l.block(column+c, at)
			simd.GemmTileBefore(sums[c*nr:], ld, a, depth*mr, b, mulOffsets[:depth], count, at > 0, l.following(i, column, width, c, at))
		}
	}
	from, to := column*nr, min((column+width)*nr, l.p.n)
	for r := range min(count*mr, l.m-first*mr) {
		l.o.finish(l.y.data[(first*mr+r)*l.p.n:][from:to], sums[r*ld:][:to-from], from)
	}
}

// following returns the block of p that is multiplied after that of row at and the c-th of the
// columns of piece i, or nil. Which piece a thread takes next is a guess: it is right while all
// threads take turns.
func (l *linearProduct) following(i, column, width, c, at int) []float32 {
	if c++; c == width {
		c, at = 0, at+l.depth
	}
	if at < l.p.k {
		return l.block(column+c, at)
	}
	if i += Threads(); i >= l.pieces() {
		return nil
	}
	return l.block(i/l.chunks*l.wide, 0)
}

// block returns the part of a panel of p that is multiplied at a time, from row at on.
func (l *linearProduct) block(panel, at int) []float32 {
	_, nr := simd.Tile()
	return l.p.data[(panel*l.p.k+at)*nr:][:min(l.depth, l.p.k-at)*nr]
}

// finish turns a piece of a row of the product into that of the result. The piece
// begins at column from.
func (o *LinearOptions) finish(dst, sums []float32, from int) {
	if o.Bias != nil {
		simd.Add(sums, sums, o.Bias.data[from:][:len(sums)])
	}
	switch {
	case o.AddTo == nil:
		o.Activation.apply(dst, sums)
	case o.Activation == Identity:
		simd.Add(dst, dst, sums)
	default:
		y := takeBuffer(len(sums))
		o.Activation.apply(y, sums)
		simd.Add(dst, dst, y)
		giveBuffer(y)
	}
}

// apply writes an activation's values. dst and x must not overlap.
func (a Activation) apply(dst, x []float32) {
	switch a {
	case Identity:
		copy(dst, x)
	case QuickGELU:
		simd.Scale(dst, 1.702, x)
		simd.Sigmoid(dst, dst)
		simd.Mul(dst, dst, x)
	case GELU:
		simd.GELU(dst, x)
	default:
		panic(fmt.Sprintf("tensor: no activation has the number %d", a))
	}
}

// packRowBlocks arranges m rows of k for simd.GemmTile as packRows does, but block of
// depth columns after block: a piece's part of one is a single run of memory.
func packRowBlocks(a []float32, m, k, depth int) []float32 {
	mr, _ := simd.Tile()
	panels := (m + mr - 1) / mr
	packed := takeBuffer(panels * k * mr)
	Parallel(panels*((k+depth-1)/depth), func(i int) {
		p, at := i%panels, i/panels*depth
		n := min(depth, k-at)
		dst := packed[(at*panels+p*n)*mr:][:n*mr]
		packPanel(dst, a[p*mr*k+at:], k, min(mr, m-p*mr), n)
	})
	return packed
}

// packPanel writes a panel of packed rows: for each of n columns the numbers of as
// many rows as a tile has, zero beyond rows. The rows of src lie lds apart.
func packPanel(dst, src []float32, lds, rows, n int) {
	mr, _ := simd.Tile()
	switch {
	case rows < mr:
		clear(dst[:n*mr])
		for i := range rows {
			for j, v := range src[i*lds:][:n] {
				dst[j*mr+i] = v
			}
		}
	case mr == 8:
		simd.Transpose8(dst, 8, src, lds, n)
	case mr == 4: // all at once, which is twice as fast as row by row
		r0, r1, r2, r3 := src[:n], src[lds:][:n], src[2*lds:][:n], src[3*lds:][:n]
		for j, v := range r0 {
			d := dst[4*j:][:4]
			d[0], d[1], d[2], d[3] = v, r1[j], r2[j], r3[j]
		}
	default:
		panic(fmt.Sprintf("tensor: packPanel: tiles of %d rows", mr))
	}
}

// shapeOf returns the shape of a tensor, for messages; that of nil is nil.
func shapeOf(t *Tensor) []int {
	if t == nil {
		return nil
	}
	return t.shape
}
