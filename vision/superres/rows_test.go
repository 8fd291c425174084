package superres

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/internal/recipe"
	"pixelgrad/nn"
	"pixelgrad/tensor"
)

// byRows enlarges a picture some rows at a time.
func byRows(t *testing.T, net func(*autograd.Value) *autograd.Value, x *tensor.Tensor, o compile.RowOptions) *tensor.Tensor {
	t.Helper()
	c, h, w := x.Dim(1), x.Dim(2), x.Dim(3)
	p, err := compile.PredictRows(net, c, h, w, o)
	if err != nil {
		t.Fatal(err)
	}
	s := p.ResultShape()
	y := tensor.New(s...)
	read, written := 0, 0
	if err := p.Run(context.Background(), func(row int, pixels []float32) error {
		if row != read || len(pixels) != c*w {
			t.Fatalf("asked for row %d, %d numbers; want %d, %d", row, len(pixels), read, c*w)
		}
		read++
		for k := range c {
			copy(pixels[k*w:][:w], x.Data()[(k*h+row)*w:])
		}
		return nil
	}, func(row int, pixels []float32) error {
		if row != written || len(pixels) != s[1]*s[3] {
			t.Fatalf("given row %d, %d numbers; want %d, %d", row, len(pixels), written, s[1]*s[3])
		}
		written++
		for k := range s[1] {
			copy(y.Data()[(k*s[2]+row)*s[3]:][:s[3]], pixels[k*s[3]:])
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if read != h || written != s[2] {
		t.Fatalf("%d rows were read and %d written, want %d and %d", read, written, h, s[2])
	}
	return y
}

// TestRows wants every network to give the bits of the whole picture when it is computed some rows at
// a time, for sizes that are no multiples of anything, with Winograd's tiles and without.
func TestRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	nets := map[string]Network{
		"fast 2":      NewFast(rng, 2),
		"fast 3":      NewFast(rng, 3),
		"compact":     NewSRVGGNetCompact(rng, 3, 16, 2, 4, PReLU),
		"rrdb 4":      NewRRDBNet(rng, RRDBSizes{3, 16, 16, 1, 2, 4}),
		"rrdb 2":      NewRRDBNet(rng, RRDBSizes{3, 16, 16, 1, 2, 2}),
		"rrdb 1":      NewRRDBNet(rng, RRDBSizes{3, 16, 16, 0, 2, 1}),
		"superresnet": midOf(t, "superresnet"),
		"multi":       largeOf(t, "multi"),
		"residual":    largeOf(t, "residual"),
		"dilated":     largeOf(t, "dilated"),
	}
	for name, n := range nets {
		recipe.FillWeights(n, 0)
		for i, size := range [][2]int{{75, 67}, {1, 1}, {3, 17}, {51, 5}} {
			h, w := size[0], size[1]
			if i == 0 && name != "fast 2" && name != "compact" { // Winograd's tiles are for larger pictures
				h, w = 29, 13
			}
			x := recipe.Pixels(1, 1, 3, h, w)
			want := n.Forward(autograd.Constant(x)).Data()
			for _, rows := range []int{0, 1, 32} {
				got := byRows(t, n.Forward, x, compile.RowOptions{Rows: rows})
				if err := sameBits(got, want); err != nil {
					t.Errorf("%s, %d×%d, %d rows at a time: %v", name, w, h, rows, err)
				}
			}
		}
	}
}

// sameBits returns where two results differ.
func sameBits(got, want *tensor.Tensor) error {
	if fmt.Sprint(got.Shape()) != fmt.Sprint(want.Shape()) {
		return fmt.Errorf("shape %v, want %v", got.Shape(), want.Shape())
	}
	w := want.Dim(3)
	for i, v := range want.Data() {
		if g := got.Data()[i]; math.Float32bits(g) != math.Float32bits(v) {
			return fmt.Errorf("channel %d, row %d, pixel %d: got %v, want %v", i/w/want.Dim(2), i/w%want.Dim(2), i%w, g, v)
		}
	}
	return nil
}

// An output is one of a model's.
type output struct {
	nn.Module
	forward func(x *autograd.Value) *autograd.Value
}

func (o output) Forward(x *autograd.Value) *autograd.Value { return o.forward(x) }
func (o output) Geometry() Geometry                        { return Geometry{} }
func (o output) String() string                            { return "" }

func midOf(t *testing.T, name string) Network {
	m := modelOf(t, name)
	return output{m, func(x *autograd.Value) *autograd.Value { return m.Forward(Input{Photo: x}).Mid }}
}

func largeOf(t *testing.T, name string) Network {
	m := modelOf(t, name)
	return output{m, func(x *autograd.Value) *autograd.Value { return m.Forward(Input{Photo: x}).Large }}
}

func modelOf(t *testing.T, name string) Model {
	t.Helper()
	a, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return a.New(rand.New(rand.NewPCG(7, 8)))
}
