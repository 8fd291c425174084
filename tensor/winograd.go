package tensor

import "pixelgrad/simd"

// UseWinograd lets 3×3 convolutions with enough channels be computed by Winograd's
// minimal filtering, with a quarter of the multiplications: see winograd below and
// simd.WinogradInput. Results differ by rounding, about 1e-6 of their root mean square.
// Set it to false, before any computation, to have every convolution computed directly.
var UseWinograd = true

// winogradChannels is how many input and output channels make Winograd's way the faster
// one: with fewer, transforming tiles takes longer than the multiplications saved.
const winogradChannels = 16

// winogradPixels is how many pixels a batch must have, so that it is worth the while to
// transform the weights. It is a variable for the tests.
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
// A dilated convolution is dilation² ordinary ones, of the images that every
// dilation-th row and column make.
type winograd struct {
	*convShape
	tilesY, tilesX int // of each of those images
	rowLen         int // of a padded one
	partLen        int // of a padded one's channel
	tiles          int // of all of them
}

func newWinograd(s *convShape) *winograd {
	up := func(n int) int { return (n + 4*s.dilation - 1) / (4 * s.dilation) }
	w := &winograd{convShape: s, tilesY: up(s.h), tilesX: up(s.w)}
	w.rowLen = 4*w.tilesX + 2
	w.partLen = (4*w.tilesY + 2) * w.rowLen
	w.tiles = s.dilation * s.dilation * w.tilesY * w.tilesX
	return w
}

func (w *winograd) planeLen() int { return w.dilation * w.dilation * w.partLen }

func (w *winograd) transposed(channels int) convMethod { return newWinograd(w.flipped(channels)) }

// pad writes the images that a channel is made of, each with zeros around it.
func (w *winograd) pad(dst []float32, rows convRows) {
	if w.dilation == 1 {
		clear(dst[:w.rowLen])
		for y := range w.h {
			row := dst[(y+1)*w.rowLen:][:w.rowLen]
			row[0] = 0
			rows.write(row[1:1+w.w], y)
			clear(row[1+w.w:])
		}
		clear(dst[(w.h+1)*w.rowLen : w.partLen])
		return
	}
	d := w.dilation
	buffer := takeBuffer(2 * w.w)
	defer giveBuffer(buffer)
	clear(dst)
	for y := range w.h {
		whole := buffer[:w.w]
		rows.write(whole, y)
		parts := dst[y%d*d*w.partLen+(y/d+1)*w.rowLen+1:]
		split(parts, w.partLen, whole, d, buffer[w.w:])
	}
}

// split writes every d-th element of src, beginning with the first, to dst, those
// beginning with the second ld further on, and so forth. scratch is as long as src.
func split(dst []float32, ld int, src []float32, d int, scratch []float32) {
	switch n := len(src); {
	case d == 1:
		copy(dst, src)
	case d == 2 && n > 1:
		simd.Deinterleave2(dst[:(n+1)/2], dst[ld:][:n/2], src)
	case d%2 == 0 && n > 1: // halves, of which each is split on; their parts alternate
		even, odd := scratch[:(n+1)/2], scratch[(n+1)/2:n]
		simd.Deinterleave2(even, odd, src)
		split(dst, 2*ld, even, d/2, src) // src has served
		split(dst[ld:], 2*ld, odd, d/2, src)
	default:
		for r := range min(d, n) {
			for x, i := r, 0; x < n; x, i = x+d, i+1 {
				dst[r*ld+i] = src[x]
			}
		}
	}
}

// merge is the inverse of split: it gathers dst from rows ld apart.
func merge(dst, src []float32, ld, d int, scratch []float32) {
	switch n := len(dst); {
	case d == 1:
		copy(dst, src)
	case d == 2 && n > 1:
		simd.Interleave2(dst, src[:(n+1)/2], src[ld:][:n/2])
	case d%2 == 0 && n > 1:
		even, odd := scratch[:(n+1)/2], scratch[(n+1)/2:n]
		merge(even, src, 2*ld, d/2, dst) // dst serves as scratch until it is written
		merge(odd, src[ld:], 2*ld, d/2, dst)
		simd.Interleave2(dst, even, odd)
	default:
		for r := range min(d, n) {
			for x, i := r, 0; x < n; x, i = x+d, i+1 {
				dst[x] = src[r*ld+i]
			}
		}
	}
}

// place returns in which part a tile lies, and at which row and column of tiles.
func (w *winograd) place(tile int) (part, y, x int) {
	each := w.tilesY * w.tilesX
	return tile / each, tile % each / w.tilesX, tile % w.tilesX
}

// offsets writes where the 6×6 pixels of a block's tiles begin in a padded channel.
// Beyond the last tile it is repeated.
func (w *winograd) offsets(dst *[winogradBlock]int32, first int) {
	for i := range dst {
		part, y, x := w.place(min(first+i, w.tiles-1))
		dst[i] = int32(part*w.partLen + 4*y*w.rowLen + 4*x)
	}
}

