package vision

import (
	"fmt"
	"math"

	"pixelgrad/tensor"
)

// Bicubic resizes every picture of a batch to w×h pixels with [Resize]. The pixels are
// rounded to 8-bit levels before and after it, as in the usual programs for pictures.
//
// Shapes: x (N,3,H,W) → (N,3,h,w). Bicubic panics on another shape of x, and if h or w is
// not positive. It matches Image.resize((w, h), Image.BICUBIC) of Pillow 13 between
// torchvision's to_pil_image and to_tensor.
func Bicubic(x *tensor.Tensor, h, w int) *tensor.Tensor {
	n := batchOfPictures("Bicubic", x, h, w)
	y := tensor.NewUninitialized(n, 3, h, w)
	var r resizer
	q := &RGB{W: w, H: h}
	for i := range n {
		r.resize(q, FromTensor(x, i))
		q.planes(y.Data()[i*3*h*w:][:3*h*w])
	}
	return y
}

// Bilinear resizes every picture of a batch to w×h pixels. Each new pixel is a weighted
// mean of the four nearest old pixels. The centre of pixel i is at i+½.
//
//	out(x) = Σᵢ k(s−i)·in(min(max(i,0),W−1))    s = (x+½)·W/w − ½
//	k(t)   = max(0, 1−|t|)
//
// and the same along the columns. The result is not rounded to levels. Bilinear is meant
// for enlarging: it does not average when it makes a picture smaller.
//
// Shapes: x (N,3,H,W) → (N,3,h,w). Bilinear panics on another shape of x, and if h or w is
// not positive. It matches torch.nn.functional.interpolate(x, (h, w), mode="bilinear",
// align_corners=False).
func Bilinear(x *tensor.Tensor, h, w int) *tensor.Tensor {
	batchOfPictures("Bilinear", x, h, w)
	return interpolate(x, h, w, 2, func(t float64) float64 { return max(0, 1-math.Abs(t)) })
}

// BicubicTorch is [Bilinear] with the sixteen nearest pixels and the kernel k of [Resize]
// with a = −¾. The result is clamped to [0,1]. Pillow has a = −½; with −¾ the negative
// lobes are stronger, the result is sharper, and its PSNR is harder to beat. BicubicTorch
// matches torch.nn.functional.interpolate(x, (h, w), mode="bicubic",
// align_corners=False).clamp(0, 1).
func BicubicTorch(x *tensor.Tensor, h, w int) *tensor.Tensor {
	batchOfPictures("BicubicTorch", x, h, w)
	y := interpolate(x, h, w, 4, func(t float64) float64 { return keys(t, -0.75) })
	for i, v := range y.Data() {
		y.Data()[i] = min(max(v, 0), 1)
	}
	return y
}

// interpolate sums over the nearest pixels, first along the rows and then along the
// columns. reach is the number of pixels in one direction.
func interpolate(x *tensor.Tensor, h, w, reach int, kernel func(float64) float64) *tensor.Tensor {
	n, inH, inW := x.Dim(0), x.Dim(2), x.Dim(3)
	y := tensor.NewUninitialized(n, 3, h, w)
	across, down := nearest(inW, w, reach, kernel), nearest(inH, h, reach, kernel)
	rows := make([]float32, inH*w)
	for p := range 3 * n {
		src, dst := x.Data()[p*inH*inW:][:inH*inW], y.Data()[p*h*w:][:h*w]
		for v := range inH {
			row := src[v*inW:][:inW]
			for u, near := range across {
				sum := float32(0)
				for _, k := range near {
					sum += k.weight * row[k.at]
				}
				rows[v*w+u] = sum
			}
		}
		clear(dst)
		for v, near := range down {
			out := dst[v*w:][:w]
			for _, k := range near {
				for u, r := range rows[k.at*w:][:w] {
					out[u] += k.weight * r
				}
			}
		}
	}
	return y
}

// share is the weight of one input pixel in an output pixel.
type share struct {
	at     int
	weight float32
}

// nearest returns the shares of the nearest input pixels, reach of them, for each output
// pixel. in and out are the numbers of pixels in a row. Beyond the edge, the pixel at the
// edge is repeated.
func nearest(in, out, reach int, kernel func(float64) float64) [][]share {
	all := make([][]share, out)
	for x := range all {
		s := (float64(x)+0.5)*float64(in)/float64(out) - 0.5
		first := int(math.Floor(s)) - reach/2 + 1
		for i := first; i < first+reach; i++ {
			all[x] = append(all[x], share{at: min(max(i, 0), in-1), weight: float32(kernel(s - float64(i)))})
		}
	}
	return all
}

// batchOfPictures checks the arguments of an interpolation and returns N.
func batchOfPictures(op string, x *tensor.Tensor, h, w int) int {
	s := x.Shape()
	if len(s) != 4 || s[1] != 3 || s[2] == 0 || s[3] == 0 {
		panic(fmt.Sprintf("vision: %s: shape %v, want (N,3,H,W)", op, s))
	}
	if h <= 0 || w <= 0 {
		panic(fmt.Sprintf("vision: %s: %v to %d×%d: a side is not positive", op, s, w, h))
	}
	return s[0]
}
