package tensor

import "pixelgrad/simd"

// An imageTask is the work on one image, or on a group of them, and the memory for it.
//
// Each thread computes whole images. The images that are left over are computed one after
// the other, by all threads together.
type imageTask struct {
	image  int // the image, or the first of the group
	team   int // how many threads share the work
	worker int // the number of the thread, if it is a single one

	memory   []float32 // for the images, to be divided
	blocks   []float32 // for the threads: blockLen numbers each
	blockLen int

	// What an algorithm reads and writes.
	xs      []*Tensor     // the inputs
	rows    *convRows     // or, if not nil, rows of them
	source  channelSource // what is convolved
	inputs  channelSource // for a gradient of weights: the inputs
	padded  []float32     // what is convolved, with zeros around it
	paddedX []float32     // for a gradient of weights: the inputs, likewise
	packed  []float32     // weights, see convAlgorithm.packWeights
	work    []float32     // sums of taps of Constant channels
	dst     destination
	end     epilogue

	copying []float32 // the copy that is being made of the inputs
}

// threadMemory returns the memory of a thread that works on the task.
func (t *imageTask) threadMemory(worker int) []float32 {
	return t.blocks[worker*t.blockLen:][:t.blockLen]
}

// each calls f(a, t, worker, i) for every i below n, on the threads of t; worker is the
// number of the thread. f is a method expression and a its receiver: a method value would
// allocate for every image.
func each[A any](a A, t *imageTask, n int, f func(a A, t *imageTask, worker, i int)) {
	if t.team > 1 && n > 1 {
		parallelOn(t.team, n, func(worker, i int) { f(a, t, worker, i) })
		return
	}
	for i := range n {
		f(a, t, t.worker, i)
	}
}

// A scratchLayout divides the temporary memory of a convolution into three parts: one for all
// images, one for each image that is computed at the same time, and one for each thread.
type scratchLayout struct {
	threads   int
	shared    int
	images    int // that are computed at the same time, by a thread each
	imageLen  int // of each of them
	imagesLen int // of all, or of one that all threads compute together
	blockLen  int
}

// newScratchLayout returns the layout for a number of tasks. An image takes imageLen(1) numbers if a
// thread computes it, and imageLen(threads) if all do, one image after the other. Threads take
// blockLen(1) numbers each while they work on images of their own, and blockLen(threads) together.
func newScratchLayout(threads, tasks, shared int, imageLen, blockLen func(team int) int) scratchLayout {
	l := scratchLayout{threads: threads, shared: shared, images: 1} // whole vectors each
	if tasks >= threads {
		l.images, l.imageLen, l.blockLen = threads, alignLen(imageLen(1)), alignLen(blockLen(1))
		l.imagesLen = l.images * l.imageLen
	}
	if tasks%threads != 0 {
		l.imagesLen = max(l.imagesLen, alignLen(imageLen(threads)))
		l.blockLen = max(l.blockLen, alignLen(blockLen(threads)))
	}
	return l
}

func (l *scratchLayout) len() int { return l.shared + l.imagesLen + l.threads*l.blockLen }

// run calls f for every task, each with its memory. slots are kept by the caller, to be
// used again.
func (l *scratchLayout) run(tasks int, slots *[]imageTask, memory *convMemory, f func(t *imageTask, i int)) {
	if len(*slots) < l.images {
		*slots = make([]imageTask, l.images)
	}
	defer clear(*slots) // tensors and memory are the caller's
	images, blocks := memory.take(l.imagesLen), memory.take(l.threads*l.blockLen)
	start := func(i, worker, team int, memory []float32) {
		t := &(*slots)[worker]
		*t = imageTask{team: team, worker: worker, memory: memory, blocks: blocks, blockLen: l.blockLen}
		f(t, i)
	}
	whole := tasks - tasks%l.threads
	parallelOn(l.threads, whole, func(worker, i int) { start(i, worker, 1, images[worker*l.imageLen:][:l.imageLen]) })
	for i := whole; i < tasks; i++ {
		start(i, 0, l.threads, images)
	}
}

// A convMemory is the temporary memory of a run: what the caller gave, or buffers of the
// pool if that is too little.
type convMemory struct {
	scratch []float32
	pooled  bool
	taken   [][]float32 // from the pool
}

func (l *scratchLayout) memory(scratch []float32) convMemory {
	return convMemory{scratch: scratch, pooled: len(scratch) < l.len()}
}

func (m *convMemory) take(n int) []float32 {
	if !m.pooled {
		return carve(&m.scratch, n)
	}
	b := takeBuffer(n)
	m.taken = append(m.taken, b)
	return b
}

