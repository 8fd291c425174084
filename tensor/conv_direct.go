package tensor

import (
	"math"

	"pixelgrad/simd"
)

// A directConv computes a convolution as a matrix product without building the matrix. The usual
// "im2col" matrix has a row for each weight (ic,ky,kx): the pixels that it is multiplied
// with, for all positions of the output. In a padded image this row is a run of memory
// that begins at tapOffset(ic,ky,kx), see convGeometry. So the product reads its rows in
// the image itself: see simd.GemmTile.
//
//	y[oc][q] = Σ_ic,ky,kx w[oc][ic,ky,kx] · padded[tapOffset(ic,ky,kx) + q]
//
// The gradient of the input is a convolution too, with the weights flipped in both
// directions and input and output channels swapped.
type directConv struct {
	*convGeometry
	tapOffsets []int32 // of (ic,ky,kx), for the channels of one block
}

// convBlock is how many input channels are multiplied before the next block: 32 of them, three
// rows each, fit the first level of cache together.
const convBlock = 32

// mostPlane is the largest size of a padded channel: offsets among those of a block have 32 bits.
const mostPlane = math.MaxInt32 / convBlock

// convBand is about how many output pixels are computed for all channels at a time:
// their sums wait in the second level of cache until they get bias and ReLU.
const convBand = 240

func newDirectConv(g *convGeometry) *directConv {
	d := &directConv{convGeometry: g, tapOffsets: make([]int32, 0, convBlock*g.taps)}
	for c := range convBlock {
		for ky := range g.kh {
			for kx := range g.kw {
				d.tapOffsets = append(d.tapOffsets, int32(g.tapOffset(c, ky, kx)))
			}
		}
	}
	return d
}

func (d *directConv) transposed(channels int) convAlgorithm {
	return &directConv{d.convGeometry.transposed(channels), d.tapOffsets}
}

func (d *directConv) weightGrad() weightGradAlgorithm { return newDirectWeightGrad(d) }

func (d *directConv) planeLen() int { return d.plane }

func (d *directConv) pad(dst []float32, rows rowSource) {
	top := d.origin() - d.above*d.stride
	clear(dst[:top])
	given := d.above + d.h + d.below
	for y := range given {
		row := dst[top+y*d.stride:][:d.stride]
		rows.write(row[:d.w], y, 0, d.w)
		rows.add(row[:d.w], y)
		clear(row[d.w:])
	}
	clear(dst[top+given*d.stride : d.plane])
}

func (d *directConv) packedLen() int {
	mr, _ := simd.Tile()
	return d.panels() * d.ic * d.taps * mr
}

// packWeights arranges weights for simd.GemmTile: for each panel of mr output channels,
// for each (ic,ky,kx), those mr weights; zeros for channels beyond oc.
func (d *directConv) packWeights(dst []float32, k kernels) {
	mr, _ := simd.Tile()
	size := d.ic * d.taps * mr
	Parallel(d.panels(), func(p int) {
		panel := dst[p*size:][:size]
		if (p+1)*mr > d.oc {
			clear(panel)
		}
		for i := range min(mr, d.oc-p*mr) {
			for ic := range d.ic {
				k.read(panel[ic*d.taps*mr+i:], mr, p*mr+i, ic)
			}
		}
	})
}

// bandWidth is how many positions a band has, and bands how many bands an image has.
func (d *directConv) bandWidth() int {
	_, nr := simd.Tile()
	return convBand / nr * nr
}

func (d *directConv) bands() int { return (d.flat + d.bandWidth() - 1) / d.bandWidth() }

func (d *directConv) shares(team int) int { return panelShares(d.bands(), d.panels(), team) }

// blockLen is the size of the sums of the largest band and share.
func (d *directConv) blockLen(team int) int {
	mr, nr := simd.Tile()
	shares := d.shares(team)
	return (d.panels() + shares - 1) / shares * mr * roundUp(min(d.bandWidth(), d.flat), nr)
}

// convolve computes bands of all output channels, one after the other.
func (d *directConv) convolve(t *imageTask) {
	each(d, t, d.bands()*d.shares(t.team), (*directConv).band)
}

// band computes share i%shares of the output channels, for band i/shares of the positions.
func (d *directConv) band(t *imageTask, worker, i int) {
	mr, nr := simd.Tile()
	shares := d.shares(t.team)
	first, panels := panelShare(d.panels(), i%shares, shares)
	q0 := i / shares * d.bandWidth()
	q1 := min(d.flat, q0+d.bandWidth())
	width := roundUp(q1-q0, nr) // of the sums' rows
	sums, rowLen := t.threadMemory(worker), d.ic*d.taps*mr
	for c := 0; c < d.ic; c += convBlock {
		k := min(convBlock, d.ic-c) * d.taps
		for q := 0; q < width; q += nr {
			simd.GemmTile(sums[q:], width, t.packed[first*rowLen+c*d.taps*mr:], rowLen,
				t.padded[c*d.plane+q0+q:], d.tapOffsets[:k], panels, c > 0)
		}
	}
	for oc := first * mr; oc < min(d.oc, (first+panels)*mr); oc++ {
		d.store(t, oc, sums[(oc-first*mr)*width:], q0, q1)
	}
}

// store writes the sums of positions q0 to q1-1 to an output channel, except those between
// its rows.
func (d *directConv) store(t *imageTask, oc int, sums []float32, q0, q1 int) {
	plane := t.dst.channel(oc)
	for q := q0; q < q1; {
		y, x := q/d.stride, q%d.stride
		if end := min(q1, y*d.stride+d.w); q < end {
			t.end.store(plane[y*d.w+x:][:end-q], sums[q-q0:][:end-q], oc)
		}
		q = (y + 1) * d.stride
	}
}
