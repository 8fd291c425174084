package tensor

import (
	"fmt"
	"slices"

	"pixelgrad/simd"
)

// A ConvPlan is a convolution of given shapes that has been prepared: the algorithm is
// chosen, and the memory that it takes is known. It is used by one goroutine at a time.
type ConvPlan struct {
	*convGeometry
	in      *convInputs
	options ConvOptions

	// Images are computed in groups, of which the last one may be smaller.
	group, groups   int           // images in a group, and how many groups
	algorithm, rest convAlgorithm // for a group, and for a last one that is smaller
	padding         *padding

	layout   scratchLayout
	slots    []imageTask
	operands convOperands // of the present run
}

// convOperands are the tensors of one run of a ConvPlan.
type convOperands struct {
	y, w, b, add *Tensor
	xs           []*Tensor
	packed       []float32
	rows         *convRows // instead of y, xs and add
}

// PlanConv2d prepares Conv2d for the concatenation of several inputs, as ConcatChannels would
// return it. w is the shape of the weights.
//
// Shapes: see InputForm for the inputs; w (oc,ic,kh,kw), with ic the channels of all. It
// panics if they do not fit together.
func PlanConv2d(xs []ConvInput, w []int, o ConvOptions) *ConvPlan {
	return planConv2d("PlanConv2d", xs, w, o, winogradPixels)
}

// planConv2d is PlanConv2d with the number of pixels from which Winograd's way is used.
func planConv2d(op string, xs []ConvInput, w []int, o ConvOptions, winogradPixels int) *ConvPlan {
	in, g := newConv(op, slices.Clone(xs), w, o.Dilation)
	p := &ConvPlan{convGeometry: g, in: in, options: o, group: 1}
	if a := o.Add; a != nil {
		want := p.OutputShape()
		if a.Form == Enlarged {
			want[2], want[3] = g.h/2, g.w/2
		}
		if !slices.Equal(a.Shape, want) || a.Form == Constant || a.Form == Enlarged && (g.h%2 != 0 || g.w%2 != 0) {
			panic(fmt.Sprintf("tensor: %s: %v, form %d, cannot be added to the output %v", op, a.Shape, a.Form, p.OutputShape()))
		}
		p.options.Add = &ConvInput{Shape: slices.Clone(a.Shape), Form: a.Form}
	}
	if s := o.PReLU; s != nil && (o.ReLU || len(s.shape) != 1 || s.shape[0] != 1 && s.shape[0] != g.oc) {
		panic(fmt.Sprintf("tensor: %s: slopes %v for the output %v, ReLU %v: want one slope or one for each channel, and not ReLU too", op, s.shape, p.OutputShape(), o.ReLU))
	}
	p.choose(winogradPixels)
	return p
}

// choose chooses the algorithm, and lays out its memory.
func (p *ConvPlan) choose(winogradPixels int) {
	in, g := p.in, p.convGeometry
	p.algorithm = chooseConv(g, winogradPixels)
	p.rest = p.algorithm
	rest := 1
	if a, ok := p.algorithm.(*winograd); ok && !p.addsLater() && p.options.Add == nil {
		p.group = a.bestGroup()
		rest = (max(1, g.n)-1)%p.group + 1
		p.algorithm = newWinograd(g, p.group)
		if p.rest = p.algorithm; rest != p.group {
			p.rest = newWinograd(g, rest)
		}
	}
	p.groups = (g.n + p.group - 1) / p.group
	p.padding = newPadding(in, g, p.algorithm)
	p.layout = p.layoutFor(Threads())
	p.slots = make([]imageTask, p.layout.images)
}

// addsLater says whether something is added to the products in a step of its own.
func (p *ConvPlan) addsLater() bool {
	_, ok := p.algorithm.(*winograd)
	return p.in.constant || p.options.Add != nil && !ok
}

// OutputShape returns the shape of the result.
func (p *ConvPlan) OutputShape() []int { return []int{p.n, p.oc, p.h, p.w} }

// PackedLen returns how many numbers packed weights are.
func (p *ConvPlan) PackedLen() int { return p.algorithm.packedLen() }

// PackWeights writes weights in the arrangement that Run reads them in. It panics if dst
// has fewer than PackedLen numbers, or w not the shape that was planned.
func (p *ConvPlan) PackWeights(dst []float32, w *Tensor) {
	if len(dst) < p.PackedLen() {
		panic(fmt.Sprintf("tensor: ConvPlan.PackWeights: weights %v: memory for %d numbers, want %d", w.shape, len(dst), p.PackedLen()))
	}
	checkOperand("ConvPlan.PackWeights", "weights", w, p.oc, p.in.channels, p.kh, p.kw)
	p.algorithm.packWeights(dst, kernels{w: w, channels: p.in.images})
}

// ScratchLen returns how many numbers of temporary memory Run takes, with as many threads
// as there were when it was planned.
func (p *ConvPlan) ScratchLen() int { return p.layout.len() }

func (p *ConvPlan) layoutFor(threads int) scratchLayout {
	image := alignLen(p.padding.len())
	if p.in.constant {
		image += alignLen(p.oc * p.taps)
	}
	return newScratchLayout(threads, p.groups, 0, func(int) int { return image }, p.blockLen)
}

// blockLen is how much memory each thread of a team takes.
func (p *ConvPlan) blockLen(team int) int {
	n := max(p.padding.blockLen(), p.algorithm.blockLen(team), p.rest.blockLen(team))
	if p.options.Add != nil {
		n = max(n, p.w+blendLen(p.w))
	}
	return n
}

