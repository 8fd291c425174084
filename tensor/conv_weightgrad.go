package tensor

import "pixelgrad/simd"

// A directWeightGrad computes the gradient of a convolution's weights as a product of the
// same shifted rows that a directConv multiplies, with the gradient of its result: see
// simd.WeightGradTile.
//
//	dw[oc][ic,ky,kx] = Σ_q padded[tapOffset(ic,ky,kx) + q] · dy[oc][q]
//
// The sums of an image are a matrix with one row for each tap (ic,ky,kx) and one column for each
// output channel. The rows are in blocks of convBlock input channels. Blocks and columns are
// filled up to whole tiles.
type directWeightGrad struct {
	*convGeometry
	columns    int     // output channels, filled up
	blocks     int     // of input channels
	blockRows  int     // rows of a block, filled up
	run        int     // how many positions at a time are added up
	rowOffsets []int32 // tapOffsets within each block; the last one again and again, to fill a tile
}

// gradPixels is how many positions at a time add to the gradient of the weights.
const gradPixels = 512

// gradColumns returns the output channels filled up to whole tiles of simd.WeightGradTile.
func gradColumns(oc int) int {
	_, nt := simd.GradTile()
	return roundUp(oc, nt)
}

func newDirectWeightGrad(d *directConv) *directWeightGrad {
	mt, _ := simd.GradTile()
	g := &directWeightGrad{
		convGeometry: d.convGeometry,
		columns:      gradColumns(d.oc),
		blocks:       (d.ic + convBlock - 1) / convBlock,
		blockRows:    roundUp(min(d.ic, convBlock)*d.taps, mt),
		run:          min(gradPixels, d.flat),
	}
	g.rowOffsets = make([]int32, g.blocks*g.blockRows)
	for i := range g.rowOffsets {
		block, row := i/g.blockRows, i%g.blockRows
		g.rowOffsets[i] = d.tapOffsets[min(row, g.rowsTaken(block)-1)]
	}
	return g
}

// rowsTaken returns how many rows of a block are of taps.
func (g *directWeightGrad) rowsTaken(block int) int {
	return min(convBlock, g.ic-block*convBlock) * g.taps
}

func (g *directWeightGrad) sumsLen() int  { return g.blocks * g.blockRows * g.columns }
func (g *directWeightGrad) blockLen() int { return g.columns * g.run }

func (g *directWeightGrad) split(sums []float32, t *imageTask, _ channelSource, i, splits int, memory []float32) {
	_, nt := simd.GradTile()
	clear(sums)
	for from, to := g.flat*i/splits, g.flat*(i+1)/splits; from < to; from += g.run {
		n := min(g.run, to-from)
		// The gradient with the channel as its fast index, for nt channels at a time.
		for oc := 0; oc < g.columns; oc += nt {
			for i := 0; i < nt; i += 8 {
				simd.Transpose8(memory[oc*g.run+i:], nt, t.padded[(oc+i)*g.plane+g.origin()+from:], g.plane, n)
			}
		}
		for b := range g.blocks {
			g.block(sums[b*g.blockRows*g.columns:], t, b, from, n, memory)
		}
	}
}

// block adds to the sums of a block of input channels what n positions contribute.
func (g *directWeightGrad) block(sums []float32, t *imageTask, b, from, n int, transposed []float32) {
	mt, nt := simd.GradTile()
	rows := g.rowOffsets[b*g.blockRows:][:roundUp(g.rowsTaken(b), mt)]
	for oc := 0; oc < g.columns; oc += nt {
		simd.WeightGradTile(sums[oc:], g.columns, t.paddedX[b*convBlock*g.plane+from:], rows, transposed[oc*g.run:], n)
	}
}

// collect brings the sums into the weights' own arrangement.
func (g *directWeightGrad) collect(dw *Tensor, sums []float32, channels []inputChannel) {
	Parallel(g.ic, func(ic int) {
		rows := sums[(ic/convBlock*g.blockRows+ic%convBlock*g.taps)*g.columns:]
		for tap := range g.taps {
			for oc, v := range rows[tap*g.columns:][:g.oc] {
				dw.data[(oc*dw.shape[1]+channels[ic].place)*g.taps+tap] = v
			}
		}
	})
}
