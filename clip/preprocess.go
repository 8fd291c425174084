package clip

import (
	"fmt"
	"math"

	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// Mean and Std are the mean and the standard deviation of each colour in CLIP's training
// pictures: red, green and blue, in [0,1].
var (
	Mean = [3]float32{0.48145466, 0.4578275, 0.40821073}
	Std  = [3]float32{0.26862954, 0.26130258, 0.27577711}
)

// longest is the largest ratio of a picture's sides. The shorter side is resized to the
// model's size, so the longer side decides the memory.
const longest = 1000

// Preprocess makes a batch for EncodeImage from photographs of any size. It resizes each one
// so that the shorter side has size pixels, with the aspect ratio kept (bicubic,
// antialiased). Then it cuts out the middle size×size pixels and normalises every colour:
//
//	y[n,c,i,j] = (byte/255 − Mean[c]) / Std[c]
//
// size is the model's Config().Vision.ImageSize, 224 for ViT-B/32. Shape of the result:
// (n,3,size,size). It is an error if a photograph has no pixels, or if one side is more
// than 1,000 times the other. Preprocess panics if size is not positive.
//
// It matches the transform of OpenAI's clip.load, and open_clip's, on images of Pillow 13
// exactly. Older versions resize some tall photographs otherwise; see [vision.Resize].
// transformers cuts out the middle one pixel further up or left at every fourth length of
// the longer side: it rounds halves down.
func Preprocess(size int, photos ...*vision.RGB) (*tensor.Tensor, error) {
	if size <= 0 {
		panic(fmt.Sprintf("clip: Preprocess: squares of %d pixels", size))
	}
	for i, p := range photos {
		if short, long := min(p.W, p.H), max(p.W, p.H); short <= 0 || long > longest*short {
			return nil, fmt.Errorf("clip: photograph %d has %d×%d pixels, expected some, and one side at most %d times the other; crop it first", i+1, p.W, p.H, longest)
		}
	}
	x := tensor.NewUninitialized(len(photos), 3, size, size)
	tensor.Parallel(len(photos), func(i int) {
		p := photos[i]
		w, h := size, size
		if p.W < p.H { // torchvision rounds the longer side down
			h = int(float64(size) * float64(p.H) / float64(p.W))
		} else {
			w = int(float64(size) * float64(p.W) / float64(p.H))
		}
		// Halves are rounded to even numbers, as Python's round does.
		left := int(math.RoundToEven(float64(w-size) / 2))
		top := int(math.RoundToEven(float64(h-size) / 2))
		if w != p.W || h != p.H {
			p = vision.Resize(p, w, h)
		}
		normalize(x, i, p, left, top)
	})
	return x, nil
}

// PreprocessSquare makes a batch for EncodeImage from pictures that are already tensors, such
// as the 72×72 inputs of a super-resolution network or its predictions. It resizes them to
// size×size pixels (bicubic, antialiased; the aspect ratio is not kept) and normalises them
// as in Preprocess.
//
// Pixels are rounded to bytes before and after resizing, as if each picture were saved as a
// PNG file and opened with Pillow. The result equals that of Image.resize((size, size),
// BICUBIC) of Pillow 13 exactly.
//
// Shapes: (n,3,h,w) in [0,1] → (n,3,size,size). PreprocessSquare panics on another shape, if
// there are no pixels, or if size is not positive.
func PreprocessSquare(size int, x *tensor.Tensor) *tensor.Tensor {
	s := x.Shape()
	if len(s) != 4 || s[1] != 3 || s[2] == 0 || s[3] == 0 || size <= 0 {
		panic(fmt.Sprintf("clip: PreprocessSquare: shape %v to squares of %d, want (n,3,h,w) with pixels, and a positive size", s, size))
	}
	y := tensor.NewUninitialized(s[0], 3, size, size)
	tensor.Parallel(s[0], func(i int) {
		normalize(y, i, vision.Resize(vision.FromTensor(x, i), size, size), 0, 0)
	})
	return y
}

// normalized holds the normalised number for each byte of each colour. It is computed in the
// order of torchvision's steps, so even the last bit is the same.
var normalized = func() (t [3][256]float32) {
	for c := range t {
		for b := range t[c] {
			t[c][b] = (float32(b)/255 - Mean[c]) / Std[c]
		}
	}
	return t
}()

// normalize writes picture i of a batch: the square of p whose corner is at (left,top).
func normalize(x *tensor.Tensor, i int, p *vision.RGB, left, top int) {
	size := x.Dim(2)
	dst := x.Data()[i*3*size*size:]
	for row := range size {
		pix := p.Pix[((top+row)*p.W+left)*3:][:3*size]
		for c := range 3 {
			d := dst[(c*size+row)*size:][:size]
			for j := range d {
				d[j] = normalized[c][pix[3*j+c]]
			}
		}
	}
}
