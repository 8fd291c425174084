package tensor

import (
	"fmt"

	"pixelgrad/simd"
)

// A convGeometry has the sizes of a "same" convolution and the layout of its images in memory:
// each channel padded, that is with zeros around it. A padded row is stride = w+padX long.
// The zeros on the right of a row are also the zeros on the left of the next row:
//
//	0 0 0 0 0 0
//	0 a b c d 0
//	0 e f g h 0    of 2×4 pixels, for 3×3 weights: stride 5, plane 21
//	0 0 0 0 0
//
// In this layout, flattened, output pixel (y,x) has flat position q = y·stride+x. Weight
// (ic,ky,kx) meets there the input at q + tapOffset(ic,ky,kx). So the inputs that one
// weight meets at consecutive positions are consecutive too. The padX positions between two
// rows of results are unused.
type convGeometry struct {
	n, ic, oc, h, w  int
	kh, kw, dilation int
	padY, padX       int
	stride, plane    int // distances of rows and of channels in the padded layout
	flat             int // how many flat positions there are
	taps             int // kh·kw

	// The rows above and below the image that are given, and not zeros: see RowBuffer.
	above, below int
}

// newConvGeometry checks shapes, of which b may be nil, and panics if they do not fit.
func newConvGeometry(op string, x, w, b []int, dilation int) *convGeometry {
	if dilation == 0 {
		dilation = 1
	}
	wrong := func(want string) {
		biases := ""
		if b != nil {
			biases = fmt.Sprintf(", bias %v", b)
		}
		panic(fmt.Sprintf("tensor: %s: image %v, weights %v%s, dilation %d: %s", op, x, w, biases, dilation, want))
	}
	switch {
	case len(x) != 4 || len(w) != 4 || x[1] != w[1] || w[0] == 0 || w[1] == 0:
		wrong("want (n,ic,h,w) and (oc,ic,kh,kw) with the same ic, and channels")
	case w[2]%2 == 0 || w[3]%2 == 0 || dilation < 0:
		wrong("want odd kernels and a positive dilation")
	case b != nil && (len(b) != 1 || b[0] != w[0]):
		wrong("want as many biases as output channels")
	}
	g := &convGeometry{n: x[0], ic: x[1], oc: w[0], h: x[2], w: x[3], kh: w[2], kw: w[3], dilation: dilation}
	g.padY, g.padX = g.kh/2*dilation, g.kw/2*dilation
	g.stride = g.w + g.padX
	g.plane = g.padX + (g.h+2*g.padY)*g.stride
	g.flat = max(0, (g.h-1)*g.stride+g.w)
	g.taps = g.kh * g.kw
	return g
}

// transposed returns the geometry of the convolution that computes the gradient of some
// input channels from that of all output channels.
func (g *convGeometry) transposed(channels int) *convGeometry {
	t := *g
	t.ic, t.oc = g.oc, channels
	return &t
}

// pixels returns how many pixels a channel of an image has.
func (g *convGeometry) pixels() int { return g.h * g.w }

// origin returns the place of pixel (0,0) in a padded channel.
func (g *convGeometry) origin() int { return g.padX + g.padY*g.stride }

// tapOffset returns what weight (c,ky,kx) meets at flat position 0.
func (g *convGeometry) tapOffset(c, ky, kx int) int {
	return c*g.plane + ky*g.dilation*g.stride + kx*g.dilation
}

// panels returns how many groups of simd.Tile's rows the output channels fill.
func (g *convGeometry) panels() int {
	mr, _ := simd.Tile()
	return (g.oc + mr - 1) / mr
}

// meets says whether row or column k of the weights, of size, meets a pixel of the image
// at position i of n, and not a zero beside it.
func (g *convGeometry) meets(k, size, i, n int) bool {
	at := i + g.dilation*(k-size/2)
	return at >= 0 && at < n
}

// meetsFrom returns the range of positions i for which meets(k, size, i, n) holds.
func (g *convGeometry) meetsFrom(k, size, n int) (lo, hi int) {
	shift := g.dilation * (k - size/2)
	return min(n, max(0, -shift)), max(0, min(n, n-shift))
}

// roundUp returns the smallest multiple of to that is not less than n.
func roundUp(n, to int) int { return (n + to - 1) / to * to }
