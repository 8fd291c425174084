package superres

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/internal/recipe"
	"pixelgrad/nn"
	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// TestFastWeights enlarges a photograph that was made smaller: the weights that are part of the
// program must come nearer to it than bicubic interpolation at every scale.
func TestFastWeights(t *testing.T) {
	const file, side, corner = "../../testdata/photos/berlin-cathedral_0.jpg", 96, 60
	photo, err := vision.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	part := vision.NewRGB(side, side)
	for y := range side {
		copy(part.Pix[3*side*y:][:3*side], photo.Pix[3*((corner+y)*photo.W+corner):])
	}
	for scale, least := range map[int]float64{2: 1, 3: 0.5, 4: 0.3} { // dB
		m, err := LoadFast(scale)
		if err != nil {
			t.Fatal(err)
		}
		if n := nn.Count(m); n > 80_000 {
			t.Errorf("×%d: %d parameters, want at most 80,000", scale, n)
		}
		if data, err := fastWeights.ReadFile(fmt.Sprintf("weights/fast_x%d.safetensors", scale)); err != nil || len(data) >= 400_000 {
			t.Errorf("×%d: a file of %d bytes, %v; want less than 400,000", scale, len(data), err)
		}
		small := vision.ResizeMATLAB(part, 1/float64(scale))
		want := vision.Luma(part)
		enlarged := vision.FromTensor(m.Forward(autograd.Constant(small.Tensor())).Data(), 0)
		network := vision.GrayPSNR(vision.Luma(enlarged), want, scale)
		bicubic := vision.GrayPSNR(vision.Luma(vision.ResizeMATLAB(small, float64(scale))), want, scale)
		if t.Logf("×%d: %.2f dB, bicubic %.2f dB", scale, network, bicubic); network < bicubic+least {
			t.Errorf("×%d: %.2f dB, bicubic interpolation %.2f dB: want %v dB more", scale, network, bicubic, least)
		}
	}
	var wrong *ScaleError
	if _, err := LoadFast(5); !errors.As(err, &wrong) {
		t.Errorf("×5: error %v", err)
	}
}

// TestFastBegins wants a new network to be bicubic interpolation, and one that begins with another
// scale's weights to have all of them but the last convolution's.
func TestFastBegins(t *testing.T) {
	x := autograd.Constant(recipe.Pixels(1, 1, 3, 5, 7))
	m := NewFast(rand.New(rand.NewPCG(1, 2)), 3)
	if got, want := m.Forward(x).Data(), tensor.UpsampleBicubic(x.Data(), 3); !slices.Equal(got.Data(), want.Data()) {
		t.Error("a new network is not bicubic interpolation")
	}
	other := NewFast(rand.New(rand.NewPCG(3, 4)), 2)
	for _, p := range other.Parameters() {
		p.Data().Data()[0] = 7
	}
	m.BeginWith(other)
	all := m.Parameters()
	for i, p := range all {
		if got, last := p.Data().Data()[0], i >= len(all)-2; (got == 7) == last {
			t.Errorf("%s begins with %v", p.Name, got)
		}
	}
	for _, scale := range []int{1, 5} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("scale %d: no panic", scale)
				}
			}()
			NewFast(rand.New(rand.NewPCG(0, 0)), scale)
		}()
	}
}
