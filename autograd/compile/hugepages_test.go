package compile_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/nn"
	"pixelgrad/tensor"
)

// TestHugeArena: a program computes the same whether its arena lies in huge pages or not.
func TestHugeArena(t *testing.T) {
	defer func(was bool) { tensor.UseHugePages = was }(tensor.UseHugePages)
	network := nn.Sequential{nn.NewConv2d(rand.New(rand.NewPCG(1, 1)), 3, 32, 3), nn.NewConv2d(rand.New(rand.NewPCG(1, 2)), 32, 32, 3)}
	x := tensor.New(1, 3, 200, 200) // 5 MB a result
	for i := range x.Data() {
		x.Data()[i] = float32(i%13) / 13
	}
	var want []float32
	for _, tensor.UseHugePages = range []bool{false, true} {
		p, err := compile.Predict(network.Forward, autograd.Constant(x), compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := p.Run(autograd.Constant(x)).Data().Data()
		if want == nil {
			want = slices.Clone(got)
		}
		for i, w := range want {
			if got[i] != w {
				t.Fatalf("huge pages %v: number %d: got %v, want %v", tensor.UseHugePages, i, got[i], w)
			}
		}
	}
}
