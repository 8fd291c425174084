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

// blockLen is the size of v and g, and of what is transformed, see winograd.blockLen, or of
// transposed tiles.
func (g *winogradGrad) blockLen() int {
	_, nt := simd.GradTile()
	return (g.ic+g.columns)*g.valueLen() + max(alignLen(g.linesLen())+g.rowsLen(), g.size*nt)
}

// split computes du of some blocks of an image.
func (g *winogradGrad) split(du []float32, t *imageTask, gradient channelSource, i, splits int, memory []float32) {
	clear(du)
	v := carve(&memory, (g.ic+g.columns)*g.valueLen())
	grad := v[g.ic*g.valueLen():]
	end := len(g.blocks) * (i + 1) / splits
	for k := len(g.blocks) * i / splits; k < end; k++ {
		b := &g.blocks[k]
		g.transform(t, gradient, b, v, grad, memory)
		for xi := range 36 {
			if Prefetch && k+1 < end {
				g.prefetch(t, gradient, &g.blocks[k+1], xi)
			}
			g.product(du[xi*g.lines*g.columns:], v[xi*g.size:], grad[xi*g.size:], b.tiles, memory)
		}
	}
}

// transform transforms a block's tiles of the input and of the gradient.
func (g *winogradGrad) transform(t *imageTask, gradient channelSource, b *winogradBlock, v, grad, memory []float32) {
	lines := carve(&memory, g.linesLen())
	rows := memory[:g.rowsLen()]
	for c := range g.ic {
		g.input(t, t.inputs, b, c, v[c*g.valueLen():], lines, rows)
	}
	for c := range g.columns {
		if c < g.oc {
			g.gradient(t, gradient, b, c, grad[c*g.valueLen():], lines, rows)
		} else {
			clear(grad[c*g.valueLen():][:g.valueLen()])
		}
	}
}

// prefetch asks for the xi-th of 36 parts of what the next block is made of.
func (g *winogradGrad) prefetch(t *imageTask, gradient channelSource, next *winogradBlock, xi int) {
	for c := g.ic * xi / 36; c < g.ic*(xi+1)/36; c++ {
		next.prefetch(t, t.inputs, c)
	}
	for c := g.oc * xi / 36; c < g.oc*(xi+1)/36; c++ {
		next.prefetch(t, gradient, c)
	}
}

// product adds the product of both at one place ξ to its sums.
func (g *winogradGrad) product(sums, v, grad []float32, tiles int, transposed []float32) {
	_, nt := simd.GradTile()
	for oc := 0; oc < g.columns; oc += nt {
		for i := 0; i < nt; i += 8 {
			simd.Transpose8(transposed[i:], nt, grad[(oc+i)*g.valueLen():], g.valueLen(), tiles)
		}
		simd.WeightGradTile(sums[oc:], g.columns, v, g.lineOffsets, transposed, tiles)
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
