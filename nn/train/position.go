package train

// A Position is where a training stands between two steps. With the parameters and the
// optimiser's state it is all that the rest of the training depends on, because the batches of an
// epoch and the learning rate of a step depend on their numbers alone.
type Position struct {
	Epoch   int  `json:"epoch"`   // how many were done whole, and validated
	Batches int  `json:"batches"` // how many were done of the next one
	Steps   int  `json:"steps"`   // over all epochs
	Losses  Sums `json:"losses"`  // over the batches of the epoch in progress

	BestEpoch int     `json:"best_epoch"` // whole, and with the smallest validation loss so far; 0: none yet
	BestLoss  float64 `json:"best_loss"`  // of that epoch, summed over the outputs
}

// nextEpoch moves the position behind a whole epoch. It says whether that is the best so far.
func (p *Position) nextEpoch(e Epoch) (best bool) {
	*p = Position{Epoch: e.Epoch, Steps: e.Steps, BestEpoch: p.BestEpoch, BestLoss: p.BestLoss}
	if loss := total(e.Val); e.Val != nil && (p.BestEpoch == 0 || loss < p.BestLoss) {
		p.BestEpoch, p.BestLoss = e.Epoch, loss
		return true
	}
	return false
}

// Stalled says whether the validation loss has not fallen below its best for Patience epochs, so
// that Run ends. It is false without Patience, and without a validation set.
func (l *Loop[In, Out]) Stalled() bool {
	p := l.Position
	return l.Patience > 0 && p.BestEpoch > 0 && p.Epoch-p.BestEpoch >= l.Patience
}

// valid says whether a training can stand there.
func (p Position) valid() bool {
	return min(p.Epoch, p.Batches, p.BestEpoch) >= 0 && p.BestEpoch <= p.Epoch && p.Batches <= p.Steps &&
		p.Losses.Weight == float64(p.Batches) && (len(p.Losses.Sum) > 0) == (p.Batches > 0)
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
