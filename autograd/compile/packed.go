package compile

import "pixelgrad/tensor"

// packWeights arranges the weights of a prediction once, in the order in which the kernels
// read them, instead of in every run.
//
//	before:  each run:  w ──▶ pack ──▶ conv ──▶ y
//	after:   once:      w ──▶ pack ──▶ packed        each run:  packed ──▶ conv ──▶ y
//
// Winograd's way transforms the weights too, which takes a part of the time of a small image.
// Results are the same bit by bit. Call Program.WeightsChanged after changing parameters.
//
// Condition: the program has no backward phase, and the weights are a parameter or constant.
//
// Source: Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008,
// section 4 (packing).
func packWeights(g *Graph) {
	if len(g.Gradients) > 0 {
		return
	}
	for _, s := range g.Steps {
		if k, ok := s.Kernel.(conv); ok {
			if _, w, _, _ := k.split(s.In); w.Value != nil {
				s.packs = true
			}
		}
	}
}

// packing is how a kernel packs weights, and how it runs with them.
type packing struct {
	length  int
	scratch int
	fill    func(packed []float32, in []*tensor.Tensor)
	run     func(out, in []*tensor.Tensor, packed, scratch []float32)
}

// Packed says whether the step's weights are packed once.
func (s *Step) Packed() bool { return s.packs }
