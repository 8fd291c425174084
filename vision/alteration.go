package vision

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
)

// An Alteration makes many training pictures of one: each epoch shows a photograph in another
// way, and a network cannot learn it by heart. Input and targets are altered alike. All that is
// drawn depends on the seed, the epoch and the photograph's number alone.
//
// Source: Lim et al., "Enhanced Deep Residual Networks for Single Image Super-Resolution", 2017,
// section 4.2, which trains on patches, flipped and turned.
type Alteration struct {
	// Crop is the side of a square window of the input, anywhere in it with the same
	// probability. The windows of the targets show the same part of the photograph: they are 2 and
	// 4 times as large at [WorkshopSizes]. 0 takes the whole squares.
	Crop int

	Flips     bool // left and right are exchanged with probability ½, and so are top and bottom
	Rotations bool // by 0, 90, 180 or 270 degrees, with the same probability
}

// alters says whether there is anything to do.
func (a Alteration) alters() bool { return a != Alteration{} }

// Check returns an error if the squares of a cache cannot be cropped so: the window must fit
// into the input, and each target must be a multiple of it, for windows to show the same.
func (a Alteration) Check(s Sizes) error {
	switch {
	case a.Crop == 0:
		return nil
	case a.Crop < 0 || a.Crop > s.X:
		return fmt.Errorf("a crop of %d pixels: expected 1 to %d, the side of the input", a.Crop, s.X)
	case s.Mid%s.X != 0 || s.Large%s.X != 0:
		return fmt.Errorf("a crop of %d pixels at sizes %+v: expected targets that are multiples of the input", a.Crop, s)
	}
	return nil
}

// Sizes returns the sides of what is left of a cache's squares.
func (a Alteration) Sizes(s Sizes) Sizes {
	if a.Crop == 0 {
		return s
	}
	return Sizes{X: a.Crop, Mid: s.Mid / s.X * a.Crop, Large: s.Large / s.X * a.Crop}
}

// A view is what is seen of a square: a window, first flipped and then turned.
type view struct {
	x, y, side        int // of the window
	leftRight, upDown bool
	turns             int // by 90 degrees, counter-clockwise
}

// view draws that of a photograph. The numbers are drawn whether they are used or not, so that
// the windows stay where they are when flips are added.
func (a Alteration) view(seed uint64, epoch, photo, side int) view {
	var random rand.PCG
	// The odd factor spreads the photographs' numbers over all bits. Zero is the shuffling's.
	random.Seed(seed^uint64(photo+1)*0x9e3779b97f4a7c15, uint64(epoch))
	below := func(n int) int { // the bias is below n/2⁶⁴
		high, _ := bits.Mul64(random.Uint64(), uint64(n))
		return int(high)
	}
	v := view{side: side}
	if a.Crop > 0 {
		v.side = a.Crop
	}
	v.x, v.y = below(side-v.side+1), below(side-v.side+1)
	leftRight, upDown, turns := below(2) == 1, below(2) == 1, below(4)
	if a.Flips {
		v.leftRight, v.upDown = leftRight, upDown
	}
	if a.Rotations {
		v.turns = turns
	}
	return v
}

// scaled returns the view of a square that is so many times as large.
func (v view) scaled(by int) view {
	v.x, v.y, v.side = v.x*by, v.y*by, v.side*by
	return v
}

// at returns the place in the square's planes of what is seen in row i and column j. It is
// linear in both.
func (v view) at(i, j, stride int) int {
	last := v.side - 1
	for range v.turns {
		i, j = j, last-i
	}
	if v.leftRight {
		j = last - j
	}
	if v.upDown {
		i = last - i
	}
	return (v.y+i)*stride + v.x + j
}

// levels writes what is seen of a square's three planes to dst, as numbers in [0,1].
func (v view) levels(dst []float32, planes []uint8, side int) {
	first := v.at(0, 0, side)
	down, right := v.at(1, 0, side)-first, v.at(0, 1, side)-first
	for c := range 3 {
		plane := planes[c*side*side:][:side*side]
		for i := range v.side {
			row, k := dst[(c*v.side+i)*v.side:][:v.side], first+i*down
			for j := range row {
				row[j] = levels[plane[k]]
				k += right
			}
		}
	}
}
