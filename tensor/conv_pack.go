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

// PackConv packs weights. It leaves w empty, so that their memory can be collected.
// Shapes: (oc,ic,kh,kw). It panics for another rank, no channels or even kernels.
func PackConv(w *Tensor) *PackedConv {
	if len(w.shape) != 4 || w.Len() == 0 || w.shape[2]%2 == 0 || w.shape[3]%2 == 0 {
		panic(fmt.Sprintf("tensor: PackConv: shape %v, want (oc,ic,kh,kw), with channels and odd kernels", w.shape))
	}
	p := &PackedConv{shape: w.shape}
	s := p.convShape([]int{1, w.shape[1], 1, 1}, 1)
	all := make([]int32, s.ic)
	for i := range all {
		all[i] = int32(i)
	}
	p.direct = own(s.packWeights(kernels{w: w, all: all}))
	w.data, w.shape = nil, []int{0}
	if s.kh == 3 && s.kw == 3 && min(s.ic, s.oc) >= winogradChannels && 36*s.oc*s.ic <= packedWinograd {
		p.winograd = sync.OnceValue(func() []float32 { return own(newWinograd(s).packWeights(kernels{packed: p})) })
	}
	return p
}

// own copies a buffer into memory of its own and gives it back: what stays would hold on to
// a whole area of the pool.
func own(b []float32) []float32 {
	defer giveBuffer(b)
	return append(make([]float32, 0, len(b)), b...)
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
