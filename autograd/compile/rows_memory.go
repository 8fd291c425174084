package compile

import "slices"

// A rowArena finds room for the rows of images in one piece of memory, while images come and go: at
// the lowest place that is free and large enough. Source: Knuth, "The Art of Computer Programming",
// volume 1, section 2.5, "first-fit".
//
// The program plans with one that has no memory, and then runs with another: since both are asked for
// the same in the same order, both give the same places, and what was planned is enough.
type rowArena struct {
	held []rowPlace // in the order of their places
	end  int        // behind the last place that was ever taken
}

// A rowPlace is where an image has its rows.
type rowPlace struct {
	image    *rowImage
	from, to int
}

// take finds room for an image. It returns the place, and whether the image had none before.
func (r *rowArena) take(m *rowImage) (place rowPlace, taken bool) {
	if i := r.of(m); i >= 0 {
		return r.held[i], false
	}
	n := m.channels * m.capacity * m.width
	i, from := 0, 0
	for i < len(r.held) && r.held[i].from < from+n {
		from = alignLen(r.held[i].to)
		i++
	}
	place = rowPlace{m, from, from + n}
	r.held = slices.Insert(r.held, i, place)
	r.end = max(r.end, place.to)
	return place, true
}

// give gives the room of an image back.
func (r *rowArena) give(m *rowImage) {
	if i := r.of(m); i >= 0 {
		r.held = slices.Delete(r.held, i, i+1)
	}
}

func (r *rowArena) of(m *rowImage) int {
	return slices.IndexFunc(r.held, func(p rowPlace) bool { return p.image == m })
}
