package tensor

import (
	"fmt"
	"math"
)

// A RowBuffer holds some rows of an image, one below the other: those that are needed when an image
// is computed from its top to its bottom, a few rows at a time. Rows are appended at the end and
// dropped at the beginning. Each channel has its rows in one piece of memory.
type RowBuffer struct {
	channels, width int
	capacity        int // rows
	start           int // the row that is first in memory
	first, end      int // the rows that are held are first to end-1
	data            []float32
}

// NewRowBuffer returns a buffer without rows for an image of so many channels and pixels a row, with
// room for so many rows at a time. Its memory is taken by Append, unless Place gave some, and left to
// whoever needs it when Drop has dropped all rows.
func NewRowBuffer(channels, width, capacity int) *RowBuffer {
	return &RowBuffer{channels: channels, width: width, capacity: capacity}
}

// Place makes a buffer without rows use memory for those that are appended, until all have been
// dropped. It panics if there are rows, or not enough memory.
func (b *RowBuffer) Place(memory []float32) {
	if n := b.channels * b.capacity * b.width; b.first != b.end || len(memory) < n {
		panic(fmt.Sprintf("tensor: RowBuffer: memory for %d numbers, want %d; %d rows are there", len(memory), n, b.end-b.first))
	}
	b.data, b.start = memory, b.first
}

// Held returns the rows that are there: from first to end-1.
func (b *RowBuffer) Held() (first, end int) { return b.first, b.end }

// Row returns a row of a channel. It panics if the row is not there.
func (b *RowBuffer) Row(channel, row int) []float32 { return b.from(channel, row)[:b.width] }

// from returns what a channel has from a row on.
func (b *RowBuffer) from(channel, row int) []float32 {
	if row < b.first || row >= b.end {
		panic(fmt.Sprintf("tensor: RowBuffer: row %d of rows %d to %d", row, b.first, b.end-1))
	}
	return b.data[(channel*b.capacity+row-b.start)*b.width : (channel+1)*b.capacity*b.width]
}

// Append makes room for n more rows, of arbitrary content. It panics if there is none.
func (b *RowBuffer) Append(n int) {
	if n < 0 || b.end-b.first+n > b.capacity {
		panic(fmt.Sprintf("tensor: RowBuffer: %d more rows beside rows %d to %d, with room for %d", n, b.first, b.end-1, b.capacity))
	}
	if b.data == nil {
		b.data = make([]float32, b.channels*b.capacity*b.width)
		b.start = b.first
	}
	if b.end-b.start+n > b.capacity { // what is held moves to the beginning
		Parallel(b.channels, func(c int) {
			plane := b.data[c*b.capacity*b.width:][:b.capacity*b.width]
			copy(plane, plane[(b.first-b.start)*b.width:(b.end-b.start)*b.width])
		})
		b.start = b.first
	}
	b.end += n
}

// Drop forgets the rows above row.
func (b *RowBuffer) Drop(row int) {
	b.first = max(b.first, min(row, b.end))
	if b.first == b.end {
		b.data = nil
	}
}

// Load writes rows from..to-1 of the image into y, of shape (1,channels,to-from,width).
func (b *RowBuffer) Load(y *Tensor, from, to int) {
	checkShape("RowBuffer.Load", y, 1, b.channels, to-from, b.width)
	n := (to - from) * b.width
	Parallel(b.channels, func(c int) { copy(y.data[c*n:][:n], b.from(c, from)) })
}

// Store writes x, of shape (1,channels,·,width), from its row skip on, to rows from..to-1.
func (b *RowBuffer) Store(x *Tensor, skip, from, to int) {
	_, _, rows, _ := dims4("RowBuffer.Store", x)
	checkShape("RowBuffer.Store", x, 1, b.channels, rows, b.width)
	n := (to - from) * b.width
	Parallel(b.channels, func(c int) { copy(b.from(c, from)[:n], x.data[(c*rows+skip)*b.width:][:n]) })
}

// convRows are the operands of a convolution of rows.
type convRows struct {
	y, add *RowBuffer
	xs     []*RowBuffer
	from   int // the first row of the result
	above  int // rows of xs above it
}

func (r *convRows) source(at inputChannel) []float32 {
	return r.xs[at.part].from(at.channel, r.from-r.above)
}

func (r *convRows) shortcut(oc int) []float32 { return r.add.from(oc, r.from) }

func (r *convRows) destination() destination {
	return destination{data: r.y.data[(r.from-r.y.start)*r.y.width:], pixels: r.y.capacity * r.y.width}
}

