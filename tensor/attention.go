package tensor

import (
	"fmt"
	"math"

	"pixelgrad/simd"
)

// Attention lets the tokens of each sequence look at each other, in several heads. Row
// t of qkv holds a token's query, key and value, one after the other, and each of them
// the parts of all heads. Within a sequence and for each head, with parts of d numbers,
//
//	a[s,t] = exp(q_s·k_t/√d) / Σ_u exp(q_s·k_u/√d)
//	y_s    = Σ_t a[s,t]·v_t
//
// If causal, a token looks at itself and those before it only: t and u go up to s.
//
// lengths are the numbers of tokens of the sequences, which lie one after the other
// and need not be equally long. Shapes: qkv (Σlengths,3·w) → (Σlengths,w), d = w/heads.
// It panics if they do not fit. It matches torch.nn.MultiheadAttention between its
// two linear layers.
//
// attentionReference, below, computes the same as it is written here.
//
// Source: A. Vaswani et al., "Attention Is All You Need", 2017, section 3.2.
func Attention(qkv *Tensor, lengths []int, heads int, causal bool) *Tensor {
	rows, w, starts := attentionShape(qkv, lengths, heads)
	y := NewUninitialized(rows, w)
	Parallel(len(lengths)*heads, func(i int) {
		s, head := i/heads, i%heads
		if lengths[s] > 0 {
			a := newAttentionHead(lengths[s], w/heads)
			a.run(y.data[starts[s]*w+head*a.d:], qkv.data[starts[s]*3*w+head*a.d:], w, causal)
			a.free()
		}
	})
	return y
}

// attentionShape checks the shapes and returns where the sequences begin.
func attentionShape(qkv *Tensor, lengths []int, heads int) (rows, w int, starts []int) {
	rows, w = dims2("Attention", qkv)
	if heads <= 0 || w%(3*heads) != 0 {
		panic(fmt.Sprintf("tensor: Attention %v: a row is not the query, key and value of %d heads", qkv.shape, heads))
	}
	sum := 0
	for _, n := range lengths {
		if n < 0 {
			panic(fmt.Sprintf("tensor: Attention: a sequence of %d tokens", n))
		}
		starts = append(starts, sum)
		sum += n
	}
	if sum != rows {
		panic(fmt.Sprintf("tensor: Attention %v: %d sequences have %d tokens in all", qkv.shape, len(lengths), sum))
	}
	return rows, w / 3, starts
}

// attentionRows is how many panels of queries are worked on at a time, so that even a
// long sequence's scores stay near.
const attentionRows = 32

// An attentionHead has the memory for one head of one sequence of t tokens. Matrices
// are arranged for simd.GemmTile: its left factor in panels of mr rows, its right one
// in panels of nr columns, filled up with zeros.
type attentionHead struct {
	t, d    int
	tt, dt  int       // t and d, filled up to whole tiles' columns
	block   int       // queries at a time
	memory  []float32 // what the others are parts of
	keys    []float32 // (d,t), right
	values  []float32 // (t,d), right
	queries []float32 // (block,d), left
	scores  []float32 // (block,t) in rows of tt
	weights []float32 // (block,t), left
	outputs []float32 // (block,d) in rows of dt
}

func newAttentionHead(t, d int) *attentionHead {
	mr, nr := simd.Tile()
	up := func(n, to int) int { return (n + to - 1) / to * to }
	a := &attentionHead{t: t, d: d, tt: up(t, nr), dt: up(d, nr), block: min(up(t, mr), attentionRows*mr)}
	sizes := []int{d * a.tt, t * a.dt, a.block * d, a.block * a.tt, a.block * t, a.block * a.dt}
	sum := 0
	for _, n := range sizes {
		sum += n
	}
	a.memory = takeBuffer(sum)
	rest := a.memory
	for i, part := range []*[]float32{&a.keys, &a.values, &a.queries, &a.scores, &a.weights, &a.outputs} {
		*part, rest = rest[:sizes[i]], rest[sizes[i]:]
	}
	return a
}

func (a *attentionHead) free() { giveBuffer(a.memory) }

