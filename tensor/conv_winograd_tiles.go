package tensor

import "pixelgrad/simd"

// winogradTiles puts the tiles of images in order. A dilated convolution is dilation² ordinary
// ones, of the pixels (d·i+py, d·j+px) with the same phase (py,px). Tiles that are side by side
// are a row of tiles, those of the phases px between each other: see simd.WinogradInputRows. The order
// is: image by image, phase py by phase, row by row.
//
//	d = 2:  rows 0, 2, 4 and 6 of the image:  a row of tiles of phases (0,0), (0,1), (0,0), (0,1), …
//	        rows 8, 10, 12 and 14:            the next row of tiles
//	        …
//	        rows 1, 3, 5 and 7:               the first row of tiles of phases (1,0) and (1,1)
type winogradTiles struct {
	*convGeometry
	images int // at a time
	perRow int // tiles
	rows   int // of tiles in each phase py
	tiles  int // of all images
	size   int // of a block
	blocks []winogradBlock
}

// A winogradBlock is tiles that are transformed, multiplied and transformed back before the next
// ones.
type winogradBlock struct {
	tiles       int
	rows        []tileRow
	left, right []int32 // which tiles have neighbours in their rows: see simd.WinogradInputTiles
}

// A tileRow is the tiles of a block that are in one row.
type tileRow struct {
	image     int // of those that are computed at a time
	place     int // of the first tile in the block
	count     int // of tiles
	x, pixels int // the first pixel that belongs to them, and how many there are

	// Where the first of these pixels is in the six rows that the tiles are made of, and in the four
	// that belong to them alone; −1 for rows outside of the image.
	rows [6]int32
	own  [4]int32

	// follows says whether the row of tiles before it in the block is the one above it, and depth how
	// many are above it there.
	follows bool
	depth   int
}

// valueNumbers is about how many numbers v should have: they wait in the second level of cache.
const valueNumbers = 84 << 10

// blockTiles returns how many tiles a block has, for so many channels: whole columns of simd.Tile.
func blockTiles(channels int) int {
	_, nr := simd.Tile()
	return min(simd.MaxWinogradTiles, max(simd.MaxTile, valueNumbers/36/channels)) / nr * nr
}

// newWinogradTiles puts tiles of images in order, for blocks with the values of so many channels.
func newWinogradTiles(g *convGeometry, images, channels int) *winogradTiles {
	d := g.dilation
	up := func(n int) int { return (n + 4*d - 1) / (4 * d) }
	w := &winogradTiles{convGeometry: g, images: images, perRow: d * up(g.w), rows: up(g.h), size: blockTiles(channels)}
	w.tiles = images * d * w.rows * w.perRow
	edges := map[int][2][]int32{}
	for at := 0; at < w.tiles; at += w.size {
		b := w.block(at, min(w.tiles, at+w.size))
		first := at % w.perRow
		if _, ok := edges[first]; !ok {
			edges[first] = w.edges(first)
		}
		b.left, b.right = edges[first][0], edges[first][1]
		w.blocks = append(w.blocks, b)
	}
	return w
}

// edges returns which tiles of a block have neighbours, −1, and which have not, 0, if the block begins
// at tile first of a row.
func (w *winogradTiles) edges(first int) (e [2][]int32) {
	for i := range w.size {
		q := (first + i) % w.perRow
		left, right := int32(-1), int32(-1)
		if q < w.dilation {
			left = 0
		}
		if q >= w.perRow-w.dilation {
			right = 0
		}
		e[0], e[1] = append(e[0], left), append(e[1], right)
	}
	return e
}

// block returns the block of tiles from..to-1.
func (w *winogradTiles) block(from, to int) winogradBlock {
	b := winogradBlock{tiles: to - from}
	for row := from / w.perRow; row*w.perRow < to; row++ {
		begin, end := max(from, row*w.perRow), min(to, (row+1)*w.perRow)
		r := tileRow{image: row / (w.dilation * w.rows), place: begin - from, count: end - begin, x: 4 * (begin - row*w.perRow)}
		r.pixels = max(0, min(4*r.count, w.w-r.x))
		phase, tileRow := row/w.rows%w.dilation, row%w.rows
		y := func(i int) int { return w.dilation*(4*tileRow+i) + phase }
		for i := range r.rows {
			r.rows[i] = -1
			if y := y(i - 1); y >= -w.above && y < w.h+w.below {
				r.rows[i] = int32((y+w.above)*w.w + r.x)
			}
		}
		for i := range r.own {
			r.own[i] = -1
			if y := y(i); y < w.h {
				r.own[i] = int32(y*w.w + r.x)
			}
		}
		if n := len(b.rows); n > 0 && tileRow > 0 {
			r.follows, r.depth = true, b.rows[n-1].depth+1
		}
		b.rows = append(b.rows, r)
	}
	return b
}

