package vision

import (
	"context"
	"fmt"
)

// SquareOptions say how photographs are cut into squares.
type SquareOptions struct {
	Side     int  // of a square of the smaller picture, in pixels
	Scale    int  // how many times larger the square of the photograph is
	Most     int  // squares of a photograph; 0: as many as cover it
	Threads  int  // how many photographs are processed at once; 0: GOMAXPROCS
	SkipBad  bool // leave out the photographs that cannot be used
	Progress func(done, total int)
}

// BuildSquares cuts photographs of d into squares, to train a network that enlarges pictures of any
// size: Mid has squares of the photographs as they are, with sides of Scale·Side pixels, and X the same
// parts of the photographs made smaller by [ResizeMATLAB], each as a whole. Both are cut at places
// that are spread evenly and cover the photograph, but for up to Scale−1 pixels to the right and
// below; neighbours overlap as little as they must. With Most, only so many are taken, evenly from
// those. A square is called by its photograph's name and its number: "000012#3".
//
// Photographs smaller than a square cannot be used. The result is the same for any number of
// threads, and everything else is as BuildCache has it: Progress, SkipBad, errors and cancelling.
// BuildSquares panics unless Side and Scale are positive.
func BuildSquares(ctx context.Context, d *Dataset, photos []Photo, o SquareOptions) (*Cache, error) {
	if o.Side <= 0 || o.Scale <= 0 || o.Side*o.Scale > MaxSide || o.Most < 0 {
		panic(fmt.Sprintf("vision: BuildSquares: %+v, want a positive side and scale, and squares of at most %d pixels", o, MaxSide))
	}
	parts := make([]*Cache, len(photos)) // by photograph, and so in their order
	failed, err := readAll(ctx, d, photos, o.Threads, o.Progress, func() func(i int, p *RGB) error {
		return func(i int, p *RGB) error {
			if side := o.Side * o.Scale; min(p.W, p.H) < side {
				return fmt.Errorf("vision: %s: expected a photograph of at least %d×%d pixels, a square, found %d×%d", d.Path(photos[i].File), side, side, p.W, p.H)
			}
			parts[i] = o.cut(photos[i].Name, p)
			return nil
		}
	})
	if err != nil {
		return nil, err
	}
	broken := &BrokenError{Total: len(photos)}
	c := &Cache{Sizes: o.Sizes()}
	for i, p := range parts {
		if p == nil {
			broken.Errors = append(broken.Errors, failed[i])
			continue
		}
		c.Names, c.X, c.Mid = append(c.Names, p.Names...), append(c.X, p.X...), append(c.Mid, p.Mid...)
		parts[i] = nil
	}
	if len(broken.Errors) > 0 && (!o.SkipBad || c.Len() == 0) {
		return nil, broken
	}
	c.Skipped = broken.Errors
	return c, nil
}

// Sizes returns the sides of the squares.
func (o SquareOptions) Sizes() Sizes { return Sizes{X: o.Side, Mid: o.Side * o.Scale} }

// cut returns the squares of a photograph, which has room for one.
func (o SquareOptions) cut(name string, p *RGB) *Cache {
	p = CropToMultiple(p, o.Scale)
	small := ResizeMATLAB(p, 1/float64(o.Scale))
	var places [][2]int
	for _, y := range spread(small.H, o.Side) {
		for _, x := range spread(small.W, o.Side) {
			places = append(places, [2]int{x, y})
		}
	}
	if n := len(places); o.Most > 0 && n > o.Most {
		taken := make([][2]int, o.Most)
		for i := range taken {
			taken[i] = places[(2*i+1)*n/(2*o.Most)]
		}
		places = taken
	}
	c := &Cache{Sizes: o.Sizes()}
	for i, at := range places {
		c.Names = append(c.Names, fmt.Sprintf("%s#%d", name, i))
		c.X = appendSquare(c.X, small, at[0], at[1], o.Side)
		c.Mid = appendSquare(c.Mid, p, at[0]*o.Scale, at[1]*o.Scale, o.Side*o.Scale)
	}
	return c
}

// spread returns where parts of a length begin that cover n pixels, as few as can.
func spread(n, length int) []int {
	count := (n + length - 1) / length
	at := make([]int, count)
	for i := 1; i < count; i++ {
		at[i] = i * (n - length) / (count - 1)
	}
	return at
}

// appendSquare appends the three planes of a part of p.
func appendSquare(dst []uint8, p *RGB, x, y, side int) []uint8 {
	square := NewRGB(side, side)
	for i := range side {
		copy(square.Pix[3*i*side:][:3*side], p.Pix[3*((y+i)*p.W+x):])
	}
	n := len(dst)
	dst = append(dst, make([]uint8, len(square.Pix))...)
	square.bytePlanes(dst[n:])
	return dst
}
