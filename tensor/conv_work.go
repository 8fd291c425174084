package tensor

import (
	"slices"

	"pixelgrad/simd"
)

// A ConvWork is what a convolution's run consists of, counted: so many calls of the kernels of a
// kind, which together process so many numbers. Memory that is filled up to whole vectors, tiles
// and panels counts as what it is: work.
type ConvWork struct {
	Kind  WorkKind
	Shape WorkShape
	Calls int
	Size  int // see the kinds
}

// A WorkShape is what the time of a call depends on, beside its size. What does not matter is 0.
type WorkShape struct {
	In, Out  int // channels, filled up where the kernel does
	Side     int // pixels a row
	Kernel   int // width of the weights
	Tiles    int // of a block
	Dilation int
}

// WorkKind is a kind of work.
type WorkKind int

// The kinds, with what their Size counts. Those of Winograd's way come first.
const (
	TileProducts     WorkKind = iota // simd.GemmTile: columns of tiles
	TileGradProducts                 // simd.WeightGradTile and what transposes: tiles
	InputRows                        // the first step of tiles of the input: pixels a row
	InputTiles                       // the second: tiles
	GradientRows                     // of the gradient of the result
	GradientTiles
	OutputTiles // of the result
	OutputRows
	MaskedOutputRows // of a result that ReLU of what it overwrites masks
	AddedOutputRows  // of a result to which something is added
	PackTiles        // weights transformed: filters of nine
	CollectTiles     // their gradients transformed back: filters of nine

	DirectProducts     // simd.GemmTile: calls for so many panels
	DirectGradProducts // simd.WeightGradTile and what transposes: positions
	StoreRows          // sums that get bias and activation: pixels
	MaskedStoreRows    // sums that ReLU of what they overwrite masks: pixels
	PackDirect         // weights arranged: numbers
	CollectDirect      // their gradients arranged: numbers

	CopyRows    // rows copied, between zeros: pixels
	MaskRows    // rows of a gradient, masked by ReLU: pixels
	EnlargeRows // rows enlarged by two: pixels of the result
	ShrinkRows  // their gradient: pixels of dy
	SumRows     // rows summed for the gradient of the bias: pixels
	AddNumbers  // sums of images added up: numbers
	Waits       // all threads awaited
)

// convWorks collects work, that of equal kernels together.
type convWorks []ConvWork

func (l *convWorks) add(kind WorkKind, shape WorkShape, calls, size int) {
	if calls == 0 {
		return
	}
	i := slices.IndexFunc(*l, func(w ConvWork) bool { return w.Kind == kind && w.Shape == shape })
	if i < 0 {
		i = len(*l)
		*l = append(*l, ConvWork{Kind: kind, Shape: shape})
	}
	(*l)[i].Calls += calls
	(*l)[i].Size += size
}

// each adds what another list has, so many times.
func (l *convWorks) each(times int, of convWorks) {
	for _, w := range of {
		l.add(w.Kind, w.Shape, times*w.Calls, times*w.Size)
	}
}

// Work counts what Run does, without PackWeights. Constant channels are left out, which cost little.
func (p *ConvPlan) Work() []ConvWork {
	var l convWorks
	from := rowForms{}
	for _, c := range p.in.images {
		from.count(p.in.parts[c.part].Form)
	}
	to := resultForm{kind: OutputRows, store: StoreRows}
	if a := p.options.Add; a != nil {
		to.kind, to.enlarged = AddedOutputRows, a.Form == Enlarged
	}
	for i := range p.groups {
		algorithm, images := p.algorithm, min(p.group, p.n-i*p.group)
		if images < p.group {
			algorithm = p.rest
		}
		convolveWork(&l, algorithm, from, to, images, teamOf(i, p.groups))
	}
	l.add(Waits, WorkShape{}, waits(p.groups), 0)
	return l
}

// PackWork counts what PackWeights does.
func (p *ConvPlan) PackWork() []ConvWork {
	var l convWorks
	packWork(&l, p.algorithm)
	return l
}

// Work counts what Run does. Constant channels are left out.
func (p *ConvBackwardPlan) Work() []ConvWork {
	var l convWorks
	if p.transposed != nil {
		packWork(&l, p.transposed)
	}
	var images convWorks
	for i := range p.n {
		p.imageWork(&images, teamOf(i, p.n))
	}
	l.each(1, images)
	l.add(Waits, WorkShape{}, waits(p.n), 0)
	if p.weights != nil {
		l.add(AddNumbers, WorkShape{}, max(0, p.n*p.splits-1), max(0, p.n*p.splits-1)*p.weights.sumsLen())
		kind, size := CollectDirect, p.ic*p.oc*p.taps
		if _, ok := p.weights.(*winogradGrad); ok {
			kind, size = CollectTiles, p.ic*p.oc
		}
		l.add(kind, WorkShape{In: p.ic, Out: p.oc}, 1, size)
		l.add(Waits, WorkShape{}, 2, 0)
	}
	return l
}

