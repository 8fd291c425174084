package vgg

import (
	"fmt"
	"testing"

	"pixelgrad/internal/recipe"
	"pixelgrad/tensor"
)

func BenchmarkFeatures(b *testing.B) {
	m := Random(1, "pool5")
	for _, s := range []struct{ n, side int }{{1, 224}, {16, 224}, {16, 72}} {
		b.Run(fmt.Sprintf("%d of %d²", s.n, s.side), func(b *testing.B) {
			x := recipe.Pixels(1, s.n, 3, s.side, s.side)
			for b.Loop() {
				tensor.Release(m.Features(x, "pool5")[0])
			}
		})
	}
}