func (w *winograd) blocks() int { return (w.tiles + winogradBlock - 1) / winogradBlock }

// packWeights transforms weights and arranges them for simd.GemmTile: for each ξ, for
// each panel of mr output channels, for each ic, those mr numbers.
func (w *winograd) packWeights(at func(oc, ic, tap int) float32) []float32 {
	mr, _ := simd.Tile()
	panels := w.panels()
	packed := takeBuffer(36 * panels * w.ic * mr)
	Parallel(panels, func(p int) {
		for ic := range w.ic {
			for i := range mr {
				var u [36]float32
				if oc := p*mr + i; oc < w.oc {
					var g [9]float32
					for tap := range g {
						g[tap] = at(oc, ic, tap)
					}
					u = simd.WinogradWeights(&g)
				}
				for xi, v := range u {
					packed[((xi*panels+p)*w.ic+ic)*mr+i] = v
				}
			}
		}
	})
	return packed
}

func (w *winograd) panels() int {
	mr, _ := simd.Tile()
	return (w.oc + mr - 1) / mr
}

// transform writes v, the transformed tiles of a block of all channels of a padded image.
func (w *winograd) transform(v []float32, ld int, padded []float32, off []int32) {
	for ic := range w.ic {
		simd.WinogradInput(v[ic*winogradBlock:], ld, padded[ic*w.planeLen():][:w.planeLen()], w.rowLen, off)
	}
}

// valuesLen is how many numbers the transformed tiles of a block take, and ld how far
// apart the rows of one ξ lie from those of the next.
func valuesLen(channels int) (n, ld int) {
	ld = channels*winogradBlock + winogradGap
	return 36 * ld, ld
}

// image computes all output channels of one image.
func (w *winograd) image(dst func(oc int) []float32, padded, packed []float32, e epilogue, parallel func(int, func(int))) {
	mr, nr := simd.Tile()
	panels := w.panels()
	// Tiles that do not fit the image, or lie between those of other parts of it, are
	// written to an image of whole tiles first.
	size := 16 * w.tiles
	var whole []float32
	if w.dilation > 1 || w.h%4 != 0 || w.w%4 != 0 {
		whole = takeBuffer(w.oc * size)
		defer giveBuffer(whole)
	}
	parallel(w.blocks(), func(block int) {
		var off [winogradBlock]int32
		w.offsets(&off, block*winogradBlock)
		vLen, ldv := valuesLen(w.ic)
		v := takeBuffer(vLen)
		defer giveBuffer(v)
		count := (min(winogradBlock, w.tiles-block*winogradBlock) + nr - 1) / nr * nr // columns of products
		w.transform(v, ldv, padded, off[:count])
		mLen, ldm := valuesLen(panels * mr)
		m := takeBuffer(mLen)
		defer giveBuffer(m)
		for xi := range 36 {
			for c := 0; c < w.ic; c += mulBlock {
				k := min(mulBlock, w.ic-c)
				for t := 0; t < count; t += nr {
					simd.GemmTile(m[xi*ldm+t:], winogradBlock, packed[(xi*panels*w.ic+c)*mr:], w.ic*mr,
						v[xi*ldv+c*winogradBlock+t:], winogradOffsets[:k], panels, c > 0)
				}
			}
		}
		if whole == nil {
			w.emit(dst, block*winogradBlock, m, ldm, e)
		} else {
			w.emit(func(oc int) []float32 { return whole[oc*size:][:size] }, block*winogradBlock, m, ldm, epilogue{})
		}
	})
	if whole != nil {
		parallel(w.oc, func(oc int) { w.mergeParts(dst(oc), whole[oc*size:][:size], e, oc) })
	}
}

// mergeParts writes an output channel, given the parts of it that were computed apart.
func (w *winograd) mergeParts(dst, whole []float32, e epilogue, oc int) {
	d, row := w.dilation, 4*w.tilesX
	buffer := takeBuffer(2 * w.w)
	defer giveBuffer(buffer)
	for y := range w.h {
		src := whole[(y%d*d*4*w.tilesY+y/d)*row:]
		if d > 1 {
			merge(buffer[:w.w], src, 4*w.tilesY*row, d, buffer[w.w:])
			src = buffer
		}
		e.row(dst[y*w.w:][:w.w], src[:w.w], oc)
	}
}

// winogradOffsets are where the rows of v begin for each input channel of a block.
var winogradOffsets = func() []int32 {
	off := make([]int32, mulBlock)
	for i := range off {
		off[i] = int32(i * winogradBlock)
	}
	return off
}()

