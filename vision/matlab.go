package vision

import (
	"fmt"
	"math"
)

// ResizeMATLAB returns p with both sides multiplied by scale, by bicubic interpolation as
// MATLAB computes it. The tables of super-resolution are made with it: it shrinks the test
// pictures, and it is the baseline that enlarges them. A side of n pixels becomes ⌈scale·n⌉.
//
//	out(x) = Σᵢ k((c−i)·s)·in(i) / Σᵢ k((c−i)·s)    c = (x+½)/scale − ½, s = min(1, scale)
//
// with the kernel k of [Resize], a = −½, which is widened when the picture shrinks
// (antialiasing). It differs from Resize in three ways: the picture goes on beyond its edges,
// mirrored (…2 1 0 0 1 2…), where Resize leaves out what is not there; the pass along the
// columns always comes first; and weights are not rounded. Each of the two passes cuts its
// result to 0…255 and rounds it, halves upwards.
//
// ResizeMATLAB panics unless scale is positive and p has pixels. It matches imresize(p, scale)
// for uint8, level by level at scales of 2, 3, 4, 1/2, 1/3 and 1/4, where no order of the sums
// changes a level. Early versions of MATLAB repeat the pixels at the edge, and the low
// resolutions that are published with Set5 and Set14 were made so; away from the edges they are
// the same. Source: MATLAB's documentation of imresize; R. G. Keys, "Cubic convolution
// interpolation for digital image processing", 1981, equation 15.
func ResizeMATLAB(p *RGB, scale float64) *RGB {
	if !(scale > 0) || p.W <= 0 || p.H <= 0 || scale*float64(max(p.W, p.H)) > math.MaxInt32 {
		panic(fmt.Sprintf("vision: ResizeMATLAB %d×%d by %v: want a picture with pixels and a positive scale", p.W, p.H, scale))
	}
	down, across := mirrored(p.H, scale), mirrored(p.W, scale)

	half := NewRGB(p.W, len(down))
	sum := make([]float64, 3*p.W)
	for y, near := range down {
		clear(sum)
		for _, n := range near {
			for x, v := range p.Pix[n.at*3*p.W:][:3*p.W] {
				sum[x] += float64(n.weight * float64(v))
			}
		}
		for x, v := range sum {
			half.Pix[y*3*p.W+x] = roundLevel(v)
		}
	}

	q := NewRGB(len(across), len(down))
	for y := range q.H {
		row := half.Pix[y*3*half.W:][:3*half.W]
		for x, near := range across {
			var sum [3]float64
			for _, n := range near {
				for c, v := range row[3*n.at:][:3] {
					sum[c] += float64(n.weight * float64(v))
				}
			}
			for c, v := range sum {
				q.Pix[(y*q.W+x)*3+c] = roundLevel(v)
			}
		}
	}
	return q
}

// part is the weight of one input pixel in an output pixel.
type part struct {
	at     int
	weight float64
}

// mirrored returns the parts of each output pixel of a row of in pixels.
func mirrored(in int, scale float64) [][]part {
	all := make([][]part, int(math.Ceil(scale*float64(in))))
	s := min(1, scale)
	reach := 2 / s
	for x := range all {
		centre := (float64(x)+0.5)/scale - 0.5
		sum := 0.0
		for i := int(math.Floor(centre - reach)); float64(i) <= centre+reach; i++ {
			weight := keys((centre-float64(i))*s, -0.5)
			if weight == 0 {
				continue
			}
			all[x] = append(all[x], part{mirror(i, in), weight})
			sum += weight
		}
		for i := range all[x] {
			all[x][i].weight /= sum
		}
	}
	return all
}

// mirror returns which of n pixels stands at place i of a row that goes on beyond both ends,
// again and again mirrored.
func mirror(i, n int) int {
	i = (i%(2*n) + 2*n) % (2 * n)
	return min(i, 2*n-1-i)
}

// roundLevel rounds to a level, halves upwards.
func roundLevel(v float64) uint8 {
	return uint8(min(max(math.Floor(v+0.5), 0), 255))
}