// release gives back what is the pool's.
func (m *convMemory) release() {
	for _, b := range m.taken {
		giveBuffer(b)
	}
}

// alignLen makes a piece of memory long enough that the next one begins where a vector of
// any level is aligned.
func alignLen(n int) int { return roundUp(n, 16) }

// carve cuts n numbers off memory.
func carve(memory *[]float32, n int) []float32 {
	piece := (*memory)[:n:n]
	*memory = (*memory)[alignLen(n):]
	return piece
}

// A destination tells where output channels are written to: one after the other in data,
// or where gradients of several inputs belong.
type destination struct {
	data   []float32
	pixels int // distance of the channels

	inputs *convInputs // if not nil: gradients, of which those in data are to be shrunk
	dx     []*Tensor
	image  int
}

// channel returns the memory of a channel, and what is behind it.
func (d *destination) channel(c int) []float32 {
	if d.inputs != nil {
		at := d.inputs.wanted[c]
		if d.inputs.parts[at.part].Form == Plain {
			return channelOf(d.dx[at.part], d.image, at.channel)
		}
		c = at.shrunk
	}
	return d.data[c*d.pixels:]
}

// An epilogue is what happens to sums while they are in the cache.
type epilogue struct {
	bias   *Tensor // if not nil, it is added
	relu   bool    // max(·, 0) is stored
	slopes *Tensor // if not nil, what is negative is multiplied with them: see ConvOptions.PReLU
	masked bool    // 0 is stored where what is in memory is not above 0: see MaskedGrad

	// What a winograd adds before ReLU, unless it is nil; it may have to be enlarged.
	add      *Tensor
	enlarged bool
}

// added returns what is added to a channel of t's image number i, or nil.
func (e *epilogue) added(t *imageTask, i, oc int) (channel []float32, enlarged bool) {
	switch {
	case t.rows != nil && t.rows.add != nil:
		return t.rows.shortcut(oc), false
	case e.add != nil:
		return channelOf(e.add, t.image+i, oc), e.enlarged
	}
	return nil, false
}

// biasOf returns the bias of an output channel.
func (e *epilogue) biasOf(oc int) float32 {
	if e.bias == nil {
		return 0
	}
	return e.bias.data[oc]
}

// slopeOf returns the slope of an output channel.
func slopeOf(slopes *Tensor, oc int) float32 { return slopes.data[oc%len(slopes.data)] }

// store stores a run of sums of output channel oc.
func (e *epilogue) store(dst, sums []float32, oc int) {
	switch {
	case e.masked:
		simd.ReLUBackward(dst, sums, dst)
	case e.slopes != nil:
		simd.AddBiasPReLU(dst, sums, e.biasOf(oc), slopeOf(e.slopes, oc))
	case e.relu:
		simd.AddBiasReLU(dst, sums, e.biasOf(oc))
	default:
		simd.AddBias(dst, sums, e.biasOf(oc))
	}
}

// kernels are the weights of a convolution of some of the channels of w, or of the
// convolution that computes the gradient of these channels.
type kernels struct {
	w        *Tensor
	channels []inputChannel
	flipped  bool        // for the gradient
	packed   *PackedConv // if not nil, has the weights instead of w
}

// read writes the weights that output channel oc has for input channel ic, stride apart.
func (k *kernels) read(dst []float32, stride, oc, ic int) {
	if k.packed != nil {
		k.packed.read(dst, stride, oc, ic)
		return
	}
	taps := k.w.shape[2] * k.w.shape[3]
	if !k.flipped {
		for tap, v := range k.w.data[(oc*k.w.shape[1]+k.channels[ic].place)*taps:][:taps] {
			dst[tap*stride] = v
		}
		return
	}
	// Both directions are flipped, and the channels have changed places.
	for tap, v := range k.w.data[(ic*k.w.shape[1]+k.channels[oc].place)*taps:][:taps] {
		dst[(taps-1-tap)*stride] = v
	}
}

// panelShares returns into how many shares a team of threads cuts the panels of output
// channels, so that there is work for all: a small image has few bands or blocks.
func panelShares(pieces, panels, team int) int {
	if team == 1 || pieces == 0 {
		return 1
	}
	return max(1, min(panels/4, (4*team+pieces-1)/pieces))
}

// panelShare returns the first panel of share i, and how many it has.
func panelShare(panels, i, shares int) (first, count int) {
	first = i * panels / shares
	return first, (i+1)*panels/shares - first
}
