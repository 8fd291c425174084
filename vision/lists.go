package vision

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Limits on a list. The lists of VOC 2007 have 35 kB; one of ImageNet's photographs would
// have 40 MB.
const (
	maxList    = 64 << 20 // bytes
	maxLine    = 4096     // bytes of a line
	maxColumns = 100      // columns of a line
)

// photoList is the content of a list file.
type photoList struct {
	file   string // as messages call it
	photos []Photo
	lines  []int // the line of each photograph, from 1

	named   int      // lines that are not blank
	twice   oddities // that name a photograph again
	missing oddities // that name no photograph that there is
}

// oddities counts lines and remembers the first few.
type oddities struct {
	n     int
	first []string
}

func (o *oddities) add(format string, args ...any) {
	const named = 5
	if o.n++; o.n <= named {
		o.first = append(o.first, fmt.Sprintf(format, args...))
	}
}

// String names the first few.
func (o oddities) String() string {
	s := strings.Join(o.first, ", ")
	if more := o.n - len(o.first); more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// MissingError says that a list names photographs that do not exist.
type MissingError struct {
	List           string // the list's path
	Missing, Named int    // how many of how many names
	first, dir     string
}

// Error names the first few, with their lines.
func (e *MissingError) Error() string {
	return fmt.Sprintf("vision: %s: expected a photograph in %s for each of %d names, found none for %d: %s; add them, correct the list, or let them be left out",
		e.List, e.dir, e.Named, e.Missing, e.first)
}

// readList reads a list and finds the photograph of each line: see catalogue.find.
func (d *Dataset) readList(file string, photos []Photo) (*photoList, error) {
	l := &photoList{file: d.Path(file)}
	text, err := d.readText(file)
	if err != nil {
		return nil, err
	}
	c := newCatalogue(photos)
	lineOf := map[string]int{} // by file
	n := 0
	for line := range strings.Lines(text) {
		n++
		if line = strings.TrimRight(line, "\n"); len(line) > maxLine {
			return nil, fmt.Errorf("vision: %s:%d: expected a photograph's name, found a line of %d bytes, too long for one", l.file, n, len(line))
		}
		if trim(line) == "" {
			continue
		}
		l.named++
		p, err := c.find(line)
		if err != nil {
			return nil, fmt.Errorf("vision: %s:%d: %w", l.file, n, err)
		}
		switch first := lineOf[p.File]; {
		case p.File == "":
			l.missing.add("%.100q (line %d)", trim(line), n)
		case first != 0:
			l.twice.add("%q (lines %d and %d)", p.Name, first, n)
		default:
			l.photos = append(l.photos, p)
			l.lines = append(l.lines, n)
			lineOf[p.File] = n
		}
	}
	if l.named == 0 {
		return nil, fmt.Errorf("vision: %s: expected photographs' names, one a line, found none", l.file)
	}
	return l, nil
}

// readText reads a text file in UTF-8, or in UTF-16 with a byte-order mark, as editors and
// shells on Windows write it. Its lines end in "\n" alone.
func (d *Dataset) readText(file string) (string, error) {
	f, err := d.fsys.Open(file)
	if err != nil {
		return "", fmt.Errorf("vision: %s: expected a list of photographs that can be opened: %w", d.Path(file), cause(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxList+1))
	if err != nil {
		return "", fmt.Errorf("vision: %s: expected a list of photographs that can be read: %w", d.Path(file), cause(err))
	}
	if len(data) > maxList {
		return "", fmt.Errorf("vision: %s: expected a list of at most %d MiB, found more", d.Path(file), maxList>>20)
	}
	text, err := decodeText(data)
	if err != nil {
		return "", fmt.Errorf("vision: %s: expected a list in UTF-8, or in UTF-16 with a byte-order mark, found %w; save it as UTF-8", d.Path(file), err)
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"), nil
}

// decodeText removes a byte-order mark, and turns UTF-16 into UTF-8. Other bytes remain as
// they are: they may be the name of a file.
func decodeText(data []byte) (string, error) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		order = binary.BigEndian
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	if order != nil {
		data = data[2:]
		if len(data)%2 != 0 {
			return "", errors.New("UTF-16 that ends within a character")
		}
		units := make([]uint16, len(data)/2)
		for i := range units {
			units[i] = order.Uint16(data[2*i:])
		}
		text = string(utf16.Decode(units))
	}
	if strings.Contains(text, "\x00") {
		return "", errors.New("zero bytes, as in another encoding or in a file that is no text")
	}
	return text, nil
}

// catalogue finds photographs by what lists call them.
type catalogue struct{ byName, byFile map[string]Photo }

func newCatalogue(photos []Photo) catalogue {
	c := catalogue{make(map[string]Photo, len(photos)), make(map[string]Photo, len(photos))}
	for _, p := range photos {
		c.byFile[path.Base(p.File)] = p
		if _, have := c.byName[p.Name]; !have { // a.jpg before a.png
			c.byName[p.Name] = p
		}
	}
	return c
}

// find returns the photograph that a line names, or none. The first of these names that exists
// wins:
//
//   - the line as it stands, and without blanks at its ends: 000012, or a name with spaces
//   - that without what follows the name, in steps from the end: VOC's class lists have a
//     column of 1, 0 and −1 there, other lists more numbers, or the path of another picture
//
// Each is tried as a file name, as a file name without its extension, and with the extension
// of another picture: 000012.JPG names 000012.png if that is there alone. A path counts by
// its last element, if it leads to JPEGImages; the error of another path says so.
func (c catalogue) find(line string) (Photo, error) {
	if p, ok := c.named(line); ok {
		return p, nil
	}
	name, more := trim(line), true
	var astray error
	for range maxColumns {
		p, ok, err := c.at(name)
		if ok {
			return p, nil
		}
		if err == nil || astray == nil { // the whole line tells more than a part of it
			astray = err
		}
		if name, more = withoutColumn(name); !more {
			break
		}
	}
	return Photo{}, astray
}

// trim removes blanks, and the marks that remain where files were joined.
func trim(line string) string {
	return strings.TrimFunc(line, func(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' })
}

// named finds a photograph by a name without a folder.
func (c catalogue) named(name string) (Photo, bool) {
	if p, ok := c.byFile[name]; ok {
		return p, true
	}
	if p, ok := c.byName[name]; ok {
		return p, true
	}
	if !IsPicture(name) {
		return Photo{}, false
	}
	p, ok := c.byName[strings.TrimSuffix(name, path.Ext(name))]
	return p, ok
}

// at finds a photograph by a name or a path.
func (c catalogue) at(name string) (p Photo, ok bool, err error) {
	if p, ok = c.named(name); ok {
		return p, true, nil
	}
	i := strings.LastIndexAny(name, `/\`)
	if i < 0 {
		return Photo{}, false, nil
	}
	folder := strings.ReplaceAll(name[:i], `\`, "/")
	if folder = folder[strings.LastIndexByte(folder, '/')+1:]; folder != "JPEGImages" && folder != "." {
		return Photo{}, false, fmt.Errorf("expected a photograph's name, or its path in JPEGImages, found %.100q", name)
	}
	p, ok = c.named(name[i+1:])
	return p, ok, nil
}

// withoutColumn cuts off the last column of a line if that is a number or the path of a
// picture.
func withoutColumn(line string) (string, bool) {
	i := strings.LastIndexAny(line, " \t")
	if i < 0 {
		return "", false
	}
	column := line[i+1:]
	if digits := strings.TrimLeft(column, "+-"); strings.Trim(digits, "0123456789.,") != "" && !IsPicture(column[strings.LastIndexAny(column, `/\`)+1:]) {
		return "", false
	}
	return trim(line[:i]), true
}
