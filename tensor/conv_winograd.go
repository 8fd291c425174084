package tensor

import "pixelgrad/simd"

// UseWinograd switches on Winograd's minimal filtering for 3×3 convolutions with enough
// channels. It needs a quarter of the multiplications: see winograd below and
// simd.WinogradInput. Results differ by rounding, about 1e-6 of their root mean square.
// Set it to false, before anything is planned or computed, to have every convolution
// computed directly.
var UseWinograd = true

// winogradChannels is the number of input and output channels from which Winograd's way is
// faster. With fewer, transforming tiles takes longer than the saved multiplications.
const winogradChannels = 16

// winogradPixels is the number of pixels in a batch that is worth transforming the weights. It
// is a variable for the tests.
var winogradPixels = 1 << 12

// winogradBlock is how many tiles are transformed, multiplied and transformed back
// before the next ones: a multiple of the columns of every level's simd.Tile. Their
// values, 36·48 numbers a channel, wait in the second and third levels of cache.
const winogradBlock = 48

// winogradGap keeps the 36 rows of values from lying a power of two apart, where they
// would compete for the same few lines of the cache.
const winogradGap = 16

// A winograd computes a 3×3 convolution from tiles of 4×4 results. The tiles of an
// image are listed row by row, and blocks of them become 36 matrix products, one
// for each place ξ of the transformed tile:
//
//	m[ξ][oc][tile] = Σ_ic u[ξ][oc][ic] · v[ξ][ic][tile]
//
// with u the transformed weights and v the transformed 6×6 tiles of the padded image.
// A dilated convolution is dilation² ordinary ones, of the parts that every
// dilation-th row and column of the image make. Several small images may be computed at
// a time, so that their tiles fill a block.
type winograd struct {
	*convGeometry
	images         int // at a time
	tilesY, tilesX int // of each part
	tiles          int // of all parts of all images

	// The padded layout: each part with zeros around it, and room for whole tiles.
	rowLen  int     // of a padded part
	partLen int     // of a padded part's channel
	sources []int32 // where the 6×6 pixels of each tile begin; the last one again and again, to fill a block

	// The layout of results. Results go to the images if whole tiles fit there. Otherwise they
	// go to t.work first, an image of whole tiles.
	fits         bool
	partDistance int     // of one part's results from the next one's
	targets      []int32 // where the 4×4 results of each tile begin, filled up likewise
}

func newWinograd(g *convGeometry, images int) *winograd {
	up := func(n int) int { return (n + 4*g.dilation - 1) / (4 * g.dilation) }
	w := &winograd{convGeometry: g, images: images, tilesY: up(g.h), tilesX: up(g.w)}
	w.tiles = w.parts() * w.tilesY * w.tilesX
	w.rowLen = 4*w.tilesX + 2
	w.partLen = (4*w.tilesY + 2) * w.rowLen
	w.fits = g.dilation == 1 && g.h%4 == 0 && g.w%4 == 0
	w.partDistance = 16 * w.tilesY * w.tilesX
	if w.fits {
		w.partDistance = g.oc * g.pixels()
	}
	w.sources = make([]int32, w.blocks()*winogradBlock)
	w.targets = make([]int32, len(w.sources))
	for i := range w.sources {
		tile := min(i, w.tiles-1)
		part, y, x := tile/w.tilesX/w.tilesY, tile/w.tilesX%w.tilesY, tile%w.tilesX
		w.sources[i] = int32(part*w.partLen + 4*y*w.rowLen + 4*x)
		w.targets[i] = int32(part*w.partDistance + 4*y*4*w.tilesX + 4*x)
	}
	return w
}

// parts is how many there are of all images.
func (w *winograd) parts() int { return w.images * w.dilation * w.dilation }

func (w *winograd) blocks() int { return (w.tiles + winogradBlock - 1) / winogradBlock }

func (w *winograd) shares(team int) int { return panelShares(w.blocks(), w.panels(), team) }

