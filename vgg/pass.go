package vgg

import (
	"fmt"

	"pixelgrad/tensor"
)

// The activations of the first layers are large. For 16 photographs of 224×224 pixels they
// take 206 MB after each of the first two convolutions, and 6 MB after the last ones. So
// the network computes its images in groups, small ones in early stages and larger ones in
// later stages. When a stage starts a group, it asks the stage before it for the group's
// input. The memory then stays near that of the weights for any batch size, and the
// activations of a group stay in the cache. Later stages must not take one image at a
// time: their weights are as large as their activations, and the largest weights are
// transformed for each call of a convolution.

// groupElements is the approximate number of elements in the largest activation of a
// group. It is a variable for the tests.
var groupElements = 1 << 22

// pass is one computation of the network.
type pass struct {
	m    *VGG
	x    *tensor.Tensor
	last int                    // the last layer to be computed
	taps map[int]*tensor.Tensor // the outputs to keep, by layer, without the last layer
}

// newPass checks the arguments of op and takes memory for the outputs to keep.
func (m *VGG) newPass(op string, x *tensor.Tensor, taps []string) *pass {
	s := x.Shape()
	if len(s) != 4 || s[0] == 0 || s[1] != 3 {
		panic(fmt.Sprintf("vgg: %s: shape %v, want (n,3,h,w) with at least one image", op, s))
	}
	p := &pass{m: m, x: x, last: -1, taps: map[int]*tensor.Tensor{}}
	for _, tap := range taps {
		p.last = max(p.last, m.find(op, tap))
	}
	m.sizes(op, p.last, s[2], s[3]) // before any memory is taken
	for _, tap := range taps {
		if i := m.find(op, tap); i != p.last && p.taps[i] == nil {
			c, h, w := m.sizes(op, i, s[2], s[3])
			p.taps[i] = tensor.NewUninitialized(s[0], c, h, w)
		}
	}
	return p
}

// stage returns the output of stage s for the images lo to hi-1.
func (p *pass) stage(s, lo, hi int) *tensor.Tensor {
	group := p.group(s, hi-lo)
	if group == hi-lo {
		return p.run(s, lo, hi)
	}
	var y *tensor.Tensor
	for at := lo; at < hi; at += group {
		part := p.run(s, at, min(hi, at+group))
		if y == nil {
			y = tensor.NewUninitialized(append([]int{hi - lo}, part.Shape()[1:]...)...)
		}
		put(y, at-lo, part)
		tensor.Release(part)
	}
	return y
}

// run returns the output of stage s for one group, the images lo to hi-1.
func (p *pass) run(s, lo, hi int) *tensor.Tensor {
	var h *tensor.Tensor
	if s == 0 {
		shape := p.x.Shape()
		size := 3 * shape[2] * shape[3]
		h = tensor.FromSlice(p.x.Data()[lo*size:hi*size], hi-lo, 3, shape[2], shape[3])
	} else {
		h = p.stage(s-1, lo, hi)
	}
	for i, l := range p.m.layers[:p.last+1] {
		if l.stage != s {
			continue
		}
		var y *tensor.Tensor
		if l.index < 0 {
			y = tensor.MaxPool2(h)
		} else {
			y = p.m.weight[i].Conv2d(h, p.m.bias[i], tensor.ConvOptions{ReLU: true})
		}
		if i > 0 { // the first layer's input is the caller's
			tensor.Release(h)
		}
		if h = y; p.taps[i] != nil {
			put(p.taps[i], lo, y)
		}
	}
	return h
}

// group returns how many of n images stage s computes at a time. Groups are as large as
// groupElements allows, and of about the same size; if possible, the size is a multiple of
// the number of threads. The results do not depend on it.
func (p *pass) group(s, n int) int {
	h, w, most := p.x.Dim(2), p.x.Dim(3), 1
	for i, l := range p.m.layers[:p.last+1] {
		if l.stage == s && l.index >= 0 {
			c, lh, lw := p.m.sizes("", i, h, w)
			most = max(most, c*lh*lw)
		}
	}
	group := max(1, groupElements/most)
	groups := (n + group - 1) / group
	threads := tensor.Threads()
	if even := ((n+groups-1)/groups + threads - 1) / threads * threads; even <= group {
		group = even
	}
	return min(group, n)
}

// put copies images into dst, starting at image number at.
func put(dst *tensor.Tensor, at int, images *tensor.Tensor) {
	size := dst.Len() / dst.Dim(0)
	src := images.Data()
	to := dst.Data()[at*size:][:len(src)]
	const piece = 1 << 16
	tensor.Parallel((len(src)+piece-1)/piece, func(i int) {
		copy(to[i*piece:min(len(to), (i+1)*piece)], src[i*piece:])
	})
}
