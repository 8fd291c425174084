// Package exif reads and writes blocks of EXIF data, as far as a program needs them that
// makes another picture of a photograph: what the camera and the photographer have written
// stays, and what no longer holds, its size and how it is to be turned, is set right.
//
// A block has the form of a TIFF file: directories of tagged values. In a file it follows the
// prefix Exif in a JPEG's segment APP1, or is a chunk of a PNG or WebP; and in a TIFF the
// directories of the picture themselves hold it.
//
// Blocks come from outside. Nothing in them makes these functions panic or take much memory;
// what is damaged is left out.
//
// Source: TIFF 6.0, section 2; EXIF 2.32, 4.6.
package exif

import (
	"encoding/binary"
	"slices"
)

// Tags that are used here.
const (
	tagSubfile     = 0x00fe // what kind of picture it is among those of a TIFF
	tagOrientation = 0x0112
	tagExif        = 0x8769 // leads to the directory of EXIF
	tagGPS         = 0x8825
	tagInterop     = 0xa005 // in that of EXIF
	tagPixelX      = 0xa002
	tagPixelY      = 0xa003
	tagProfile     = 0x8773 // the ICC profile of a TIFF
)

// Limits on a block: what cameras write has some hundred values.
const (
	maxEntries = 4096
	maxBytes   = 64 << 20
)

// Types of values.
const (
	typeShort = 3
	typeLong  = 4
)

// sizes are those of the types 1 to 13, in bytes; TIFF 6.0 has 12, and 13 is an offset.
var sizes = [...]int{0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4}

// A Directory is a directory of a block with all that it leads to.
type Directory struct {
	Order   binary.ByteOrder // of all numbers in it
	Entries []Entry
}

// An Entry is a value, or several of the same type.
type Entry struct {
	Tag, Type uint16
	Count     uint32
	Data      []byte     // in the directory's order
	Sub       *Directory // what the value leads to; Data is then not used
}

// order returns the byte order of a block, or nil if it is none.
func order(block []byte) binary.ByteOrder {
	if len(block) < 8 {
		return nil
	}
	switch string(block[:4]) {
	case "II*\x00":
		return binary.LittleEndian
	case "MM\x00*":
		return binary.BigEndian
	}
	return nil
}

// value is an entry in a block.
type value struct {
	tag, kind uint16
	count     uint32
	at        int // of its data in the block
	data      []byte
}

// values returns what the directory at a place of a block holds. What lies outside of the block
// is left out.
func values(block []byte, o binary.ByteOrder, at uint32) []value {
	if uint64(at)+2 > uint64(len(block)) {
		return nil
	}
	n := int(o.Uint16(block[at:]))
	var all []value
	for i := range min(n, maxEntries) {
		from := uint64(at) + 2 + 12*uint64(i)
		if from+12 > uint64(len(block)) {
			break
		}
		e := block[from:][:12]
		v := value{tag: o.Uint16(e), kind: o.Uint16(e[2:]), count: o.Uint32(e[4:])}
		if v.kind == 0 || int(v.kind) >= len(sizes) {
			continue
		}
		size := uint64(v.count) * uint64(sizes[v.kind])
		place := from + 8
		if size > 4 {
			place = uint64(o.Uint32(e[8:]))
		}
		if size > maxBytes || place+size > uint64(len(block)) {
			continue
		}
		v.at, v.data = int(place), block[place:][:size]
		all = append(all, v)
	}
	return all
}

// number returns a value that is a number.
func (v value) number(o binary.ByteOrder) (uint32, bool) {
	switch {
	case v.count != 1:
	case v.kind == typeShort:
		return uint32(o.Uint16(v.data)), true
	case v.kind == typeLong || v.kind == 13:
		return o.Uint32(v.data), true
	}
	return 0, false
}

// set changes a number in its place. One that is too large for its type stays.
func (v value) set(o binary.ByteOrder, n uint32) {
	switch {
	case v.count != 1:
	case v.kind == typeShort && n <= 0xffff:
		o.PutUint16(v.data, uint16(n))
	case v.kind == typeLong:
		o.PutUint32(v.data, n)
	}
}

// Upright returns a copy of a block for a picture that stands upright and has w×h pixels. All
// else keeps its place, because makers' notes refer to places. The thumbnail of a picture that had to
// be turned is left out: it lies as the picture did. Upright returns nil if the block is none.
func Upright(block []byte, w, h int) []byte {
	block = slices.Clone(block)
	o := order(block)
	if o == nil {
		return nil
	}
	at, turned := o.Uint32(block[4:]), false
	for _, v := range values(block, o, at) {
		switch v.tag {
		case tagOrientation:
			if n, ok := v.number(o); ok && n != 1 {
				turned = true
				v.set(o, 1)
			}
		case tagExif:
			if sub, ok := v.number(o); ok {
				for _, v := range values(block, o, sub) {
					switch v.tag {
					case tagPixelX:
						v.set(o, uint32(w))
					case tagPixelY:
						v.set(o, uint32(h))
					}
				}
			}
		}
	}
	if turned { // and so the entries are there, behind which the thumbnail's directory has its place
		next := uint64(at) + 2 + 12*uint64(o.Uint16(block[at:]))
		if next+4 <= uint64(len(block)) {
			o.PutUint32(block[next:], 0)
		}
	}
	return block
}

