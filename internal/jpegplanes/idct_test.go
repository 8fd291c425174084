package jpegplanes

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The transform rounds to the nearest level, but for a tenth that its constants are off.
func TestInverse(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	scale := func(u int) float64 {
		if u == 0 {
			return math.Sqrt2 / 2
		}
		return 1
	}
	for range 200 {
		var b [64]int32
		for range 1 + r.IntN(20) {
			b[r.IntN(64)] = int32(r.IntN(401) - 200)
		}
		in := b
		inverse(&b)
		for i, got := range b {
			x, y, want := float64(i%8), float64(i/8), 0.0
			for k, c := range in {
				u, v := k%8, k/8
				want += scale(u) * scale(v) / 4 * float64(c) * math.Cos((2*x+1)*float64(u)*math.Pi/16) * math.Cos((2*y+1)*float64(v)*math.Pi/16)
			}
			if !(math.Abs(float64(got)-want) <= 0.6) {
				t.Fatalf("sample %d of %v is %d, want %.3f", i, in, got, want)
			}
		}
	}
}

// The zigzag order of T.81, figure A.6, begins so, and has every place once.
func TestZigzag(t *testing.T) {
	if got, want := [10]uint8(zigzag[:10]), [10]uint8{0, 1, 8, 16, 9, 2, 3, 10, 17, 24}; got != want {
		t.Errorf("%v, want %v", got, want)
	}
	var have [64]bool
	for _, at := range zigzag {
		have[at] = true
	}
	for at, ok := range have {
		if !ok {
			t.Errorf("place %d is missing", at)
		}
	}
}