// bestGroup returns how many images should be computed at a time: the fewest that leave at
// most a tenth of the products' columns empty, and not so many that a thread has nothing
// to do. Results do not depend on it.
func (w *winograd) bestGroup() int {
	_, nr := simd.Tile()
	best, use := 1, 0.0
	for images := 1; images <= max(1, w.n/Threads()) && use < 0.9; images++ {
		tiles := w.tiles / w.images * images
		columns := tiles/winogradBlock*winogradBlock + roundUp(tiles%winogradBlock, nr)
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

func (w *winograd) planeLen() int { return w.parts() * w.partLen }

func (w *winograd) padScratch() int { return 2 * w.w }

// pad writes the images that a channel is made of, each with zeros around it.
func (w *winograd) pad(dst []float32, rows rowSource, scratch []float32) {
	first, given := w.dilation-w.above, w.above+w.h+w.below // row 0 is the first of the zeros above
	if w.dilation == 1 {
		clear(dst[:first*w.rowLen])
		for y := range given {
			row := dst[(first+y)*w.rowLen:][:w.rowLen]
			row[0] = 0
			rows.write(row[1:1+w.w], y)
			clear(row[1+w.w:])
		}
		clear(dst[(first+given)*w.rowLen : w.partLen])
		return
	}
	d, whole := w.dilation, scratch[:w.w]
	clear(dst)
	for y := range given {
		rows.write(whole, y)
		at := first + y
		parts := dst[at%d*d*w.partLen+at/d*w.rowLen+1:]
		split(parts, w.partLen, whole, d, scratch[w.w:])
	}
}

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

// valuesLen is how many numbers the transformed tiles of a block take, and ld how far
// apart the rows of one ξ lie from those of the next.
func valuesLen(channels int) (n, ld int) {
	ld = channels*winogradBlock + winogradGap
	return 36 * ld, ld
}

// workLen is the size of the image of whole tiles.
func (w *winograd) workLen() int {
	if w.fits {
		return 0
	}
	return w.oc * 16 * w.tiles
}

// blockLen is the size of v and of the largest share of m.
func (w *winograd) blockLen(team int) int {
	mr, _ := simd.Tile()
	shares := w.shares(team)
	v, _ := valuesLen(w.ic)
	m, _ := valuesLen((w.panels() + shares - 1) / shares * mr)
	return max(v+m, 2*w.w)
}

// convolve computes all output channels of as many images as are computed at a time.
func (w *winograd) convolve(t *imageTask) {
	each(w, t, w.blocks()*w.shares(t.team), (*winograd).block)
	if !w.fits {
		each(w, t, w.images*w.oc, (*winograd).finish)
	}
}

// block computes share i%shares of the output channels, for block i/shares of the tiles.
func (w *winograd) block(t *imageTask, worker, i int) {
	mr, nr := simd.Tile()
	shares := w.shares(t.team)
	first, panels := panelShare(w.panels(), i%shares, shares)
	tile := i / shares * winogradBlock
	vLen, ldv := valuesLen(w.ic)
	_, ldm := valuesLen(panels * mr)
	v, m := t.threadMemory(worker)[:vLen], t.threadMemory(worker)[vLen:]
	count := roundUp(min(winogradBlock, w.tiles-tile), nr) // columns of products
	for ic := range w.ic {
		simd.WinogradInput(v[ic*winogradBlock:], ldv, t.padded[ic*w.planeLen():][:w.planeLen()], w.rowLen, w.sources[tile:][:count])
	}
	for xi := range 36 {
		for c := 0; c < w.ic; c += mulBlock {
			k := min(mulBlock, w.ic-c)
			for column := 0; column < count; column += nr {
				simd.GemmTile(m[xi*ldm+column:], winogradBlock, t.packed[((xi*w.panels()+first)*w.ic+c)*mr:], w.ic*mr,
					v[xi*ldv+c*winogradBlock+column:], valueOffsets[:k], panels, c > 0)
			}
		}
	}
	for oc := first * mr; oc < min(w.oc, (first+panels)*mr); oc++ {
		w.emit(t, tile, oc, m[(oc-first*mr)*winogradBlock:], ldm)
	}
}

// valueOffsets are where the rows of v begin for each input channel of a block.
var valueOffsets = func() []int32 {
	off := make([]int32, mulBlock)
	for i := range off {
		off[i] = int32(i * winogradBlock)
	}
	return off
}()

// emit transforms products of a block of tiles back and writes the results of an output
// channel.
func (w *winograd) emit(t *imageTask, tile, oc int, m []float32, ldm int) {
	end, row := t.end, 4*w.tilesX
	var plane []float32
	if w.fits {
		plane = t.dst.channel(oc)
	} else {
		end, plane = epilogue{}, t.work[oc*16*w.tiles:][:16*w.tiles]
	}
	// Kernels take whole registers of tiles, and the last one would be written twice.
	count := min(winogradBlock, w.tiles-tile)
	lanes := simd.WinogradLanes()
	whole := count / lanes * lanes
	targets := w.targets[tile:]
	if !end.masked {
		simd.WinogradOutput(plane, row, targets[:roundUp(count, lanes)], m, ldm, end.biasOf(oc), end.relu)
		if end.slopes != nil {
			applySlope(plane, row, targets[:count], slopeOf(end.slopes, oc))
		}
		return
	}
	simd.WinogradOutputMasked(plane, row, targets[:whole], m, ldm)
	if whole == count {
		return
	}
	var pixels [16 * maxLanes]float32
	simd.WinogradOutput(pixels[:], 4, tilesApart[:lanes], m[whole:], ldm, 0, false)
	for i, target := range targets[whole:count] {
		for r := range 4 {
			end.store(plane[int(target)+r*row:][:4], pixels[16*i+4*r:][:4], oc)
		}
	}
}

// applySlope multiplies with slope what is negative in tiles that were written just now. Tiles that
// lie side by side are one run of memory in each of their four rows.
func applySlope(plane []float32, row int, targets []int32, slope float32) {
	for len(targets) > 0 {
		n := 1
		for n < len(targets) && targets[n] == targets[n-1]+4 {
			n++
		}
		for r := range 4 {
			pixels := plane[int(targets[0])+r*row:][:4*n]
			simd.AddBiasPReLU(pixels, pixels, 0, slope)
		}
		targets = targets[n:]
	}
}

// maxLanes is the largest number of simd.WinogradLanes at any level.
const maxLanes = 8

// tilesApart are places of tiles that do not lie side by side.
var tilesApart = [maxLanes]int32{0, 16, 32, 48, 64, 80, 96, 112}

// finish writes channel i%oc of image i/oc, from the image of whole tiles.
func (w *winograd) finish(t *imageTask, worker, i int) {
	oc := i % w.oc
	d, row := w.dilation, 4*w.tilesX
	size := 16 * w.tiles / w.images
	dst, whole := t.dst.channel(i), t.work[(oc*w.images+i/w.oc)*size:][:size]
	buffer := t.threadMemory(worker)[:2*w.w]
	for y := range w.h {
		src := whole[(y%d*d*4*w.tilesY+y/d)*row:]
		if d > 1 {
			merge(buffer[:w.w], src, 4*w.tilesY*row, d, buffer[w.w:])
			src = buffer
		}
		t.end.store(dst[y*w.w:][:w.w], src[:w.w], oc)
	}
}
