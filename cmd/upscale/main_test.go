package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	stdgif "image/gif"
	stdjpeg "image/jpeg"
	stdpng "image/png"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/image/tiff"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/internal/atomicfile"
	"pixelgrad/internal/pngrows"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// nearest repeats pixels, so that every sample of a result is one of the picture's.
type nearest struct {
	scale int
	row   func(y int) error // is called for every row of the picture
}

func (n nearest) Scale() int     { return n.scale }
func (n nearest) String() string { return "nearest" }

func (n nearest) UpscaleRows(ctx context.Context, f superres.Format, read func(y int) (image.Image, error), write func(row image.Image) error) error {
	w := n.scale * f.Bounds.Dx()
	for y := range n.scale * f.Bounds.Dy() {
		if n.row != nil && y%n.scale == 0 {
			if err := n.row(y / n.scale); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		m, err := read(y / n.scale)
		if err != nil {
			return err
		}
		type canvas interface {
			image.Image
			Set(x, y int, c color.Color)
		}
		var row canvas
		switch size := image.Rect(0, y, w, y+1); {
		case f.Gray && f.Deep:
			row = image.NewGray16(size)
		case f.Gray:
			row = image.NewGray(size)
		case f.Alpha && f.Deep:
			row = image.NewNRGBA64(size)
		case f.Alpha:
			row = image.NewNRGBA(size)
		case f.Deep:
			row = image.NewRGBA64(size)
		default:
			row = image.NewRGBA(size)
		}
		for x := range w {
			row.Set(x, y, m.At(x/n.scale, y/n.scale))
		}
		if err := write(row); err != nil {
			return err
		}
	}
	return nil
}

func openNearest(o *options, _ func(done, total int), _ func(string)) (enlarger, error) {
	return nearest{scale: max(o.scale, 2)}, nil
}

// result is what a run of the command leaves.
type result struct {
	status   int
	out, log string
}

// with runs the command with an enlarger.
func with(t *testing.T, ctx context.Context, open opener, in io.Reader, args ...string) result {
	t.Helper()
	var o, l bytes.Buffer
	c := cli.Command{Name: "upscale", Run: func(ctx context.Context, args []string, s cli.Streams) error {
		opts, err := parseFlags(args, s.Out)
		if err != nil {
			return err
		}
		return run(ctx, opts, open, s)
	}}
	status := c.Status(ctx, args, cli.Streams{In: in, Out: &o, Log: &l})
	return result{status, o.String(), l.String()}
}

// upscale runs the command, which repeats pixels.
func upscale(t *testing.T, args ...string) result {
	t.Helper()
	return with(t, t.Context(), openNearest, nil, args...)
}

// ok is upscale for what succeeds.
func ok(t *testing.T, args ...string) result {
	t.Helper()
	r := upscale(t, args...)
	if r.status != 0 {
		t.Fatalf("%q: status %d, messages %s", args, r.status, r.log)
	}
	return r
}

// refused is upscale for what fails, with a message that has all of some words.
func refused(t *testing.T, status int, args []string, words ...string) {
	t.Helper()
	r := upscale(t, args...)
	if r.status != status {
		t.Errorf("%q: status %d, want %d; messages %s", args, r.status, status, r.log)
	}
	for _, w := range words {
		if !strings.Contains(r.log, w) {
			t.Errorf("%q: no %q in the messages %s", args, w, r.log)
		}
	}
}

// inFolder makes a folder with files in it the current one.
func inFolder(t *testing.T, files map[string][]byte) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, data := range files {
		write(t, name, data)
	}
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// files lists the files below the current folder, with slashes.
func files(t *testing.T) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return slices.Clip(list)
}

func wantFiles(t *testing.T, want ...string) {
	t.Helper()
	want = slices.Sorted(slices.Values(want))
	if got := files(t); !slices.Equal(got, want) {
		t.Errorf("there are the files %q, want %q", got, want)
	}
}