// Run computes the convolution:
//
//	y = f(Conv2d(xs, w, b) + add)
//
// with f(x) = max(x, 0) if it was planned with ReLU, slope·min(x, 0) + max(x, 0) with PReLU,
// else x. b may be nil, and so may add if none was planned. packed are the weights from
// PackWeights, and w is read only for Constant channels. scratch is memory of arbitrary content; if it has fewer than
// ScratchLen numbers, or the number of threads has changed and takes more, Run takes
// memory of its own instead. It panics if an operand has not the shape that was planned.
func (p *ConvPlan) Run(y *Tensor, xs []*Tensor, w, b, add *Tensor, packed, scratch []float32) {
	p.check(y, xs, w, b, add, packed)
	p.operands = convOperands{y: y, w: w, b: b, add: add, xs: xs, packed: packed}
	p.compute(scratch)
}

// compute runs the convolution of the operands.
func (p *ConvPlan) compute(scratch []float32) {
	layout := &p.layout
	if threads := Threads(); threads != layout.threads {
		other := p.layoutFor(threads)
		layout = &other
	}
	memory := layout.memory(scratch)
	defer memory.release()
	layout.run(p.groups, &p.slots, &memory, p.computeGroup)
	p.operands = convOperands{}
}

// check panics if an operand has not the shape that was planned.
func (p *ConvPlan) check(y *Tensor, xs []*Tensor, w, b, add *Tensor, packed []float32) {
	const op = "ConvPlan.Run"
	checkOperand(op, "the result", y, p.n, p.oc, p.h, p.w)
	checkInputs(op, p.in, xs)
	if p.in.constant {
		checkOperand(op, "weights", w, p.oc, p.in.channels, p.kh, p.kw)
	}
	if b != nil {
		checkOperand(op, "bias", b, p.oc)
	}
	if a := p.options.Add; a != nil {
		checkOperand(op, "what is added", add, a.Shape...)
	} else if add != nil {
		panic(fmt.Sprintf("tensor: %s: nothing was planned to be added to the result %v, got %v", op, y.shape, add.shape))
	}
	if len(packed) < p.PackedLen() {
		panic(fmt.Sprintf("tensor: %s: %d packed weights, want %d", op, len(packed), p.PackedLen()))
	}
}

// computeGroup computes group i of the images.
func (p *ConvPlan) computeGroup(t *imageTask, i int) {
	algorithm := p.algorithm
	t.image = i * p.group
	if p.n-t.image < p.group {
		algorithm = p.rest
	}
	memory, size := t.memory, p.pixels()
	t.xs, t.rows, t.packed = p.operands.xs, p.operands.rows, p.operands.packed
	t.source = p.in
	t.padded = p.padding.of(t, carve(&memory, p.padding.len()))
	if t.rows != nil {
		t.dst = t.rows.destination()
	} else {
		t.dst = destination{data: p.operands.y.data[t.image*p.oc*size:], pixels: size}
	}
	t.end = epilogue{bias: p.operands.b}
	if !p.addsLater() {
		t.end.relu, t.end.slopes = p.options.ReLU, p.options.PReLU
		if a := p.options.Add; a != nil {
			t.end.add, t.end.enlarged = p.operands.add, a.Form == Enlarged
		}
	}
	algorithm.convolve(t)
	if !p.addsLater() {
		return
	}
	if p.in.constant {
		t.work = carve(&memory, p.oc*p.taps)
		p.in.constants(t.work, p.convGeometry, p.operands.xs, p.operands.w, t.image)
	}
	each(p, t, p.oc, (*ConvPlan).finish)
}

// finish adds to an output channel what is not multiplied pixel by pixel.
func (p *ConvPlan) finish(t *imageTask, worker, oc int) {
	plane := t.dst.channel(oc)[:p.pixels()]
	if p.in.constant {
		p.addConstants(plane, t.work[oc*p.taps:])
	}
	if a := p.options.Add; a != nil {
		var src []float32
		if t.rows != nil {
			src = t.rows.shortcut(oc)[:p.pixels()]
		} else {
			src = channelOf(p.operands.add, t.image, oc)
		}
		if a.Form == Plain {
			simd.Add(plane, plane, src)
		} else {
			row, blend := t.threadMemory(worker)[:p.w], t.threadMemory(worker)[p.w:][:blendLen(p.w)]
			for y := range p.h {
				upsampleRow(row, src, blend, y, 0, p.w)
				simd.Add(plane[y*p.w:(y+1)*p.w], plane[y*p.w:(y+1)*p.w], row)
			}
		}
	}
	if p.options.ReLU {
		simd.AddBiasReLU(plane, plane, 0)
	} else if s := p.options.PReLU; s != nil {
		simd.AddBiasPReLU(plane, plane, 0, slopeOf(s, oc))
	}
}

// checkOperand panics unless a tensor has the shape that was planned.
func checkOperand(op, what string, t *Tensor, shape ...int) {
	if t == nil || !slices.Equal(t.shape, shape) {
		panic(fmt.Sprintf("tensor: %s: %s of shape %v, planned was %v", op, what, shapeOf(t), slices.Clone(shape)))
	}
}

// checkInputs panics unless all inputs have the shapes that were planned.
func checkInputs(op string, in *convInputs, xs []*Tensor) {
	if len(xs) != len(in.parts) {
		panic(fmt.Sprintf("tensor: %s: %d inputs, planned were %d", op, len(xs), len(in.parts)))
	}
	for i, x := range xs {
		checkOperand(op, "an input", x, in.parts[i].Shape...)
	}
}
