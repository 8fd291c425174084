package vgg

import (
	"fmt"
	"math"

	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// Mean and Std are the mean and the standard deviation of each colour in ImageNet's
// photographs: red, green and blue, in [0,1].
var (
	Mean = [3]float32{0.485, 0.456, 0.406}
	Std  = [3]float32{0.229, 0.224, 0.225}
)

// Normalize converts pixels in [0,1] to the numbers that the network was trained with:
//
//	y[n,c,i,j] = (x[n,c,i,j] − Mean[c]) / Std[c]
//
// Shapes: (n,3,h,w) → the same. Normalize panics on another shape. It matches torchvision's
// Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]).
func Normalize(x *tensor.Tensor) *tensor.Tensor {
	s := x.Shape()
	if len(s) != 4 || s[1] != 3 {
		panic(fmt.Sprintf("vgg: Normalize: shape %v, want (n,3,h,w)", s))
	}
	y := tensor.NewUninitialized(s...)
	plane := s[2] * s[3]
	tensor.Parallel(3*s[0], func(p int) {
		mean, std := Mean[p%3], Std[p%3]
		dst := y.Data()[p*plane:][:plane]
		for i, v := range x.Data()[p*plane:][:plane] {
			dst[i] = (v - mean) / std
		}
	})
	return y
}

// The sizes of photographs before they are classified, and how long they may be.
const (
	shorterSide = 256
	cropSide    = 224
	longest     = 1000
)

// Preprocess makes a batch for Forward from photographs of any size. It resizes each one
// so that the shorter side has 256 pixels, with the aspect ratio kept. Then it cuts out the
// middle 224×224 pixels and normalises them. Shape of the result: (n,3,224,224). It is an
// error if a photograph has no pixels, or if one side is 1,000 times the other or more.
//
// It matches torchvision's VGG16_Weights.IMAGENET1K_V1.transforms() on images of Pillow 13
// exactly.
func Preprocess(photos ...*vision.RGB) (*tensor.Tensor, error) {
	for i, p := range photos {
		// The shorter side becomes 256 pixels, so the longer side decides the memory.
		if short, long := min(p.W, p.H), max(p.W, p.H); short <= 0 || long/short >= longest {
			return nil, fmt.Errorf("vgg: photograph %d has %d×%d pixels, expected some, and one side less than %d times the other; crop it first", i+1, p.W, p.H, longest)
		}
	}
	x := tensor.NewUninitialized(len(photos), 3, cropSide, cropSide)
	const size = 3 * cropSide * cropSide
	for i, p := range photos {
		t := centre(p).Tensor()
		copy(x.Data()[i*size:][:size], t.Data())
		tensor.Release(t)
	}
	y := Normalize(x)
	tensor.Release(x)
	return y, nil
}

// centre returns the middle 224×224 pixels of a photograph, after its shorter side was
// resized to 256 pixels.
func centre(p *vision.RGB) *vision.RGB {
	w, h := shorterSide, shorterSide
	if p.W < p.H { // torchvision rounds the longer side down
		h = int(shorterSide * float64(p.H) / float64(p.W))
	} else {
		w = int(shorterSide * float64(p.W) / float64(p.H))
	}
	r := vision.ResizeBilinear(p, w, h)
	// Halves are rounded to even numbers, as Python's round does.
	left := int(math.RoundToEven(float64(w-cropSide) / 2))
	top := int(math.RoundToEven(float64(h-cropSide) / 2))
	q := vision.NewRGB(cropSide, cropSide)
	for y := range cropSide {
		copy(q.Pix[y*3*cropSide:][:3*cropSide], r.Pix[((top+y)*w+left)*3:])
	}
	return q
}
