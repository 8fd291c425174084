package vgg

import (
	"image"
	"math"
	"slices"
	"strings"
	"testing"

	"pixelgrad/vision"
)

// TestImageFeatures compares with the steps one by one, for pictures of several types and odd
// sizes.
func TestImageFeatures(t *testing.T) {
	m := small(t, "pool2")
	rgb := vision.NewRGB(13, 21)
	for i := range rgb.Pix {
		rgb.Pix[i] = uint8(i * i)
	}
	nrgba := image.NewNRGBA(image.Rect(-3, 5, 6, 18))
	for i := range nrgba.Pix {
		nrgba.Pix[i] = uint8(i * 7)
	}
	for _, p := range []image.Image{rgb, nrgba, image.NewGray(image.Rect(0, 0, 4, 4))} {
		want := m.Features(m.Normalize(vision.FromImage(p).Tensor()), "relu1_2", "pool2")
		got, err := m.ImageFeatures(p, "relu1_2", "pool2")
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if !slices.Equal(got[i].Shape(), want[i].Shape()) || !slices.Equal(got[i].Data(), want[i].Data()) {
				t.Errorf("%T: features %d of shape %v differ from those of the tensor, of shape %v", p, i, got[i].Shape(), want[i].Shape())
			}
		}
	}
	for _, r := range []image.Rectangle{{}, image.Rect(0, 0, 3, 50), image.Rect(0, 0, 50, 3)} {
		if _, err := m.ImageFeatures(image.NewGray(r), "pool2"); err == nil || !strings.Contains(err.Error(), "at least 4×4 pixels") {
			t.Errorf("a picture of %v: error %v", r, err)
		}
	}
	for _, r := range []image.Rectangle{image.White.Bounds(), image.Rect(0, 0, 8192, 8192), image.Rect(0, 0, 4, 1<<24), image.Rect(0, 0, 1<<24, 4), image.Rect(0, 0, math.MaxInt, 4)} {
		if _, err := m.ImageFeatures(&image.Gray{Rect: r}, "pool2"); err == nil || !strings.Contains(err.Error(), "at most 67108864 pixels") {
			t.Errorf("a picture of %v: error %v", r, err)
		}
	}
	if _, err := m.ImageFeatures(image.NewGray(image.Rect(0, 0, 1, 1)), "relu1_2"); err != nil {
		t.Errorf("a pixel before all pools: %v", err)
	}
}
