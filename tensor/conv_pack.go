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
	direct   []float32 // see directConv.packWeights
	winograd func() []float32
}

// packedWinograd limits the transformed weights that a PackedConv keeps, in numbers. They are
// four times as many as the weights: those of VGG16's last convolutions would take 200 MB.
// Larger weights are transformed again when they are used for many pixels.
const packedWinograd = 1 << 22

// packedPixels takes the place of winogradPixels if the weights are transformed already: enough
// pixels to nearly fill a block. It is a variable for the tests.
var packedPixels = 1 << 10

// PackConv packs weights, in the memory that they are in if whole panels can be made of
// them. It leaves w empty, as Release does. Shapes: (oc,ic,kh,kw). It panics for another
// rank, no channels or even kernels.
func PackConv(w *Tensor) *PackedConv {
	if len(w.shape) != 4 || w.Len() == 0 || w.shape[2]%2 == 0 || w.shape[3]%2 == 0 {
		panic(fmt.Sprintf("tensor: PackConv: shape %v, want (oc,ic,kh,kw), with channels and odd kernels", w.shape))
	}
	p := &PackedConv{shape: w.shape, direct: w.data}
	g := newConvGeometry("PackConv", []int{1, w.shape[1], 1, 1}, w.shape, nil, 1)
	mr, _ := simd.Tile()
	n := g.ic * g.taps // of an output channel's weights
	if g.oc%mr != 0 {
		p.direct = make([]float32, g.panels()*mr*n)
	}
	HugePages(p.direct)
	Parallel(g.panels(), func(panel int) {
		rows := takeBuffer(mr * n)
		defer giveBuffer(rows)
		count := min(mr, g.oc-panel*mr)
		copy(rows, w.data[panel*mr*n:][:count*n])
		packPanel(p.direct[panel*mr*n:][:mr*n], rows, n, count, n)
	})
	w.data, w.shape = nil, []int{0}
	if g.kh == 3 && g.kw == 3 && min(g.ic, g.oc) >= winogradChannels && 36*g.oc*g.ic <= packedWinograd {
		p.winograd = sync.OnceValue(func() []float32 {
			a := newWinograd(g, 1)
			dst := make([]float32, a.packedLen())
			HugePages(dst)
			a.packWeights(dst, kernels{packed: p})
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

// Conv2d is Conv2d with the packed weights. Results are the same bit by bit, except where
// Winograd's way is chosen for fewer pixels. o.Add must be nil.
func (p *PackedConv) Conv2d(x, b *Tensor, o ConvOptions) *Tensor {
	shape := Conv2dShape("PackedConv.Conv2d", x.shape, p.shape, shapeOf(b), o.Dilation)
	if o.Add != nil {
		panic(fmt.Sprintf("tensor: PackedConv.Conv2d: image %v, weights %v: Add is for plans only", x.shape, p.shape))
	}
	pixels := winogradPixels
	if p.winograd != nil {
		pixels = packedPixels
	}
	plan := planConv2d("PackedConv.Conv2d", []ConvInput{{Shape: x.shape}}, p.shape, o, pixels)
	y := NewUninitialized(shape...)
	packed := p.direct
	if a, ok := plan.algorithm.(*winograd); ok {
		if p.winograd != nil {
			packed = p.winograd()
		} else {
			packed = takeBuffer(a.packedLen())
			defer giveBuffer(packed)
			a.packWeights(packed, kernels{packed: p})
		}
	}
	plan.Run(y, []*Tensor{x}, nil, b, nil, packed, nil)
	return y
}

// read writes the weights that output channel oc has for input channel ic, stride apart.
func (p *PackedConv) read(dst []float32, stride, oc, ic int) {
	mr, _ := simd.Tile()
	taps := p.shape[2] * p.shape[3]
	for tap := range taps {
		dst[tap*stride] = p.direct[((oc/mr*p.shape[1]+ic)*taps+tap)*mr+oc%mr]
	}
}
