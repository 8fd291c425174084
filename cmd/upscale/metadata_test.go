package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/bep/imagemeta"

	"pixelgrad/internal/exif"
	"pixelgrad/internal/jpegrows"
	"pixelgrad/vision"
)

// profile is the beginning of a colour profile, and noise.
func profile(space string, n int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	copy(b[16:], space)
	return b
}

// photograph is a JPEG of 4×3 pixels that a camera has stored on its side, with its profile.
func photograph(t *testing.T, o binary.ByteOrder, icc []byte) []byte {
	t.Helper()
	short := func(tag uint16, v uint16) exif.Entry {
		b := make([]byte, 2)
		o.PutUint16(b, v)
		return exif.Entry{Tag: tag, Type: 3, Count: 1, Data: b}
	}
	block := (&exif.Directory{Order: o, Entries: []exif.Entry{
		{Tag: 0x0110, Type: 2, Count: 8, Data: []byte("Model 1\x00")},
		short(0x0112, 6),
		{Tag: 0x8769, Type: 4, Count: 1, Sub: &exif.Directory{Order: o, Entries: []exif.Entry{
			{Tag: 0x9003, Type: 2, Count: 20, Data: []byte("2026:07:01 12:00:00\x00")},
			short(0xa002, 4), short(0xa003, 3),
		}}},
	}}).Block()
	var pieces []jpegrows.Segment
	pieces = append(pieces, jpegrows.Segment{App: 1, Data: append([]byte("Exif\x00\x00"), block...)})
	const piece = 50_000
	n := (len(icc) + piece - 1) / piece
	for i := n - 1; i >= 0; i-- { // in any order
		data := append([]byte("ICC_PROFILE\x00"), byte(i+1), byte(n))
		pieces = append(pieces, jpegrows.Segment{App: 2, Data: append(data, icc[i*piece:min((i+1)*piece, len(icc))]...)})
	}
	var b bytes.Buffer
	w, err := jpegrows.NewWriter(&b, jpegrows.Header{W: 4, H: 3, Quality: 100, Segments: pieces}, 1)
	if err != nil {
		t.Fatal(err)
	}
	m := colours()
	for y := range 3 {
		var row []byte
		for x := range 4 {
			row = append(row, m.Pix[m.PixOffset(x, y):][:3]...)
		}
		if err := w.WriteRow(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tags reads the EXIF data of a file by a library, which knows where the formats have them.
func tags(t *testing.T, name string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	format := map[string]imagemeta.ImageFormat{"png": imagemeta.PNG, "jpg": imagemeta.JPEG, "webp": imagemeta.WebP, "tif": imagemeta.TIFF}
	all := map[string]string{}
	_, err = imagemeta.Decode(imagemeta.Options{
		R: bytes.NewReader(data), ImageFormat: format[name[strings.LastIndexByte(name, '.')+1:]], Sources: imagemeta.EXIF,
		HandleTag: func(i imagemeta.TagInfo) error { all[i.Tag] = fmt.Sprint(i.Value); return nil },
	})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return all
}

// TestMetadata has a photograph go from each format to each other one.
func TestMetadata(t *testing.T) {
	kinds := []string{"png", "jpg", "webp", "tif"}
	for _, o := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		icc := profile("RGB ", 130_000)
		inFolder(t, map[string][]byte{"a.jpg": photograph(t, o, icc)})
		check := func(name string, scale int) {
			t.Helper()
			p := read(t, name)
			if b := p.Image.Bounds(); b != image.Rect(0, 0, 3*scale, 4*scale) {
				t.Errorf("%s: got a picture of %v, want it upright, %d×%d", name, b, 3*scale, 4*scale)
			}
			if !bytes.Equal(p.ICC, icc) {
				t.Errorf("%s: got a profile of %d bytes, want that of %d", name, len(p.ICC), len(icc))
			}
			got := tags(t, name)
			want := map[string]string{"Model": "Model 1", "Orientation": "1", "DateTimeOriginal": "2026:07:01 12:00:00", "ExifImageWidth": fmt.Sprint(3 * scale), "ExifImageHeight": fmt.Sprint(4 * scale)}
			for tag, v := range want {
				if got[tag] == "" && tag == "Orientation" { // none is 1
					continue
				}
				if got[tag] != v {
					t.Errorf("%s: %s is %q, want %q; there is %v", name, tag, got[tag], v, got)
				}
			}
		}
		for _, from := range kinds {
			first := "b." + from
			ok(t, "a.jpg", "-o", first)
			check(first, 2)
			for _, to := range kinds {
				second := "c-" + from + "." + to
				ok(t, first, "-o", second)
				check(second, 4)
			}
		}
	}
}

// TestProfiles says which profiles are left out: those for other colours than the result has.
func TestProfiles(t *testing.T) {
	for _, space := range []string{"RGB ", "CMYK", "GRAY", "Lab "} {
		inFolder(t, map[string][]byte{"a.jpg": photograph(t, binary.LittleEndian, profile(space, 500))})
		r := ok(t, "a.jpg", "-o", "b.png")
		kept := len(read(t, "b.png").ICC) > 0
		if kept != (space == "RGB ") || strings.Contains(r.log, "its colour profile") == kept {
			t.Errorf("a profile for %s: kept %v, messages %s", space, kept, r.log)
		}
	}
	gray := image.NewGray(image.Rect(0, 0, 3, 2))
	for i := range gray.Pix {
		gray.Pix[i] = uint8(30 * i)
	}
	file := jpegOf(t, gray)
	icc := profile("GRAY", 400)
	segment := append([]byte{0xff, 0xe2, 1, 0xa0}, "ICC_PROFILE\x00\x01\x01"...)
	inFolder(t, map[string][]byte{"a.jpg": bytes.Join([][]byte{file[:2], segment, icc, file[2:]}, nil)})
	ok(t, "a.jpg", "-o", "b.png")
	if p := read(t, "b.png"); !bytes.Equal(p.ICC, icc) || !p.Gray {
		t.Errorf("grey: got a profile of %d bytes and grey %v, want %d and true", len(p.ICC), p.Gray, len(icc))
	}
	r := ok(t, "a.jpg", "-o", "b.webp") // which has three colours
	if p := read(t, "b.webp"); p.ICC != nil || !strings.Contains(r.log, "its colour profile") {
		t.Errorf("a WebP of a grey picture: got a profile of %d bytes, want none; messages %s", len(p.ICC), r.log)
	}
}

// TestDamagedMetadata says that a picture does not depend on what is written about it.
func TestDamagedMetadata(t *testing.T) {
	file := photograph(t, binary.LittleEndian, profile("RGB ", 60_000))
	start := bytes.Index(file, []byte("Exif"))
	rng := rand.New(rand.NewPCG(5, 6))
	inFolder(t, nil)
	var names []string
	for i := range 40 {
		damaged := bytes.Clone(file)
		for range 1 + i {
			damaged[start+rng.IntN(200)] = byte(rng.Uint32())
		}
		name := fmt.Sprintf("%d.jpg", i)
		write(t, name, damaged)
		if _, err := vision.ReadPicture(name); err == nil { // the lengths of the segments are not damaged
			names = append(names, name)
		}
	}
	if len(names) < 10 {
		t.Fatalf("only %d pictures can be read at all", len(names))
	}
	for _, kind := range []string{"jpg", "tif", "png"} {
		ok(t, append([]string{"-f", kind, "-o", kind}, names...)...)
		for _, name := range names {
			read(t, kind+"/"+strings.TrimSuffix(name, "jpg")+kind)
		}
	}
}