// tableLen returns how many numbers say where rows are.
func (w *winogradTiles) tableLen() int {
	n := 0
	for _, b := range w.blocks {
		n += 2*w.size + 24*len(b.rows)
	}
	return n
}

// valueLen is how many numbers the transformed tiles of a block have, in a channel.
func (w *winogradTiles) valueLen() int { return 36 * w.size }

// Between the two steps of a transformation, a channel's tiles of a block are six rows of pixels,
// lineStride apart. Pixel 1 of the first tile is at lineGap. The pixels of its neighbours are on both
// sides.
const lineGap = 16

func (w *winogradTiles) lineStride() int { return 4*w.size + 2*lineGap }
func (w *winogradTiles) linesLen() int   { return 6*w.lineStride() + simd.WinogradOverrun }

// ringRows is how many rows that are computed are kept: two of a row of tiles are the next one's too.
const ringRows = 8

// rowsLen is how much memory rows of pixels take that have to be computed: those of tiles, or of
// what is added to results, see enlarge.
func (w *winogradTiles) rowsLen() int { return max(ringRows, 3*w.dilation+1)*w.w + blendLen(w.w) }

// input transforms a block's tiles of channel c of a source to v.
func (w *winogradTiles) input(t *imageTask, source channelSource, b *winogradBlock, c int, v, lines, memory []float32) {
	ld, d := w.lineStride(), w.dilation
	var channel rowSource
	for i := range b.rows {
		r := &b.rows[i]
		if i == 0 || r.image != b.rows[i-1].image {
			channel = source.channel(t, r.image, c, memory[len(memory)-blendLen(w.w):])
		}
		pixels, rows := channel.pixels, r.rows
		if !channel.stored() {
			pixels = memory
			w.ring(b, i, &channel, memory, &rows)
		}
		if i == 0 && r.x > 0 {
			left := moved(rows, -d)
			simd.WinogradInputRows(lines[lineGap-d:], ld, pixels, &left, d, d)
		}
		simd.WinogradInputRows(lines[lineGap+4*r.place:], ld, pixels, &rows, r.pixels, 4*r.count)
		if more := min(d, w.w-r.x-r.pixels); i == len(b.rows)-1 && more > 0 {
			right := moved(rows, r.pixels)
			simd.WinogradInputRows(lines[lineGap+4*b.tiles:], ld, pixels, &right, more, d)
		}
	}
	simd.WinogradInputTiles(v, w.size, lines[lineGap-d:], ld, b.left, b.right, roundUp(b.tiles, simd.WinogradLanes()), d)
}

// moved returns the places of other pixels in the same rows.
func moved(rows [6]int32, by int) [6]int32 {
	for i := range rows {
		if rows[i] >= 0 {
			rows[i] += int32(by)
		}
	}
	return rows
}

// ring computes those rows of a block's n-th row of tiles that have not been computed for the one above
// it, and tells where all are.
func (w *winogradTiles) ring(b *winogradBlock, n int, channel *rowSource, memory []float32, rows *[6]int32) {
	r := &b.rows[n]
	for i, at := range rows {
		if at < 0 {
			continue
		}
		place := (4*r.depth + i) % ringRows * w.w
		if !r.follows || i > 1 {
			from, to := w.reach(b, n, i)
			channel.write(memory[place:][:w.w], (int(at)-r.x)/w.w, from, to)
		}
		rows[i] = int32(place + r.x)
	}
}

