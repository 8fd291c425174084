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

// packedPixels is the same if the weights have been transformed before: so many that they
// come near to filling a block.
var packedPixels = 1 << 10

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
	*convShape
	images         int // at a time
	tilesY, tilesX int // of each part
	rowLen         int // of a padded part
	partLen        int // of a padded part's channel
	tiles          int // of all parts
}

func newWinograd(s *convShape) *winograd {
	up := func(n int) int { return (n + 4*s.dilation - 1) / (4 * s.dilation) }
	w := &winograd{convShape: s, tilesY: up(s.h), tilesX: up(s.w)}
	w.rowLen = 4*w.tilesX + 2
	w.partLen = (4*w.tilesY + 2) * w.rowLen
	return w.of(1)
}

// of returns the same for some images at a time.
func (w *winograd) of(images int) *winograd {
	v := *w
	v.images = images
	v.tiles = images * w.dilation * w.dilation * w.tilesY * w.tilesX
	return &v
}

// group returns how many images should be computed at a time: the fewest that leave at
// most a tenth of the products' columns empty, and not so many that a thread has nothing
// to do. Results do not depend on it.
func (w *winograd) group() int {
	_, nr := simd.Tile()
	best, use := 1, 0.0
	for images := 1; images <= max(1, w.n/Threads()) && use < 0.9; images++ {
		tiles := w.of(images).tiles
		columns := tiles/winogradBlock*winogradBlock + (tiles%winogradBlock+nr-1)/nr*nr
		if u := float64(tiles) / float64(columns); u > use {
			best, use = images, u
		}
	}
	return best
}

func (w *winograd) planeLen() int { return w.images * w.dilation * w.dilation * w.partLen }

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
func (w *winograd) packWeights(k kernels) []float32 {
	packed := takeBuffer(w.packedLen())
	w.packTo(packed, k)
	return packed
}

func (w *winograd) packedLen() int {
	mr, _ := simd.Tile()
	return 36 * w.panels() * w.ic * mr
}

// packTo is packWeights in given memory.
func (w *winograd) packTo(packed []float32, k kernels) {
	mr, _ := simd.Tile()
	panels := w.panels()
	Parallel(panels, func(p int) {
		var buffer [9]float32
		var u [maxRows][36]float32
		for ic := range w.ic {
			for i := range mr {
				if oc := p*mr + i; oc < w.oc {
					u[i] = simd.WinogradWeights((*[9]float32)(k.at(oc, ic, buffer[:])))
				} else {
					u[i] = [36]float32{}
				}
			}
			for xi := range 36 {
				dst := packed[((xi*panels+p)*w.ic+ic)*mr:][:mr]
				for i := range dst {
					dst[i] = u[i][xi]
				}
			}
		}
	})
}

// maxRows is the largest number of rows of simd.Tile at any level.
const maxRows = 8

func (w *winograd) panels() int {
	mr, _ := simd.Tile()
	return (w.oc + mr - 1) / mr
}

// valuesLen is how many numbers the transformed tiles of a block take, and ld how far
// apart the rows of one ξ lie from those of the next.
func valuesLen(channels int) (n, ld int) {
	ld = channels*winogradBlock + winogradGap
	return 36 * ld, ld
}

// image computes all output channels of one image, or of as many as are computed at a time.
func (w *winograd) image(dst planes, padded, packed []float32, e epilogue, together bool) {
	shares := panelShares(w.blocks(), w.panels(), together)
	job := winogradJob{w, dst, w.oc * w.h * w.w, shares, padded, packed, e}
	if w.dilation == 1 && w.h%4 == 0 && w.w%4 == 0 {
		job.dst.span = (w.images-1)*job.distance + w.h*w.w
		winogradJobs.with(job, together, w.blocks()*shares, (*winogradJob).block)
		return
	}
	// Tiles that do not fit the image, or lie between those of other parts of it, are
	// written to an image of whole tiles first.
	size := 16 * w.tiles
	whole := takeBuffer(w.oc * size)
	defer giveBuffer(whole)
	job.dst, job.distance, job.e = planes{data: whole, size: size}, size/w.parts(), epilogue{}
	winogradJobs.with(job, together, w.blocks()*shares, (*winogradJob).block)
	mergeJobs.with(mergeJob{w, dst, whole, e}, together, w.images*w.oc, (*mergeJob).channel)
}

// parts is how many there are of all images.
func (w *winograd) parts() int { return w.images * w.dilation * w.dilation }

// A winogradJob is the convolution of an image, whose results have whole tiles.
type winogradJob struct {
	*winograd
	dst            planes
	distance       int // of one part of dst from the next
	shares         int // of output channels
	padded, packed []float32
	e              epilogue
}

var winogradJobs jobs[winogradJob]

// block computes share i%shares of the output channels, for block i/shares of the tiles.
func (w *winogradJob) block(i int) {
	mr, nr := simd.Tile()
	all, block := w.panels(), i/w.shares
	first, panels := panelShare(all, i%w.shares, w.shares)
	var off [winogradBlock]int32
	w.offsets(&off, block*winogradBlock)
	vLen, ldv := valuesLen(w.ic)
	v := takeBuffer(vLen)
	defer giveBuffer(v)
	count := (min(winogradBlock, w.tiles-block*winogradBlock) + nr - 1) / nr * nr // columns of products
	for ic := range w.ic {
		simd.WinogradInput(v[ic*winogradBlock:], ldv, w.padded[ic*w.planeLen():][:w.planeLen()], w.rowLen, off[:count])
	}
	mLen, ldm := valuesLen(panels * mr)
	m := takeBuffer(mLen)
	defer giveBuffer(m)
	for xi := range 36 {
		for c := 0; c < w.ic; c += mulBlock {
			k := min(mulBlock, w.ic-c)
			for t := 0; t < count; t += nr {
				simd.GemmTile(m[xi*ldm+t:], winogradBlock, w.packed[((xi*all+first)*w.ic+c)*mr:], w.ic*mr,
					v[xi*ldv+c*winogradBlock+t:], winogradOffsets[:k], panels, c > 0)
			}
		}
	}
	w.emit(block*winogradBlock, first*mr, min(w.oc, (first+panels)*mr), m, ldm)
}

