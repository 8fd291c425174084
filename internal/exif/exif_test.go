package exif

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/bep/imagemeta"
)

// number and text are entries in an order.
func number(o binary.ByteOrder, tag, kind uint16, n int) Entry {
	if kind == typeShort {
		return Entry{tag, kind, 1, put16(o, nil, uint16(n)), nil}
	}
	return Entry{tag, kind, 1, put32(o, nil, uint32(n)), nil}
}

func text(tag uint16, s string) Entry {
	return Entry{tag, 2, uint32(len(s) + 1), append([]byte(s), 0), nil}
}

// photograph is what a camera writes about a photograph that lies on its side.
func photograph(o binary.ByteOrder) *Directory {
	return &Directory{o, []Entry{
		number(o, 0x0100, typeLong, 4000), // of the file's own picture, in a TIFF
		text(0x010f, "Maker"), text(0x0110, "M1"),
		number(o, tagOrientation, typeShort, 6),
		text(0x8298, "© somebody"),
		{Tag: tagExif, Type: typeLong, Count: 1, Sub: &Directory{o, []Entry{
			text(0x9003, "2026:07:01 12:00:00"),
			number(o, tagPixelX, typeLong, 4000), number(o, tagPixelY, typeShort, 3000),
			{Tag: 0x927c, Type: 7, Count: 9, Data: []byte("makernote")},
			{Tag: tagInterop, Type: typeLong, Count: 1, Sub: &Directory{o, []Entry{text(1, "R98")}}},
		}}},
		{Tag: tagGPS, Type: typeLong, Count: 1, Sub: &Directory{o, []Entry{text(1, "N")}}},
	}}
}

var orders = []binary.ByteOrder{binary.LittleEndian, binary.BigEndian}

