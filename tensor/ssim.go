package tensor

import (
	"fmt"
	"math"

	"pixelgrad/simd"
)

// SSIMWindow is the side of the windows that SSIM compares, in pixels.
const SSIMWindow = 11

// ssimWeights are those of a window's rows, and of its columns: a Gaussian with σ = 1.5 pixels
// whose sum is 1.
var ssimWeights = func() (g [SSIMWindow]float32) {
	const sigma = 1.5
	weight := func(k int) float64 {
		return math.Exp(-float64((k-SSIMWindow/2)*(k-SSIMWindow/2)) / (2 * sigma * sigma))
	}
	sum := 0.0
	for k := range g {
		sum += weight(k)
	}
	for k := range g {
		g[k] = float32(weight(k) / sum)
	}
	return g
}()

// The constants that keep the quotient of SSIM defined in windows of one colour: (0.01·L)² and
// (0.03·L)² for pixels from 0 to L = 1.
const ssimC1, ssimC2 = 0.01 * 0.01, 0.03 * 0.03

// SSIM returns the mean structural similarity of two batches of pictures with pixels in [0,1]. For
// a window of 11×11 pixels, with the weighted means μ, variances σ² and covariance σab,
//
//	S = (2·μa·μb + C1)·(2·σab + C2) / ((μa² + μb² + C1)·(σa² + σb² + C2))
//	C1 = 0.01²,  C2 = 0.03²,  σa² = mean(a²) - μa²
//
// The mean goes over all windows that lie within the pictures, all colours and all pictures. It is
// 1 for equal pictures, also for those of one colour, and smaller for all others. NaN stays.
// Shapes: both (n,c,h,w). It panics if they differ, or for pictures smaller than a window.
//
// Source: Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error Visibility to
// Structural Similarity", 2004, equation 13 and section III.C.
func SSIM(a, b *Tensor) float64 {
	planes, h, w := ssimSize(a.shape, b.shape)
	sums := make([]float64, planes)
	Parallel(planes, func(i int) {
		s := newSSIMPlanes(a.data[i*h*w:][:h*w], b.data[i*h*w:][:h*w], h, w, false)
		for row := range h - SSIMWindow + 1 {
			s.statistics(row)
			sums[i] += s.similarity()
		}
		giveBuffer(s.memory)
	})
	sum := 0.0
	for _, s := range sums {
		sum += s
	}
	return sum / float64(planes*(h-SSIMWindow+1)*(w-SSIMWindow+1))
}

// SSIMGradTo writes alpha times the gradient of SSIM with respect to a to dst, which must not
// share memory with a or b. Each pixel takes part in up to 11×11 windows; in each, it changes S
// by way of μa, mean(a²) and mean(a·b):
//
//	da = Σ g·(∂S/∂μa + 2·a·∂S/∂mean(a²) + b·∂S/∂mean(a·b))
//
// with the weight g that the window has for it. It panics as SSIM does.
func SSIMGradTo(dst *Tensor, alpha float32, a, b *Tensor) {
	checkSameShape("SSIM", a, b, dst)
	planes, h, w := ssimSize(a.shape, b.shape)
	alpha /= float32(planes * (h - SSIMWindow + 1) * (w - SSIMWindow + 1))
	Parallel(planes, func(i int) {
		x, y := a.data[i*h*w:][:h*w], b.data[i*h*w:][:h*w]
		s := newSSIMPlanes(x, y, h, w, true)
		for row := range h - SSIMWindow + 1 {
			s.statistics(row)
			s.slopes()
			s.spread(row)
		}
		byMean, bySquare, byProduct := s.gradients[0], s.gradients[1], s.gradients[2]
		x, y = s.images[0], s.images[1]
		for j := range x {
			dst.data[i*h*w+j] = alpha * (byMean[j] + 2*x[j]*bySquare[j] + y[j]*byProduct[j])
		}
		giveBuffer(s.memory)
	})
}

// ssimSize returns how many planes there are, and their size. It panics unless SSIM is defined.
func ssimSize(a, b []int) (planes, h, w int) {
	if len(a) != 4 || fmt.Sprint(a) != fmt.Sprint(b) || a[0]*a[1] == 0 || a[2] < SSIMWindow || a[3] < SSIMWindow {
		panic(fmt.Sprintf("tensor: SSIM: shapes %v and %v: want two equal (n,c,h,w) of at least %d×%d pixels", a, b, SSIMWindow, SSIMWindow))
	}
	return a[0] * a[1], a[2], a[3]
}

