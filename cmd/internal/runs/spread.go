package runs

import (
	"fmt"
	"math"
)

// A Spread is what a figure is over several trainings.
type Spread struct {
	N         int
	Mean      float64
	Deviation float64 // of the sample: the root of Σ(x-mean)²/(n-1); 0 of one
}

// NewSpread returns the spread of figures, of which there must be one or more.
func NewSpread(values []float64) Spread {
	s := Spread{N: len(values)}
	for _, v := range values {
		s.Mean += v / float64(s.N)
	}
	if s.N < 2 {
		return s
	}
	sum := 0.0
	for _, v := range values {
		sum += (v - s.Mean) * (v - s.Mean)
	}
	s.Deviation = math.Sqrt(sum / float64(s.N-1))
	return s
}

// Text writes the mean with so many digits behind the point, and ± the deviation if there is one.
func (s Spread) Text(digits int) string {
	if s.N < 2 {
		return fmt.Sprintf("%.*f", digits, s.Mean)
	}
	return fmt.Sprintf("%.*f ± %.*f", digits, s.Mean, digits, s.Deviation)
}