// imageWork counts the work on an image.
func (p *ConvBackwardPlan) imageWork(l *convWorks, team int) {
	row := WorkShape{Side: p.w}
	gradient := rowForms{plain: p.oc}
	if p.relu {
		gradient = rowForms{masked: p.oc}
	}
	inputs := rowForms{}
	for _, c := range p.in.images {
		inputs.count(p.in.parts[c.part].Form)
	}
	_, padded := p.algorithm.(paddedAlgorithm)
	if padded {
		gradient.rowWork(l, row, p.h)
		gradient = rowForms{plain: p.oc} // what is padded is masked
	}
	if p.wantB && (padded || p.weights == nil) {
		l.add(SumRows, row, p.oc*p.h, p.oc*p.h*p.w)
	}
	switch g := p.weights.(type) {
	case *directWeightGrad:
		if !p.padding.none {
			inputs.rowWork(l, row, p.h)
		}
		shape := WorkShape{In: g.ic, Out: g.columns, Side: g.w, Kernel: g.kw, Dilation: g.dilation}
		l.add(DirectGradProducts, shape, (g.flat+g.run-1)/g.run, g.flat)
	case *winogradGrad:
		g.work(l, inputs, gradient, p.wantB)
	}
	if p.transposed == nil {
		return
	}
	to := resultForm{kind: OutputRows, store: StoreRows}
	if p.in.masked {
		to = resultForm{kind: MaskedOutputRows, store: MaskedStoreRows}
	}
	if padded {
		gradient = rowForms{}
	}
	convolveWork(l, p.transposed, gradient, to, 1, team)
	l.add(ShrinkRows, row, p.in.shrunk*p.h, p.in.shrunk*p.h*p.w)
}

// rowForms are how many channels have rows of which form.
type rowForms struct{ plain, enlarged, masked int }

func (f *rowForms) count(form InputForm) {
	if form == Enlarged {
		f.enlarged++
	} else {
		f.plain++
	}
}

// rowWork counts rows of each channel that are written.
func (f rowForms) rowWork(l *convWorks, row WorkShape, rows int) {
	l.add(CopyRows, row, f.plain*rows, f.plain*rows*row.Side)
	f.computedWork(l, row, rows, rows*row.Side)
}

// computedWork counts them, of so many pixels, for channels that are not stored as they are.
func (f rowForms) computedWork(l *convWorks, row WorkShape, rows, pixels int) {
	l.add(EnlargeRows, row, f.enlarged*rows, f.enlarged*pixels)
	l.add(MaskRows, row, f.masked*rows, f.masked*pixels)
}

func (f rowForms) channels() int { return f.plain + f.enlarged + f.masked }

// A resultForm is what happens to results.
type resultForm struct {
	kind, store WorkKind
	enlarged    bool // what is added is
}

// teamOf returns how many threads compute task i of so many: see scratchLayout.run.
func teamOf(i, tasks int) int {
	if i < tasks-tasks%Threads() {
		return 1
	}
	return Threads()
}

// waits is how often all threads are awaited.
func waits(tasks int) int { return min(1, tasks/Threads()) + tasks%Threads() }

// convolveWork counts the work of an algorithm on some images.
func convolveWork(l *convWorks, a convAlgorithm, from rowForms, to resultForm, images, team int) {
	switch a := a.(type) {
	case *winograd:
		a.convolutionWork(l, from, to, team)
	case *directConv:
		mr, nr := simd.Tile()
		row := WorkShape{Side: a.w}
		from.rowWork(l, row, images*a.h)
		shape := WorkShape{In: a.ic, Out: a.panels() * mr, Side: a.w, Kernel: a.kw, Dilation: a.dilation}
		bands, last := a.bands()-1, a.flat-(a.bands()-1)*a.bandWidth()
		l.add(DirectProducts, shape, images*a.bands(), images*(bands*a.bandWidth()+roundUp(last, nr))/nr)
		l.add(to.store, row, images*a.oc*a.h, images*a.oc*a.pixels())
	}
}

