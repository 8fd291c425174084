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
)

// Limits on pictures. They are checked before memory is taken, because a file of 100
// bytes can claim 65535×65535 pixels, and a Go program cannot recover when memory runs
// out. At these limits, decoding a progressive JPEG needs about 1 GB.
const (
	MaxPixels    = 8192 * 8192 // pixels of one picture, 64 Mi
	MaxSide      = 65535       // pixels along one side, JPEG's own limit
	MaxFileBytes = 256 << 20   // bytes of one file

	// maxScans is the largest number of scans, or passes over the picture, in a
	// progressive JPEG. Encoders write about 10. A scan may have almost no bytes in
	// the file, but decoding it takes time in proportion to the picture's size.
	maxScans = 256
)

// ReadFile decodes a JPEG or PNG file. See [Decode].
func ReadFile(path string) (*RGB, error) {
	// Opening a named pipe would wait for a writer.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("vision: %s: expected a JPEG or PNG file, found a folder or a device", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("vision: %w", err)
	}
	defer f.Close()
	return Decode(f, path)
}

// ReadFS decodes a JPEG or PNG file in a file system. See [Decode].
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

// Decode reads a JPEG (baseline or progressive, 8 bits) or PNG picture and converts it to
// RGB as [FromImage] does. It recognises the format by the content. It uses name only in
// errors, which say what was expected and what was found.
//
// Errors: the file is larger than [MaxFileBytes]; the picture has no pixels, or exceeds
// [MaxPixels] or [MaxSide]; the picture is truncated or damaged. Decode never returns a
// part of a picture. If a decoder panics, the result is an error too.
//
// Decode ignores the orientation that a camera writes into EXIF, as Pillow and
// torchvision's loaders do by default. Some training photographs therefore lie on their
// side. Decode also ignores colour profiles (ICC, gamma).
func Decode(r io.Reader, name string) (_ *RGB, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("vision: %s: expected a JPEG or PNG picture, found a file that upsets the decoder (%v); save it again with another program", name, p)
		}
	}()
	data, err := io.ReadAll(io.LimitReader(r, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("vision: %s: cannot be read: %w", name, cause(err))
	}
	if len(data) > MaxFileBytes {
		return nil, fmt.Errorf("vision: %s: expected at most %d MiB, found more; scale the picture down first", name, MaxFileBytes>>20)
	}
	decode, config := jpeg.Decode, jpeg.DecodeConfig
	switch kind := format(data); kind {
	case "JPEG":
		if n := scans(data); n > maxScans {
			return nil, fmt.Errorf("vision: %s: expected a JPEG of at most %d scans, found %d; save it again with another program", name, maxScans, n)
		}
	case "PNG":
		decode, config = png.Decode, png.DecodeConfig
	default:
		return nil, fmt.Errorf("vision: %s: expected a JPEG or PNG picture, found %s; convert it first", name, kind)
	}
	c, err := config(bytes.NewReader(data))
	if err != nil {
		return nil, damaged(name, format(data), err)
	}
	if err := checkSize(name, c); err != nil {
		return nil, err
	}
	m, err := decode(bytes.NewReader(data))
	if err != nil {
		return nil, damaged(name, format(data), err)
	}
	return FromImage(m), nil
}

func checkSize(name string, c image.Config) error {
	w, h := c.Width, c.Height
	if w > 0 && h > 0 && w <= MaxSide && h <= MaxSide && w <= MaxPixels/h {
		return nil
	}
	return fmt.Errorf("vision: %s: expected 1 to %d pixels in all and at most %d a side, found %d×%d; scale the picture first",
		name, MaxPixels, MaxSide, w, h)
}

// damaged returns an error about a picture that a decoder refused. A decoder's own message
// says little to a user, so the usual causes get a sentence.
func damaged(name, kind string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("vision: %s: expected a whole %s, found one that ends too early (%w); copy or download it again", name, kind, err)
	}
	var jpegKind jpeg.UnsupportedError
	var pngKind png.UnsupportedError
	if errors.As(err, &jpegKind) || errors.As(err, &pngKind) {
		return fmt.Errorf("vision: %s: expected a common kind of %s, found an unsupported one (%w); save it again with another program", name, kind, err)
	}
	return fmt.Errorf("vision: %s: expected a valid %s, found a damaged one (%w); copy or download it again", name, kind, err)
}

// format returns the name of a file's format, judged by its first bytes.
func format(data []byte) string {
	has := func(at int, s string) bool { return len(data) >= at && bytes.HasPrefix(data[at:], []byte(s)) }
	switch {
	case len(data) == 0:
		return "an empty file"
	case has(0, "\xff\xd8"):
		return "JPEG"
	case has(0, "\x89PNG\r\n\x1a\n"):
		return "PNG"
	case has(0, "GIF8"):
		return "a GIF"
	case has(0, "RIFF") && has(8, "WEBP"):
		return "a WebP"
	case has(0, "BM"):
		return "a BMP"
	case has(0, "II*\x00"), has(0, "MM\x00*"):
		return "a TIFF"
	case has(4, "ftypheic"), has(4, "ftypmif1"), has(4, "ftypavif"):
		return "a HEIC or AVIF"
	case has(0, "%PDF"):
		return "a PDF"
	case has(0, "PK\x03\x04"):
		return "a zip archive"
	case has(0, "<!DOCTYPE"), has(0, "<!doctype"), has(0, "<html"):
		return "a web page"
	}
	return fmt.Sprintf("a file that begins with the bytes % x", data[:min(len(data), 8)])
}

// scans counts the start-of-scan markers of a JPEG. It skips every segment by its length,
// because a segment may hold a thumbnail with scans of its own. In the coded data of a
// scan, 0 or a restart marker follows every 0xff; any other marker ends the scan.
func scans(data []byte) int {
	n := 0
	for i := 2; i+4 <= len(data); {
		if data[i] != 0xff {
			i++ // coded data, or garbage, which decoders skip too
			continue
		}
		switch m := data[i+1]; {
		case m == 0xff: // padding
			i++
		case m == 0, m == 1, m >= 0xd0 && m <= 0xd8: // no segment follows
			i += 2
		case m == 0xd9: // end of image
			return n
		default:
			if m == 0xda {
				n++
			}
			i += 2 + (int(data[i+2])<<8 | int(data[i+3]))
		}
	}
	return n
}
