package tensor

import (
	"fmt"
	"slices"

	"pixelgrad/simd"
)

// A ConvBackwardPlan is the gradients of a convolution of given shapes, prepared as a
// ConvPlan is. It is used by one goroutine at a time.
type ConvBackwardPlan struct {
	*convGeometry
	in           *convInputs
	relu         bool
	wantW, wantB bool

	algorithm    convAlgorithm
	padding      *padding
	weights      weightGradAlgorithm // nil if that gradient is not wanted
	transposed   convAlgorithm       // for the gradient of the inputs, nil if none is wanted
	gradChannels int                 // channels of the padded gradient, for weights filled up
	splits       int                 // of an image's pixels, each of which is added up by itself
	gradients    []partialGradient   // of the splits
	biasSums     []float64           // of each split, image and output channel, nil if db is not wanted
	tapSums      []float64           // and each tap, nil if not needed: see constantGrads

	layout   scratchLayout
	slots    []imageTask
	operands convBackwardOperands // of the present run
}

// convBackwardOperands are the tensors of one run of a ConvBackwardPlan.
type convBackwardOperands struct {
	dx, xs       []*Tensor
	y, dy        *Tensor
	packed, sums []float32 // weights of transposed; what each image adds to those of weights
}

// PlanConv2dBackward prepares the gradients of PlanConv2d's convolution. The Grad of each
// input says whether its gradient is computed, wantW and wantB say so of the weights and the
// bias. With o.ReLU, dy counts as 0 where the result is not above 0. o.Add is ignored: its
// gradient equals dy. It panics as PlanConv2d does.
func PlanConv2dBackward(xs []ConvInput, w []int, o ConvOptions, wantW, wantB bool) *ConvBackwardPlan {
	in, g := newConv("PlanConv2dBackward", slices.Clone(xs), w, o.Dilation)
	a := chooseConv(g, winogradPixels)
	p := &ConvBackwardPlan{convGeometry: g, in: in, relu: o.ReLU, wantW: wantW, wantB: wantB, algorithm: a, gradChannels: g.oc}
	p.padding = newPadding(in, g, a)
	if wantW {
		p.weights = a.weightGrad()
		p.gradChannels = gradColumns(g.oc)
	}
	if len(in.wanted) > 0 {
		p.transposed = a.transposed(len(in.wanted))
	}
	p.splits = (fewImages + max(1, g.n) - 1) / max(1, g.n)
	for i := range p.splits {
		p.gradients = append(p.gradients, partialGradient{p, i})
	}
	if wantB {
		p.biasSums = make([]float64, p.splits*g.n*g.oc)
	}
	if in.constantGrad || in.constant && wantW {
		p.tapSums = make([]float64, p.splits*g.n*g.oc*g.taps)
	}
	p.layout = p.layoutFor(Threads())
	p.slots = make([]imageTask, p.layout.images)
	return p
}

// fewImages is the number of images below which each is cut into splits, so that threads can share
// the gradient of the weights. Sums depend on it, and so not on the number of threads.
const fewImages = 4

// ScratchLen returns how many numbers of temporary memory Run takes, with as many threads
// as there were when it was planned.
func (p *ConvBackwardPlan) ScratchLen() int { return p.layout.len() }

func (p *ConvBackwardPlan) layoutFor(threads int) scratchLayout {
	shared := 0
	if p.transposed != nil {
		shared += alignLen(p.transposed.packedLen())
	}
	if p.weights != nil {
		shared += alignLen(p.n * p.splits * p.weights.sumsLen())
	}
	image := func(team int) int { return alignLen(p.paddedLen()) + p.restLen(team) }
	return newScratchLayout(threads, p.n, shared, image, p.blockLen)
}

// paddedLen is the size of the padded gradient of an image.
func (p *ConvBackwardPlan) paddedLen() int {
	if a, ok := p.algorithm.(paddedAlgorithm); ok {
		return paddedLen(a, p.gradChannels)
	}
	return 0
}

// restLen is how much memory an image takes beside its padded gradient, if a team of threads
// works on it. The gradient of the input comes after that of the weights, and uses the same
// memory. The memory of the threads lies there too.
func (p *ConvBackwardPlan) restLen(team int) int {
	weights, input := 0, 0
	if p.weights != nil {
		weights = alignLen(p.padding.len()) + team*alignLen(p.weights.blockLen())
	}
	if p.transposed != nil {
		input = alignLen(p.in.shrunk*p.pixels()) + team*p.inputBlockLen(team)
	}
	return max(weights, input)
}

