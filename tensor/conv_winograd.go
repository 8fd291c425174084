package tensor

import "pixelgrad/simd"

// UseWinograd switches on Winograd's minimal filtering for 3×3 convolutions with enough
// channels and a dilation of 1, 2 or 4. It needs a quarter of the multiplications: see winograd below and
// simd.WinogradInputRows. Results differ by rounding, about 1e-6 of their root mean square.
// Set it to false, before anything is planned or computed, to have every convolution
// computed directly.
var UseWinograd = true

// winogradChannels is the number of input and output channels from which Winograd's way is
// faster. With fewer, transforming tiles takes longer than the saved multiplications.
const winogradChannels = 16

// winogradPixels is the number of pixels in a batch that is worth transforming the weights. It
// is a variable for the tests.
var winogradPixels = 1 << 12

// A winograd computes a 3×3 convolution from tiles of 4×4 results. The tiles of some
// images are put in order, see winogradTiles, and blocks of them become 36 matrix products,
// one for each place ξ of the transformed tile:
//
//	m[ξ][oc][tile] = Σ_ic u[ξ][oc][ic] · v[ξ][ic][tile]
//
// with u the transformed weights and v the transformed 6×6 tiles of the image. A block goes
// from the rows of the image to the rows of the result while its numbers are in the second
// level of cache. Several small images may be computed at a time, so that their tiles fill a block.
type winograd struct {
	*winogradTiles
	valueOffsets []int32 // where the tiles of each input channel begin in v
	together     int     // how many panels of output channels are computed before they are transformed back
}

func newWinograd(g *convGeometry, images int) *winograd {
	mr, _ := simd.Tile()
	w := &winograd{winogradTiles: newWinogradTiles(g, images, g.ic), valueOffsets: make([]int32, min(mulBlock, g.ic))}
	w.together = max(1, winogradProducts/(mr*w.valueLen()))
	for c := range w.valueOffsets {
		w.valueOffsets[c] = int32(c * w.valueLen())
	}
	return w
}

// shares is how many shares of the output channels a team computes each block in.
func (w *winograd) shares(team int) int { return panelShares(len(w.blocks), w.panels(), team) }

// bestGroup returns how many images should be computed at a time: the fewest that leave at
// most a tenth of the products' columns empty, and not so many that a thread has nothing
// to do. Results do not depend on it.
func (w *winograd) bestGroup() int {
	_, nr := simd.Tile()
	best, use := 1, 0.0
	for images := 1; images <= max(1, w.n/Threads()) && use < 0.9; images++ {
		tiles := w.tiles / w.images * images
		columns := tiles/w.size*w.size + roundUp(tiles%w.size, nr)
		if u := float64(tiles) / float64(columns); u > use {
			best, use = images, u
		}
	}
	return best
}

func (w *winograd) transposed(channels int) convAlgorithm {
	return newWinograd(w.convGeometry.transposed(channels), 1)
}

func (w *winograd) weightGrad() weightGradAlgorithm { return newWinogradGrad(w) }

func (w *winograd) packedLen() int {
	mr, _ := simd.Tile()
	return 36 * w.panels() * w.ic * mr
}

// packWeights transforms weights and arranges them for simd.GemmTile: for each ξ, for
// each panel of mr output channels, for each ic, those mr numbers.
func (w *winograd) packWeights(dst []float32, k kernels) {
	mr, _ := simd.Tile()
	panels := w.panels()
	Parallel(panels, func(p int) {
		var weights [9]float32
		var u [maxRows][36]float32
		for ic := range w.ic {
			for i := range mr {
				if oc := p*mr + i; oc < w.oc {
					k.read(weights[:], 1, oc, ic)
					u[i] = simd.WinogradWeights(&weights)
				} else {
					u[i] = [36]float32{}
				}
			}
			for xi := range 36 {
				for i := range mr {
					dst[((xi*panels+p)*w.ic+ic)*mr+i] = u[i][xi]
				}
			}
		}
	})
}

// maxRows is the largest number of rows of simd.Tile at any level.
const maxRows = 8

