package train

// A Position is where a training stands between two steps. With the parameters and the
// optimiser's state it is all that the rest of the training depends on, because the order of an
// epoch's batches depends on its number alone.
type Position struct {
	Epoch   int  `json:"epoch"`   // how many were done whole, and validated
	Batches int  `json:"batches"` // how many were done of the next one
	Steps   int  `json:"steps"`   // over all epochs
	Losses  Sums `json:"losses"`  // over the batches of the epoch in progress
}

// Sums are sums of losses, one for each output.
type Sums struct {
	Sum    []float64 `json:"sum"`
	Weight float64   `json:"weight"`
}

func (s *Sums) add(losses []float64, weight int) {
	if s.Sum == nil {
		s.Sum = make([]float64, len(losses))
	}
	for i, v := range losses {
		s.Sum[i] += v * float64(weight)
	}
	s.Weight += float64(weight)
}

func (s *Sums) mean() []float64 {
	mean := make([]float64, len(s.Sum))
	for i, v := range s.Sum {
		mean[i] = v / s.Weight
	}
	return mean
}
