package tensor

import (
	"testing"

	"pixelgrad/simd"
)

// TestConvWork counts the work on two images of 8×16 pixels by hand: in each two rows of four tiles, and
// for each tile a row of its own pixels and those around them.
func TestConvWork(t *testing.T) {
	everyPixelCount(t)
	defer SetThreads(0)
	SetThreads(1)
	x, w := []int{2, 16, 8, 16}, []int{32, 16, 3, 3}
	lanes := simd.WinogradLanes()
	mr, nr := simd.Tile()
	p := PlanConv2d([]ConvInput{{Shape: x}}, w, ConvOptions{ReLU: true})
	tiles := 8 * p.group // of the images that are computed together
	groups := 2 / p.group
	count := func(work []ConvWork, kind WorkKind) (calls, size int) {
		for _, c := range work {
			if c.Kind == kind {
				calls, size = calls+c.Calls, size+c.Size
			}
		}
		return calls, size
	}
	check := func(what string, work []ConvWork, kind WorkKind, calls, size int) {
		t.Helper()
		if c, s := count(work, kind); c != calls || s != size {
			t.Errorf("%s: %d calls, size %d; want %d calls, size %d", what, c, s, calls, size)
		}
	}
	work := p.Work()
	_, columns := count(work, TileProducts)
	if want := groups * 36 * roundUp(tiles, nr) / nr; columns%want != 0 || columns == 0 { // for all channels together, or for some
		t.Errorf("products: %d columns of tiles; want a multiple of %d", columns, want)
	}
	check("input, rows", work, InputRows, 16*2*2, 16*2*2*16)
	check("input, tiles", work, InputTiles, 16*groups, 16*groups*roundUp(tiles, lanes))
	check("output, tiles", work, OutputTiles, 32*groups, 32*groups*roundUp(tiles, lanes))
	check("output, rows", work, OutputRows, 32*2*2, 32*2*2*16)
	check("nothing enlarged", work, EnlargeRows, 0, 0)
	check("weights", p.PackWork(), PackTiles, 1, roundUp(32, mr)*16)

	back := PlanConv2dBackward([]ConvInput{{Shape: x, Grad: Grad}}, w, ConvOptions{ReLU: true}, true, true).Work()
	check("gradient of weights, tiles", back, TileGradProducts, 2, 2*36*8)
	check("gradient of the bias", back, SumRows, 2*32*8, 2*32*8*16)
	check("gradient, masked for weights and input", back, MaskRows, 2*32*8*2, 2*32*8*2*16)

	UseWinograd = false
	direct := PlanConv2d([]ConvInput{{Shape: x}}, w, ConvOptions{}).Work()
	check("rows between zeros", direct, CopyRows, 2*16*8, 2*16*8*16)
	check("stored", direct, StoreRows, 2*32*8, 2*32*8*16)
	check("no tiles", direct, TileProducts, 0, 0)
}
