package superres

import (
	"fmt"
	"math/rand/v2"

	"pixelgrad/autograd"
	"pixelgrad/nn"
)

// RRDBNet is the large network of ESRGAN and Real-ESRGAN: residual blocks in residual blocks, and
// all convolutions of the innermost see what those before them saw.
//
//	f = conv3 c→f (x)
//	f = f + conv3(B(…B(f)))                     n blocks
//	f = lrelu(conv3(nearest2(f)))               for each doubling
//	y = conv3 f→c (lrelu(conv3(f)))
//
// with B an rrdb and lrelu of slope 0.2. RealESRGAN_x4plus has 64 features and 23 blocks,
// RealESRGAN_x4plus_anime_6B 6 blocks. RealESRGAN_x2plus first makes four channels of each by
// unshuffle, so that its four-fold enlargement is one of two; pictures with odd sizes are
// mirrored at the end, and the result is cropped.
//
// Sources: Wang et al., "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", 2018,
// figures 3 and 4; "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic
// Data", 2021, figure 4; the padding of odd sizes as in spandrel.
type RRDBNet struct {
	sizes     RRDBSizes
	convFirst *nn.Conv2d
	body      []*rrdb
	convBody  *nn.Conv2d
	convUp    []*nn.Conv2d
	convHR    *nn.Conv2d
	convLast  *nn.Conv2d

	parameters []nn.Parameter
}

// RRDBSizes are the numbers that an RRDBNet is made with.
type RRDBSizes struct {
	Channels  int // of pictures
	Features  int // ordinarily 64
	Growth    int // features that each convolution of a dense block adds, ordinarily 32
	Blocks    int
	Doublings int // the scale is 2^Doublings/Unshuffle
	Unshuffle int // 1, or the side of the squares of pixels that become channels first
}

// rrdb is B(x) = x + 0.2·D(D(D(x))).
type rrdb [3]*denseBlock

// denseBlock is D(x) = x + 0.2·conv5(concat(x, x1, x2, x3, x4)), with
// xi = lrelu(convi(concat(x, x1 … ))).
type denseBlock [5]*nn.Conv2d

// lrelu is the activation of RRDBNet.
var lrelu = leakyReLU(0.2)

func (b *rrdb) Forward(x *autograd.Value) *autograd.Value {
	y := x
	for _, d := range b {
		y = d.Forward(y)
	}
	return add(scale(0.2, y), x)
}

func (d *denseBlock) Forward(x *autograd.Value) *autograd.Value {
	seen := []*autograd.Value{x}
	for _, conv := range d[:4] {
		seen = append(seen, lrelu(conv.Forward(concat(seen...))))
	}
	return add(scale(0.2, d[4].Forward(concat(seen...))), x)
}

// NewRRDBNet returns a network with random weights. It panics if a size is not positive, but for
// Blocks and Doublings, which may be 0, or if the scale is not a whole number.
func NewRRDBNet(rng *rand.Rand, s RRDBSizes) *RRDBNet { return newRRDBNet(&builder{rng: rng}, s) }

func newRRDBNet(b *builder, s RRDBSizes) *RRDBNet {
	if s.Blocks < 0 || s.Doublings < 0 || s.Unshuffle < 1 || 1<<s.Doublings%s.Unshuffle != 0 {
		panic(fmt.Sprintf("superres: RRDBNet: %+v: want no negative number, and 2^Doublings a multiple of Unshuffle", s))
	}
	m := &RRDBNet{sizes: s}
	m.convFirst = b.conv3("conv_first", s.Channels*s.Unshuffle*s.Unshuffle, s.Features)
	for i := range s.Blocks {
		block := &rrdb{}
		for j := range block {
			d := &denseBlock{}
			for k := range d {
				out := s.Growth
				if k == len(d)-1 {
					out = s.Features
				}
				d[k] = b.conv3(fmt.Sprintf("body.%d.rdb%d.conv%d", i, j+1, k+1), s.Features+k*s.Growth, out)
			}
			block[j] = d
		}
		m.body = append(m.body, block)
	}
	m.convBody = b.conv3("conv_body", s.Features, s.Features)
	for i := range s.Doublings {
		m.convUp = append(m.convUp, b.conv3(fmt.Sprintf("conv_up%d", i+1), s.Features, s.Features))
	}
	m.convHR = b.conv3("conv_hr", s.Features, s.Features)
	m.convLast = b.conv3("conv_last", s.Features, s.Channels)
	m.parameters = b.parameters
	return m
}

// Forward returns the enlarged pictures. Shapes: (n,c,h,w) → (n,c,scale·h,scale·w).
func (m *RRDBNet) Forward(x *autograd.Value) *autograd.Value {
	h, w, g := x.Shape()[2], x.Shape()[3], m.Geometry()
	if u := m.sizes.Unshuffle; u > 1 {
		if below, right := (u-h%u)%u, (u-w%u)%u; below+right > 0 {
			x = autograd.PadReflect(x, below, right)
		}
		x = autograd.PixelUnshuffle(x, u)
	}
	f := m.convFirst.Forward(x)
	b := f
	for _, block := range m.body {
		b = block.Forward(b)
	}
	f = add(f, m.convBody.Forward(b))
	for _, conv := range m.convUp {
		f = lrelu(conv.Forward(nearest(f, 2)))
	}
	y := m.convLast.Forward(lrelu(m.convHR.Forward(f)))
	if s := y.Shape(); s[2] != g.Scale*h || s[3] != g.Scale*w {
		y = autograd.Crop(y, g.Scale*h, g.Scale*w)
	}
	return y
}

// Parameters returns those of conv_first, body, conv_body, conv_up1 and so on, conv_hr and
// conv_last.
func (m *RRDBNet) Parameters() []nn.Parameter { return m.parameters }

// Geometry tells how the enlarged picture depends on the picture. Reach is added up from the end:
// each convolution sees one pixel further, and each doubling halves the distance.
func (m *RRDBNet) Geometry() Geometry {
	s, reach := m.sizes, 2
	for range s.Doublings {
		reach = (reach + 2) / 2
	}
	reach += 15*s.Blocks + 2
	return Geometry{
		Scale:    1 << s.Doublings / s.Unshuffle,
		Channels: s.Channels,
		Reach:    (reach+1)*s.Unshuffle - 1,
		Multiple: s.Unshuffle,
	}
}

func (m *RRDBNet) String() string {
	return fmt.Sprintf("RRDBNet ×%d, %d features, %d blocks", m.Geometry().Scale, m.sizes.Features, m.sizes.Blocks)
}
