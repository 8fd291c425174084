package tensor

import "pixelgrad/simd"

// A winogradGrad computes the gradient of the weights from the tiles that a winograd
// multiplies: with g the transformed 4×4 tiles of the gradient of the result, that of u is
//
//	du[ξ][ic][oc] = Σ_tile v[ξ][ic][tile] · g[ξ][oc][tile]
type winogradGrad struct {
	*winogradTiles
	lines, columns int     // ic and oc, filled up to whole tiles of simd.WeightGradTile
	lineOffsets    []int32 // where the lines of v begin; the last one again and again
}

func newWinogradGrad(w *winograd) *winogradGrad {
	mt, _ := simd.GradTile()
	columns := gradColumns(w.oc)
	g := &winogradGrad{newWinogradTiles(w.convGeometry, 1, w.ic+columns), roundUp(w.ic, mt), columns, nil}
	g.lineOffsets = make([]int32, g.lines)
	for ic := range g.lineOffsets {
		g.lineOffsets[ic] = int32(min(ic, w.ic-1) * g.valueLen())
	}
	return g
}

func (g *winogradGrad) sumsLen() int { return 36 * g.lines * g.columns }

// workLen is the size of v and g.
func (g *winogradGrad) workLen() int { return (g.ic + g.columns) * g.valueLen() }

// blockLen is the size of what is transformed, see winograd.blockLen, or of transposed tiles.
func (g *winogradGrad) blockLen() int {
	_, nt := simd.GradTile()
	return max(alignLen(g.linesLen())+g.rowsLen(), g.size*nt)
}

// image computes du of one image.
func (g *winogradGrad) image(du []float32, t *imageTask) {
	t.sums = du
	for t.reached = range g.blocks {
		each(g, t, g.ic+g.columns, (*winogradGrad).transform)
		each(g, t, 36, (*winogradGrad).product)
	}
}

// transform transforms tiles of an input channel, or of the gradient of an output channel.
func (g *winogradGrad) transform(t *imageTask, worker, c int) {
	memory := t.threadMemory(worker)
	lines := carve(&memory, g.linesLen())
	rows := memory[:g.rowsLen()]
	v := t.work[c*g.valueLen():][:g.valueLen()]
	switch b := &g.blocks[t.reached]; {
	case c < g.ic:
		g.input(t, t.inputs, b, c, v, lines, rows)
	case c < g.ic+g.oc:
		g.gradient(t, t.source, b, c-g.ic, v, lines, rows)
	default:
		clear(v)
	}
}

// product adds the product of both at place xi.
func (g *winogradGrad) product(t *imageTask, worker, xi int) {
	_, nt := simd.GradTile()
	if next := t.reached + 1; Prefetch && next < len(g.blocks) {
		for c := g.ic * xi / 36; c < g.ic*(xi+1)/36; c++ {
			g.blocks[next].prefetch(t, t.inputs, c)
		}
		for c := g.oc * xi / 36; c < g.oc*(xi+1)/36; c++ {
			g.blocks[next].prefetch(t, t.source, c)
		}
	}
	v, grad := t.work[xi*g.size:], t.work[g.ic*g.valueLen()+xi*g.size:]
	count := g.blocks[t.reached].tiles
	sums := t.sums[xi*g.lines*g.columns:][:g.lines*g.columns]
	if t.reached == 0 {
		clear(sums)
	}
	transposed := t.threadMemory(worker)[:g.size*nt]
	for oc := 0; oc < g.columns; oc += nt {
		for i := 0; i < nt; i += 8 {
			simd.Transpose8(transposed[i:], nt, grad[(oc+i)*g.valueLen():], g.valueLen(), count)
		}
		simd.WeightGradTile(sums[oc:], g.columns, v, g.lineOffsets, transposed, count)
	}
}

// collect transforms the sum of the images' du back.
func (g *winogradGrad) collect(dw *Tensor, sums []float32, channels []inputChannel) {
	Parallel(g.ic, func(ic int) {
		for oc := range g.oc {
			var u [36]float32
			for xi := range u {
				u[xi] = sums[(xi*g.lines+ic)*g.columns+oc]
			}
			w := simd.WinogradWeightsGradient(&u)
			copy(dw.data[(oc*dw.shape[1]+channels[ic].place)*9:], w[:])
		}
	})
}
