package compile

import "pixelgrad/tensor"

// Multiplications returns the multiply-adds of a convolution, and 0 for other steps.
func (s *Step) Multiplications() int {
	switch k := s.Kernel.(type) {
	case conv:
		sources, w, _, _ := k.split(s.In)
		return products(s.Out[0].Shape, w.Shape, channels(sources))
	case convBackward:
		sources, w := s.In[2:2+len(k.forms)], s.In[1]
		var wanted []*Tensor
		for i, t := range sources {
			if k.grads[i] != tensor.NoGrad {
				wanted = append(wanted, t)
			}
		}
		n := products(s.In[0].Shape, w.Shape, channels(wanted))
		if k.weights {
			n += products(s.In[0].Shape, w.Shape, channels(sources))
		}
		return n
	}
	return 0
}

// ConvWork counts what a convolution does, with what packs its weights unless they are packed once.
// It returns nil for other steps.
func (s *Step) ConvWork() []tensor.ConvWork {
	p := s.prepare()
	if p.work == nil {
		return nil
	}
	if p.packWork == nil || s.packs {
		return p.work()
	}
	return append(p.work(), p.packWork()...)
}

// products is how many multiply-adds make y of so many channels.
func products(y, w []int, channels int) int {
	return y[0] * y[1] * y[2] * y[3] * channels * w[2] * w[3]
}

// channels adds up the channels of the sources that are images. Constant channels cost little.
func channels(sources []*Tensor) int {
	n := 0
	for _, t := range sources {
		if len(t.Shape) == 4 {
			n += t.Shape[1]
		}
	}
	return n
}

// work estimates the time of a step in units of a multiply-add of direct convolution.
// Winograd's way has a quarter of the multiplications and takes about half of the time;
// with few input channels, kernels reach a small part of the processor's peak.
func work(s *Step) float64 {
	n := float64(s.Multiplications())
	var w *Tensor
	switch k := s.Kernel.(type) {
	case conv:
		_, w, _, _ = k.split(s.In)
	case convBackward:
		w = s.In[1]
	default:
		return 0
	}
	if min(w.Shape[0], w.Shape[1]) >= 16 && w.Shape[2] == 3 && w.Shape[3] == 3 {
		return n / 2
	}
	return n * (1 + 16/float64(w.Shape[1]))
}
