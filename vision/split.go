package vision

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// splitStream is the sequence of random numbers that divides a dataset. Epochs
// count upwards from 0 with the same seed, see [Loader.Epoch].
const splitStream = 1 << 63

// ValCount returns how many of n photographs validate where no list says it: a
// fifth, rounded down, from 100 on to a multiple of ten, and at least one. So
// the 5,011 of VOC 2007 give the workshop's 1,000 (and 4,011 to train on),
// though a fifth would be 1,002.
func ValCount(n int) int {
	v := n / 5
	if v >= 100 {
		v -= v % 10
	}
	return max(v, 1)
}

// PhotoOfCrop is a Group of [DatasetOptions] for squares that were cut out of
// larger photographs and are named PHOTO_NUMBER: the part before the last
// underscore. Two squares of one photograph resemble each other, and a network
// that trained on the one would seem better than it is on the other.
func PhotoOfCrop(name string) string {
	if i := strings.LastIndexByte(name, '_'); i > 0 {
		return name[:i]
	}
	return name
}

// divide splits photographs by the seed: their groups are shuffled, then walked
// through, and each is taken for validation if that brings the number of
// validating photographs nearer to ValCount. Both parts keep the order by name.
func (d *Dataset) divide(pool []Photo, o DatasetOptions) error {
	pool = slices.Clone(pool)
	slices.SortStableFunc(pool, func(a, b Photo) int { return strings.Compare(a.Name, b.Name) })
	if o.Limit > 0 && o.Limit < len(pool) {
		pool = pool[:o.Limit]
	}
	group := o.Group
	if group == nil {
		group = func(name string) string { return name }
	}
	var names []string // in the order of the first photograph of each
	size := map[string]int{}
	for _, p := range pool {
		g := group(p.Name)
		if size[g] == 0 {
			names = append(names, g)
		}
		size[g]++
	}
	if len(names) < 2 {
		return fmt.Errorf("vision: %s: expected at least 2 different photographs, one to train on and one to validate with, found %d", d.Path("."), len(names))
	}
	r := rand.New(rand.NewPCG(o.Seed, splitStream))
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	want, have := ValCount(len(pool)), 0
	validates := map[string]bool{}
	for _, g := range names {
		if now := have + size[g]; abs(now-want) < abs(have-want) {
			validates[g], have = true, now
		}
	}
	if have == 0 { // every group is too large: the smallest is nearest
		g := slices.MinFunc(names, func(a, b string) int { return size[a] - size[b] })
		validates[g] = true
	}
	for _, p := range pool {
		if validates[group(p.Name)] {
			d.Val = append(d.Val, p)
		} else {
			d.Train = append(d.Train, p)
		}
	}
	d.Rule = fmt.Sprintf("%d photographs to train on and %d to validate with, drawn with seed %d from the %d in %s",
		len(d.Train), len(d.Val), o.Seed, len(pool), d.Path("."))
	return nil
}

func abs(n int) int { return max(n, -n) }

// checkGroups reports a group that lists put on both sides.
func (d *Dataset) checkGroups(group func(string) string) error {
	if group == nil {
		return nil
	}
	trains := map[string]Photo{}
	for _, p := range d.Train {
		trains[group(p.Name)] = p
	}
	for _, p := range d.Val {
		if q, ok := trains[group(p.Name)]; ok {
			return fmt.Errorf("vision: %s: expected all pictures of one photograph on one side, found %s to train on and %s to validate with; correct the lists or divide by the seed",
				d.Path("."), d.Path(q.File), d.Path(p.File))
		}
	}
	return nil
}
