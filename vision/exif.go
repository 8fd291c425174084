package vision

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/bep/imagemeta"
	"golang.org/x/image/riff"

	"pixelgrad/internal/jpegplanes"
)

// A camera stores a photograph as its sensor lies, and writes into EXIF how to turn it for
// people. The block of EXIF data has the form of a TIFF file; each format has its own place
// for it.

// orientation returns how a picture is to be turned, 1…8; see [turn]. It is 1 without EXIF,
// and if the block is damaged: no picture is unreadable because of it.
func orientation(exif []byte) int {
	// Some programs write JPEG's prefix in other formats too.
	exif = bytes.TrimPrefix(exif, []byte("Exif\x00\x00"))
	if o := readTags(exif, "Orientation")["Orientation"]; o >= 1 && o <= 8 {
		return o
	}
	return 1
}

// readTags returns numbers of the first directory of a TIFF file or block of EXIF data. Tags
// that are not there or no numbers are left out.
func readTags(data []byte, names ...string) map[string]int {
	tags := map[string]int{}
	if len(data) < 8 {
		return tags
	}
	wanted := func(t imagemeta.TagInfo) bool {
		for _, name := range names {
			if t.Tag == name && t.Namespace == "IFD0" {
				return true
			}
		}
		return false
	}
	imagemeta.Decode(imagemeta.Options{ // an error leaves what was read before it
		R: bytes.NewReader(data), ImageFormat: imagemeta.TIFF, Sources: imagemeta.EXIF,
		ShouldHandleTag: wanted,
		HandleTag: func(t imagemeta.TagInfo) error {
			switch v := t.Value.(type) {
			case uint16:
				tags[t.Tag] = int(v)
			case uint32:
				tags[t.Tag] = int(v)
			}
			if len(tags) == len(names) {
				return imagemeta.ErrStopWalking
			}
			return nil
		},
	})
	return tags
}

func noExif([]byte) []byte { return nil }

func exifOfJPEG(data []byte) []byte { return jpegplanes.Exif(data) }

func exifOfTIFF(data []byte) []byte { return data }

// exifOfPNG returns the chunk eXIf (PNG specification, third edition, 11.3.4.5).
func exifOfPNG(data []byte) []byte {
	for at := 8; at+12 <= len(data); {
		n := int64(binary.BigEndian.Uint32(data[at:]))
		if int64(at)+12+n > int64(len(data)) {
			return nil
		}
		if string(data[at+4:at+8]) == "eXIf" {
			return data[at+8:][:n]
		}
		at += 12 + int(n)
	}
	return nil
}

// exifOfWebP returns the chunk EXIF.
func exifOfWebP(data []byte) []byte {
	_, r, err := riff.NewReader(bytes.NewReader(data))
	for err == nil {
		var id riff.FourCC
		var chunk io.Reader
		if id, _, chunk, err = r.Next(); err == nil && id == (riff.FourCC{'E', 'X', 'I', 'F'}) {
			block, _ := io.ReadAll(chunk)
			return block
		}
	}
	return nil
}

// turn returns p as EXIF's orientation says it is to be looked at:
//
//	1 as it is      2 mirrored           3 turned by 180°        4 upside down, mirrored
//	5 transposed    6 turned clockwise   7 transposed by the     8 turned anticlockwise
//	                  by 90°               other diagonal          by 90°
//
// It matches Pillow's ImageOps.exif_transpose. Source: EXIF 2.32, 4.6.4, tag 274.
func turn(p *RGB, orientation int) *RGB {
	if orientation <= 1 {
		return p
	}
	q := NewRGB(p.W, p.H)
	across, down := 3, 3*p.W // bytes from a pixel to its neighbour in p, in the order of q
	if orientation >= 5 {
		q.W, q.H = p.H, p.W
	}
	at := 0
	switch orientation {
	case 2, 3, 7, 8: // p is read from right to left
		at, across = at+across*(p.W-1), -across
	}
	switch orientation {
	case 3, 4, 6, 7: // p is read from below
		at, down = at+down*(p.H-1), -down
	}
	if orientation >= 5 {
		across, down = down, across
	}
	for y := range q.H {
		from := at + y*down
		for dst := q.Pix[3*y*q.W:][:3*q.W]; len(dst) > 0; dst = dst[3:] {
			copy(dst[:3], p.Pix[from:from+3])
			from += across
		}
	}
	return q
}
