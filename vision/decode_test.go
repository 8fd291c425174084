package vision

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"pixelgrad/internal/jpegplanes"
)

func encodePNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var f bytes.Buffer
	if err := png.Encode(&f, m); err != nil {
		t.Fatal(err)
	}
	return f.Bytes()
}

func encodeJPEG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var f bytes.Buffer
	if err := jpeg.Encode(&f, m, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return f.Bytes()
}

func TestDecodePNGKinds(t *testing.T) {
	one := image.Rect(0, 0, 1, 1)
	set := func(m interface {
		image.Image
		Set(x, y int, c color.Color)
	}, c color.Color) image.Image {
		m.Set(0, 0, c)
		return m
	}
	palette := color.Palette{color.RGBA{1, 2, 3, 255}, color.NRGBA{200, 0, 0, 0}}
	for _, c := range []struct {
		what string
		m    image.Image
		want [3]uint8
	}{
		{"true colour", set(image.NewRGBA(one), color.RGBA{10, 20, 30, 255}), [3]uint8{10, 20, 30}},
		{"grey", set(image.NewGray(one), color.Gray{77}), [3]uint8{77, 77, 77}},
		{"grey, 16 bits", set(image.NewGray16(one), color.Gray16{77*257 + 129}), [3]uint8{78, 78, 78}},
		{"16 bits, rounded down", set(image.NewRGBA64(one), color.RGBA64{100*257 + 128, 0, 65535, 65535}), [3]uint8{100, 0, 255}},
		{"16 bits, rounded up", set(image.NewRGBA64(one), color.RGBA64{100*257 + 129, 128, 129, 65535}), [3]uint8{101, 0, 1}},
		{"palette", set(image.NewPaletted(one, palette), palette[0]), [3]uint8{1, 2, 3}},
		{"palette, transparent", set(image.NewPaletted(one, palette), palette[1]), [3]uint8{255, 255, 255}},
		{"transparent", set(image.NewNRGBA(one), color.NRGBA{200, 10, 10, 0}), [3]uint8{255, 255, 255}},
		{"half transparent", set(image.NewNRGBA(one), color.NRGBA{200, 100, 0, 51}), [3]uint8{244, 224, 204}}, // 0.2·v + 0.8·255
	} {
		p, err := Decode(bytes.NewReader(encodePNG(t, c.m)), c.what)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := [3]uint8(p.Pix); got != c.want {
			t.Errorf("%s: pixel %v, want %v", c.what, got, c.want)
		}
	}
}

// A picture that is only a part of a larger one has its own origin.
func TestFromImageSubImage(t *testing.T) {
	whole, err := jpeg.Decode(bytes.NewReader(encodeJPEG(t, testPhoto(40, 30))))
	if err != nil {
		t.Fatal(err)
	}
	part := whole.(*image.YCbCr).SubImage(image.Rect(8, 6, 30, 20))
	got, all := FromImage(part), FromImage(whole)
	if got.W != 22 || got.H != 14 {
		t.Fatalf("%d×%d pixels, want 22×14", got.W, got.H)
	}
	for y := 2; y < 12; y++ { // the edge has other neighbours
		for x := 2; x < 20; x++ {
			if got.At(x, y) != all.At(x+8, y+6) {
				t.Fatalf("pixel %d,%d is %v, in the whole picture %v", x, y, got.At(x, y), all.At(x+8, y+6))
			}
		}
	}
}

// Every type of picture converts to the colours that its At method returns.
func TestFromImageKinds(t *testing.T) {
	p := testPhoto(13, 9)
	cmyk := image.NewCMYK(p.Bounds())
	for y := range p.H {
		for x := range p.W {
			cmyk.Set(x, y, p.At(x, y))
		}
	}
	for _, m := range []image.Image{p, p.RGBA(), cmyk, hidden{p}} {
		if d, i := apart(FromImage(m).Pix, p.Pix); d > 1 || d > 0 && m != image.Image(cmyk) {
			t.Errorf("%T: sample %d is %d levels off", m, i, d)
		}
	}
	if &FromImage(p).Pix[0] == &p.Pix[0] {
		t.Error("FromImage of an RGB shares its memory")
	}
}

// hidden has only the methods of image.Image.
type hidden struct{ image.Image }

