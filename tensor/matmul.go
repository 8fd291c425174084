package tensor

import (
	"fmt"

	"pixelgrad/simd"
)

// A Packed is a matrix in the arrangement that multiplication reads it in: panels
// of as many columns as a tile of simd.GemmTile has, each with its rows one after
// the other, filled up with zeros. Weights that are used again and again are packed
// once; it takes hardly more memory than the matrix itself.
type Packed struct {
	k, n int // rows and columns
	data []float32
}

// mulBlock is how many rows of a packed panel are multiplied before the next ones
// are turned to: they stay in the first level of cache.
const mulBlock = 256

// mulOffsets are where the rows of a block of a packed panel begin.
var mulOffsets = func() []int32 {
	_, nr := simd.Tile()
	off := make([]int32, mulBlock)
	for i := range off {
		off[i] = int32(i * nr)
	}
	return off
}()

// PackMatrix packs a matrix. Shapes: (k,n). It panics for another rank.
func PackMatrix(b *Tensor) *Packed {
	k, n := dims2("PackMatrix", b)
	return pack(k, n, func(dst []float32, row, col int) { copy(dst, b.data[row*n+col:(row+1)*n]) })
}

// PackTransposed packs the transpose of a matrix: the weights of a linear layer, which
// have a row for each output. Shapes: (n,k), packed as (k,n). It panics for another
// rank.
func PackTransposed(b *Tensor) *Packed {
	n, k := dims2("PackTransposed", b)
	return pack(k, n, func(dst []float32, row, col int) {
		for j := range min(len(dst), n-col) {
			dst[j] = b.data[(col+j)*k+row]
		}
	})
}

// pack fills panels by calling fill for each of their rows, which are zero.
func pack(k, n int, fill func(dst []float32, row, col int)) *Packed {
	p := &Packed{k: k, n: n}
	p.data = make([]float32, p.size())
	HugePages(p.data)
	p.fill(fill)
	return p
}

// size is how many numbers the panels hold.
func (p *Packed) size() int {
	_, nr := simd.Tile()
	return (p.n + nr - 1) / nr * nr * p.k
}

// fill goes through the matrix by fillRows rows at a time, so that these are read as they lie.
func (p *Packed) fill(fill func(dst []float32, row, col int)) {
	_, nr := simd.Tile()
	Parallel((p.k+fillRows-1)/fillRows, func(block int) {
		for panel := range (p.n + nr - 1) / nr {
			for row := block * fillRows; row < min(p.k, (block+1)*fillRows); row++ {
				fill(p.data[(panel*p.k+row)*nr:][:nr], row, panel*nr)
			}
		}
	})
}

// fillRows is how many rows of a matrix are packed at a time.
const fillRows = 16

// Bytes returns the memory that the matrix takes.
func (p *Packed) Bytes() int { return 4 * len(p.data) }

// MatMul returns the product of two matrices: y[i,j] = Σ_k a[i,k]·b[k,j]. Shapes:
// (m,k)·(k,n) → (m,n). It panics if they do not fit. It matches torch.matmul.
func MatMul(a, b *Tensor) *Tensor {
	if _, k := dims2("MatMul", a); len(b.shape) != 2 || b.shape[0] != k {
		panic(fmt.Sprintf("tensor: MatMul %v×%v: inner dimensions differ", a.shape, b.shape))
	}
	p := &Packed{k: b.shape[0], n: b.shape[1]}
	p.data = takeBuffer(p.size())
	defer giveBuffer(p.data)
	p.fill(func(dst []float32, row, col int) { clear(dst[copy(dst, b.data[row*p.n+col:(row+1)*p.n]):]) })
	return p.Linear(a, LinearOptions{})
}

// Mul returns a·p + bias: y[i,j] = Σ_k a[i,k]·p[k,j] + bias[j]. bias may be nil. With
// PackTransposed weights it is a linear layer. Shapes: a (m,k), bias (n) → (m,n). It
// panics if they do not fit.
func (p *Packed) Mul(a, bias *Tensor) *Tensor {
	m, k := dims2("Mul", a)
	if k != p.k || bias != nil && bias.Len() != p.n {
		panic(fmt.Sprintf("tensor: Mul %v×[%d %d], bias of %v: inner dimensions differ or the bias does not fit", a.shape, p.k, p.n, bias))
	}
	y := NewUninitialized(m, p.n)
	if m == 0 || p.n == 0 {
		return y
	}
	if k == 0 { // a sum of nothing
		clear(y.data)
		for i := range m {
			if bias != nil {
				copy(y.data[i*p.n:(i+1)*p.n], bias.data)
			}
		}
		return y
	}
	mr, nr := simd.Tile()
	rows := packRows(a.data, m, k)
	defer giveBuffer(rows)
	panels := (m + mr - 1) / mr
	Parallel((p.n+nr-1)/nr, func(panel int) {
		b := p.data[panel*k*nr:][:k*nr]
		width := min(nr, p.n-panel*nr)
		sums := takeBuffer(mulPanels * mr * nr)
		defer giveBuffer(sums)
		for first := 0; first < panels; first += mulPanels {
			count := min(mulPanels, panels-first)
			for at := 0; at < k; at += mulBlock {
				depth := min(mulBlock, k-at)
				next := b[min(at+depth, k)*nr:]
				next = next[:min(len(next), mulBlock*nr)]
				simd.GemmTileBefore(sums, nr, rows[(first*k+at)*mr:], k*mr, b[at*nr:], mulOffsets[:depth], count, at > 0, next)
			}
			for i := range min(count*mr, m-first*mr) {
				dst := y.data[(first*mr+i)*p.n+panel*nr:][:width]
				if bias != nil {
					simd.Add(dst, sums[i*nr:][:width], bias.data[panel*nr:][:width])
				} else {
					copy(dst, sums[i*nr:])
				}
			}
		}
	})
	return y
}

// mulPanels is how many panels of rows one call multiplies: their sums fit the
// first level of cache.
const mulPanels = 32

// packRows arranges m rows of k for simd.GemmTile: for each panel of mr rows, for each
// k, those mr numbers; zeros for rows beyond m.
func packRows(a []float32, m, k int) []float32 {
	mr, _ := simd.Tile()
	panels := (m + mr - 1) / mr
	packed := takeBuffer(panels * k * mr)
	Parallel(panels, func(p int) {
		dst := packed[p*k*mr:][:k*mr]
		if (p+1)*mr > m {
			clear(dst)
		}
		if mr == 8 && (p+1)*mr <= m {
			simd.Transpose8(dst, 8, a[p*mr*k:], k, k)
			return
		}
		for i := range min(mr, m-p*mr) {
			for j, v := range a[(p*mr+i)*k:][:k] {
				dst[j*mr+i] = v
			}
		}
	})
	return packed
}

// dims2 returns the dimensions of a matrix, or panics.
func dims2(op string, t *Tensor) (rows, columns int) {
	if len(t.shape) != 2 {
		panic(fmt.Sprintf("tensor: %s: shape %v, want the two dimensions of a matrix", op, t.shape))
	}
	return t.shape[0], t.shape[1]
}