// tags reads a block by a library.
func tags(t *testing.T, block []byte) map[string]string {
	t.Helper()
	all := map[string]string{}
	_, err := imagemeta.Decode(imagemeta.Options{
		R: bytes.NewReader(block), ImageFormat: imagemeta.TIFF, Sources: imagemeta.EXIF,
		HandleTag: func(i imagemeta.TagInfo) error { all[i.Tag] = fmt.Sprint(i.Value); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestUpright(t *testing.T) {
	for _, o := range orders {
		block := photograph(o).Block()
		before := slices.Clone(block)
		got := tags(t, Upright(block, 6000, 70000)) // the height does not fit into its type
		if !bytes.Equal(block, before) {
			t.Errorf("%v: the block itself was changed", o)
		}
		want := tags(t, block)
		if want["Orientation"] != "6" || want["Model"] != "M1" || want["DateTimeOriginal"] == "" {
			t.Fatalf("%v: the block has %v", o, want)
		}
		want["Orientation"] = "1"
		want["ExifImageWidth"] = "6000"
		if !maps.Equal(got, want) {
			t.Errorf("%v: got %v, want %v", o, got, want)
		}
	}
}

// TestUprightThumbnail leaves out the thumbnail of a picture that is turned, which lies on its side,
// and keeps that of another.
func TestUprightThumbnail(t *testing.T) {
	for _, o := range orders {
		for orientation, kept := range map[int]bool{1: true, 2: false, 8: false} {
			block := (&Directory{o, []Entry{number(o, tagOrientation, typeShort, orientation)}}).Block()
			second := (&Directory{o, []Entry{number(o, 0x0201, typeLong, 77)}}).Bytes(len(block))
			o.PutUint32(block[len(block)-4:], uint32(len(block)))
			end := len(block)
			for n := end - 4; n < end; n++ {
				Upright(block[:n], 1, 1) // a block that is cut off in front of the thumbnail's place
			}
			got := Upright(append(block, second...), 1, 1)
			if got := o.Uint32(got[end-4:]) != 0; got != kept {
				t.Errorf("%v, orientation %d: the thumbnail is there: %v, want %v", o, orientation, got, kept)
			}
			if n := o.Uint16(got[8+2+8:]); n != 1 {
				t.Errorf("%v, orientation %d became %d, want 1", o, orientation, n)
			}
		}
	}
}

func TestRead(t *testing.T) {
	for _, o := range orders {
		block := photograph(o).Block()
		want := tags(t, block)
		delete(want, "Orientation")
		delete(want, "ImageWidth")
		d := Read(block)
		if got := tags(t, d.Block()); !maps.Equal(got, want) {
			t.Errorf("%v: got %v, want %v", o, got, want)
		}
		if again := Read(d.Block()); !bytes.Equal(again.Block(), d.Block()) {
			t.Errorf("%v: a block that is read again has changed", o)
		}
		// At another place.
		file := append(make([]byte, 100), d.Bytes(100)...)
		copy(file, block[:4])
		o.PutUint32(file[4:], 100)
		if got := tags(t, file); !maps.Equal(got, want) {
			t.Errorf("%v: at another place: got %v, want %v", o, got, want)
		}
	}
	o := binary.LittleEndian
	if d := Read((&Directory{o, []Entry{number(o, 0x0100, typeLong, 4000)}}).Block()); d != nil {
		t.Errorf("a block about a file alone: got %v, want nothing", d)
	}
}

// TestPages has a file of three directories, of which one is of a smaller picture, and one whose
// directories follow each other in a circle.
func TestPages(t *testing.T) {
	for _, o := range orders {
		page := func(kind int) *Directory { return &Directory{o, []Entry{number(o, tagSubfile, typeLong, kind)}} }
		file := page(0).Block()
		for _, kind := range []int{1, 2} {
			o.PutUint32(file[len(file)-4:], uint32(len(file)))
			file = append(file, page(kind).Bytes(len(file))...)
		}
		if got := Pages(file); got != 2 {
			t.Errorf("%v: got %d pages, want 2", o, got)
		}
		o.PutUint32(file[len(file)-4:], 8)
		if got := Pages(file); got != 2 {
			t.Errorf("%v, in a circle: got %d pages, want 2", o, got)
		}
		for n := range file {
			if got := Pages(file[:n]); got > 2 {
				t.Errorf("%v: the first %d bytes: %d pages", o, n, got)
			}
		}
	}
}

func TestProfile(t *testing.T) {
	for _, o := range orders {
		d := photograph(o)
		d.Entries = append(d.Entries, Entry{tagProfile, 7, 5, []byte("icc!!"), nil})
		if got := Profile(d.Block()); string(got) != "icc!!" {
			t.Errorf("%v: got %q", o, got)
		}
	}
	if got := Profile([]byte("II*\x00\x08")); got != nil {
		t.Errorf("five bytes: got %q", got)
	}
}

// TestHostile has values that all claim the same bytes, and directories that lead to each other.
func TestHostile(t *testing.T) {
	o := binary.LittleEndian
	d := &Directory{Order: o}
	for i := range 4000 {
		d.Entries = append(d.Entries, Entry{uint16(0x9c9b + i%5), 7, 1 << 20, make([]byte, 5), nil})
	}
	block := append(d.Block(), make([]byte, 1<<20)...)
	for i := range 4000 {
		o.PutUint32(block[10+12*i+8:], 8)
	}
	sub := &Directory{o, nil}
	for i := range 4000 {
		sub.Entries = append(sub.Entries, Entry{uint16(i), 7, 1 << 20, make([]byte, 5), nil})
	}
	at := uint32(len(block))
	block = append(block, sub.Bytes(int(at))...)
	for i := range 4000 {
		o.PutUint32(block[int(at)+2+12*i+8:], 8)
	}
	o.PutUint16(block[10:], tagExif)
	o.PutUint16(block[12:], typeLong)
	o.PutUint32(block[14:], 1)
	o.PutUint32(block[18:], at)
	if n := len(Read(block).Block()); n > 2*len(block) {
		t.Errorf("a block of %d bytes became one of %d", len(block), n)
	}

	loop := append(photograph(o).Block(), make([]byte, 1<<16)...)
	i := bytes.Index(loop, []byte{0x69, 0x87, 4, 0})
	o.PutUint32(loop[i+8:], 8) // EXIF leads to the picture's own directory
	depth := 0
	for d := Read(loop); d != nil; depth++ {
		sub := (*Directory)(nil)
		for _, e := range d.Entries {
			if e.Tag == tagExif {
				sub = e.Sub
			}
		}
		d = sub
	}
	if depth > 3 {
		t.Errorf("a directory that leads to itself is read %d times", depth)
	}
	Upright(loop, 1, 1)
}

func FuzzExif(f *testing.F) {
	for _, o := range orders {
		f.Add(photograph(o).Block())
	}
	f.Add([]byte("II*\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, block []byte) {
		if got := Upright(block, 10, 20); got != nil && len(got) != len(block) {
			t.Errorf("a block of %d bytes became one of %d", len(block), len(got))
		}
		Profile(block)
		Pages(block)
		if d := Read(block); d != nil {
			b := d.Block()
			if len(b) > 3*len(block)+100 {
				t.Errorf("a block of %d bytes became one of %d", len(block), len(b))
			}
			if again := Read(b); again == nil || !bytes.Equal(again.Block(), b) {
				t.Error("a block that is read again has changed")
			}
		}
	})
}

func ExampleUpright() {
	d := &Directory{binary.BigEndian, []Entry{{Tag: 0x0112, Type: 3, Count: 1, Data: []byte{0, 6}}}}
	block := d.Block()
	fmt.Println(block[18:20], Upright(block, 600, 400)[18:20])
	fmt.Println(strings.HasPrefix(string(block), "MM"))
	// Output:
	// [0 6] [0 1]
	// true
}