// PlanConvRows prepares Conv2d for rows of an image of height×width pixels, which is the
// concatenation of several with so many channels each: for rows rows of the result, with above and
// below more rows of the image around them. These are dilation·(kh/2) each, or what there is beyond
// the rows at the edges of the image. Only a Plain input may be added; its shape is not looked at.
//
// The results have the bits of those of the whole image, if the first row is a multiple of
// ConvRowsMultiple, and so is the number of rows unless the last row is the image's.
func PlanConvRows(channels []int, height, width, rows, above, below int, w []int, o ConvOptions) *ConvPlan {
	const op = "PlanConvRows"
	xs := make([]ConvInput, len(channels))
	for i, c := range channels {
		xs[i].Shape = []int{1, c, rows, width}
	}
	if o.Add != nil && o.Add.Form != Plain {
		panic(fmt.Sprintf("tensor: %s: form %d cannot be added", op, o.Add.Form))
	}
	if o.Add != nil {
		o.Add = &ConvInput{Shape: []int{1, w[0], rows, width}} // its rows
	}
	p := planConv2d(op, xs, w, o, 0)
	if above < 0 || below < 0 || max(above, below) > p.padY {
		panic(fmt.Sprintf("tensor: %s: weights %v, %d rows above and %d below: want at most %d", op, w, above, below, p.padY))
	}
	p.above, p.below = above, below
	threshold := math.MaxInt
	if height*width >= winogradPixels {
		threshold = 0
	}
	p.choose(threshold)
	p.padding.none = p.padding.algorithm == nil
	p.layout = p.layoutFor(Threads())
	return p
}

// ConvRowsMost returns how many rows of so many pixels PlanConvRows can convolve at once with weights of
// a shape.
func ConvRowsMost(width int, w []int, dilation int) int {
	d := max(dilation, 1)
	return mostPlane/(width+w[3]/2*d) - 2*(w[2]/2*d) - 2
}

// TableLen returns how many numbers say where tiles are: what a plan takes beside its weights and
// ScratchLen.
func (p *ConvPlan) TableLen() int {
	n := 0
	for _, a := range []convAlgorithm{p.algorithm, p.rest} {
		if w, ok := a.(*winograd); ok {
			n += w.tableLen()
		}
	}
	if p.rest == p.algorithm {
		n /= 2
	}
	return n
}

// ConvRowsMultiple returns the number of rows, of which PlanConvRows wants a multiple, for a dilation.
func ConvRowsMultiple(dilation int) int { return 4 * max(dilation, 1) }

// RunRows is Run for rows of images: it computes those of y from row from on, as many as were planned,
// which y must have already. xs must have these rows, and those above and below that were planned.
// add may be nil if none was planned.
func (p *ConvPlan) RunRows(y *RowBuffer, from int, xs []*RowBuffer, b *Tensor, add *RowBuffer, packed, scratch []float32) {
	const op = "ConvPlan.RunRows"
	y.checkRows(op, "the result", p.oc, p.w, from, from+p.h)
	if len(xs) != len(p.in.parts) {
		panic(fmt.Sprintf("tensor: %s: %d inputs, planned were %d", op, len(xs), len(p.in.parts)))
	}
	for i, x := range xs {
		x.checkRows(op, "an input", p.in.parts[i].Shape[1], p.w, from-p.above, from+p.h+p.below)
	}
	if add != nil {
		add.checkRows(op, "what is added", p.oc, p.w, from, from+p.h)
	}
	if b != nil {
		checkOperand(op, "bias", b, p.oc)
	}
	if (add != nil) != (p.options.Add != nil) || len(packed) < p.PackedLen() {
		panic(fmt.Sprintf("tensor: %s: %d packed weights, want %d; something is added: %v, planned was %v", op, len(packed), p.PackedLen(), add != nil, p.options.Add != nil))
	}
	p.operands = convOperands{b: b, packed: packed, rows: &convRows{y: y, add: add, xs: xs, from: from, above: p.above}}
	p.compute(scratch)
}

// checkRows panics unless a buffer has an image's size and some rows.
func (b *RowBuffer) checkRows(op, what string, channels, width, from, to int) {
	if b.channels != channels || b.width != width || from < b.first || to > b.end {
		panic(fmt.Sprintf("tensor: %s: %s has rows %d to %d of %d channels and %d pixels, want rows %d to %d of %d channels and %d pixels",
			op, what, b.first, b.end-1, b.channels, b.width, from, to-1, channels, width))
	}
}