// run computes the head: qkv begins at its part of the first token's query, dst at that
// of the result; w is the width of all heads.
func (a *attentionHead) run(dst, qkv []float32, w int, causal bool) {
	mr, nr := simd.Tile()
	a.packKeys(qkv[w:], 3*w)
	a.packValues(qkv[2*w:], 3*w)
	scale := float32(1 / math.Sqrt(float64(a.d)))
	for first := 0; first < a.t; first += a.block {
		rows := min(a.block, a.t-first)
		panels := (rows + mr - 1) / mr
		for p := range panels {
			packPanel(a.queries[p*a.d*mr:], qkv[(first+p*mr)*3*w:], 3*w, min(mr, rows-p*mr), a.d)
		}
		simd.Scale(a.queries[:panels*mr*a.d], scale, a.queries[:panels*mr*a.d])
		for c := 0; c < a.tt; c += nr {
			multiply(a.scores[c:], a.tt, a.queries, a.keys[c*a.d:], a.d, panels)
		}
		for i := range rows {
			n := a.t
			if causal {
				n = first + i + 1
			}
			softmaxRow(a.scores[i*a.tt:][:a.tt], n)
		}
		for p := range panels {
			packPanel(a.weights[p*a.t*mr:], a.scores[p*mr*a.tt:], a.tt, min(mr, rows-p*mr), a.t)
		}
		for c := 0; c < a.dt; c += nr {
			multiply(a.outputs[c:], a.dt, a.weights, a.values[c*a.t:], a.t, panels)
		}
		for i := range rows {
			copy(dst[(first+i)*w:][:a.d], a.outputs[i*a.dt:])
		}
	}
}

// multiply computes a tile's width of columns of a product of k columns by k rows.
func multiply(c []float32, ldc int, left, right []float32, k, panels int) {
	mr, nr := simd.Tile()
	for at := 0; at < k; at += mulBlock {
		depth := min(mulBlock, k-at)
		simd.GemmTile(c, ldc, left[at*mr:], k*mr, right[at*nr:], mulOffsets[:depth], panels, at > 0)
	}
}

// packKeys arranges the transposed keys, which lie ld apart.
func (a *attentionHead) packKeys(src []float32, ld int) {
	_, nr := simd.Tile()
	for t := 0; t < a.tt; t += 8 { // nr is a multiple of 8 at every level
		dst := a.keys[t/nr*nr*a.d+t%nr:]
		if t+8 <= a.t {
			simd.Transpose8(dst, nr, src[t*ld:], ld, a.d)
			continue
		}
		for i := range a.d {
			for j := range 8 {
				dst[i*nr+j] = 0
				if t+j < a.t {
					dst[i*nr+j] = src[(t+j)*ld+i]
				}
			}
		}
	}
}

// packValues arranges the values, which lie ld apart.
func (a *attentionHead) packValues(src []float32, ld int) {
	_, nr := simd.Tile()
	for c := 0; c < a.dt; c += nr {
		for t := range a.t {
			dst := a.values[c*a.t+t*nr:][:nr]
			n := copy(dst, src[t*ld+c:][:min(nr, a.d-c)])
			clear(dst[n:])
		}
	}
}

// softmaxRow replaces the first n scores of a row by exp(score)/Σexp, and the others by
// 0. The largest is subtracted first: so no exponential overflows, and the largest is
// 1. A NaN among them makes all of them NaN, through the sum.
func softmaxRow(row []float32, n int) {
	largest := row[0]
	for _, v := range row[1:n] {
		if v > largest {
			largest = v
		}
	}
	whole := row[:min(len(row), (n+15)&^15)] // whole vectors are faster than the odd rest
	for i := n; i < len(whole); i++ {
		whole[i] = largest
	}
	simd.AddBias(whole, whole, -largest)
	simd.Exp(whole, whole)
	clear(row[n:])
	simd.Scale(row[:n], float32(1/simd.Sum(row[:n])), row[:n])
}

// attentionReference is Attention as its definition reads.
func attentionReference(qkv *Tensor, lengths []int, heads int, causal bool) *Tensor {
	rows, w, starts := attentionShape(qkv, lengths, heads)
	y, d := New(rows, w), w/heads
	at := func(token, what, head, i int) float64 { return float64(qkv.data[(token*3+what)*w+head*d+i]) }
	for s, start := range starts {
		for q := start; q < start+lengths[s]; q++ {
			end := start + lengths[s]
			if causal {
				end = q + 1
			}
			for head := range heads {
				weights, sum := make([]float64, end-start), 0.0
				for k := start; k < end; k++ {
					dot := 0.0
					for i := range d {
						dot += at(q, 0, head, i) * at(k, 1, head, i)
					}
					weights[k-start] = math.Exp(dot / math.Sqrt(float64(d)))
					sum += weights[k-start]
				}
				for i := range d {
					out := 0.0
					for k := start; k < end; k++ {
						out += weights[k-start] / sum * at(k, 2, head, i)
					}
					y.data[q*w+head*d+i] = float32(out)
				}
			}
		}
	}
	return y
}