// blockLen is the size of a channel's pixels between the two steps of a transformation, of rows of
// pixels that are computed, of v, and of m for as many output channels as are computed at a time.
func (w *winograd) blockLen(team int) int {
	mr, _ := simd.Tile()
	shares := w.shares(team)
	channels := min(w.together, (w.panels()+shares-1)/shares) * mr
	return alignLen(w.linesLen()) + alignLen(w.rowsLen()) + w.ic*w.valueLen() + channels*w.valueLen()
}

// winogradProducts is about how many numbers of m wait in the cache to be transformed back.
const winogradProducts = 1 << 17

// convolve computes all output channels of as many images as are computed at a time.
func (w *winograd) convolve(t *imageTask) {
	each(w, t, len(w.blocks)*w.shares(t.team), (*winograd).block)
}

// block computes share i%shares of the output channels, for block i/shares of the tiles.
func (w *winograd) block(t *imageTask, worker, i int) {
	mr, _ := simd.Tile()
	shares := w.shares(t.team)
	b := &w.blocks[i/shares]
	first, panels := panelShare(w.panels(), i%shares, shares)
	memory := t.threadMemory(worker)
	lines, rows := carve(&memory, w.linesLen()), carve(&memory, w.rowsLen())
	v := memory[:w.ic*w.valueLen()]
	m := memory[len(v):]
	for c := range w.ic {
		w.input(t, t.source, b, c, v[c*w.valueLen():], lines, rows)
	}
	for end := first + panels; first < end; {
		count := min(w.together, end-first)
		w.multiply(t, m, v, first, count, i/shares, first == end-panels)
		for oc := first * mr; oc < min(w.oc, (first+count)*mr); oc++ {
			w.output(t, b, oc, m[(oc-first*mr)*w.size:], count*mr*w.size, lines, rows)
		}
		first += count
	}
}

// multiply computes m of a block, for panels of the output channels from the first on. Meanwhile it
// asks for the memory that comes next: that of weights, of the results, and of the next block's input.
func (w *winograd) multiply(t *imageTask, m, v []float32, first, panels, block int, input bool) {
	mr, nr := simd.Tile()
	tiles := w.blocks[block].tiles
	for xi := range 36 {
		if Prefetch {
			w.prefetch(t, first*mr, min(panels*mr, w.oc-first*mr), block, xi, input)
		}
		for c := 0; c < w.ic; c += mulBlock {
			k := min(mulBlock, w.ic-c)
			next := w.following(t.packed, xi, first, panels, c, k)
			for column := 0; column < tiles; column += nr {
				simd.GemmTileBefore(m[xi*panels*mr*w.size+column:], w.size, t.packed[((xi*w.panels()+first)*w.ic+c)*mr:], w.ic*mr,
					v[c*w.valueLen()+xi*w.size+column:], w.valueOffsets[:k], panels, c > 0, next)
				next = nil
			}
		}
	}
}

// following returns the weights to fetch while those of input channels c..c+k-1 are multiplied: the same
// share of those of some panels at the next ξ, or of the next panels at the first.
func (w *winograd) following(packed []float32, xi, first, panels, c, k int) []float32 {
	if !Prefetch {
		return nil
	}
	mr, _ := simd.Tile()
	if xi++; xi == 36 {
		xi, first = 0, (first+panels)%w.panels()
		panels = min(panels, w.panels()-first)
	}
	return packed[((xi*w.panels()+first)*w.ic+c*panels)*mr:][:k*panels*mr]
}

// Prefetch switches on that convolutions ask for memory before they need it, while they compute.
var Prefetch = true

// prefetch asks for the xi-th of 36 parts of the memory that comes next.
func (w *winograd) prefetch(t *imageTask, oc, channels, block, xi int, input bool) {
	for c := channels * xi / 36; c < channels*(xi+1)/36; c++ {
		for i := range w.blocks[block].rows {
			r := &w.blocks[block].rows[i]
			dst := t.dst.channel(r.image*w.oc + oc + c)
			for _, at := range r.own {
				if at >= 0 {
					simd.Prefetch(dst[at:][:r.pixels])
				}
			}
		}
	}
	if next := block + 1; input && next < len(w.blocks) {
		for c := w.ic * xi / 36; c < w.ic*(xi+1)/36; c++ {
			w.blocks[next].prefetch(t, t.source, c)
		}
	}
}
