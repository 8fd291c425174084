package vision

import (
	"bufio"
	"fmt"
	"path"
	"strings"
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

// openVOC divides the photographs of a folder in VOC's layout. Each line of a list holds the
// id of a photograph, which is its file name without the extension. The rest of a line,
// after a space, is ignored, because VOC's class lists have a second column.
func (d *Dataset) openVOC(root string, o DatasetOptions) error {
	photos, err := d.pictures(path.Join(root, "JPEGImages"))
	if err != nil {
		return err
	}
	list := func(name string) string { return path.Join(root, "ImageSets/Main", name) }
	train, val, both := list("train.txt"), list("val.txt"), list("trainval.txt")
	switch {
	case isFile(d.fsys, train) && isFile(d.fsys, val):
		return d.divideListed(photos, train, val, o)
	case o.Split == SplitListed:
		return fmt.Errorf("vision: %s: expected train.txt and val.txt, found %s; add them or divide by the seed", d.Path(path.Dir(train)), contents(d.fsys, path.Dir(train)))
	case isFile(d.fsys, both):
		l, err := d.readList(both, photos)
		if err != nil {
			return err
		}
		return d.divide(l.photos, o)
	case isFile(d.fsys, train), isFile(d.fsys, val):
		return fmt.Errorf("vision: %s: expected both train.txt and val.txt, or trainval.txt, found one of the two; add the other or remove it", d.Path(path.Dir(train)))
	}
	return d.divide(photos, o)
}

func (d *Dataset) divideListed(photos []Photo, trainFile, valFile string, o DatasetOptions) error {
	train, err := d.readList(trainFile, photos)
	if err != nil {
		return err
	}
	val, err := d.readList(valFile, photos)
	if err != nil {
		return err
	}
	for i, p := range val.photos {
		if line := train.lineOf[p.Name]; line != 0 {
			return fmt.Errorf("vision: %s:%d: expected photographs that %s does not have, found %q, its line %d; a photograph may train or validate, not both",
				d.Path(valFile), val.lines[i], d.Path(trainFile), p.Name, line)
		}
	}
	nt, nv := len(train.photos), len(val.photos)
	if o.Split == SplitSeeded || o.Split == SplitAuto && 3*nv > nt+nv {
		return d.divide(append(train.photos, val.photos...), o)
	}
	if o.Limit > 0 && o.Limit < nt+nv {
		v := min(max((2*o.Limit*nv+nt+nv)/(2*(nt+nv)), 1), nv) // rounded to nearest
		t := min(max(o.Limit-v, 1), nt)
		nt, nv = t, v
	}
	d.Train, d.Val = train.photos[:nt], val.photos[:nv]
	d.Rule = fmt.Sprintf("%d photographs to train on and %d to validate with, as %s and %s list them",
		nt, nv, d.Path(trainFile), path.Base(valFile))
	return d.checkGroups(o.Group)
}

// photoList is the content of a list file.
type photoList struct {
	photos []Photo
	lines  []int          // the line of each photograph, from 1
	lineOf map[string]int // the same by name
}

// readList reads a list of ids and finds the file of each.
func (d *Dataset) readList(file string, photos []Photo) (photoList, error) {
	byName := make(map[string]Photo, len(photos))
	for _, p := range photos {
		if _, have := byName[p.Name]; !have { // a.jpg before a.png
			byName[p.Name] = p
		}
	}
	l := photoList{lineOf: map[string]int{}}
	f, err := d.fsys.Open(file)
	if err != nil {
		return l, fmt.Errorf("vision: %s: expected a list of photographs that can be opened: %w", d.Path(file), cause(err))
	}
	defer f.Close()
	dir := path.Dir(photos[0].File)
	var missing error
	missed, line := 0, 0
	for s := bufio.NewScanner(f); ; {
		if !s.Scan() {
			if s.Err() != nil {
				return l, fmt.Errorf("vision: %s:%d: expected a photograph's id: %w", d.Path(file), line+1, s.Err())
			}
			break
		}
		line++
		fields := strings.Fields(strings.TrimPrefix(s.Text(), "\ufeff")) // editors on Windows begin with a mark
		if len(fields) == 0 {
			continue
		}
		id := fields[0]
		if strings.HasPrefix(id, ".") || strings.ContainsAny(id, `/\`) {
			return l, fmt.Errorf("vision: %s:%d: expected a photograph's id, a file name without folder and extension, found %q", d.Path(file), line, id)
		}
		if first := l.lineOf[id]; first != 0 {
			return l, fmt.Errorf("vision: %s:%d: expected every photograph once, found %q again, after line %d; remove one of the two", d.Path(file), line, id, first)
		}
		p, ok := byName[id]
		if !ok {
			if missed++; missed == 1 {
				missing = fmt.Errorf("vision: %s:%d: expected the photograph %q at %s, found no such file", d.Path(file), line, id, d.Path(path.Join(dir, id+".jpg")))
			}
			continue
		}
		l.photos = append(l.photos, p)
		l.lines = append(l.lines, line)
		l.lineOf[id] = line
	}
	switch {
	case missed > 1:
		return l, fmt.Errorf("%w; %d more are missing; add them or correct the list", missing, missed-1)
	case missed == 1:
		return l, fmt.Errorf("%w; add it or correct the list", missing)
	case len(l.photos) == 0:
		return l, fmt.Errorf("vision: %s: expected photographs' ids, one a line, found none", d.Path(file))
	}
	return l, nil
}
