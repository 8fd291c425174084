package report

import "math"

// A Spread is what a figure is over N trainings that differ in their seed alone, in its unit.
type Spread struct {
	N         int     `json:"n"`
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"deviation"` // the sample's standard deviation, √(Σ(x−mean)²/(N−1)); 0 of one
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
