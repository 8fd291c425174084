package tensor

import (
	"fmt"
	"sync"

	"pixelgrad/simd"
)

// A PackedConv is the weights of a convolution in the arrangement that it reads them in:
// those of a frozen network are packed once.
type PackedConv struct {
	shape    []int     // (oc,ic,kh,kw)
	direct   []float32 // see convShape.packWeights
	winograd func() []float32
}

// packedWinograd is the most numbers that a PackedConv keeps of transformed weights, of
// which there are four times as many as weights. Larger ones are transformed when many
// pixels need them: VGG16's last convolutions would take 200 MB.
const packedWinograd = 1 << 22

// PackConv packs weights, in the memory that they are in if whole panels can be made of
// them. It leaves w empty, as Release does. Shapes: (oc,ic,kh,kw). It panics for another
// rank, no channels or even kernels.
func PackConv(w *Tensor) *PackedConv {
	if len(w.shape) != 4 || w.Len() == 0 || w.shape[2]%2 == 0 || w.shape[3]%2 == 0 {
		panic(fmt.Sprintf("tensor: PackConv: shape %v, want (oc,ic,kh,kw), with channels and odd kernels", w.shape))
	}
	p := &PackedConv{shape: w.shape, direct: w.data}
	s := p.convShape([]int{1, w.shape[1], 1, 1}, 1)
	mr, _ := simd.Tile()
	n := s.ic * s.taps // of an output channel's weights
	if s.oc%mr != 0 {
		p.direct = make([]float32, s.panels()*mr*n)
	}
	Parallel(s.panels(), func(panel int) {
		rows := takeBuffer(mr * n)
		defer giveBuffer(rows)
		count := min(mr, s.oc-panel*mr)
		copy(rows, w.data[panel*mr*n:][:count*n])
		packPanel(p.direct[panel*mr*n:][:mr*n], rows, n, count, n)
	})
	w.data, w.shape = nil, []int{0}
	if s.kh == 3 && s.kw == 3 && min(s.ic, s.oc) >= winogradChannels && 36*s.oc*s.ic <= packedWinograd {
		p.winograd = sync.OnceValue(func() []float32 {
			w := newWinograd(s)
			dst := make([]float32, w.packedLen()) // not the pool's: it would hold on to a whole area
			w.packTo(dst, kernels{packed: p})
			return dst
		})
	}
	return p
}

// Shape returns the shape of the weights. The caller must not change it.
func (p *PackedConv) Shape() []int { return p.shape }

// Bytes returns the memory that the weights take, those included that are transformed
// when they are needed for the first time.
func (p *PackedConv) Bytes() int {
	n := 4 * len(p.direct)
	if p.winograd != nil {
		n += 36 * 4 * p.shape[0] * p.shape[1]
	}
	return n
}

func (p *PackedConv) convShape(x []int, dilation int) *convShape {
	return newConvShape("PackedConv", x, p.shape, dilation)
}

// Conv2d is Conv2d with the packed weights, bit by bit unless fewer pixels are enough for
// Winograd's way, since its weights are there already. o.Add must be nil.
func (p *PackedConv) Conv2d(x, b *Tensor, o ConvOptions) *Tensor {
	s := p.convShape(x.shape, o.Dilation)
	if b != nil && (len(b.shape) != 1 || b.shape[0] != s.oc) || o.Add != nil {
		panic(fmt.Sprintf("tensor: PackedConv.Conv2d: bias %v for weights %v, Add %v: want as many biases as output channels, and no Add", shapeOf(b), p.shape, o.Add != nil))
	}
	in := newConvInputs("PackedConv", []ConvInput{{X: x}})
	pixels := winogradPixels
	if p.winograd != nil {
		pixels = packedPixels
	}
	m := s.method(pixels)
	defer s.release()
	packed := p.direct
	if w, ok := m.(*winograd); ok {
		if p.winograd != nil {
			packed = p.winograd()
		} else {
			packed = w.packWeights(kernels{packed: p})
			defer giveBuffer(packed)
		}
	}
	return s.forward(in, m, packed, nil, b, o)
}

// at returns the weights that output channel oc has for input channel ic, in buffer.
func (p *PackedConv) at(oc, ic int, buffer []float32) []float32 {
	mr, _ := simd.Tile()
	taps := p.shape[2] * p.shape[3]
	for tap := range taps {
		buffer[tap] = p.direct[((oc/mr*p.shape[1]+ic)*taps+tap)*mr+oc%mr]
	}
	return buffer[:taps]
}
