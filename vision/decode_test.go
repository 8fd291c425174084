package vision

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
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

// sampling returns the place of the first sampling factors in a JPEG file.
func sampling(data []byte) int { return bytes.Index(data, []byte{0xff, 0xc0}) + 11 }

// replace returns data with the bytes from at on replaced by a number.
func replace(data []byte, at int, order binary.ByteOrder, v any) []byte {
	data = bytes.Clone(data)
	binary.Encode(data[at:], order, v)
	return data
}

// A small file that claims a huge picture is refused before memory is taken.
func TestDecodeRefusesSizes(t *testing.T) {
	small := testPhoto(16, 16)
	jpegFile, pngFile := encodeJPEG(t, small), encodePNG(t, small)
	file := map[string][]byte{}
	for _, c := range readPictures(t) {
		file[c.Name] = c.File
	}
	little := binary.LittleEndian
	gifFile, bmpFile, tiffFile := file["GIF on a canvas"], file["BMP true colour"], file["TIFF LZW"]
	// entry returns the place of a tag's value in the TIFF.
	entry := func(tag uint16) int {
		at := int(little.Uint32(tiffFile[4:])) + 2
		for little.Uint16(tiffFile[at:]) != tag {
			at += 12
		}
		return at + 8
	}
	manyStrips := replace(tiffFile, entry(278), little, uint16(1)) // a row each
	for _, tag := range []uint16{273, 279} {
		manyStrips = replace(manyStrips, entry(tag)-6, little, uint16(4))
		manyStrips = replace(manyStrips, entry(tag)-4, little, uint32(1<<31))
	}
	webpFile := file["WebP lossy, transparent"] // VP8X, ALPH, VP8
	for _, c := range []struct {
		what string
		data []byte
		want string
	}{
		{"JPEG", claim(jpegFile, 65535, 65535), "found 65535×65535"},
		{"JPEG", claim(jpegFile, 16385, 16384), "found 16385×16384"},
		{"JPEG", claim(jpegFile, 0, 16), "found 0×16"},
		{"JPEG", claim(jpegFile, 16, 0), "found 16×0"},
		{"JPEG with factors 1×0", replace(jpegFile, sampling(jpegFile), little, [7]byte{0x10, 0, 2, 0x10, 1, 3, 0x10}), "damaged"},
		{"JPEG with unusual sampling", claim(file["three across"], 65535, 65535), "found 65535×65535"},
		{"PNG", claim(pngFile, 1<<30, 1<<30), "found"},
		{"PNG", claim(pngFile, 100000, 10), "found 100000×10"},
		{"PNG", claim(pngFile, 17000, 17000), "at most"},
		{"GIF", replace(gifFile, 6, little, [2]uint16{65535, 65535}), "found 65535×65535"},
		{"GIF with a frame larger than its canvas", replace(gifFile, 6, little, [2]uint16{2, 2}), "damaged"},
		{"BMP", replace(bmpFile, 18, little, [2]int32{1 << 30, 1 << 30}), "expected"},
		{"BMP", replace(bmpFile, 18, little, [2]int32{20000, -20000}), "found 20000×20000"},
		{"BMP of the smallest height", replace(bmpFile, 22, little, int32(-1<<31)), "expected"},
		{"TIFF", replace(replace(tiffFile, entry(256), little, uint16(65535)), entry(257), little, uint16(65535)), "found 65535×65535"},
		{"TIFF of 2³¹ strips", manyStrips, "damaged"},
		{"WebP", replace(webpFile, 24, little, [3]uint16{0xffff, 0xffff, 0xff}), "expected"},
		{"WebP whose canvas is smaller than its frame", replace(webpFile, 24, little, [3]uint16{0, 0, 0}), "expected"},
		{"lossless WebP", replace(file["WebP lossless"], 21, little, uint32(0x3fff|0x3fff<<14)), "found 16384×16384"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := limits{1 << 24, MaxFileBytes}.decode(bytes.NewReader(c.data), "big.file")
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "vision: big.file: ") {
			t.Errorf("%s: error %v, want one of big.file with %q", c.what, err, c.want)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
			t.Errorf("%s: %v: %d bytes were taken first", c.what, err, used)
		}
	}
	if _, err := Decode(bytes.NewReader(claim(jpegFile, 16385, 16384)), "big.file"); err == nil || !strings.Contains(err.Error(), "found 16385×16384") {
		t.Errorf("error %v, want one about 16385×16384 pixels", err)
	}
}