// colours is a picture of 4×3 pixels; they are some of n.
func colours() *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, 4, 3))
	for i := range 12 {
		m.SetNRGBA(i%4, i/4, color.NRGBA{uint8(20 * i), uint8(255 - 9*i), uint8(31 * i), 255})
	}
	return m
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := stdpng.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := stdjpeg.Encode(&b, m, &stdjpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read decodes a result, and says where its file is damaged.
func read(t *testing.T, name string) *vision.Picture {
	t.Helper()
	p, err := vision.ReadPicture(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// enlarged compares a result with a picture whose pixels are repeated.
func enlarged(t *testing.T, what string, got image.Image, source image.Image, scale int) {
	t.Helper()
	b := source.Bounds()
	if size := got.Bounds(); size.Dx() != scale*b.Dx() || size.Dy() != scale*b.Dy() {
		t.Errorf("%s: got a picture of %v, want %d times %v", what, size, scale, b)
		return
	}
	for y := range got.Bounds().Dy() {
		for x := range got.Bounds().Dx() {
			g, w := color.NRGBA64Model.Convert(got.At(x, y)), color.NRGBA64Model.Convert(source.At(b.Min.X+x/scale, b.Min.Y+y/scale))
			if g != w {
				t.Errorf("%s: pixel (%d,%d): got %v, want %v", what, x, y, g, w)
				return
			}
		}
	}
}

// TestPictures enlarges every file of testdata/golden/pictures.json: all kinds of JPEG, grey, RGB,
// CMYK and YCCK, and of WebP, BMP, TIFF and GIF, palettes, opacity, 16 bits, and all orientations.
// Formats without loss must have exactly the pixels of the picture; package vision's tests
// compare these with Pillow.
func TestPictures(t *testing.T) {
	data, err := os.ReadFile("../../testdata/golden/pictures.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Cases []struct {
			Name string
			File []byte
			W, H int
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil || len(golden.Cases) < 100 {
		t.Fatalf("%d cases, %v", len(golden.Cases), err)
	}
	t.Chdir(t.TempDir())
	taken := func(i int, kind string) bool { // the other formats get every fourth, to save time
		return golden.Cases[i].W > 0 && (kind == "png" || i%4 == 0)
	}
	for _, kind := range []string{"png", "tif", "webp", "jpg"} {
		args := []string{"-f", kind, "-o", kind + "/"}
		for i, c := range golden.Cases {
			if taken(i, kind) {
				name := fmt.Sprintf("%d.jpg", i) // the content decides what it is
				write(t, name, c.File)
				args = append(args, name)
			}
		}
		ok(t, args...)
		for i, c := range golden.Cases {
			name := fmt.Sprintf("%d.jpg", i)
			if !taken(i, kind) {
				continue
			}
			want := read(t, name)
			path := filepath.Join(kind, fmt.Sprintf("%d.%s", i, kind))
			if kind == "jpg" && want.Alpha {
				path = filepath.Join(kind, fmt.Sprintf("%d.png", i))
			}
			got := read(t, path)
			if kind == "png" || kind == "tif" || want.Depth() == 8 && (kind == "webp" || want.Alpha) {
				enlarged(t, c.Name+" as "+kind, got.Image, want.Image, 2)
			} else if b := got.Image.Bounds(); b.Dx() != 2*c.W || b.Dy() != 2*c.H {
				t.Errorf("%s as %s: got a picture of %v, want twice %d×%d", c.Name, kind, b, c.W, c.H)
			}
			if kind != "webp" && got.Gray != want.Gray {
				t.Errorf("%s as %s: grey is %v, want %v", c.Name, kind, got.Gray, want.Gray)
			}
			if (kind == "png" || kind == "tif") && got.Depth() != want.Depth() {
				t.Errorf("%s as %s: got %d bits, want %d", c.Name, kind, got.Depth(), want.Depth())
			}
		}
	}
}

// TestKinds says how a PNG of each kind is written again: its colour type and its depth.
func TestKinds(t *testing.T) {
	size := image.Rect(0, 0, 3, 2)
	draw := func(m interface{ Set(x, y int, c color.Color) }, alpha uint16) {
		for i := range 6 {
			m.Set(i%3, i/3, color.NRGBA64{uint16(9999 * i), uint16(60000 - 7001*i), 12345, alpha})
		}
	}
	gray, gray16 := image.NewGray(size), image.NewGray16(size)
	rgb, rgb16, clear, clear16 := image.NewNRGBA(size), image.NewNRGBA64(size), image.NewNRGBA(size), image.NewNRGBA64(size)
	opaque := image.NewNRGBA(size) // but for its type
	for _, m := range []interface{ Set(x, y int, c color.Color) }{gray, gray16, rgb, rgb16, opaque} {
		draw(m, 0xffff)
	}
	draw(clear, 0x8080)
	draw(clear16, 0x1234)
	palette := image.NewPaletted(size, color.Palette{color.NRGBA{1, 2, 3, 255}, color.NRGBA{9, 9, 9, 255}})
	greys := image.NewPaletted(size, color.Palette{color.Gray{7}, color.Gray{200}})
	faint := image.NewPaletted(size, color.Palette{color.NRGBA{1, 2, 3, 100}, color.NRGBA{9, 9, 9, 255}})
	for i := range 6 {
		palette.Pix[i], greys.Pix[i], faint.Pix[i] = uint8(i%2), uint8(i%2), uint8(i%2)
	}
	var grayAlpha bytes.Buffer // the standard library writes none
	w, err := pngrows.NewWriter(&grayAlpha, pngrows.Header{W: 1, H: 1, Depth: 8, Gray: true, Alpha: true}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.WriteRow([]byte{100, 50}), w.Close()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name        string
		file        []byte
		kind, depth byte // as PNG's header has them
		tif         string
		jpeg        string // type
	}{
		{"grey", pngOf(t, gray), 0, 8, "*image.Gray", "*image.Gray"},
		{"grey, 16 bits", pngOf(t, gray16), 0, 16, "*image.Gray16", "*image.Gray"},
		{"colours", pngOf(t, rgb), 2, 8, "*image.RGBA", "*image.YCbCr"},
		{"colours, 16 bits", pngOf(t, rgb16), 2, 16, "*image.RGBA64", "*image.YCbCr"},
		{"opaque", pngOf(t, opaque), 2, 8, "*image.RGBA", "*image.YCbCr"},
		{"opacity", pngOf(t, clear), 6, 8, "*image.NRGBA", ""},
		{"opacity, 16 bits", pngOf(t, clear16), 6, 16, "*image.NRGBA64", ""},
		{"grey with opacity", grayAlpha.Bytes(), 4, 8, "*image.NRGBA", ""},
		{"palette", pngOf(t, palette), 2, 8, "*image.RGBA", "*image.YCbCr"},
		{"palette of greys", pngOf(t, greys), 0, 8, "*image.Gray", "*image.Gray"},
		{"palette with opacity", pngOf(t, faint), 6, 8, "*image.NRGBA", ""},
	} {
		inFolder(t, map[string][]byte{"a.png": c.file})
		want, err := stdpng.Decode(bytes.NewReader(c.file))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		ok(t, "a.png")
		data, _ := os.ReadFile("a_x2.png")
		got, err := stdpng.Decode(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		enlarged(t, c.name, got, want, 2)
		if data[25] != c.kind || data[24] != c.depth {
			t.Errorf("%s: got colour type %d of %d bits, want %d of %d", c.name, data[25], data[24], c.kind, c.depth)
		}
		ok(t, "-f", "tif", "a.png")
		data, _ = os.ReadFile("a_x2.tif")
		m, err := tiff.Decode(bytes.NewReader(data))
		if err != nil || fmt.Sprintf("%T", m) != c.tif {
			t.Errorf("%s: got a TIFF of type %T, %v; want %s", c.name, m, err, c.tif)
		} else {
			enlarged(t, c.name+" as TIFF", m, want, 2)
		}
		ok(t, "-f", "webp", "a.png")
		if m := read(t, "a_x2.webp"); c.depth == 8 {
			enlarged(t, c.name+" as WebP", m.Image, want, 2)
		}
		r := ok(t, "-f", "jpg", "a.png", "-o", "b.jpg")
		if c.jpeg == "" {
			if !strings.Contains(r.log, "transparent") || !strings.Contains(r.out, "b.png") {
				t.Errorf("%s: as a JPEG: output %s, messages %s: want a notice, and b.png", c.name, r.out, r.log)
			}
			continue
		}
		data, _ = os.ReadFile("b.jpg")
		m, err = stdjpeg.Decode(bytes.NewReader(data))
		if err != nil || fmt.Sprintf("%T", m) != c.jpeg {
			t.Errorf("%s: got a JPEG of type %T, %v; want %s", c.name, m, err, c.jpeg)
		}
		if strings.Contains(r.log, "16 bits") != (c.depth == 16) {
			t.Errorf("%s: messages %s: want a notice if 16 bits are rounded, and else none", c.name, r.log)
		}
	}
}

// TestFringes says that colours below transparent pixels are not seen: a red disc on green that
// nobody sees becomes a red one. It uses interpolation, which mixes neighbours.
func TestFringes(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 12, 12))
	for y := range 12 {
		for x := range 12 {
			if c := (color.NRGBA{0, 255, 0, 0}); (2*x-11)*(2*x-11)+(2*y-11)*(2*y-11) > 60 {
				m.SetNRGBA(x, y, c)
			} else {
				m.SetNRGBA(x, y, color.NRGBA{200, 0, 0, 255})
			}
		}
	}
	inFolder(t, map[string][]byte{"a.png": pngOf(t, m)})
	if r := with(t, t.Context(), open, nil, "-n", "bicubic", "-s", "3", "a.png"); r.status != 0 {
		t.Fatal(r.log)
	}
	got := read(t, "a_x3.png").Image.(*image.NRGBA)
	partly := 0
	for i := 0; i < len(got.Pix); i += 4 {
		p := got.Pix[i:][:4]
		if p[3] > 0 && p[3] < 255 {
			partly++
		}
		if p[3] > 8 && (p[1] > 0 || p[0] < 190) {
			t.Fatalf("pixel %d is %v: want red", i/4, p)
		}
	}
	if partly == 0 {
		t.Error("no pixel is partly transparent: the edge is not smooth")
	}
}

func TestGIF(t *testing.T) {
	var g stdgif.GIF
	for i := range 3 {
		m := image.NewPaletted(image.Rect(0, 0, 4, 3), color.Palette{color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, uint8(80 * i), 0, 255}})
		m.Pix[i] = 1
		g.Image, g.Delay = append(g.Image, m), append(g.Delay, 1)
	}
	var b bytes.Buffer
	if err := stdgif.EncodeAll(&b, &g); err != nil {
		t.Fatal(err)
	}
	inFolder(t, map[string][]byte{"a.gif": b.Bytes()})
	r := ok(t, "a.gif")
	if !strings.Contains(r.log, "of 3 pictures in it, the first one") {
		t.Errorf("messages %s: want one that names the first of 3 pictures", r.log)
	}
	enlarged(t, "the first frame", read(t, "a_x2.png").Image, g.Image[0], 2)
	wantFiles(t, "a.gif", "a_x2.png")
}

// TestNames takes names that are difficult on a command line.
func TestNames(t *testing.T) {
	p := pngOf(t, colours())
	names := []string{"a b.png", "a,b.png", "ä本.png", "-odd.png", "--.png", "a[1].png", "*.png", "100%d.png", "no extension", ".hidden.png"}
	if runtime.GOOS == "windows" { // it has no such names
		names = slices.DeleteFunc(names, func(name string) bool { return strings.Contains(name, "*") })
	}
	inFolder(t, nil)
	for _, name := range names {
		write(t, name, p)
	}
	refused(t, 2, names, "-odd.png", "put -- in front of it")
	ok(t, append([]string{"-s", "2", "--"}, names...)...)
	ok(t, "-i", "-odd.png", "-o", "-out.png")
	want := append([]string{"-out.png"}, names...)
	for _, name := range names {
		ext := ".png"
		want = append(want, strings.TrimSuffix(name, ext)+"_x2"+ext)
	}
	wantFiles(t, want...)
	if data, _ := os.ReadFile("no extension_x2.png"); !bytes.HasPrefix(data, []byte("\x89PNG")) {
		t.Error("what has no extension did not become a PNG")
	}
}

// TestGlob has a pattern that no shell has looked at.
func TestGlob(t *testing.T) {
	p := pngOf(t, colours())
	inFolder(t, map[string][]byte{"d/a.png": p, "d/b.PNG": p, "d/c.txt": nil, "e.png": p, "d/[x].png": p})
	r := ok(t, "-i", "d/*")
	wantFiles(t, "d/a.png", "d/b.PNG", "d/c.txt", "e.png", "d/[x].png", "d/a_x2.png", "d/b_x2.PNG", "d/[x]_x2.png")
	if !strings.Contains(r.log, "1 names were passed over") {
		t.Errorf("messages %s: want one about c.txt", r.log)
	}
	refused(t, 1, []string{"-i", "d/*.jpg"}, "d/*.jpg", "found 0 that match")
	refused(t, 2, []string{"-i", "d/[*"}, "d/[*")
}

func TestOutputs(t *testing.T) {
	p, j := pngOf(t, colours()), jpegOf(t, colours())
	inFolder(t, map[string][]byte{"a.png": p, "in/b.jpeg": j, "in/c.bmp": bmpOf(t), "there/x.txt": nil})
	ok(t, "a.png", "-o", "there")   // an existing folder
	ok(t, "a.png", "-o", "new/er/") // one that is to be made
	ok(t, "a.png", "-o", "b.TIFF")  // a file, whose name tells the format
	ok(t, "a.png", "-s", "3")       // the name tells how many times
	ok(t, "in", "-o", "all")        // several need a folder
	ok(t, "a.png", "in/b.jpeg", "-f", ".jpeg", "-o", "jpegs")
	wantFiles(t, "a.png", "in/b.jpeg", "in/c.bmp", "there/x.txt", "there/a.png", "new/er/a.png", "b.TIFF", "a_x3.png", "all/b.jpeg", "all/c.png", "jpegs/a.jpg", "jpegs/b.jpeg")
	if read(t, "b.TIFF").Format != "TIFF" {
		t.Error("b.TIFF is no TIFF")
	}
	enlarged(t, "a_x3.png", read(t, "a_x3.png").Image, colours(), 3)
	// What is there is replaced, whole.
	write(t, "a_x2.png", []byte("something else"))
	ok(t, "a.png")
	enlarged(t, "a_x2.png", read(t, "a_x2.png").Image, colours(), 2)
}

// bmpOf is a BMP of one pixel.
func bmpOf(t *testing.T) []byte {
	t.Helper()
	b := make([]byte, 58)
	copy(b, "BM\x3a\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x18\x00")
	return b
}

// TestRefused is about what is refused before anything is written.
func TestRefused(t *testing.T) {
	p, j := pngOf(t, colours()), jpegOf(t, colours())
	inFolder(t, map[string][]byte{
		"a.png": p, "a.jpg": j, "A.PNG.png": p, "a.png.png": p, "f.txt": nil, "b_x2.png": p, "b.png": p,
		"e\u0301.png": p, "\u00e9.png": p, "sub/a.png": p, "empty/x.txt": nil,
	})
	if err := os.Symlink("a.png", "link.png"); err != nil {
		t.Skip(err)
	}
	before := files(t)
	refused(t, 1, []string{"-f", "png", "a.png", "a.jpg"}, "a.png and a.jpg", "a_x2.png")
	refused(t, 1, []string{"-o", "out", "a.png", "sub/a.png"}, "a.png and "+filepath.Join("sub", "a.png"), filepath.Join("out", "a.png"))
	refused(t, 1, []string{"-o", "out", "A.PNG.png", "a.png.png"}, "A.PNG.png", "the same file on some systems")
	refused(t, 1, []string{"-o", "out", "e\u0301.png", "\u00e9.png"}, "the same file on some systems")
	refused(t, 1, []string{"-o", ".", "a.png"}, "a.png", "replace the picture itself")
	refused(t, 1, []string{"-o", "link.png", "a.png"}, "a.png", "replace the picture itself")
	refused(t, 1, []string{"b.png", "b_x2.png"}, "b_x2.png", "another picture")
	refused(t, 1, []string{"-o", "f.txt", "a.png", "b.png"}, "f.txt", "found a file")
	refused(t, 1, []string{"-o", "none/a.png", "a.png"}, "expected a folder none")
	refused(t, 1, []string{"gone.png"}, "gone.png", "found nothing of that name")
	refused(t, 1, []string{"a.png", "gone"}, "gone", "found nothing of that name")
	refused(t, 1, []string{"empty"}, "empty", "1 files that are no pictures")
	refused(t, 1, []string{"-m", "gone.pth", "-n", "multi", "a.jpg", "-o", "."}, "replace the picture itself") // but see TestWeights
	refused(t, 2, []string{}, "expected pictures")
	refused(t, 2, []string{"-o", "noext", "a.png"}, "noext", ".png, .jpg")
	refused(t, 2, []string{"-o", "b.jpg", "-f", "png", "a.png"}, "expected the extension .png")
	refused(t, 2, []string{"-f", "gif", "a.png"}, "png, jpg, webp or tif")
	refused(t, 2, []string{"-s", "5", "a.png"}, "2, 3 or 4")
	refused(t, 2, []string{"-q", "101", "a.png"}, "1 to 100")
	refused(t, 2, []string{"-o", "-", "a.png", "b.png"}, "expected one picture")
	refused(t, 2, []string{"-o", "-", "sub"}, "expected one picture")
	refused(t, 2, []string{"-", "a.png"}, "expected no other input")
	refused(t, 2, []string{"-n", "multi", "a.png"}, "expected its weights")
	refused(t, 2, []string{"-n", "nothing", "a.png"}, "superresnet")
	refused(t, 2, []string{"-n", "bicubic", "-m", "w.pth", "a.png"}, "no -m")
	wantFiles(t, before...)
	ok(t, "a.png", "./a.png", "link.png", "-f", "tif") // the first two are one
	wantFiles(t, append(before, "a_x2.tif", "link_x2.tif")...)
}

// TestControlCharacters has a name that would colour a terminal.
func TestControlCharacters(t *testing.T) {
	name := "a\x1b[31m.png"
	inFolder(t, map[string][]byte{name: []byte("no picture"), "b.png": pngOf(t, colours())})
	for _, args := range [][]string{{name}, {name, "b.png"}, {"b.png", "-o", "gone\x1b[31m/b.png"}} {
		r := upscale(t, args...)
		if r.status != 1 || strings.Contains(r.log, "\x1b") || !strings.Contains(r.log, `\x1b[31m`) {
			t.Errorf("%q: status %d, messages %q: want the name without what a terminal obeys", args, r.status, r.log)
		}
	}
}

func TestWeights(t *testing.T) {
	inFolder(t, map[string][]byte{"a.png": pngOf(t, colours()), "w.pth": []byte("no weights")})
	for _, args := range [][]string{{"-m", "gone.pth"}, {"-m", "w.pth"}} {
		if r := with(t, t.Context(), open, nil, append(args, "a.png")...); r.status != 1 || !strings.Contains(r.log, args[1]) {
			t.Errorf("%q: status %d, messages %s: want 1, and the file's name", args, r.status, r.log)
		}
	}
	wantFiles(t, "a.png", "w.pth")
}

// TestBadPictures has a folder with one of each, and two good ones: these are enlarged, and the
// others are named.
func TestBadPictures(t *testing.T) {
	p, j := pngOf(t, colours()), jpegOf(t, colours())
	huge := bytes.Clone(p)
	copy(huge[16:], "\x00\x00\xea\x60\x00\x00\xea\x60")
	fixSums(huge)
	none := bytes.Clone(p)
	copy(none[16:], "\x00\x00\x00\x00\x00\x00\x00\x00")
	fixSums(none)
	bad := map[string][]byte{
		"in/truncated.png": p[:len(p)-20], "in/truncated.jpg": j[:len(j)*3/4], "in/head.jpg": j[:20],
		"in/empty.png": nil, "in/text.png": []byte("a text"), "in/huge.png": huge, "in/none.png": none,
		"in/damaged.png": bytes.Replace(p, []byte("IDAT"), []byte("IDAX"), 1),
		"in/page.jpg":    []byte("<!DOCTYPE html>"),
		"in/wide.jpg":    bytes.Replace(j, []byte{0xff, 0xc0, 0, 17, 8, 0, 3, 0, 4}, []byte{0xff, 0xc0, 0, 17, 8, 0xff, 0xff, 0xff, 0xff}, 1),
	}
	all := maps.Clone(bad)
	all["in/good.png"], all["in/too.jpg"] = p, j
	inFolder(t, all)
	if err := os.Symlink("nowhere.png", "in/link.png"); err == nil {
		bad["in/link.png"] = nil
	}
	r := upscale(t, "in", "-o", "out")
	if r.status != 1 {
		t.Errorf("status %d, want 1", r.status)
	}
	want := append(slices.Collect(maps.Keys(all)), "out/good.png", "out/too.jpg")
	if _, link := bad["in/link.png"]; link {
		want = append(want, "in/link.png")
	}
	wantFiles(t, want...)
	_, list, _ := strings.Cut(r.log, fmt.Sprintf("%d of %d inputs could not be enlarged:", len(bad), len(bad)+2))
	for name := range bad {
		name = filepath.FromSlash(name)
		if strings.Count(r.log, name) < 2 || !strings.Contains(list, "\n  "+name+"\n") {
			t.Errorf("messages %s: want %s with its error, and in the list at the end", r.log, name)
		}
	}
	if strings.Count(r.out, "→") != 2 {
		t.Errorf("output %s: want a line for each of two pictures", r.out)
	}
	refused(t, 1, []string{"in/huge.png"}, "huge.png", "60000×60000")
	refused(t, 1, []string{"in/truncated.png"}, "truncated.png", "unexpected EOF")
}

// fixSums sets the sums of a PNG's chunks right.
func fixSums(data []byte) {
	for at := 8; at+12 <= len(data); {
		n := int(data[at+2])<<8 | int(data[at+3])
		if at+12+n > len(data) {
			return
		}
		sum := crc32.ChecksumIEEE(data[at+4 : at+8+n])
		copy(data[at+8+n:], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
		at += 12 + n
	}
}

func TestTooLarge(t *testing.T) {
	inFolder(t, map[string][]byte{"a.png": pngOf(t, image.NewGray(image.Rect(0, 0, 20000, 1)))})
	refused(t, 1, []string{"-s", "4", "-f", "jpg", "a.png"}, "a.png", "80000×4", "65535", "-f png")
	refused(t, 1, []string{"-f", "webp", "a.png"}, "a.png", "40000×2", "16384", "-f png")
	wantFiles(t, "a.png")
	ok(t, "-s", "4", "a.png")
}

// TestFullDisk says that nothing is lost when there is no room: the old file stays, nothing else
// is there, and a folder ends, for the next picture would find no room either.
func TestFullDisk(t *testing.T) {
	p := pngOf(t, colours())
	inFolder(t, map[string][]byte{"in/a.png": p, "in/b.png": p, "in/c.png": p, "out/b.png": []byte("old")})
	t.Cleanup(atomicfile.Inject(func(op atomicfile.Op, path string) error {
		if op == atomicfile.OpWrite && filepath.Base(path) == "b.png" {
			return atomicfile.Partial{Err: syscall.ENOSPC}
		}
		return nil
	}))
	refused(t, 1, []string{"in", "-o", "out"}, filepath.Join("out", "b.png"), "the disk is full", "the old file is kept", "1 of 3 pictures are finished", "-skip-existing")
	wantFiles(t, "in/a.png", "in/b.png", "in/c.png", "out/a.png", "out/b.png")
	if data, _ := os.ReadFile("out/b.png"); string(data) != "old" {
		t.Errorf("the old file has become %q", data)
	}
}

// TestFaults has every operation on the disk fail once: the picture is named, nothing of a result
// is left, and the next one is made.
func TestFaults(t *testing.T) {
	p := pngOf(t, colours())
	for _, op := range []atomicfile.Op{atomicfile.OpCreate, atomicfile.OpWrite, atomicfile.OpSync, atomicfile.OpRename} {
		inFolder(t, map[string][]byte{"in/a.png": p, "in/b.png": p, "out/a.png": []byte("old")})
		undo := atomicfile.Inject(func(o atomicfile.Op, path string) error {
			if o == op && filepath.Base(path) == "a.png" {
				return fs.ErrPermission
			}
			return nil
		})
		refused(t, 1, []string{"in", "-o", "out"}, filepath.Join("in", "a.png"), "permission", "1 of 2 inputs")
		undo()
		wantFiles(t, "in/a.png", "in/b.png", "out/a.png", "out/b.png")
		if data, _ := os.ReadFile("out/a.png"); string(data) != "old" {
			t.Errorf("%s: the old file has become %d bytes", op, len(data))
		}
	}
}

func TestFoldersWithoutPermission(t *testing.T) {
	p := pngOf(t, colours())
	inFolder(t, map[string][]byte{"in/a.png": p, "in/shut/b.png": p, "in/z/c.png": p})
	shut := filepath.Join("in", "shut")
	readDir = func(dir string) ([]os.DirEntry, error) {
		if dir == shut {
			return nil, &fs.PathError{Op: "open", Path: dir, Err: fs.ErrPermission}
		}
		return os.ReadDir(dir)
	}
	t.Cleanup(func() { readDir = os.ReadDir })
	refused(t, 1, []string{"-r", "in", "-o", "out"}, shut, "permission denied", "1 of 3 inputs")
	wantFiles(t, "in/a.png", "in/shut/b.png", "in/z/c.png", "out/a.png", "out/z/c.png")
	refused(t, 1, []string{shut}, shut, "permission denied")
}

// TestFolders is about what of a folder is an input.
func TestFolders(t *testing.T) {
	p := pngOf(t, colours())
	inFolder(t, map[string][]byte{
		"in/a.png": p, "in/note.txt": nil, "in/.hidden.png": p, "in/sub/b.png": p, "in/sub/deep/c.png": p, "in/.git/d.png": p,
	})
	before := files(t)
	r := ok(t, "in")
	wantFiles(t, append(before, "in/a_x2.png")...)
	for _, want := range []string{"1 files that are no pictures", "1 folders inside"} {
		if !strings.Contains(r.log, want) {
			t.Errorf("messages %s: want %q", r.log, want)
		}
	}
	// Results beside the pictures are not enlarged in their turn, nor those in a folder inside.
	r = ok(t, "-s", "3", "in")
	wantFiles(t, append(before, "in/a_x2.png", "in/a_x3.png")...)
	if !strings.Contains(r.log, "1 earlier results") {
		t.Errorf("messages %s: want one about an earlier result", r.log)
	}
	os.Remove("in/a_x2.png")
	os.Remove("in/a_x3.png")
	for range 2 {
		ok(t, "-r", "in", "-o", "in/large", "-s", "4")
		wantFiles(t, append(before, "in/large/a.png", "in/large/sub/b.png", "in/large/sub/deep/c.png")...)
	}
}

func TestSkipExisting(t *testing.T) {
	p := pngOf(t, colours())
	m := colours()
	m.Pix[3] = 0
	inFolder(t, map[string][]byte{"in/a.png": p, "in/sub/b.png": p, "in/c.png": pngOf(t, m), "out/a.jpg": []byte("old")})
	args := []string{"-skip-existing", "-f", "jpg", "-r", "in", "-o", "out"}
	r := ok(t, args...)
	wantFiles(t, "in/a.png", "in/sub/b.png", "in/c.png", "out/a.jpg", "out/sub/b.jpg", "out/c.png")
	if data, _ := os.ReadFile("out/a.jpg"); string(data) != "old" || !strings.Contains(r.log, "because there is a result: 1") {
		t.Errorf("the result that was there has %d bytes, messages %s: want it left, and said", len(data), r.log)
	}
	// All are there now, also the PNG in place of a JPEG.
	if r := ok(t, args...); r.out != "" {
		t.Errorf("once more: output %s, want none", r.out)
	}
}

// TestInterrupted ends in the middle of the second of three pictures. The first stays, of the
// second there is nothing, and -skip-existing makes the rest.
func TestInterrupted(t *testing.T) {
	p := pngOf(t, colours())
	inFolder(t, map[string][]byte{"in/a.png": p, "in/b.png": p, "in/c.png": p})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rows := 0
	r := with(t, ctx, func(o *options, _ func(int, int), _ func(string)) (enlarger, error) {
		return nearest{2, func(int) error {
			if rows++; rows == 3+2 {
				cancel()
			}
			return nil
		}}, nil
	}, nil, "in", "-o", "out")
	if r.status != 1 || !strings.Contains(r.log, "interrupted") || !strings.Contains(r.log, "1 of 3 pictures are finished") {
		t.Errorf("status %d, messages %s: want 1, and how many are finished", r.status, r.log)
	}
	wantFiles(t, "in/a.png", "in/b.png", "in/c.png", "out/a.png")
	ok(t, "in", "-o", "out", "-skip-existing")
	wantFiles(t, "in/a.png", "in/b.png", "in/c.png", "out/a.png", "out/b.png", "out/c.png")
}

// TestEnlargerFails names the picture that a network cannot enlarge.
func TestEnlargerFails(t *testing.T) {
	inFolder(t, map[string][]byte{"a.png": pngOf(t, colours())})
	for row := range 3 {
		r := with(t, t.Context(), func(*options, func(int, int), func(string)) (enlarger, error) {
			return nearest{2, func(y int) error {
				if y == row {
					return errors.New("out of patience")
				}
				return nil
			}}, nil
		}, nil, "a.png")
		if r.status != 1 || !strings.Contains(r.log, "a.png: ") || !strings.Contains(r.log, "out of patience") {
			t.Errorf("row %d: status %d, messages %s: want 1, the picture and the error", row, r.status, r.log)
		}
		wantFiles(t, "a.png")
	}
}

// TestTransparentJPEG has a result become a PNG whose name is taken.
func TestTransparentJPEG(t *testing.T) {
	m := colours()
	m.Pix[3] = 0
	clear, p := pngOf(t, m), pngOf(t, colours())
	inFolder(t, map[string][]byte{"a.png": clear, "a_x2.png": p})
	refused(t, 1, []string{"-f", "jpg", "a.png", "a_x2.png"}, "a.png", "belongs to a_x2.png", "1 of 2 inputs")
	wantFiles(t, "a.png", "a_x2.png", "a_x2_x2.jpg")
	refused(t, 1, []string{"-f", "jpg", "-o", "a.jpg", "a.png"}, "a.png")
	wantFiles(t, "a.png", "a_x2.png", "a_x2_x2.jpg")
	if data, _ := os.ReadFile("a.png"); !bytes.Equal(data, clear) {
		t.Error("the picture itself was replaced")
	}
}

func TestStreams(t *testing.T) {
	p := pngOf(t, colours())
	inFolder(t, map[string][]byte{"a.png": p})
	for _, args := range [][]string{{"-"}, {"-i", "-", "-o", "-"}, {"-i", "-", "-f", "tif"}} {
		r := with(t, t.Context(), openNearest, bytes.NewReader(p), args...)
		if r.status != 0 {
			t.Fatalf("%q: status %d, %s", args, r.status, r.log)
		}
		m, err := vision.DecodePicture(strings.NewReader(r.out), "output")
		if err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		if want := "PNG"; m.Format != want && args[len(args)-1] != "tif" {
			t.Errorf("%q: got a %s, want a %s", args, m.Format, want)
		}
		enlarged(t, fmt.Sprint(args), m.Image, colours(), 2)
	}
	r := ok(t, "a.png", "-o", "-")
	if m, err := vision.DecodePicture(strings.NewReader(r.out), "output"); err != nil || m.Format != "PNG" {
		t.Errorf("a file to the standard output: %v", err)
	}
	if r := with(t, t.Context(), openNearest, bytes.NewReader(p), "-", "-o", "b.tif"); r.status != 0 {
		t.Error(r.log)
	}
	wantFiles(t, "a.png", "b.tif")
	if r := with(t, t.Context(), openNearest, bytes.NewReader(p[:30]), "-"); r.status != 1 || r.out != "" || !strings.Contains(r.log, "standard input") {
		t.Errorf("half a picture: status %d, %d bytes of output, messages %s", r.status, len(r.out), r.log)
	}
	broken := errors.New("nobody reads")
	err := run(t.Context(), &options{inputs: []string{"a.png"}, out: std, quality: 95}, openNearest, cli.Streams{Out: failing{broken}, Log: io.Discard})
	if !errors.Is(err, broken) {
		t.Errorf("an output that cannot be written: got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestNetworks runs the networks that need no file, with rows and threads of one's own.
func TestNetworks(t *testing.T) {
	inFolder(t, map[string][]byte{"a.png": pngOf(t, colours())})
	var first []byte
	for i, args := range [][]string{{"-n", "bicubic"}, {"-n", "bicubic", "-t", "2", "-j", "1"}, {"-n", "bicubic", "-j", "3"}} {
		if r := with(t, t.Context(), open, nil, append(args, "a.png")...); r.status != 0 {
			t.Fatalf("%q: %s", args, r.log)
		}
		data, _ := os.ReadFile("a_x2.png")
		if i == 0 {
			first = data
		}
		if !bytes.Equal(data, first) {
			t.Errorf("%q: another result", args)
		}
	}
	if r := with(t, t.Context(), open, nil, "-x", "-n", "bicubic", "-s", "4", "a.png"); r.status != 0 {
		t.Error(r.log)
	}
	if b := read(t, "a_x4.png").Image.Bounds(); b.Dx() != 16 {
		t.Errorf("-s 4 -x: got a picture of %v", b)
	}
	// Folders that are called as networks are, such as those of a training.
	for _, name := range []string{"fast", "bicubic"} {
		write(t, name+"/config.json", []byte("{}"))
		if r := with(t, t.Context(), open, nil, "-n", name, "a.png"); r.status != 0 {
			t.Errorf("-n %s beside a folder of that name: %s", name, r.log)
		}
		if r := with(t, t.Context(), open, nil, "-m", name, "a.png"); r.status != 1 || !strings.Contains(r.log, "config.json") {
			t.Errorf("-m %s: status %d, messages %s: want 1, and what is wrong with the folder", name, r.status, r.log)
		}
	}
	if r := with(t, t.Context(), open, nil, "a.png", "-s", "3"); r.status != 0 {
		t.Errorf("fast: %s", r.log)
	}
}
