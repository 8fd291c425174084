package tensor

import "pixelgrad/simd"

// A winogradGrad computes the gradient of the weights from the tiles that a winograd
// multiplies: with g the transformed 4×4 tiles of the gradient of the result, that of u is
//
//	du[ξ][ic][oc] = Σ_tile v[ξ][ic][tile] · g[ξ][oc][tile]
type winogradGrad struct {
	*winograd
	rows, columns int     // ic and oc, filled up to whole tiles of simd.WeightGradTile
	rowOffsets    []int32 // where the rows of v begin; the last one again and again
}

func newWinogradGrad(w *winograd) *winogradGrad {
	mt, _ := simd.GradTile()
	g := &winogradGrad{winograd: w, rows: roundUp(w.ic, mt), columns: gradColumns(w.oc)}
	g.rowOffsets = make([]int32, g.rows)
	for ic := range g.rowOffsets {
		g.rowOffsets[ic] = int32(min(ic, w.ic-1) * winogradBlock)
	}
	return g
}

func (g *winogradGrad) sumsLen() int { return 36 * g.rows * g.columns }

// workLen is the size of v and g.
func (g *winogradGrad) workLen() int {
	v, _ := valuesLen(g.ic)
	grad, _ := valuesLen(g.columns)
	return v + grad
}

func (g *winogradGrad) blockLen() int {
	_, nt := simd.GradTile()
	return winogradBlock * nt
}

// image computes du of one image.
func (g *winogradGrad) image(du []float32, t *imageTask) {
	t.sums = du
	for t.reached = 0; t.reached < g.tiles; t.reached += winogradBlock {
		each(g, t, g.ic, (*winogradGrad).input)
		each(g, t, g.columns, (*winogradGrad).gradient)
		each(g, t, 36, (*winogradGrad).product)
	}
}

// values returns v and g of the block of tiles that t is at, and how far apart their rows
// of one ξ lie from those of the next.
func (g *winogradGrad) values(t *imageTask) (v []float32, ldv int, grad []float32, ldg int) {
	n, ldv := valuesLen(g.ic)
	_, ldg = valuesLen(g.columns)
	return t.work[:n], ldv, t.work[n:], ldg
}

// input transforms tiles of an input channel.
func (g *winogradGrad) input(t *imageTask, _, ic int) {
	v, ldv, _, _ := g.values(t)
	simd.WinogradInput(v[ic*winogradBlock:], ldv, t.paddedX[ic*g.planeLen():][:g.planeLen()], g.rowLen, g.sources[t.reached:][:winogradBlock])
}

// gradient transforms tiles of the gradient of an output channel, whose pixels begin one
// row and column later.
func (g *winogradGrad) gradient(t *imageTask, _, oc int) {
	_, _, grad, ldg := g.values(t)
	dy := t.padded[oc*g.planeLen():][:g.planeLen()][g.rowLen+1:]
	simd.WinogradGradient(grad[oc*winogradBlock:], ldg, dy, g.rowLen, g.sources[t.reached:][:winogradBlock])
}

// product adds the product of both at place xi.
func (g *winogradGrad) product(t *imageTask, worker, xi int) {
	_, nt := simd.GradTile()
	v, ldv, grad, ldg := g.values(t)
	count := min(winogradBlock, g.tiles-t.reached)
	sums := t.sums[xi*g.rows*g.columns:][:g.rows*g.columns]
	if t.reached == 0 {
		clear(sums)
	}
	pixels := t.threadMemory(worker)[:winogradBlock*nt]
	for oc := 0; oc < g.columns; oc += nt {
		for i := 0; i < nt; i += 8 {
			simd.Transpose8(pixels[i:], nt, grad[xi*ldg+(oc+i)*winogradBlock:], winogradBlock, count)
		}
		simd.WeightGradTile(sums[oc:], g.columns, v[xi*ldv:], g.rowOffsets, pixels, count)
	}
}

// collect transforms the sum of the images' du back.
func (g *winogradGrad) collect(dw *Tensor, sums []float32, channels []inputChannel) {
	Parallel(g.ic, func(ic int) {
		for oc := range g.oc {
			var u [36]float32
			for xi := range u {
				u[xi] = sums[(xi*g.rows+ic)*g.columns+oc]
			}
			w := simd.WinogradWeightsGradient(&u)
			copy(dw.data[(oc*dw.shape[1]+channels[ic].place)*9:], w[:])
		}
	})
}
