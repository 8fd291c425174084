package vision

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/tiff"

	"pixelgrad/internal/pngrows"
)

// TestDecodePicture says that the pictures of testdata/golden/pictures.json are the same over white
// as Decode's, which are compared with Pillow, and that they come in the types that Picture has.
func TestDecodePicture(t *testing.T) {
	kinds := map[string]int{}
	for _, c := range readPictures(t) {
		want, err := Decode(bytes.NewReader(c.File), "some.file")
		p, whyNot := DecodePicture(bytes.NewReader(c.File), "some.file")
		if fmt.Sprint(err) != fmt.Sprint(whyNot) {
			t.Errorf("%s: Decode says %v, DecodePicture %v", c.Name, err, whyNot)
		}
		if err != nil || whyNot != nil {
			continue
		}
		kinds[fmt.Sprintf("%T", p.Image)]++
		if got := FromImage(p.Image); got.W != want.W || got.H != want.H || !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%s: %d×%d pixels, want those of Decode, %d×%d", c.Name, got.W, got.H, want.W, want.H)
		}
		if opaque := p.Image.(interface{ Opaque() bool }).Opaque(); opaque == p.Alpha {
			t.Errorf("%s: opaque is %v, and Alpha, too", c.Name, opaque)
		}
		var stride, pixels, size int
		switch m := p.Image.(type) {
		case *image.Gray:
			stride, pixels, size = m.Stride, len(m.Pix), 1
		case *image.Gray16:
			stride, pixels, size = m.Stride, len(m.Pix), 2
		case *RGB:
			stride, pixels, size = 3*m.W, len(m.Pix), 3
		case *image.NRGBA:
			stride, pixels, size = m.Stride, len(m.Pix), 4
		case *image.NRGBA64:
			stride, pixels, size = m.Stride, len(m.Pix), 8
		default:
			t.Errorf("%s: a picture of type %T", c.Name, m)
		}
		if stride != size*want.W || pixels != stride*want.H || p.Image.Bounds() != want.Bounds() {
			t.Errorf("%s: a picture of type %T, %v, with %d bytes in rows of %d", c.Name, p.Image, p.Image.Bounds(), pixels, stride)
		}
		frames := 1
		if c.Name == "GIF animated" || c.Name == "TIFF two pages" {
			frames = 2
		}
		if (p.Frames > 1) != (frames > 1) {
			t.Errorf("%s: it has %d frames", c.Name, p.Frames)
		}
	}
	if len(kinds) < 4 {
		t.Errorf("only the types %v are there", kinds)
	}
}

// TestTurnPictures turns all types in all ways; RGB's turn is compared with Pillow's elsewhere.
func TestTurnPictures(t *testing.T) {
	size := image.Rect(0, 0, 5, 3)
	rgb := NewRGB(5, 3)
	gray, gray16, clear, clear16 := image.NewGray(size), image.NewGray16(size), image.NewNRGBA(size), image.NewNRGBA64(size)
	for i := range 15 {
		v := uint8(16 * i)
		rgb.Pix[3*i], rgb.Pix[3*i+1], rgb.Pix[3*i+2] = v, v, v
		for _, m := range []interface{ Set(x, y int, c color.Color) }{gray, gray16, clear, clear16} {
			m.Set(i%5, i/5, color.Gray{Y: v})
		}
	}
	for o := 1; o <= 8; o++ {
		want := turn(rgb, o)
		for _, m := range []image.Image{rgb, gray, gray16, clear, clear16} {
			got := turnImage(m, o)
			if fmt.Sprintf("%T", got) != fmt.Sprintf("%T", m) || !bytes.Equal(FromImage(got).Pix, want.Pix) || got.Bounds() != want.Bounds() {
				t.Errorf("orientation %d: a %T became a %T of %v with other pixels than an RGB", o, m, got, got.Bounds())
			}
		}
	}
}

// TestGIFFrames counts frames, also of a file that is cut off.
func TestGIFFrames(t *testing.T) {
	var g gif.GIF
	for range 5 {
		g.Image = append(g.Image, image.NewPaletted(image.Rect(0, 0, 30, 30), color.Palette{color.Black, color.White}))
		g.Delay = append(g.Delay, 3)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &g); err != nil {
		t.Fatal(err)
	}
	data := b.Bytes()
	p, err := DecodePicture(bytes.NewReader(data), "a.gif")
	if err != nil || p.Frames != 5 {
		t.Errorf("got %+v, %v; want 5 frames", p, err)
	}
	for n := 13; n < len(data); n++ {
		if got := gifFrames(data[:n]); got < 1 || got > 5 {
			t.Errorf("the first %d bytes: %d frames", n, got)
		}
	}
}

