package train

import (
	"pixelgrad/nn"
	"pixelgrad/tensor"
)

// A snapshot keeps the last parameters that gave a finite loss.
type snapshot struct {
	parameters []nn.Parameter
	good, now  []*tensor.Tensor
}

func newSnapshot(m nn.Module) *snapshot {
	s := &snapshot{parameters: m.Parameters()}
	for _, p := range s.parameters {
		s.good, s.now = append(s.good, p.Data().Clone()), append(s.now, p.Data().Clone())
	}
	return s
}

// take copies the parameters before their loss is known.
func (s *snapshot) take() {
	for i, p := range s.parameters {
		copy(s.now[i].Data(), p.Data().Data())
	}
}

// confirm says that the loss of the noted parameters is finite.
func (s *snapshot) confirm() { s.good, s.now = s.now, s.good }

// restore resets the parameters to the last good ones.
func (s *snapshot) restore() {
	for i, p := range s.parameters {
		copy(p.Data().Data(), s.good[i].Data())
	}
}