// The first bytes of a file give an error or the whole picture: never a part, and no panic.
func TestDecodeTruncated(t *testing.T) {
	for _, c := range readPictures(t) {
		whole, err := Decode(bytes.NewReader(c.File), c.Name)
		if err != nil {
			continue
		}
		step := 13
		if strings.HasPrefix(c.Name, "three across, progressive") || c.Name == "tiny JPEG progressive" {
			step = 1 // cut at the end of every scan
		}
		for n := range len(c.File) {
			if n%step != 0 && n < len(c.File)-12 {
				continue
			}
			p, err := Decode(bytes.NewReader(c.File[:n]), "short.file")
			if err == nil && (p.W != whole.W || p.H != whole.H || !bytes.Equal(p.Pix, whole.Pix)) {
				t.Fatalf("%s: the first %d of %d bytes give another picture", c.Name, n, len(c.File))
			}
			if err != nil && !strings.Contains(err.Error(), "short.file") {
				t.Fatalf("%s: the first %d of %d bytes: error %v", c.Name, n, len(c.File), err)
			}
			if err == nil && n < len(c.File)/2 {
				t.Fatalf("%s: the first %d of %d bytes are read", c.Name, n, len(c.File))
			}
		}
	}
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

// Without its end marker a JPEG is the same picture.
func TestDecodeWithoutEnd(t *testing.T) {
	for _, c := range readGolden(t).JPEG {
		whole, err := Decode(bytes.NewReader(c.File), c.Name)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, cut := range []int{1, 2} {
			p, err := Decode(bytes.NewReader(c.File[:len(c.File)-cut]), c.Name)
			if err != nil || !bytes.Equal(p.Pix, whole.Pix) {
				t.Errorf("%s: without the last %d bytes: error %v, or another picture", c.Name, cut, err)
			}
		}
	}
}

func TestDecodeNamesOtherKinds(t *testing.T) {
	scans := append([]byte("\xff\xd8"), bytes.Repeat([]byte("\xff\xda\x00\x02\x00"), maxScans+1)...)
	frame := func(process, bits byte) string { // a JPEG's header alone
		return "\xff\xd8\xff" + string([]byte{process, 0, 11, bits, 0, 8, 0, 8, 1, 1, 0x11, 0})
	}
	preview := "II*\x00\x08\x00\x00\x00\x01\x00\xfe\x00\x04\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"
	for _, c := range []struct{ data, want string }{
		{"", "found an empty file"},
		{"RIFF\x04\x00\x00\x00WEBPVP8 ", "damaged"},
		{"\x00\x00\x00\x18ftypheic", "found a HEIC; convert it"},
		{"\x00\x00\x00\x18ftypavif", "found an AVIF; convert it"},
		{"\x00\x00\x00\x18ftypcrx ", "found a camera's raw file; develop it"},
		{"II*\x00\x10\x00\x00\x00CR\x02\x00", "found a camera's raw file; develop it"},
		{preview, "found a camera's raw file, whose first picture is only a preview; develop it"},
		{"\xff\x0a", "found a JPEG XL"},
		{"\x00\x00\x00\x0cjP  \r\n\x87\n", "found a JPEG 2000"},
		{"8BPS", "found a Photoshop"},
		{"PK\x03\x04", "found a zip"},
		{"<!DOCTYPE html>", "found a web page"},
		{"version https://git-lfs.github.com/spec/v1", "git lfs pull"},
		{"hello", "begins with the bytes 68 65 6c 6c 6f"},
		{string(scans), "found one with 257 scans, where at most 256"},
		{"\xff\xd8\xff\xd9", "JPEG"},
		{frame(0xc9, 8), "found one with arithmetic coding; JPEGs with arithmetic, lossless"},
		{frame(0xc3, 8), "found one with lossless coding; JPEGs with"},
		{frame(0xc7, 8), "found one with hierarchical coding; JPEGs with"},
		{frame(0xc1, 12), "found one with 12 bits a sample; JPEGs with"},
	} {
		_, err := Decode(strings.NewReader(c.data), "some.jpg")
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "vision: some.jpg: expected") {
			t.Errorf("error %v, want one of some.jpg with %q", err, c.want)
		}
	}
}

