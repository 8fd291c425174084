package superres

import (
	"context"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"pixelgrad/internal/golden"
	"pixelgrad/internal/recipe"
	"pixelgrad/simd"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/vgg"
)

// oddPicture is the picture of superres_odd.py.
func oddPicture(w, h int) *image.RGBA {
	p := image.NewRGBA(image.Rect(0, 0, w, h))
	for i, v := range recipe.Numbers(80, 3, h, w).Data() {
		at := i % (w * h) * 4
		p.Pix[at+i/(w*h)] = uint8(int(math.Round((float64(v)+1)*1001)) % 256)
		p.Pix[at+3] = 255
	}
	return p
}

// TestOddSizes compares what Upscale makes of pictures with PyTorch's predictions, for sides that
// are no multiple of anything: no level may be more than one away. VGG16's features are computed of
// the picture that the network is shown, which has its last row and column once more: half of an odd
// side is no number of pixels.
func TestOddSizes(t *testing.T) {
	file := golden.Open(t, "superres-odd")
	eyes, err := vgg.Pretrained("relu2_2")
	if err != nil {
		t.Fatal(err)
	}
	features := map[Features]func(ctx context.Context, photo *tensor.Tensor) (*tensor.Tensor, error){
		VGGFeatures: func(_ context.Context, photo *tensor.Tensor) (*tensor.Tensor, error) {
			return eyes.Features(eyes.Normalize(photo), "relu2_2")[0], nil
		},
		CLIPFeatures: func(context.Context, *tensor.Tensor) (*tensor.Tensor, error) {
			return tensor.Scale(0.5, recipe.Numbers(60, 1, 512)), nil
		},
	}
	compared := 0
	for _, a := range Architectures {
		m := a.New(rand.New(rand.NewPCG(0, 0)))
		recipe.FillWeights(m, 0)
		for _, p := range m.Parameters() {
			for i := range p.Data().Data() {
				p.Data().Data()[i] *= 2
			}
		}
		path := savedNetwork(t, m)
		for _, scale := range []int{2, 4}[:a.Outputs] {
			u := opened(t, path, Options{Scale: scale, Features: features[a.Features]})
			for _, size := range [][2]int{{51, 35}, {67, 101}} {
				w, h := size[0], size[1]
				compared++
				if w == 67 && simd.Current() == simd.Generic { // takes seconds, and has nothing that the other has not
					continue
				}
				got, ok := upscaled(t, u, oddPicture(w, h)).(*image.RGBA)
				if !ok || got.Rect != image.Rect(0, 0, scale*w, scale*h) {
					t.Fatalf("%s ×%d: got another picture than an RGBA of %d×%d", a.Name, scale, scale*w, scale*h)
				}
				checkLevels(t, file, fmt.Sprintf("%s/%dx%d/%d", a.Name, w, h, scale), got)
			}
		}
	}
	if want := len(file.Names()); compared != want {
		t.Errorf("%d pictures, the golden file has %d", compared, want)
	}
}

// checkLevels compares a picture with every k-th number of the golden one.
func checkLevels(t *testing.T, file *safetensors.File, name string, p *image.RGBA) {
	t.Helper()
	want, err := file.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	w, pixels := p.Rect.Dx(), p.Rect.Dx()*p.Rect.Dy()
	n := 3 * pixels
	stride := n/2000 | 1
	if want.Len() != (n+stride-1)/stride {
		t.Errorf("%s: %v, the golden picture has another size", name, p.Rect)
		return
	}
	off := 0
	for k, v := range want.Data() {
		c, i := k*stride/pixels, k*stride%pixels
		got := float64(p.Pix[4*i+c])
		if got != float64(v) {
			off++
		}
		if !(math.Abs(got-float64(v)) <= 1) {
			t.Errorf("%s: colour %d at (%d,%d): level %v, want %v", name, c, i%w, i/w, got, v)
			return
		}
	}
	t.Logf("%s: %d of %d levels are one off", name, off, want.Len())
}