// emit transforms products of a block of tiles back and writes the pixels to images that
// consist of whole tiles.
func (w *winograd) emit(dst func(oc int) []float32, first int, m []float32, ldm int, e epilogue) {
	var off [winogradBlock]int32
	row := 4 * w.tilesX
	for i := range off {
		part, y, x := w.place(min(first+i, w.tiles-1))
		off[i] = int32((part*w.tilesY+y)*4*row + 4*x)
	}
	// Kernels take whole registers of tiles, and the last one would be written twice.
	count := min(winogradBlock, w.tiles-first)
	lanes := simd.WinogradLanes()
	most, up := count/lanes*lanes, (count+lanes-1)/lanes*lanes
	for oc := range w.oc {
		plane, values := dst(oc), m[oc*winogradBlock:]
		if !e.masked {
			simd.WinogradOutput(plane, row, off[:up], values, ldm, bias(e.bias, oc), e.relu)
			continue
		}
		simd.WinogradOutputMasked(plane, row, off[:most], values, ldm)
		if most == count {
			continue
		}
		var pixels [16 * maxLanes]float32
		simd.WinogradOutput(pixels[:], 4, tilesApart[:lanes], values[most:], ldm, 0, false)
		for i, o := range off[most:count] {
			for r := range 4 {
				e.row(plane[int(o)+r*row:][:4], pixels[16*i+4*r:][:4], oc)
			}
		}
	}
}

// maxLanes is the largest number of simd.WinogradLanes at any level.
const maxLanes = 8

// tilesApart are places of tiles that do not lie side by side.
var tilesApart = [maxLanes]int32{0, 16, 32, 48, 64, 80, 96, 112}

// A winogradGrad computes the gradient of the weights from the same tiles: with g the
// transformed 4×4 tiles of the gradient of the result, that of u is
//
//	du[ξ][ic][oc] = Σ_tile v[ξ][ic][tile] · g[ξ][oc][tile]
type winogradGrad struct {
	*winograd
	rows, channels int // ic and oc, filled up to whole tiles of simd.WeightGradTile
	taps           []int32
}

func (w *winograd) weightGrad() weightGradMethod {
	mt, nt := simd.GradTile()
	g := &winogradGrad{winograd: w, rows: (w.ic + mt - 1) / mt * mt, channels: (w.oc + nt - 1) / nt * nt}
	g.taps = make([]int32, g.rows)
	for ic := range g.taps {
		g.taps[ic] = int32(min(ic, w.ic-1) * winogradBlock)
	}
	return g
}

// image returns du of one image, given it and the gradient of its result, both padded.
func (g *winogradGrad) image(x, dy []float32, parallel func(int, func(int))) []float32 {
	_, nt := simd.GradTile()
	du := takeBuffer(36 * g.rows * g.channels)
	vLen, ldv := valuesLen(g.ic)
	v := takeBuffer(vLen)
	defer giveBuffer(v)
	gLen, ldg := valuesLen(g.channels)
	values := takeBuffer(gLen)
	defer giveBuffer(values)
	for block := range g.blocks() {
		var off [winogradBlock]int32
		g.offsets(&off, block*winogradBlock)
		count := min(winogradBlock, g.tiles-block*winogradBlock)
		parallel(g.ic, func(ic int) {
			simd.WinogradInput(v[ic*winogradBlock:], ldv, x[ic*g.planeLen():][:g.planeLen()], g.rowLen, off[:])
		})
		parallel(g.channels, func(oc int) { // the result's pixels begin one row and column later
			simd.WinogradGradient(values[oc*winogradBlock:], ldg, dy[oc*g.planeLen():][:g.planeLen()][g.rowLen+1:], g.rowLen, off[:])
		})
		parallel(36, func(xi int) {
			sums := du[xi*g.rows*g.channels:][:g.rows*g.channels]
			if block == 0 {
				clear(sums)
			}
			pixels := takeBuffer(winogradBlock * nt)
			defer giveBuffer(pixels)
			for oc := 0; oc < g.channels; oc += nt {
				for i := 0; i < nt; i += 8 {
					simd.Transpose8(pixels[i:], nt, values[xi*ldg+(oc+i)*winogradBlock:], winogradBlock, count)
				}
				simd.WeightGradTile(sums[oc:], g.channels, v[xi*ldv:], g.taps, pixels, count)
			}
		})
	}
	return du
}

// collect transforms the sum of the images' du back.
func (g *winogradGrad) collect(parts [][]float32, dw *Tensor, place func(ic int) int) {
	if len(parts) == 0 {
		return
	}
	total := sumParts(parts)
	Parallel(g.ic, func(ic int) {
		for oc := range g.oc {
			var u [36]float32
			for xi := range u {
				u[xi] = total[(xi*g.rows+ic)*g.channels+oc]
			}
			w := simd.WinogradWeightsGradient(&u)
			copy(dw.data[(oc*dw.shape[1]+place(ic))*9:], w[:])
		}
	})
	giveBuffer(total)
}