// inputBlockLen is how much memory each thread of a team takes for the gradient of the input.
func (p *ConvBackwardPlan) inputBlockLen(team int) int {
	return alignLen(max(p.transposed.blockLen(team), p.w+2)) // p.w+2: see shrink
}

// blockLen is how much memory each thread takes for padding.
func (p *ConvBackwardPlan) blockLen(int) int { return max(p.padding.blockLen(), p.w) }

// Run computes the gradients of y = Conv2d(xs, w, b), given dy; see Conv2dInputGrad,
// Conv2dWeightGrad and Conv2dBiasGrad for the formulas. It writes them to dx, dw and db,
// which are nil where no gradient is wanted. Where MaskedGrad was planned, dx[i] has the
// memory of xs[i].
//
// xs may be nil if dw is not wanted, w if no dx is, and y without ReLU. scratch is
// memory of arbitrary content; if it has fewer than ScratchLen numbers, or the number of
// threads has changed and takes more, Run takes memory of its own instead. It panics if an
// operand has not the shape that was planned.
func (p *ConvBackwardPlan) Run(dx []*Tensor, dw, db *Tensor, xs []*Tensor, w, y, dy *Tensor, scratch []float32) {
	p.check(dx, dw, db, xs, w, y, dy)
	layout := &p.layout
	if threads := Threads(); threads != layout.threads {
		other := p.layoutFor(threads)
		layout = &other
	}
	memory := layout.memory(scratch)
	defer memory.release()
	p.operands = convBackwardOperands{dx: dx, xs: xs, y: y, dy: dy}
	defer func() { p.operands = convBackwardOperands{} }()
	if p.transposed != nil {
		p.operands.packed = memory.take(p.transposed.packedLen())
		p.transposed.packWeights(p.operands.packed, kernels{w: w, channels: p.in.wanted, flipped: true})
	}
	if p.weights != nil {
		p.operands.sums = memory.take(p.n * p.splits * p.weights.sumsLen())
	}
	clear(p.biasSums)
	clear(p.tapSums)
	layout.run(p.n, &p.slots, &memory, p.image)
	foldSplits(p.biasSums, p.splits)
	foldSplits(p.tapSums, p.splits)
	if p.weights != nil && p.n > 0 {
		sumImages(p.operands.sums, p.weights.sumsLen())
		p.weights.collect(dw, p.operands.sums, p.in.images)
	} else if p.wantW {
		clear(dw.data)
	}
	if p.tapSums != nil {
		p.in.constantGrads(dx, dw, p.convGeometry, xs, w, p.tapSums[:len(p.tapSums)/p.splits])
	}
	if p.wantB {
		sumBiases(db, p.biasSums[:len(p.biasSums)/p.splits])
	}
}

// check panics if an operand has not the shape that was planned.
func (p *ConvBackwardPlan) check(dx []*Tensor, dw, db *Tensor, xs []*Tensor, w, y, dy *Tensor) {
	const op = "ConvBackwardPlan.Run"
	checkOperand(op, "the gradient", dy, p.n, p.oc, p.h, p.w)
	if p.relu {
		checkOperand(op, "the result of ReLU", y, p.n, p.oc, p.h, p.w)
	}
	if p.wantW {
		checkInputs(op, p.in, xs)
		checkOperand(op, "the weights' gradient", dw, p.oc, p.in.channels, p.kh, p.kw)
	}
	if p.wantB {
		checkOperand(op, "the bias's gradient", db, p.oc)
	}
	if (dw != nil) != p.wantW || (db != nil) != p.wantB {
		panic(fmt.Sprintf("tensor: %s: gradients of weights %v and bias %v, planned were: %v and %v", op, shapeOf(dw), shapeOf(db), p.wantW, p.wantB))
	}
	if p.transposed != nil || p.in.constantGrad {
		checkOperand(op, "weights", w, p.oc, p.in.channels, p.kh, p.kw)
	}
	for i, part := range p.in.parts {
		if part.Grad != NoGrad {
			if len(dx) != len(p.in.parts) {
				panic(fmt.Sprintf("tensor: %s: gradients of %d inputs, planned were %d", op, len(dx), len(p.in.parts)))
			}
			checkOperand(op, "an input's gradient", dx[i], part.Shape...)
		}
	}
}

