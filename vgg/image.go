package vgg

import (
	"fmt"
	"image"

	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// mostPixels is how many pixels package tensor convolves at once, with around more at the ends of
// rows and columns.
const (
	mostPixels = 1 << 26
	around     = 64
)

// ImageFeatures returns the outputs of the layers in taps for a picture of any type: Features of its
// pixels, converted as vision.FromImage does, and normalised as by Normalize. The picture keeps its
// size; resize it before if it is larger than what is needed, for relu1_2 of a megapixel takes 256
// MB.
//
// Shapes: (1,channels,h/2ⁱ,w/2ⁱ) after i pools; each pool rounds down. It is an error if the picture
// has no pixels or some more than 60 million, or none are left at a tap. ImageFeatures panics if there
// are no taps, if a name is not among Taps, or if its layer was not loaded.
func (m *VGG) ImageFeatures(picture image.Image, taps ...string) ([]*tensor.Tensor, error) {
	last := -1
	for _, tap := range taps {
		last = max(last, m.find("ImageFeatures", tap))
	}
	b := picture.Bounds()
	side := 1 // of the smallest picture
	for _, l := range m.layers[:last+1] {
		if l.index < 0 {
			side *= 2
		}
	}
	if b.Dx() < side || b.Dy() < side {
		return nil, fmt.Errorf("vgg: ImageFeatures: expected a picture of at least %d×%d pixels, found %d×%d", side, side, b.Dx(), b.Dy())
	}
	if b.Dx() > mostPixels || b.Dy() > mostPixels || b.Dx()+around >= mostPixels/(b.Dy()+around) {
		return nil, fmt.Errorf("vgg: ImageFeatures: expected a picture of at most %d pixels, found %d×%d; scale it down first", mostPixels, b.Dx(), b.Dy())
	}
	rgb, ok := picture.(*vision.RGB)
	if !ok {
		rgb = vision.FromImage(picture)
	}
	pixels := rgb.Tensor()
	x := m.Normalize(pixels)
	tensor.Release(pixels)
	features := m.Features(x, taps...)
	tensor.Release(x)
	return features, nil
}
