package tensor

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestHugePages packs weights of several megabytes with and without huge pages.
func TestHugePages(t *testing.T) {
	defer func(was bool) { UseHugePages = was }(UseHugePages)
	var results [2][]float32
	for i, use := range []bool{true, false} {
		UseHugePages = use
		rng := rand.New(rand.NewPCG(1, 1))
		w, x := random(rng, 1030, 1024), random(rng, 3, 1024)
		p := PackTransposed(w)
		results[i] = slices.Concat(p.data, p.Linear(x, LinearOptions{}).data, PackLinear(w).Mul(x, nil).data)
	}
	if !slices.Equal(results[0], results[1]) {
		t.Error("results differ with huge pages")
	}
}