func packWork(l *convWorks, a convAlgorithm) {
	mr, _ := simd.Tile()
	switch a := a.(type) {
	case *winograd:
		l.add(PackTiles, WorkShape{In: a.ic, Out: a.oc}, 1, a.panels()*mr*a.ic)
	case *directConv:
		l.add(PackDirect, WorkShape{In: a.ic, Out: a.oc}, 1, a.packedLen())
	}
	l.add(Waits, WorkShape{}, 1, 0)
}

// convolutionWork counts what convolve does with so many threads.
func (w *winograd) convolutionWork(l *convWorks, from rowForms, to resultForm, team int) {
	mr, nr := simd.Tile()
	shares := w.shares(team)
	for i := range w.blocks {
		b := &w.blocks[i]
		for share := range shares {
			first, panels := panelShare(w.panels(), share, shares)
			w.inputWork(l, b, from)
			for end := first + panels; first < end; {
				count := min(w.together, end-first)
				channels := min(w.oc, (first+count)*mr) - first*mr
				l.add(TileProducts, WorkShape{In: w.ic, Out: count * mr, Tiles: w.size}, 1, 36*roundUp(b.tiles, nr)/nr)
				l.add(OutputTiles, WorkShape{Out: count * mr, Tiles: w.size, Dilation: w.dilation}, channels, channels*roundUp(b.tiles, simd.WinogradLanes()))
				first += count
			}
		}
		w.outputWork(l, b, to)
	}
}

// work counts what split does with all blocks of an image.
func (g *winogradGrad) work(l *convWorks, from, gradient rowForms, sums bool) {
	shape := WorkShape{In: g.lines, Out: g.columns, Tiles: g.size}
	for i := range g.blocks {
		b := &g.blocks[i]
		g.inputWork(l, b, from)
		g.gradientWork(l, b, gradient, sums)
		l.add(TileGradProducts, shape, 1, 36*b.tiles)
	}
}

// inputWork counts what input does for channels.
func (w *winogradTiles) inputWork(l *convWorks, b *winogradBlock, from rowForms) {
	channels, d := from.channels(), w.dilation
	calls, pixels, rows, computed := 0, 0, 0, 0
	for i := range b.rows {
		r := &b.rows[i]
		for k, at := range r.rows {
			if at >= 0 && (!r.follows || k > 1) {
				begin, end := w.reach(b, i, k)
				rows, computed = rows+1, computed+end-begin
			}
		}
		calls, pixels = calls+1, pixels+4*r.count
		if i == 0 && r.x > 0 {
			calls, pixels = calls+1, pixels+d
		}
		if i == len(b.rows)-1 && w.w-r.x-r.pixels > 0 {
			calls, pixels = calls+1, pixels+d
		}
	}
	l.add(InputRows, WorkShape{}, channels*calls, channels*pixels)
	w.tilesWork(l, InputTiles, b, channels)
	from.computedWork(l, WorkShape{Side: w.w}, rows, computed)
}

// tilesWork counts the step of a transformation that has a place for each tile.
func (w *winogradTiles) tilesWork(l *convWorks, kind WorkKind, b *winogradBlock, channels int) {
	shape := WorkShape{Tiles: w.size, Dilation: w.dilation}
	l.add(kind, shape, channels, channels*roundUp(b.tiles, simd.WinogradLanes()))
}

// gradientWork counts what gradient does for channels.
func (w *winogradTiles) gradientWork(l *convWorks, b *winogradBlock, from rowForms, sums bool) {
	channels, row := from.channels(), WorkShape{Side: w.w}
	for i := range b.rows {
		r := &b.rows[i]
		rows := 0
		for _, at := range r.own {
			if at >= 0 {
				rows++
			}
		}
		begin, end := w.gradientReach(r)
		from.computedWork(l, row, rows, rows*(end-begin))
		if r.x == 0 && sums {
			l.add(SumRows, row, channels*rows, channels*rows*w.w)
		}
		l.add(GradientRows, WorkShape{}, channels, channels*4*r.count)
	}
	w.tilesWork(l, GradientTiles, b, channels)
}

// outputWork counts the second step of what output does for all output channels.
func (w *winogradTiles) outputWork(l *convWorks, b *winogradBlock, to resultForm) {
	for i := range b.rows {
		r := &b.rows[i]
		l.add(to.kind, WorkShape{}, w.oc, w.oc*r.pixels)
		for _, at := range r.own {
			if to.enlarged && at >= 0 {
				l.add(EnlargeRows, WorkShape{Side: w.w}, w.oc, w.oc*r.pixels)
			}
		}
	}
}