// A damaged EXIF block never makes a picture unreadable.
func TestDecodeDamagedEXIF(t *testing.T) {
	for _, c := range readPictures(t) {
		if c.Group != "turned" || strings.HasPrefix(c.Name, "TIFF") || !strings.HasSuffix(c.Name, "6") {
			continue
		}
		from := max(bytes.Index(c.File, []byte("MM\x00*")), bytes.Index(c.File, []byte("II*\x00")))
		end := from + bytes.Index(c.File[from:], []byte("A camera"))
		if from < 0 || end < from {
			t.Fatalf("%s: no block of EXIF data", c.Name)
		}
		for at := from; at < end; at++ {
			for _, v := range []byte{0, 0x7f, 0xff} {
				data := bytes.Clone(c.File)
				data[at] = v
				if strings.HasPrefix(c.Name, "PNG") { // and the chunk's checksum
					chunk := bytes.Index(data, []byte("eXIf"))
					n := int(binary.BigEndian.Uint32(data[chunk-4:]))
					data = replace(data, chunk+4+n, binary.BigEndian, crc32.ChecksumIEEE(data[chunk:chunk+4+n]))
				}
				if _, err := Decode(bytes.NewReader(data), c.Name); err != nil {
					t.Fatalf("byte %d: %v", at-from, err)
				}
			}
		}
	}
}

func TestIsPicture(t *testing.T) {
	for name, want := range map[string]bool{
		"a.jpg": true, "A.JPEG": true, "a.png": true, "a.webp": true, "a.gif": true, "a.bmp": true, "a.tif": true, "a.TIFF": true,
		".a.jpg": false, "a.heic": false, "a.dng": false, "a.txt": false, "jpg": false,
	} {
		if got := IsPicture(name); got != want {
			t.Errorf("IsPicture(%q) = %v, want %v", name, got, want)
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

// FuzzDecode keeps pictures small, or it would spend its time on clearing memory, and files
// too: the time to minimise an input grows with the square of its length.
func FuzzDecode(f *testing.F) {
	const longest = 400
	for _, c := range readPictures(f) {
		if len(c.File) <= longest {
			f.Add(c.File)
		}
	}
	p := testPhoto(3, 3)
	f.Add(encodePNG(f, p.RGBA()))
	f.Add(encodePNG(f, image.NewNRGBA64(image.Rect(0, 0, 3, 3))))
	f.Add([]byte("GIF89a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > longest {
			return
		}
		p, err := limits{1 << 12, 1 << 12}.decode(bytes.NewReader(data), "fuzz.file")
		switch {
		case err != nil && !strings.HasPrefix(err.Error(), "vision: fuzz.file: expected"):
			t.Errorf("error %v does not say what was expected of the file", err)
		case err != nil && strings.Contains(err.Error(), "upsets the decoder"):
			t.Logf("the decoder panics: %v", err)
		case err == nil && (p.W <= 0 || p.H <= 0 || len(p.Pix) != 3*p.W*p.H):
			t.Errorf("a picture of %d×%d pixels and %d bytes", p.W, p.H, len(p.Pix))
		}
		whole, whyNot := limits{1 << 12, 1 << 12}.decodePicture(bytes.NewReader(data), "fuzz.file")
		if (whyNot == nil) != (err == nil) {
			t.Errorf("Decode says %v, DecodePicture %v", err, whyNot)
		}
		if err == nil && whyNot == nil && whole.Image.Bounds() != p.Bounds() {
			t.Errorf("Decode has %v pixels, DecodePicture %v", p.Bounds(), whole.Image.Bounds())
		}
	})
}

// image/jpeg merges the planes of an RGB picture into four bytes a pixel: they are counted.
func TestBytesOfRGB(t *testing.T) {
	data := encodeJPEG(t, testPhoto(16, 16))
	c, err := jpegConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	names := bytes.Clone(data)
	frame, scan := sampling(data)-1, bytes.Index(data, []byte{0xff, 0xda})+5
	for i, name := range []byte("RGB") {
		names[frame+3*i], names[scan+2*i] = name, name
	}
	if _, err := Decode(bytes.NewReader(names), "rgb.jpg"); err != nil {
		t.Fatal(err)
	}
	adobe := func(transform byte) []byte {
		return slices.Concat(data[:2], []byte("\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"), []byte{transform}, data[2:])
	}
	less := jpegBytes(data, c)
	for what, got := range map[string][2]int64{
		"names R, G, B":       {jpegBytes(names, c), less + 4*16*16},
		"Adobe's transform 0": {jpegBytes(adobe(0), c), less + 4*16*16},
		"Adobe's transform 1": {jpegBytes(adobe(1), c), less},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %d bytes, want %d", what, got[0], got[1])
		}
	}
}
