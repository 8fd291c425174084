package tensor

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkConv measures 3×3 convolutions on one thread, computed directly and by
// Winograd's way. GFLOP/s count the multiplications of the direct way.
func BenchmarkConv(b *testing.B) {
	defer SetThreads(0)
	defer func() { UseWinograd = true }()
	rng := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct{ ic, oc, size, dilation int }{
		{64, 64, 72, 1}, {32, 32, 72, 1}, {32, 32, 144, 1}, {96, 32, 144, 1}, {32, 32, 144, 2}, {32, 32, 144, 4}, {192, 64, 72, 1},
		{256, 256, 28, 1}, {512, 512, 14, 1},
	} {
		const n = 2
		x, w, bias := random(rng, n, c.ic, c.size, c.size), random(rng, c.oc, c.ic, 3, 3), random(rng, c.oc)
		o := ConvOptions{Dilation: c.dilation, ReLU: true}
		y := Conv2d(x, w, bias, o)
		for _, way := range []string{"direct", "winograd"} {
			UseWinograd = way == "winograd"
			SetThreads(1)
			run := func(what string, f func()) {
				f() // memory that is written to for the first time takes the system's time
				b.Run(fmt.Sprintf("%d→%d@%d,d%d/%s/%s", c.ic, c.oc, c.size, c.dilation, what, way), func(b *testing.B) {
					for b.Loop() {
						f()
					}
					b.ReportMetric(2*9*float64(n*c.ic*c.oc*c.size*c.size*b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
			run("forward", func() { Release(Conv2d(x, w, bias, o)) })
			run("dx", func() { Release(Conv2dInputGrad(w, y, c.dilation)) })
			run("dw", func() { Release(Conv2dWeightGrad(x, y, 3, 3, c.dilation)) })
		}
	}
}