// TestFrames counts the pictures of an animated PNG and of a TIFF of two pages.
func TestFrames(t *testing.T) {
	var animated bytes.Buffer
	out, err := pngrows.NewWriter(&animated, pngrows.Header{W: 1, H: 1, Depth: 8, Gray: true, Chunks: []pngrows.Chunk{{Type: "acTL", Data: []byte{0, 0, 0, 3, 0, 0, 0, 0}}}}, 1)
	if err == nil {
		err = errors.Join(out.WriteRow([]byte{9}), out.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := tiff.Encode(&page, image.NewGray(image.Rect(0, 0, 3, 2)), nil); err != nil {
		t.Fatal(err)
	}
	pages := page.Bytes() // the directory is at the end, with what it refers to before it
	at := binary.LittleEndian.Uint32(pages[4:])
	next := at + 2 + 12*uint32(binary.LittleEndian.Uint16(pages[at:]))
	again := slices.Clone(pages[at : next+4])
	binary.LittleEndian.PutUint32(pages[next:], uint32(len(pages)))
	pages = append(pages, again...)
	for name, c := range map[string]struct {
		data []byte
		want int
	}{"a.png": {animated.Bytes(), 3}, "a.tif": {pages, 2}} {
		if p, err := DecodePicture(bytes.NewReader(c.data), name); err != nil || p.Frames != c.want {
			t.Errorf("%s: got %+v, %v; want %d frames", name, p, err, c.want)
		}
	}
}

// TestGrayPNG has PNGs of grey and opacity. Those whose pixels are all opaque are grey pictures.
func TestGrayPNG(t *testing.T) {
	const w, h = 5, 3
	for _, depth := range []int{8, 16} {
		for _, opaque := range []bool{true, false} {
			var b bytes.Buffer
			out, err := pngrows.NewWriter(&b, pngrows.Header{W: w, H: h, Depth: depth, Gray: true, Alpha: true}, 1)
			if err != nil {
				t.Fatal(err)
			}
			level := func(x, y int) uint16 { return uint16(4001*x + 301*y) }
			for y := range h {
				var row []byte
				for x := range w {
					alpha := uint16(0xffff)
					if !opaque {
						alpha = 0x7777
					}
					for _, v := range []uint16{level(x, y), alpha} {
						if row = append(row, byte(v>>8)); depth == 16 {
							row = append(row, byte(v))
						}
					}
				}
				if err := out.WriteRow(row); err != nil {
					t.Fatal(err)
				}
			}
			if err := out.Close(); err != nil {
				t.Fatal(err)
			}
			p, err := DecodePicture(bytes.NewReader(b.Bytes()), "a.png")
			if err != nil {
				t.Fatal(err)
			}
			if !p.Gray || p.Alpha == opaque || p.Depth() != depth {
				t.Errorf("%d bits, opaque %v: got grey %v, alpha %v, %d bits", depth, opaque, p.Gray, p.Alpha, p.Depth())
			}
			if !opaque {
				continue
			}
			want := "*image.Gray"
			if depth == 16 {
				want = "*image.Gray16"
			}
			if got := fmt.Sprintf("%T", p.Image); got != want {
				t.Errorf("%d bits: got a %s, want a %s", depth, got, want)
			}
			for y := range h {
				for x := range w {
					got := color.Gray16Model.Convert(p.Image.At(x, y)).(color.Gray16).Y
					if got>>8 != level(x, y)>>8 || depth == 16 && got != level(x, y) {
						t.Errorf("%d bits: got %#x at (%d,%d), want %#x", depth, got, x, y, level(x, y))
					}
				}
			}
		}
	}
}

// TestICCOfPNG has a profile that unpacks to more than any profile has, and damaged ones.
func TestICCOfPNG(t *testing.T) {
	file := encodePNG(t, testPhoto(3, 3).RGBA())
	with := func(data []byte) []byte {
		chunk := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
		chunk = append(append(chunk, "iCCP"...), data...)
		chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
		return slices.Concat(file[:33], chunk, file[33:])
	}
	pack := func(data []byte) []byte {
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		z.Write(data)
		z.Close()
		return append([]byte("name\x00\x00"), b.Bytes()...)
	}
	profile := strings.Repeat("profile ", 40)
	for what, c := range map[string]struct {
		data []byte
		want string
	}{
		"a profile":       {pack([]byte(profile)), profile},
		"another method":  {append([]byte("name\x00\x01"), pack([]byte(profile))[6:]...), ""},
		"no name's end":   {[]byte("name"), ""},
		"damaged":         {pack([]byte(profile))[:20], ""},
		"one of 33 MB":    {pack(make([]byte, maxProfile+1)), ""},
		"nothing at all":  {nil, ""},
		"a name's end":    {[]byte("name\x00"), ""},
		"no packed bytes": {[]byte("name\x00\x00"), ""},
	} {
		p, err := DecodePicture(bytes.NewReader(with(c.data)), "a.png")
		if err != nil {
			t.Errorf("%s: %v", what, err)
		} else if string(p.ICC) != c.want {
			t.Errorf("%s: got %d bytes, want %d", what, len(p.ICC), len(c.want))
		}
	}
}
