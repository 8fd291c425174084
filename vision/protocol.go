package vision

import (
	"fmt"
	"image"

	"pixelgrad/tensor"
)

// The published protocol of super-resolution: how a picture is scored that a network has
// made. docs/eval.md tells the whole of it.

// CropToMultiple returns the upper left part of p whose sides are multiples of n, as
// large as possible: only such a picture is n times as large as another one. The tables call it
// modcrop. It panics if n is not positive.
func CropToMultiple(p *RGB, n int) *RGB {
	if n <= 0 {
		panic(fmt.Sprintf("vision: CropToMultiple of %d: want a positive number", n))
	}
	return CropTo(p, p.W-p.W%n, p.H-p.H%n)
}

// CropTo returns the upper left w×h pixels of p; p itself, if that is all of it. It panics if
// p is smaller.
func CropTo(p *RGB, w, h int) *RGB {
	if w < 0 || h < 0 || w > p.W || h > p.H {
		panic(fmt.Sprintf("vision: CropTo %d×%d of %d×%d", w, h, p.W, p.H))
	}
	if w == p.W && h == p.H {
		return p
	}
	q := NewRGB(w, h)
	for y := range h {
		copy(q.Pix[y*3*w:][:3*w], p.Pix[y*3*p.W:])
	}
	return q
}

// Luma returns the brightness Y of a picture, from 16 (black) to 235 (white) as in
// television, rounded to levels:
//
//	Y = 16 + (65.481·R + 128.553·G + 24.966·B)/255
//
// It matches the first plane of MATLAB's rgb2ycbcr for uint8. The Y of a JPEG goes from 0 to
// 255 and is another one. Source: Recommendation ITU-R BT.601.
func Luma(p *RGB) *image.Gray {
	return weighted(p, 65481, 128553, 24966, 255_000, 16)
}

// Gray returns the brightness of a picture from 0 to 255, rounded to levels:
//
//	0.2989·R + 0.5870·G + 0.1140·B, with a sum of weights of 1
//
// Grey pixels stay what they are. It matches MATLAB's rgb2gray, within a level where that
// rounds its longer weights the other way.
func Gray(p *RGB) *image.Gray {
	return weighted(p, 298936, 587043, 114021, 1_000_000, 0)
}

// weighted returns offset + (r·R + g·G + b·B)/unit, halves rounded upwards.
func weighted(p *RGB, r, g, b, unit, offset int) *image.Gray {
	y := image.NewGray(p.Bounds())
	for i := range y.Pix {
		s := p.Pix[3*i:][:3]
		y.Pix[i] = uint8(offset + (r*int(s[0])+g*int(s[1])+b*int(s[2])+unit/2)/unit)
	}
	return y
}

// GrayPSNR returns the peak signal-to-noise ratio of two planes of levels, in dB, without so
// many pixels along every edge:
//
//	10·log10(255² / mean((pred − target)²))
//
// Equal planes give +Inf. It panics if the sizes differ or the border leaves nothing.
func GrayPSNR(pred, target *image.Gray, border int) float64 {
	inner := inside("GrayPSNR", pred.Bounds(), target.Bounds(), border, 1)
	sum, n := 0, inner.Dx()
	for y := inner.Min.Y; y < inner.Max.Y; y++ {
		sum += squaredLevels(grayRow(pred, inner, y), grayRow(target, inner, y))
	}
	return Decibels(float64(sum) / (255 * 255) / float64(n*inner.Dy()))
}

// RGBPSNR is [GrayPSNR] over all samples of all three colours. It is about a dB lower than
// that of the luma: figures of the two kinds cannot be compared.
func RGBPSNR(pred, target *RGB, border int) float64 {
	inner := inside("RGBPSNR", pred.Bounds(), target.Bounds(), border, 1)
	sum, n := 0, 3*inner.Dx()
	for y := inner.Min.Y; y < inner.Max.Y; y++ {
		at := 3 * (y*pred.W + inner.Min.X)
		sum += squaredLevels(pred.Pix[at:][:n], target.Pix[at:][:n])
	}
	return Decibels(float64(sum) / (255 * 255) / float64(n*inner.Dy()))
}

// squaredLevels returns Σ(p−t)².
func squaredLevels(p, t []uint8) int {
	sum := 0
	for i, v := range p {
		d := int(v) - int(t[i])
		sum += d * d
	}
	return sum
}

// GraySSIM returns the mean structural similarity of two planes of levels, without so many
// pixels along every edge: [tensor.SSIM] of the levels divided by 255, which is the SSIM of the
// levels themselves with L = 255, because all terms are squares of levels. Windows of 11×11
// pixels lie within what is left, as in Wang's ssim_index.m ('valid'). It does not
// shrink large pictures before, as Wang's later ssim.m does. It panics if the sizes differ or
// the border leaves less than a window.
func GraySSIM(pred, target *image.Gray, border int) float64 {
	inner := inside("GraySSIM", pred.Bounds(), target.Bounds(), border, tensor.SSIMWindow)
	plane := func(m *image.Gray) *tensor.Tensor {
		t := tensor.NewUninitialized(1, 1, inner.Dy(), inner.Dx())
		d := t.Data()
		for y := inner.Min.Y; y < inner.Max.Y; y++ {
			for _, v := range grayRow(m, inner, y) {
				d[0], d = levels[v], d[1:]
			}
		}
		return t
	}
	return tensor.SSIM(plane(pred), plane(target))
}

// inside returns what is left of two pictures without a border, or panics: see its callers.
func inside(op string, pred, target image.Rectangle, border, least int) image.Rectangle {
	inner := image.Rect(border, border, target.Dx()-border, target.Dy()-border)
	if pred.Size() != target.Size() || border < 0 || target.Dx()-2*border < least || target.Dy()-2*border < least {
		panic(fmt.Sprintf("vision: %s: %v and %v pixels with a border of %d: want two equal sizes and at least %d×%d pixels inside", op, pred.Size(), target.Size(), border, least, least))
	}
	return inner
}

// grayRow returns the part of a row that lies inside; both count from the upper left corner.
func grayRow(m *image.Gray, inner image.Rectangle, y int) []uint8 {
	at := m.PixOffset(m.Rect.Min.X+inner.Min.X, m.Rect.Min.Y+y)
	return m.Pix[at:][:inner.Dx()]
}
