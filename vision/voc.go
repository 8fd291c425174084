package vision

import (
	"fmt"
	"path"
	"path/filepath"
)

// SplitRule says how a folder in the layout of PASCAL VOC is divided.
type SplitRule int

const (
	// SplitAuto uses ImageSets/Main/train.txt and val.txt as they stand if at most a
	// third of their photographs validates. VOC's own lists were made for a contest and
	// halve the set (2007: 2,501 and 2,510). Such lists are joined and divided like
	// SplitSeeded, as in the workshop: 4,011 and 1,000. Without the two lists,
	// trainval.txt is divided. Without any list, all of JPEGImages is divided.
	SplitAuto SplitRule = iota
	// SplitListed uses train.txt and val.txt as they stand. It is an error if one of
	// them does not exist.
	SplitListed
	// SplitSeeded divides all listed photographs by the seed. A fifth validates.
	SplitSeeded
)

// openVOC divides the photographs of a folder in VOC's layout.
func (d *Dataset) openVOC(root string, o DatasetOptions) error {
	photos, err := d.pictures(path.Join(root, "JPEGImages"))
	if err != nil {
		return err
	}
	list := func(name string) string { return path.Join(root, "ImageSets/Main", name) }
	train, val, both := list("train.txt"), list("val.txt"), list("trainval.txt")
	switch {
	case isFile(d.fsys, train) && isFile(d.fsys, val):
		lists, err := d.readLists(photos, o, train, val)
		if err != nil {
			return err
		}
		return d.divideListed(lists[0], lists[1], o)
	case o.Split == SplitListed:
		return fmt.Errorf("vision: %s: expected train.txt and val.txt, found %s; add them or divide by the seed", d.Path(path.Dir(train)), contents(d.fsys, path.Dir(train)))
	case isFile(d.fsys, both):
		lists, err := d.readLists(photos, o, both)
		if err != nil {
			return err
		}
		return d.divide(lists[0].photos, o)
	case isFile(d.fsys, train), isFile(d.fsys, val):
		return fmt.Errorf("vision: %s: expected both train.txt and val.txt, or trainval.txt, found one of the two; add the other or remove it", d.Path(path.Dir(train)))
	}
	return d.divide(photos, o)
}

// readLists reads lists and notes what is odd about them.
func (d *Dataset) readLists(photos []Photo, o DatasetOptions, files ...string) ([]*photoList, error) {
	var lists []*photoList
	for _, file := range files {
		l, err := d.readList(file, photos)
		if err != nil {
			return nil, err
		}
		if n := l.missing.n; n > 0 {
			if !o.SkipMissing || len(l.photos) == 0 {
				return nil, &MissingError{l.file, n, l.named, l.missing.String(), d.Path(path.Dir(photos[0].File))}
			}
			d.note("%s: %s: %v", l.file, counted(n, "name has no photograph and is left out", "names have no photograph and are left out"), l.missing)
		}
		if n := l.twice.n; n > 0 {
			d.note("%s: %s: %v", l.file, counted(n, "photograph is listed again and used once", "photographs are listed again and used once"), l.twice)
		}
		lists = append(lists, l)
	}
	return lists, nil
}

// divideListed divides photographs as two lists say, or joins the lists. A photograph of both
// lists validates: a network that has trained on it would validate too well.
func (d *Dataset) divideListed(train, val *photoList, o DatasetOptions) error {
	validates := make(map[string]int, len(val.photos)) // lines by name
	for i, p := range val.photos {
		validates[p.Name] = val.lines[i]
	}
	var both oddities
	only := make([]Photo, 0, len(train.photos))
	for i, p := range train.photos {
		if line := validates[p.Name]; line != 0 {
			both.add("%q (lines %d and %d)", p.Name, train.lines[i], line)
		} else {
			only = append(only, p)
		}
	}
	nt, nv := len(only), len(val.photos)
	joined := o.Split == SplitSeeded || o.Split == SplitAuto && 3*nv > nt+nv
	if nt == 0 && !joined {
		return fmt.Errorf("vision: %s: expected photographs that %s does not have, found none: %v; take them out of one of the two", train.file, val.file, both)
	}
	if n := both.n; n > 0 {
		what := counted(n, "photograph is on both lists and only validates", "photographs are on both lists and only validate")
		if joined {
			what = counted(n, "photograph is on both lists and is used once", "photographs are on both lists and are used once")
		}
		d.note("%s and %s: %s: %v", train.file, path.Base(filepath.ToSlash(val.file)), what, both)
	}
	if joined {
		return d.divide(append(only, val.photos...), o)
	}
	if o.Limit > 0 && o.Limit < nt+nv {
		v := min(max((2*o.Limit*nv+nt+nv)/(2*(nt+nv)), 1), nv) // rounded to nearest
		t := min(max(o.Limit-v, 1), nt)
		nt, nv = t, v
	}
	d.Train, d.Val = only[:nt], val.photos[:nv]
	d.Rule = fmt.Sprintf("%d photographs to train on and %d to validate with, as %s and %s list them",
		nt, nv, train.file, path.Base(filepath.ToSlash(val.file)))
	return d.checkGroups(o.Group)
}
