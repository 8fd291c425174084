package clip

import (
	"fmt"

	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// Preprocess is like the function Preprocess, for this model: of its size, and with the mean
// and the standard deviation that the files beside its weights name, if they do. LAION's
// ViT-L/14 was trained with others than OpenAI's. Some models are trained with photographs
// that are squeezed into the square (resize_mode "squash", as in ViT-H/14 of DFN); theirs are
// not cut. It panics if the image tower was not loaded.
func (m *Model) Preprocess(photos ...*vision.RGB) (*tensor.Tensor, error) {
	return m.pixels("Preprocess").preprocess(m.config.Vision.ImageSize, photos)
}

// PreprocessSquare is like the function PreprocessSquare, for this model.
func (m *Model) PreprocessSquare(x *tensor.Tensor) *tensor.Tensor {
	return m.pixels("PreprocessSquare").preprocessSquare(m.config.Vision.ImageSize, x)
}

func (m *Model) pixels(op string) pixels {
	if m.vision == nil {
		panic("clip: " + op + ": the model was loaded without its image tower")
	}
	return m.vision.pixels
}

// pixels is how photographs become the input of an image tower.
type pixels struct {
	table  *pixelTable
	squash bool // whether photographs lose their aspect ratio, and are not cut
}

// pixelSettings are what a file of configuration says about photographs. The zero value says
// nothing.
type pixelSettings struct {
	mean, std []float64
	squash    bool
	unable    string // what it says that is not done
}

// pixels returns how photographs are prepared, and says what is unlike OpenAI's way.
func (s *pixelSettings) pixels(say func(string)) (pixels, error) {
	mean, std := Mean, Std
	for _, z := range []struct {
		what string
		dst  *[3]float32
		src  []float64
	}{{"means", &mean, s.mean}, {"standard deviations", &std, s.std}} {
		if z.src == nil {
			continue
		}
		if len(z.src) != 3 {
			return pixels{}, fmt.Errorf("expected %s of 3 colours, found %d", z.what, len(z.src))
		}
		for i, v := range z.src {
			if !(v >= 0 && v <= 10) || v == 0 && z.what != "means" {
				return pixels{}, fmt.Errorf("expected %s of pixels in [0,1], found %v", z.what, z.src)
			}
			z.dst[i] = float32(v)
		}
	}
	if mean != Mean || std != Std {
		say(fmt.Sprintf("pixels are normalised with the means %v and the standard deviations %v", mean, std))
	}
	if s.squash {
		say("photographs are squeezed into a square")
	}
	if s.unable != "" {
		say("it was trained with photographs that were made smaller in another way (" + s.unable + "); here that is bicubic, of the shorter side, as for OpenAI's: embeddings will be a little different")
	}
	return pixels{newPixelTable(mean, std), s.squash}, nil
}