// ssimPlanes works on one colour of one picture, row by row of windows. Its memory comes from the
// pool, in pieces.
//
// A variance is the small difference of two means. So that little of it is lost, each plane's own
// mean is subtracted first, which no variance depends on.
type ssimPlanes struct {
	h, w      int
	memory    []float32
	ma, mb    float32      // the means of the planes
	images    [4][]float32 // a-ma, b-mb, the sum of their squares, and their product: what windows take the means of
	column    []float32    // the weighted sum of the rows of an image
	means     [4][]float32 // of the images, for each window of a row
	gradients [3][]float32 // of all windows' S with respect to the means of images 0, 2 and 3
}

func newSSIMPlanes(a, b []float32, h, w int, gradients bool) *ssimPlanes {
	n := 4*h*w + 5*w
	if gradients {
		n += 3 * h * w
	}
	s := &ssimPlanes{h: h, w: w, memory: takeBuffer(n)}
	rest := s.memory
	take := func(n int) []float32 {
		piece := rest[:n:n]
		rest = rest[n:]
		return piece
	}
	s.ma, s.mb = float32(simd.Sum(a)/float64(h*w)), float32(simd.Sum(b)/float64(h*w))
	for q := range s.images {
		s.images[q] = take(h * w)
	}
	for i := range a {
		x, y := a[i]-s.ma, b[i]-s.mb
		s.images[0][i], s.images[1][i], s.images[2][i], s.images[3][i] = x, y, x*x+y*y, x*y
	}
	s.column = take(w)
	for q := range s.means {
		s.means[q] = take(w)[:w-SSIMWindow+1]
	}
	if gradients {
		for q := range s.gradients {
			s.gradients[q] = take(h * w)
			clear(s.gradients[q])
		}
	}
	return s
}

// statistics computes the means of a row of windows, first along the columns and then along
// the rows: a Gaussian is the product of two.
func (s *ssimPlanes) statistics(row int) {
	for q, image := range s.images {
		weightedSum(s.column, func(k int) []float32 { return image[(row+k)*s.w:][:s.w] })
		n := len(s.means[q])
		weightedSum(s.means[q], func(k int) []float32 { return s.column[k:][:n] })
	}
}

// weightedSum writes Σ g[k]·of(k) to dst.
func weightedSum(dst []float32, of func(k int) []float32) {
	simd.Scale(dst, ssimWeights[0], of(0))
	for k, g := range ssimWeights[1:] {
		simd.Axpy(dst, g, of(k+1))
	}
}

// similarity returns Σ S over a row of windows.
func (s *ssimPlanes) similarity() float64 {
	sum := 0.0
	for j := range s.means[0] {
		a1, a2, b1, b2 := s.terms(j)
		sum += float64(a1 * a2 / (b1 * b2))
	}
	return sum
}

// terms returns the two factors of S's numerator and the two of its denominator.
func (s *ssimPlanes) terms(j int) (a1, a2, b1, b2 float32) {
	x, y := s.means[0][j], s.means[1][j]
	ma, mb := x+s.ma, y+s.mb
	return 2*ma*mb + ssimC1, 2*(s.means[3][j]-x*y) + ssimC2, ma*ma + mb*mb + ssimC1, s.means[2][j] - x*x - y*y + ssimC2
}

// slopes replaces the means of a row of windows by the derivatives of S with respect to them, in
// means[0], [2] and [3]. The first is that by way of the means in S, and of those in the variances.
func (s *ssimPlanes) slopes() {
	for j := range s.means[0] {
		a1, a2, b1, b2 := s.terms(j)
		x, y := s.means[0][j], s.means[1][j]
		one := 1 / (b1 * b2)
		similarity := a1 * a2 * one
		s.means[0][j] = 2 * one * ((y+s.mb)*a2 - (x+s.ma)*similarity*b2 - y*a1 + x*similarity*b1)
		s.means[2][j] = -similarity * b1 * one
		s.means[3][j] = 2 * a1 * one
	}
}

// spread adds the slopes of a row of windows to all pixels that the windows have seen:
// statistics, transposed.
func (s *ssimPlanes) spread(row int) {
	for q, slopes := range [3][]float32{s.means[0], s.means[2], s.means[3]} {
		clear(s.column)
		for k, g := range ssimWeights {
			simd.Axpy(s.column[k:][:len(slopes)], g, slopes)
		}
		for k, g := range ssimWeights {
			simd.Axpy(s.gradients[q][(row+k)*s.w:][:s.w], g, s.column)
		}
	}
}
