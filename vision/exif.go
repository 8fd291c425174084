package vision

import (
	"bytes"
	"compress/zlib"
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
	exif = bytes.TrimPrefix(exif, exifPrefix)
	if o := readTags(exif, "Orientation")["Orientation"]; o >= 1 && o <= 8 {
		return o
	}
	return 1
}

var exifPrefix = []byte("Exif\x00\x00")

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

func none([]byte) []byte { return nil }

func exifOfJPEG(data []byte) []byte { return jpegplanes.Exif(data) }

func exifOfTIFF(data []byte) []byte { return data }

// exifOfPNG returns the chunk eXIf (PNG specification, third edition, 11.3.4.5).
func exifOfPNG(data []byte) []byte { return chunkOfPNG(data, "eXIf") }

// iccOfPNG returns the profile in the chunk iCCP: a name, a zero byte, the method of
// compression, which is 0, and zlib's data (11.3.2.3).
func iccOfPNG(data []byte) []byte {
	_, packed, ok := bytes.Cut(chunkOfPNG(data, "iCCP"), []byte{0})
	if !ok || len(packed) == 0 || packed[0] != 0 {
		return nil
	}
	r, err := zlib.NewReader(bytes.NewReader(packed[1:]))
	if err != nil {
		return nil
	}
	profile, err := io.ReadAll(io.LimitReader(r, maxProfile+1))
	if err != nil || len(profile) > maxProfile {
		return nil
	}
	return profile
}

// maxProfile is the most bytes that a colour profile may have. Those of printers have some
// megabytes.
const maxProfile = 32 << 20

// chunkOfPNG returns the data of the first chunk of a type, or nil.
func chunkOfPNG(data []byte, kind string) []byte {
	for at := 8; at+12 <= len(data); {
		n := int64(binary.BigEndian.Uint32(data[at:]))
		if int64(at)+12+n > int64(len(data)) {
			return nil
		}
		if string(data[at+4:at+8]) == kind {
			return data[at+8:][:n]
		}
		at += 12 + int(n)
	}
	return nil
}

// exifOfWebP and iccOfWebP return the chunks EXIF and ICCP.
func exifOfWebP(data []byte) []byte { return chunkOfWebP(data, riff.FourCC{'E', 'X', 'I', 'F'}) }
func iccOfWebP(data []byte) []byte  { return chunkOfWebP(data, riff.FourCC{'I', 'C', 'C', 'P'}) }

func chunkOfWebP(data []byte, kind riff.FourCC) []byte {
	_, r, err := riff.NewReader(bytes.NewReader(data))
	for err == nil {
		var id riff.FourCC
		var chunk io.Reader
		if id, _, chunk, err = r.Next(); err == nil && id == kind {
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
	pix, w, h := turnPix(p.Pix, p.W, p.H, 3, orientation)
	return &RGB{w, h, pix}
}

// turnPix is turn for pixels of some bytes each, row by row without a gap.
func turnPix(pix []uint8, w, h, bytes, orientation int) (turned []uint8, tw, th int) {
	turned = make([]uint8, bytes*w*h)
	tw, th = w, h
	across, down := bytes, bytes*w // from a pixel to its neighbour, in the order of what is turned
	if orientation >= 5 {
		tw, th = h, w
	}
	at := 0
	switch orientation {
	case 2, 3, 7, 8: // it is read from right to left
		at, across = at+across*(w-1), -across
	}
	switch orientation {
	case 3, 4, 6, 7: // it is read from below
		at, down = at+down*(h-1), -down
	}
	if orientation >= 5 {
		across, down = down, across
	}
	for y := range th {
		from := at + y*down
		for dst := turned[bytes*y*tw:][:bytes*tw]; len(dst) > 0; dst = dst[bytes:] {
			copy(dst[:bytes], pix[from:from+bytes])
			from += across
		}
	}
	return turned, tw, th
}