// reach returns which pixels, from..to-1, of row i of a block's n-th row of tiles are computed: those that
// tiles reach, since blocks begin and end anywhere in a row, or all if the row of tiles below needs them
// too.
func (w *winogradTiles) reach(b *winogradBlock, n, i int) (from, to int) {
	if i > 3 && n+1 < len(b.rows) && b.rows[n+1].follows {
		return 0, w.w
	}
	r := &b.rows[n]
	return max(0, r.x-w.dilation), min(w.w, r.x+r.pixels+w.dilation)
}

// gradientReach is reach for rows of the gradient, which are added up as a whole where they begin.
func (w *winogradTiles) gradientReach(r *tileRow) (from, to int) {
	if r.x == 0 {
		return 0, w.w
	}
	return r.x, r.x + r.pixels
}

// gradient transforms a block's tiles of channel c of a source, the gradient of the result, to v. Each
// row of pixels is added to the channel's sums when its first tiles are transformed.
func (w *winogradTiles) gradient(t *imageTask, source channelSource, b *winogradBlock, c int, v, lines, memory []float32) {
	ld := w.lineStride()
	var channel rowSource
	for i := range b.rows {
		r := &b.rows[i]
		if i == 0 || r.image != b.rows[i-1].image {
			channel = source.channel(t, r.image, c, nil)
		}
		pixels, rows := channel.pixels, r.own
		for k, at := range rows {
			if at < 0 {
				continue
			}
			y := (int(at) - r.x) / w.w
			if !channel.stored() {
				pixels, rows[k] = memory, int32(k*w.w+r.x)
				from, to := w.gradientReach(r)
				channel.write(memory[k*w.w:][:w.w], y, from, to)
			}
			if r.x == 0 {
				channel.add(pixels[rows[k]:][:w.w], y)
			}
		}
		simd.WinogradGradientRows(lines[lineGap+4*r.place:], ld, pixels, &rows, r.pixels, 4*r.count)
	}
	simd.WinogradGradientTiles(v, w.size, lines[lineGap:], ld, roundUp(b.tiles, simd.WinogradLanes()), w.dilation)
}

// output transforms a block's products of an output channel back, and writes the results.
func (w *winogradTiles) output(t *imageTask, b *winogradBlock, oc int, m []float32, ldm int, lines, memory []float32) {
	ld := w.lineStride()
	simd.WinogradOutputTiles(lines[lineGap:], ld, m, ldm, roundUp(b.tiles, simd.WinogradLanes()), w.dilation)
	e := simd.WinogradEpilogue{Bias: t.end.biasOf(oc), ReLU: t.end.relu, Masked: t.end.masked}
	if t.end.slopes != nil {
		e.PReLU, e.Slope = true, slopeOf(t.end.slopes, oc)
	}
	for i := range b.rows {
		r := &b.rows[i]
		if r.own[0] < 0 {
			continue
		}
		image, rows := t.dst.channel(r.image*w.oc+oc), r.own
		added, enlarged := t.end.added(t, r.image, oc)
		if e.Add = added; enlarged {
			image, e.Add = w.enlarge(r, image, added, &rows, memory)
		}
		simd.WinogradOutputRows(image, &rows, lines[lineGap+4*r.place:], ld, r.pixels, &e)
	}
}

// enlarge computes the rows of an enlarged channel that are added to those of some tiles. It returns
// the image that results belong to and the one that is added, both from the first of the rows on.
func (w *winogradTiles) enlarge(r *tileRow, image, channel []float32, rows *[4]int32, memory []float32) (dst, added []float32) {
	first := int(rows[0]) - r.x
	blend := memory[len(memory)-blendLen(w.w):]
	for i, at := range rows {
		if at >= 0 {
			row := int(at) - r.x
			upsampleRow(memory[row-first:][:w.w], channel, blend, row/w.w, r.x, r.x+r.pixels)
			rows[i] -= int32(first)
		}
	}
	return image[first:], memory
}

// prefetch asks for the rows of channel c of a source that the tiles of a block are made of, and that
// no block before it has read.
func (b *winogradBlock) prefetch(t *imageTask, source channelSource, c int) {
	var channel rowSource
	for i := range b.rows {
		r := &b.rows[i]
		if i == 0 || r.image != b.rows[i-1].image {
			channel = source.channel(t, r.image, c, nil)
		}
		for _, at := range r.rows[2:] { // the first two belong to the tiles above, too
			if at >= 0 {
				channel.prefetch(int(at), r.pixels)
			}
		}
	}
}