// image computes what image i adds to the gradients, and its inputs' own.
func (p *ConvBackwardPlan) image(t *imageTask, i int) {
	t.image, t.xs = i, p.operands.xs
	memory := t.memory
	t.source, t.inputs = &p.gradients[0], p.in
	if n := p.paddedLen(); n > 0 {
		t.padded = carve(&memory, n)
		each(p, t, p.gradChannels, (*ConvBackwardPlan).padGradient)
	} else if p.weights == nil {
		each(p, t, p.oc, (*ConvBackwardPlan).addSums)
	}
	if p.weights != nil {
		memory := memory
		t.paddedX = p.padding.of(t, carve(&memory, p.padding.len()))
		p.threadsOf(t, &memory, alignLen(p.weights.blockLen()))
		each(p, t, p.splits, (*ConvBackwardPlan).weightSplit)
	}
	if p.transposed == nil {
		return
	}
	// This comes last: it may write over the inputs.
	t.packed = p.operands.packed
	t.dst = destination{data: carve(&memory, p.in.shrunk*p.pixels()), pixels: p.pixels(), inputs: p.in, dx: p.operands.dx, image: i}
	p.threadsOf(t, &memory, p.inputBlockLen(t.team))
	t.end = epilogue{masked: p.in.masked}
	p.transposed.convolve(t)
	if p.in.shrunk > 0 {
		each(p, t, len(p.in.wanted), (*ConvBackwardPlan).shrink)
	}
}

// threadsOf gives the threads of t memory within that of its image, instead of what they have.
func (p *ConvBackwardPlan) threadsOf(t *imageTask, memory *[]float32, each int) {
	t.blocks, t.blockLen, t.worker = carve(memory, t.team*each), each, 0
}

// weightSplit computes what split i of t's image adds to the gradient of the weights.
func (p *ConvBackwardPlan) weightSplit(t *imageTask, worker, i int) {
	size := p.weights.sumsLen()
	p.weights.split(p.operands.sums[(t.image*p.splits+i)*size:][:size], t, &p.gradients[i], i, p.splits, t.threadMemory(worker))
}

// foldSplits adds sums of the splits to those of the first.
func foldSplits(sums []float64, splits int) {
	n := len(sums) / splits
	for i, v := range sums[n:] {
		sums[i%n] += v
	}
}

// padGradient copies a channel of the gradient of t's image, with zeros around it, and
// zero where ReLU clipped; channels beyond those there are become zero.
func (p *ConvBackwardPlan) padGradient(t *imageTask, worker, c int) {
	algorithm := p.algorithm.(paddedAlgorithm)
	plane := algorithm.planeLen()
	dst := t.padded[c*plane:][:plane]
	if c >= p.oc {
		clear(dst)
		return
	}
	algorithm.pad(dst, p.gradients[0].channel(t, 0, c, nil))
}

// addSums adds the rows of a channel of the gradient to their sums, where nothing else reads them once.
func (p *ConvBackwardPlan) addSums(t *imageTask, worker, c int) {
	if !p.wantB && p.tapSums == nil {
		return
	}
	rows, row := p.gradients[0].channel(t, 0, c, nil), t.threadMemory(worker)[:p.w]
	for y := range p.h {
		rows.write(row, y, 0, p.w)
		rows.add(row, y)
	}
}

// A partialGradient is the gradient of the result, whose sums are those of a split of each image.
type partialGradient struct {
	*ConvBackwardPlan
	split int
}

// channel returns the rows of a channel of the gradient of t's image number i, with 0 where ReLU
// clipped.
func (p *partialGradient) channel(t *imageTask, i, c int, _ []float32) rowSource {
	at := (p.split*p.n+t.image+i)*p.oc + c
	rows := rowSource{w: p.w, pixels: channelOf(p.operands.dy, t.image+i, c), geometry: p.convGeometry}
	if p.relu {
		rows.result = channelOf(p.operands.y, t.image+i, c)
	}
	if p.wantB {
		rows.sum = &p.biasSums[at]
	}
	if p.tapSums != nil {
		rows.tapSums = p.tapSums[at*p.taps:][:p.taps]
	}
	return rows
}

// shrink turns the gradient of an enlarged channel into that of the channel.
func (p *ConvBackwardPlan) shrink(t *imageTask, worker, c int) {
	at := p.in.wanted[c]
	if p.in.parts[at.part].Form == Enlarged {
		dx := channelOf(p.operands.dx[at.part], t.image, at.channel)
		upsampleBackward(dx, t.dst.channel(c)[:p.pixels()], t.threadMemory(worker)[:p.w+2], p.h, p.w)
	}
}

// sumImages adds the sums of all images, each of some size, to those of the first, in the
// images' order.
func sumImages(sums []float32, size int) {
	total := sums[:size]
	parallelChunks(size, func(lo, hi int) {
		for at := size; at < len(sums); at += size {
			simd.Add(total[lo:hi], total[lo:hi], sums[at:][lo:hi])
		}
	})
}
