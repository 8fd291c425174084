package tensor

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestUpsampleRowSpans: any span of a row has the bits that it has in the whole row.
func TestUpsampleRowSpans(t *testing.T) {
	const h, w = 3, 9
	src := random(rand.New(rand.NewPCG(3, 4)), h, w).data
	scratch, want, got := make([]float32, w+2), make([]float32, 2*w), make([]float32, 2*w)
	for i := range 2 * h {
		upsampleRow(want, src, scratch, i, 0, 2*w)
		for from := range 2 * w {
			for to := from; to <= 2*w; to++ {
				for _, s := range [][]float32{scratch, got} {
					for k := range s {
						s[k] = float32(math.NaN())
					}
				}
				upsampleRow(got, src, scratch, i, from, to)
				for k, v := range got {
					inside := k >= from && k < to
					if inside && v != want[k] || (k < from-1 || k > to) && v == v {
						t.Fatalf("row %d, pixels %d to %d: pixel %d is %v, want %v there", i, from, to-1, k, v, want[k])
					}
				}
			}
		}
	}
}