// A mergeJob writes output channels, given the parts of them that were computed apart.
type mergeJob struct {
	*winograd
	dst   planes
	whole []float32
	e     epilogue
}

var mergeJobs jobs[mergeJob]

// channel writes channel i%oc of image i/oc.
func (w *mergeJob) channel(i int) {
	oc := i % w.oc
	d, row := w.dilation, 4*w.tilesX
	size := 16 * w.tiles / w.images
	dst, whole := w.dst.at(i), w.whole[(oc*w.images+i/w.oc)*size:][:size]
	buffer := takeBuffer(2 * w.w)
	defer giveBuffer(buffer)
	for y := range w.h {
		src := whole[(y%d*d*4*w.tilesY+y/d)*row:]
		if d > 1 {
			merge(buffer[:w.w], src, 4*w.tilesY*row, d, buffer[w.w:])
			src = buffer
		}
		w.e.row(dst[y*w.w:][:w.w], src[:w.w], oc)
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

// emit transforms products of a block of tiles back and writes the pixels of the output
// channels from oc0 to oc1-1.
func (w *winogradJob) emit(first, oc0, oc1 int, m []float32, ldm int) {
	e := w.e
	var off [winogradBlock]int32
	row := 4 * w.tilesX
	for i := range off {
		part, y, x := w.place(min(first+i, w.tiles-1))
		off[i] = int32(part*w.distance + 4*y*row + 4*x)
	}
	// Kernels take whole registers of tiles, and the last one would be written twice.
	count := min(winogradBlock, w.tiles-first)
	lanes := simd.WinogradLanes()
	most, up := count/lanes*lanes, (count+lanes-1)/lanes*lanes
	for oc := oc0; oc < oc1; oc++ {
		plane, values := w.dst.at(oc), m[(oc-oc0)*winogradBlock:]
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

func (g *winogradGrad) size() int { return 36 * g.rows * g.channels }

// image computes du of one image.
func (g *winogradGrad) image(du, x, dy []float32, together bool) {
	vLen, ldv := valuesLen(g.ic)
	gLen, ldg := valuesLen(g.channels)
	v, values := takeBuffer(vLen), takeBuffer(gLen)
	defer giveBuffer(v)
	defer giveBuffer(values)
	for first := 0; first < g.tiles; first += winogradBlock {
		job := winogradGradJob{winogradGrad: g, x: x, dy: dy, du: du, v: v, values: values, ldv: ldv, ldg: ldg, first: first}
		g.winograd.offsets(&job.off, first)
		winogradGradJobs.with(job, together, g.ic, (*winogradGradJob).input)
		winogradGradJobs.with(job, together, g.channels, (*winogradGradJob).gradient)
		winogradGradJobs.with(job, together, 36, (*winogradGradJob).product)
	}
}

// A winogradGradJob adds to du what a block of tiles contributes.
type winogradGradJob struct {
	*winogradGrad
	x, dy, du, v, values []float32
	ldv, ldg             int
	first                int // tile
	off                  [winogradBlock]int32
}

var winogradGradJobs jobs[winogradGradJob]

// input transforms tiles of an input channel.
func (g *winogradGradJob) input(ic int) {
	simd.WinogradInput(g.v[ic*winogradBlock:], g.ldv, g.x[ic*g.planeLen():][:g.planeLen()], g.rowLen, g.off[:])
}

// gradient transforms tiles of the gradient of an output channel, whose pixels begin one
// row and column later.
func (g *winogradGradJob) gradient(oc int) {
	simd.WinogradGradient(g.values[oc*winogradBlock:], g.ldg, g.dy[oc*g.planeLen():][:g.planeLen()][g.rowLen+1:], g.rowLen, g.off[:])
}

// product adds the product of both at place xi.
func (g *winogradGradJob) product(xi int) {
	_, nt := simd.GradTile()
	count := min(winogradBlock, g.tiles-g.first)
	sums := g.du[xi*g.rows*g.channels:][:g.rows*g.channels]
	if g.first == 0 {
		clear(sums)
	}
	pixels := takeBuffer(winogradBlock * nt)
	defer giveBuffer(pixels)
	for oc := 0; oc < g.channels; oc += nt {
		for i := 0; i < nt; i += 8 {
			simd.Transpose8(pixels[i:], nt, g.values[xi*g.ldg+(oc+i)*winogradBlock:], winogradBlock, count)
		}
		simd.WeightGradTile(sums[oc:], g.channels, g.v[xi*g.ldv:], g.taps, pixels, count)
	}
}

// collect transforms the sum of the images' du back.
func (g *winogradGrad) collect(total []float32, dw *Tensor, place []int32) {
	Parallel(g.ic, func(ic int) {
		for oc := range g.oc {
			var u [36]float32
			for xi := range u {
				u[xi] = total[(xi*g.rows+ic)*g.channels+oc]
			}
			w := simd.WinogradWeightsGradient(&u)
			copy(dw.data[(oc*dw.shape[1]+int(place[ic]))*9:], w[:])
		}
	})
}
