package vision

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// splitStream selects the sequence of random numbers that divides a dataset. With the same
// seed, the epochs use sequences 0, 1, 2, …; see [Loader.Epoch].
const splitStream = 1 << 63

// ValCount returns how many of n photographs validate if no list decides it. This is a
// fifth, rounded down, but at least one. From 100 on it is rounded down to a multiple of
// ten. Of the 5,011 photographs of VOC 2007, a fifth is 1,002, and the result is the
// workshop's 1,000, with 4,011 to train on.
func ValCount(n int) int {
	v := n / 5
	if v >= 100 {
		v -= v % 10
	}
	return max(v, 1)
}

// PhotoOfCrop is a Group for [DatasetOptions]. It serves squares that were cut out of larger
// photographs and have names of the form PHOTO_NUMBER, and returns the part before the last
// underscore. Two squares of one photograph resemble each other. If a network trained on
// one and validated on the other, its score would be too good.
func PhotoOfCrop(name string) string {
	if i := strings.LastIndexByte(name, '_'); i > 0 {
		return name[:i]
	}
	return name
}

// divide splits photographs by the seed. It shuffles the groups and goes through them. A
// group validates if that brings the number of validating photographs nearer to ValCount.
// Both parts are sorted by name.
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

// checkGroups returns an error if the lists put a group on both sides.
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