// Profile returns the ICC profile in a TIFF file, or nil.
func Profile(tiff []byte) []byte {
	o := order(tiff)
	if o == nil {
		return nil
	}
	for _, v := range values(tiff, o, o.Uint32(tiff[4:])) {
		if v.tag == tagProfile {
			return v.data
		}
	}
	return nil
}

// Pages counts the pictures in a TIFF file, without those that are smaller ones of others.
func Pages(tiff []byte) int {
	o := order(tiff)
	if o == nil {
		return 0
	}
	pages := 0
	at := o.Uint32(tiff[4:])
	for seen := map[uint32]bool{}; at != 0 && !seen[at] && len(seen) < maxEntries; {
		seen[at] = true
		all := values(tiff, o, at)
		reduced := slices.ContainsFunc(all, func(v value) bool {
			n, ok := v.number(o)
			return v.tag == tagSubfile && ok && n&1 != 0
		})
		if len(all) > 0 && !reduced {
			pages++
		}
		if uint64(at)+2 > uint64(len(tiff)) {
			break
		}
		next := uint64(at) + 2 + 12*uint64(o.Uint16(tiff[at:]))
		if next+4 > uint64(len(tiff)) {
			break
		}
		at = o.Uint32(tiff[next:])
	}
	return pages
}

// describing are the tags of a picture's own directory that say something about the photograph,
// and not about how the file stores it.
var describing = []uint16{
	0x010d, 0x010e, 0x010f, 0x0110, // the document's name, description, the camera's maker and model
	0x0131, 0x0132, 0x013b, 0x013c, // software, date, artist, computer
	0x4746, 0x4749, // rating
	0x8298, tagExif, tagGPS, // copyright
	0x9c9b, 0x9c9c, 0x9c9d, 0x9c9e, 0x9c9f, // Windows' title, comment, author, keywords, subject
}

// Read returns the directory of a block, or of a TIFF file, without what says how a file stores
// its picture. It returns nil if there is nothing about the photograph.
func Read(block []byte) *Directory {
	o := order(block)
	if o == nil {
		return nil
	}
	left := min(len(block), maxBytes)
	d := read(block, o, o.Uint32(block[4:]), func(tag uint16) bool { return slices.Contains(describing, tag) }, 0, &left)
	if d == nil || len(d.Entries) == 0 {
		return nil
	}
	return d
}

// read reads a directory. left is how many bytes of data are still kept: values that do not
// overlap have no more than the block.
func read(block []byte, o binary.ByteOrder, at uint32, keep func(tag uint16) bool, depth int, left *int) *Directory {
	d := &Directory{Order: o}
	for _, v := range values(block, o, at) {
		if *left -= 12 + len(v.data); !keep(v.tag) || *left < 0 {
			continue
		}
		e := Entry{v.tag, v.kind, v.count, v.data, nil}
		if v.tag == tagExif || v.tag == tagGPS || v.tag == tagInterop {
			sub, ok := v.number(o)
			if !ok || depth >= 2 {
				continue
			}
			e.Type, e.Count, e.Data = typeLong, 1, nil
			e.Sub = read(block, o, sub, func(uint16) bool { return true }, depth+1, left)
			if len(e.Sub.Entries) == 0 {
				continue
			}
		}
		if !slices.ContainsFunc(d.Entries, func(f Entry) bool { return f.Tag == e.Tag }) {
			d.Entries = append(d.Entries, e)
		}
	}
	return d
}

// Bytes returns a directory for a place of a file: its entries in the order of their tags, that
// no other follows it, and the data behind them.
func (d *Directory) Bytes(at int) []byte {
	entries := slices.Clone(d.Entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return int(a.Tag) - int(b.Tag) })
	b := put16(d.Order, nil, uint16(len(entries)))
	behind := make([]byte, 0, 256)
	from := at + 2 + 12*len(entries) + 4
	for _, e := range entries {
		b = put32(d.Order, put16(d.Order, put16(d.Order, b, e.Tag), e.Type), e.Count)
		data := e.Data
		if e.Sub != nil {
			data = e.Sub.Bytes(from + len(behind))
		}
		if e.Sub == nil && len(data) <= 4 {
			b = append(append(b, data...), make([]byte, 4-len(data))...)
			continue
		}
		b = put32(d.Order, b, uint32(from+len(behind)))
		behind = append(behind, data...)
		if len(behind)%2 != 0 {
			behind = append(behind, 0)
		}
	}
	return append(put32(d.Order, b, 0), behind...)
}

// Block returns a directory as a block of its own.
func (d *Directory) Block() []byte {
	b := []byte("II*\x00")
	if d.Order == binary.BigEndian {
		b = []byte("MM\x00*")
	}
	b = put32(d.Order, b, 8)
	return append(b, d.Bytes(8)...)
}

func put16(o binary.ByteOrder, b []byte, v uint16) []byte {
	b = append(b, 0, 0)
	o.PutUint16(b[len(b)-2:], v)
	return b
}

func put32(o binary.ByteOrder, b []byte, v uint32) []byte {
	b = append(b, 0, 0, 0, 0)
	o.PutUint32(b[len(b)-4:], v)
	return b
}
