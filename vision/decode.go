package vision

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"os"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// Limits on pictures. They are checked before memory is taken, because a file of 100
// bytes can claim 65535×65535 pixels, and a Go program cannot recover when memory runs
// out. Below them, a picture must fit into the memory that is free; see memory.go.
const (
	MaxPixels    = 16384 * 16384 // pixels of one picture, 256 Mi
	MaxSide      = 65535         // pixels along one side, JPEG's own limit
	MaxFileBytes = 512 << 20     // bytes of one file
)

// ReadFile decodes a picture file. See [Decode].
func ReadFile(path string) (*RGB, error) {
	f, err := openPicture(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Decode(f, path)
}

// openPicture opens a file, but no named pipe, which would wait for a writer.
func openPicture(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("vision: %s: expected a picture file, found a folder or a device", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("vision: %w", err)
	}
	return f, nil
}

// ReadFS decodes a picture file in a file system. See [Decode].
func ReadFS(fsys fs.FS, name string) (*RGB, error) {
	return readFS(fsys, name, name)
}

// readFS is ReadFS whose errors call the file label. A label may include the path of fsys
// itself.
func readFS(fsys fs.FS, name, label string) (*RGB, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("vision: %s: cannot be opened: %w", label, cause(err))
	}
	defer f.Close()
	return Decode(f, label)
}

// cause returns an error without its path, for a message that has a better path.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Decode reads a picture and converts it to RGB as [FromImage] does. It recognises the format
// by the content. It uses name only in errors, which say what was expected and what was
// found. It reads
//
//   - JPEG, baseline and progressive, with any sampling that libjpeg reads, grey, YCbCr, RGB,
//     CMYK or YCCK. A missing end marker is forgiven. Arithmetic coding, lossless and
//     hierarchical coding and 12 bits are named in an error.
//   - PNG; WebP, lossy or lossless; BMP; TIFF, the first picture of the file; GIF, the first
//     frame on its canvas. Animated WebPs, compressed BMPs and TIFFs with CMYK or with
//     JPEG inside are not read.
//
// The picture is turned as EXIF's orientation says, so that it is upright as in every viewer.
// Loaders of training pictures that leave this out, such as torchvision's, see some
// photographs on their side. A damaged EXIF block counts as none. Decode ignores colour
// profiles (ICC, gamma).
//
// Errors: the file is larger than [MaxFileBytes]; the picture has no pixels, or exceeds
// [MaxPixels], [MaxSide] or the memory that is free; it is truncated or damaged. Decode
// never returns a part of a picture. If a decoder panics, the result is an error too.
func Decode(r io.Reader, name string) (*RGB, error) {
	return limits{MaxPixels, MaxFileBytes}.decode(r, name)
}

// limits are those of [Decode], or lower ones.
type limits struct{ pixels, bytes int }

func (l limits) decode(r io.Reader, name string) (*RGB, error) {
	m, f, data, err := l.decodeImage(r, name, 3)
	if err != nil {
		return nil, err
	}
	p, ok := m.(*RGB)
	if !ok {
		p = FromImage(m)
	}
	return turn(p, orientation(f.exif(data))), nil
}

// decodeImage decodes the picture in a file, which it returns, too. perPixel is how many bytes
// the caller makes of a pixel.
func (l limits) decodeImage(r io.Reader, name string, perPixel int64) (_ image.Image, _ *format, data []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("vision: %s: expected a %s picture, found a file that upsets the decoder (%v); save it again with another program", name, FormatNames, p)
		}
	}()
	data, err = l.readAll(r, name)
	if err != nil {
		return nil, nil, nil, err
	}
	f, found, advice := recognise(data)
	if f == nil {
		return nil, nil, nil, fmt.Errorf("vision: %s: expected a %s picture, found %s; %s", name, FormatNames, found, advice)
	}
	c, err := f.config(data)
	if err != nil {
		return nil, nil, nil, f.refused(name, err)
	}
	if err := l.checkSize(name, c); err != nil {
		return nil, nil, nil, err
	}
	size := perPixel * int64(c.Width) * int64(c.Height)
	need := int64(len(data)) + size + f.bytes(data, c)
	if orientation(f.exif(data)) > 1 {
		need += size
	}
	release, err := memoryForPictures.take(name, c.Width, c.Height, need)
	if err != nil {
		return nil, nil, nil, err
	}
	defer release()
	m, err := f.decode(data)
	if err != nil {
		return nil, nil, nil, f.refused(name, err)
	}
	return m, f, data, nil
}

// readAll reads a file. The memory is taken at once if the size is known.
func (l limits) readAll(r io.Reader, name string) ([]byte, error) {
	var b bytes.Buffer
	size := int64(0)
	if f, ok := r.(fs.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
	}
	if size <= int64(l.bytes) {
		b.Grow(int(size) + bytes.MinRead + 2) // and the end marker of a JPEG
		if _, err := b.ReadFrom(io.LimitReader(r, int64(l.bytes)+1)); err != nil {
			return nil, fmt.Errorf("vision: %s: cannot be read: %w", name, cause(err))
		}
		size = int64(b.Len())
	}
	if size > int64(l.bytes) {
		return nil, fmt.Errorf("vision: %s: expected at most %d MiB, found more; scale the picture down first", name, l.bytes>>20)
	}
	return b.Bytes(), nil
}

func (l limits) checkSize(name string, c image.Config) error {
	w, h := c.Width, c.Height
	if w > 0 && h > 0 && w <= MaxSide && h <= MaxSide && w <= l.pixels/h {
		return nil
	}
	return fmt.Errorf("vision: %s: expected 1 to %d pixels in all and at most %d a side, found %d×%d; scale the picture first",
		name, l.pixels, MaxSide, w, h)
}

// refused returns an error about a picture that a decoder refused. A decoder's own message
// says little to a user, so the usual causes get a sentence.
func (f *format) refused(name string, err error) error {
	if kind, ok := errors.AsType[*kindError](err); ok {
		return fmt.Errorf("vision: %s: expected a common kind of %s, found %s; %s", name, f.name, kind.found, kind.advice)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("vision: %s: expected a whole %s, found one that ends too early (%w); copy or download it again", name, f.name, err)
	}
	if unsupported(err) {
		return fmt.Errorf("vision: %s: expected a common kind of %s, found an unsupported one (%w); save it again with another program, as a JPEG or PNG", name, f.name, err)
	}
	return fmt.Errorf("vision: %s: expected a valid %s, found a damaged one (%w); copy or download it again", name, f.name, err)
}

// unsupported reports whether a decoder does not know a kind of picture.
func unsupported(err error) bool {
	for _, is := range []func() bool{
		func() bool { _, ok := errors.AsType[jpeg.UnsupportedError](err); return ok },
		func() bool { _, ok := errors.AsType[png.UnsupportedError](err); return ok },
		func() bool { _, ok := errors.AsType[tiff.UnsupportedError](err); return ok },
		func() bool { return errors.Is(err, bmp.ErrUnsupported) },
	} {
		if is() {
			return true
		}
	}
	return false
}