// claim sets the size in the header of a JPEG or PNG file.
func claim(data []byte, w, h int) []byte {
	data = bytes.Clone(data)
	if at := bytes.Index(data, []byte("IHDR")); at > 0 {
		binary.BigEndian.PutUint32(data[at+4:], uint32(w))
		binary.BigEndian.PutUint32(data[at+8:], uint32(h))
		binary.BigEndian.PutUint32(data[at+17:], crc32.ChecksumIEEE(data[at:at+17]))
		return data
	}
	at := bytes.Index(data, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(data[at+5:], uint16(h))
	binary.BigEndian.PutUint16(data[at+7:], uint16(w))
	return data
}

// A small file that claims a huge picture is refused before memory is taken.
func TestDecodeRefusesSizes(t *testing.T) {
	small := testPhoto(16, 16)
	jpegFile, pngFile := encodeJPEG(t, small), encodePNG(t, small)
	for _, c := range []struct {
		data []byte
		want string
	}{
		{claim(jpegFile, 65535, 65535), "found 65535×65535"},
		{claim(jpegFile, 8193, 8192), "found 8193×8192"},
		{claim(jpegFile, 0, 16), "found 0×16"},
		{claim(jpegFile, 16, 0), "found 16×0"},
		{claim(pngFile, 1<<30, 1<<30), "found"},
		{claim(pngFile, 100000, 10), "found 100000×10"},
		{claim(pngFile, 9000, 9000), "at most"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(bytes.NewReader(c.data), "big.file")
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "vision: big.file: ") {
			t.Errorf("error %v, want one of big.file with %q", err, c.want)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
			t.Errorf("%v: %d bytes were taken first", err, used)
		}
	}
}

// No truncated file gives a picture or a panic.
func TestDecodeTruncated(t *testing.T) {
	p := testPhoto(24, 20)
	for what, data := range map[string][]byte{"a JPEG": encodeJPEG(t, p), "a PNG": encodePNG(t, p)} {
		for n := range len(data) - 2 {
			if _, err := Decode(bytes.NewReader(data[:n]), "short.file"); err == nil || !strings.Contains(err.Error(), "short.file") {
				t.Fatalf("%s: the first %d of %d bytes: error %v", what, n, len(data), err)
			}
		}
		_, err := Decode(bytes.NewReader(data[:len(data)/2]), "short.file")
		if err == nil || !strings.Contains(err.Error(), "copy or download it again") {
			t.Errorf("%s: half of it: error %v, want one that says what to do", what, err)
		}
	}
}

func TestDecodeNamesOtherKinds(t *testing.T) {
	var g bytes.Buffer
	if err := gif.Encode(&g, testPhoto(4, 4), nil); err != nil {
		t.Fatal(err)
	}
	scans := append([]byte("\xff\xd8"), bytes.Repeat([]byte("\xff\xda\x00\x02\x00"), maxScans+1)...)
	for _, c := range []struct{ data, want string }{
		{g.String(), "found a GIF"},
		{"", "found an empty file"},
		{"RIFF....WEBPVP8 ", "found a WebP"},
		{"II*\x00", "found a TIFF"},
		{"\x00\x00\x00\x18ftypheic", "found a HEIC"},
		{"PK\x03\x04", "found a zip"},
		{"<!DOCTYPE html>", "found a web page"},
		{"hello", "begins with the bytes 68 65 6c 6c 6f"},
		{string(scans), "at most 256 scans, found 257"},
		{"\xff\xd8\xff\xd9", "JPEG"},
	} {
		_, err := Decode(strings.NewReader(c.data), "some.jpg")
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "vision: some.jpg: expected") {
			t.Errorf("error %v, want one of some.jpg with %q", err, c.want)
		}
	}
}

// Only the picture's own scans count. Those of a thumbnail in a segment, or of a second
// picture after the first, do not.
func TestScans(t *testing.T) {
	plain := encodeJPEG(t, testPhoto(30, 30))
	thumbnail := append([]byte{0xff, 0xe1, byte((len(plain) + 2) >> 8), byte(len(plain) + 2)}, plain...)
	with := append(append([]byte("\xff\xd8"), thumbnail...), plain[2:]...)
	for what, data := range map[string][]byte{"plain": plain, "thumbnail": with, "two pictures": append(bytes.Clone(plain), plain...)} {
		if n := jpegplanes.ReadHeader(data).Scans; n != 1 {
			t.Errorf("%s: %d scans, want 1", what, n)
		}
		if _, err := Decode(bytes.NewReader(data), what); err != nil {
			t.Error(err)
		}
	}
	for _, c := range readGolden(t).JPEG {
		if n := jpegplanes.ReadHeader(c.File).Scans; c.Name == "4:2:0 progressive" && n != 10 {
			t.Errorf("%s: %d scans, want libjpeg's 10", c.Name, n)
		}
	}
}

// The content decides, not the name.
func TestReadFile(t *testing.T) {
	p := testPhoto(5, 4)
	path := filepath.Join(t.TempDir(), "really-a-png.jpg")
	if err := os.WriteFile(path, encodePNG(t, p), 0o666); err != nil {
		t.Fatal(err)
	}
	q, err := ReadFile(path)
	if err != nil || !bytes.Equal(p.Pix, q.Pix) {
		t.Errorf("error %v, or another picture", err)
	}
	missing := filepath.Join(t.TempDir(), "missing.jpg")
	if _, err := ReadFile(missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("error %v, want one that names %s", err, missing)
	}
	if _, err := ReadFile(t.TempDir()); err == nil {
		t.Error("a folder was read without an error")
	}
	if _, err := ReadFS(fstest.MapFS{"d": {Mode: fs.ModeDir}}, "d"); err == nil {
		t.Error("a folder of a file system was read without an error")
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range readGolden(f).JPEG { // every layout of JPEG
		f.Add(c.File)
	}
	p := testPhoto(9, 7)
	f.Add(encodePNG(f, p))
	f.Add(encodePNG(f, p.RGBA()))
	f.Add(encodePNG(f, image.NewNRGBA64(image.Rect(0, 0, 3, 3))))
	f.Add(encodePNG(f, image.NewPaletted(image.Rect(0, 0, 3, 3), color.Palette{color.Black, color.Transparent})))
	f.Add(encodeJPEG(f, p)[:200])
	f.Add([]byte("GIF89a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && c.Width < 1<<16 && c.Height < 1<<16 && c.Width*c.Height > 1<<20 {
			return // allowed, but too slow to try often
		}
		p, err := Decode(bytes.NewReader(data), "fuzz.file")
		switch {
		case err != nil && !strings.HasPrefix(err.Error(), "vision: fuzz.file: expected"):
			t.Errorf("error %v does not say what was expected of the file", err)
		case err != nil && strings.Contains(err.Error(), "upsets the decoder"):
			t.Logf("the decoder panics: %v", err)
		case err == nil && (p.W <= 0 || p.H <= 0 || len(p.Pix) != 3*p.W*p.H):
			t.Errorf("a picture of %d×%d pixels and %d bytes", p.W, p.H, len(p.Pix))
		}
	})
}
