package superres

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/internal/golden"
	"pixelgrad/internal/recipe"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/vgg"
	"pixelgrad/vision"
)

// oddPicture is the picture of superres_odd.py.
func oddPicture(w, h int) *vision.RGB {
	p := vision.NewRGB(w, h)
	for i, v := range recipe.Numbers(80, 3, h, w).Data() {
		p.Pix[i%(w*h)*3+i/(w*h)] = uint8(int(math.Round((float64(v)+1)*1001)) % 256)
	}
	return p
}

// TestOddSizes compares whole predictions with PyTorch's, for sides that are no multiple of
// anything: no level may be more than one away. VGG16's features are computed of the picture, whose
// last row and column are there twice: half of an odd side is none.
func TestOddSizes(t *testing.T) {
	file := golden.Open(t, "superres-odd")
	eyes, err := vgg.Pretrained("relu2_2")
	if err != nil {
		t.Fatal(err)
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
		for _, size := range [][2]int{{51, 35}, {67, 101}} {
			w, h := size[0], size[1]
			compared += a.Outputs
			photo := oddPicture(w, h)
			if a.Features == VGGFeatures {
				photo = even(photo)
			}
			in := Input{Photo: autograd.Constant(photo.Tensor())}
			switch a.Features {
			case VGGFeatures:
				in.Features = autograd.Constant(eyes.Features(eyes.Normalize(in.Photo.Data()), "relu2_2")[0])
			case CLIPFeatures:
				in.Features = autograd.Constant(tensor.Scale(0.5, recipe.Numbers(60, 1, 512)))
			}
			program, err := compile.Predict(m.Forward, in, compile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for i, y := range program.Run(in).Sizes() {
				scale := 2 << i
				name := fmt.Sprintf("%s/%dx%d/%d", a.Name, w, h, scale)
				checkLevels(t, file, name, vision.CropTo(vision.FromTensor(y.Data(), 0), scale*w, scale*h))
			}
		}
	}
	if want := len(file.Names()); compared != want {
		t.Errorf("%d pictures, the golden file has %d", compared, want)
	}
}

// even returns p with its last column and row once more where their number is odd.
func even(p *vision.RGB) *vision.RGB {
	q := vision.NewRGB(p.W+p.W%2, p.H+p.H%2)
	for i := range q.W * q.H {
		x, y := min(i%q.W, p.W-1), min(i/q.W, p.H-1)
		copy(q.Pix[3*i:3*i+3], p.Pix[3*(y*p.W+x):])
	}
	return q
}

// checkLevels compares a picture with every k-th number of the golden one.
func checkLevels(t *testing.T, file *safetensors.File, name string, p *vision.RGB) {
	t.Helper()
	want, err := file.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	n, pixels := len(p.Pix), p.W*p.H
	stride := n/2000 | 1
	if want.Len() != (n+stride-1)/stride {
		t.Errorf("%s: %d×%d pixels, the golden picture has another size", name, p.W, p.H)
		return
	}
	off := 0
	for k, v := range want.Data() {
		c, i := k*stride/pixels, k*stride%pixels
		got := float64(p.Pix[3*i+c])
		if got != float64(v) {
			off++
		}
		if !(math.Abs(got-float64(v)) <= 1) {
			t.Errorf("%s: colour %d at (%d,%d): level %v, want %v", name, c, i%p.W, i/p.W, got, v)
			return
		}
	}
	t.Logf("%s: %d of %d levels are one off", name, off, want.Len())
}
