package report

import (
	"math"
	"testing"
)

func TestSpread(t *testing.T) {
	for _, values := range [][]float64{{27, 28, 29}, {27}} {
		want := Spread{N: 1, Mean: 27}
		if len(values) == 3 {
			want = Spread{N: 3, Mean: 28, Deviation: 1}
		}
		if got := NewSpread(values); math.Abs(got.Mean-want.Mean) > 1e-12 || math.Abs(got.Deviation-want.Deviation) > 1e-12 || got.N != want.N {
			t.Errorf("%v: got %+v, want %+v", values, got, want)
		}
	}
}
