package tensor

// conv2dReference is Conv2d as its formula reads. Tests hold the two equal.
func conv2dReference(x, w, b *Tensor, o ConvOptions) *Tensor {
	s := newConvShape("Conv2d", x.shape, w.shape, o.Dilation)
	y := New(s.n, s.oc, s.h, s.w)
	s.eachProduct(func(xi, wi, yi int) { y.data[yi] += x.data[xi] * w.data[wi] })
	for i := range y.data {
		y.data[i] += bias(b, i/(s.h*s.w)%s.oc)
		if o.ReLU {
			y.data[i] = max(y.data[i], 0)
		}
	}
	return y
}

// conv2dBackwardReference is Conv2dBackward as its formulas read.
func conv2dBackwardReference(x, w, y, dy *Tensor, o ConvOptions) (dx, dw, db *Tensor) {
	s := newConvShape("Conv2dBackward", x.shape, w.shape, o.Dilation)
	dx, dw, db = New(x.shape...), New(w.shape...), New(s.oc)
	g := dy.Clone()
	for i := range g.data {
		if o.ReLU && y.data[i] <= 0 {
			g.data[i] = 0
		}
		db.data[i/(s.h*s.w)%s.oc] += g.data[i]
	}
	s.eachProduct(func(xi, wi, yi int) {
		dx.data[xi] += w.data[wi] * g.data[yi]
		dw.data[wi] += x.data[xi] * g.data[yi]
	})
	return dx, dw, db
}

// eachProduct calls f with the indices of every product x[xi]·w[wi] in y[yi].
func (s *convShape) eachProduct(f func(xi, wi, yi int)) {
	for n := range s.n {
		for oc := range s.oc {
			for ic := range s.ic {
				for ky := range s.kh {
					for kx := range s.kw {
						for i := range s.h {
							for j := range s.w {
								si, sj := i+s.dilation*(ky-s.kh/2), j+s.dilation*(kx-s.kw/2)
								if si >= 0 && si < s.h && sj >= 0 && sj < s.w {
									f(((n*s.ic+ic)*s.h+si)*s.w+sj, ((oc*s.ic+ic)*s.kh+ky)*s.kw+kx, ((n*s.oc+oc)*s.h+i)*s.w+j)
								}
							}
						}
					}
				}
			}
		}
	}
}
