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

// check returns an error unless the numbers can be those of pixels in [0,1].
func (s *pixelSettings) check() error {
	for _, v := range s.mean {
		if !(v >= 0 && v <= 1) || len(s.mean) != 3 {
			return fmt.Errorf("expected means of three colours in [0,1], found %v", s.mean)
		}
	}
	for _, v := range s.std {
		if !(v >= 0.001 && v <= 1) || len(s.std) != 3 {
			return fmt.Errorf("expected standard deviations of three colours, from 0.001 to 1, found %v", s.std)
		}
	}
	return nil
}

// values returns the mean and the standard deviation of each colour.
func (s *pixelSettings) values() (mean, std [3]float32) {
	mean, std = Mean, Std
	for i := range s.mean {
		mean[i] = float32(s.mean[i])
	}
	for i := range s.std {
		std[i] = float32(s.std[i])
	}
	return mean, std
}

// pixels returns how photographs are prepared.
func (s *pixelSettings) pixels() pixels {
	if mean, std := s.values(); mean != Mean || std != Std {
		return pixels{newPixelTable(mean, std), s.squash}
	}
	return pixels{normalized, s.squash}
}

// unusual lists what is unlike OpenAI's way.
func (s *pixelSettings) unusual() (lines []string) {
	if mean, std := s.values(); mean != Mean || std != Std {
		lines = append(lines, fmt.Sprintf("pixels are normalised with the means %v and the standard deviations %v", mean, std))
	}
	if s.squash {
		lines = append(lines, "photographs are squeezed into a square")
	}
	if s.unable != "" {
		lines = append(lines, "it was trained with photographs of another size or filter, "+s.unable+", and here they are bicubic of the shorter side as for OpenAI's, so that embeddings differ a little")
	}
	return lines
}
