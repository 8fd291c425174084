package jpegplanes

import (
	"bytes"
	"fmt"
)

// Markers of ITU-T T.81, table B.1. Each follows a byte 0xff.
const (
	markerTEM   = 0x01
	markerSOF0  = 0xc0 // baseline
	markerSOF1  = 0xc1 // extended sequential
	markerSOF2  = 0xc2 // progressive
	markerDHT   = 0xc4
	markerJPG   = 0xc8
	markerSOF9  = 0xc9 // sequential with arithmetic coding
	markerSOF10 = 0xca // progressive with arithmetic coding
	markerDAC   = 0xcc
	markerSOF15 = 0xcf
	markerRST0  = 0xd0
	markerRST7  = 0xd7
	markerSOI   = 0xd8
	markerEOI   = 0xd9
	markerSOS   = 0xda
	markerDQT   = 0xdb
	markerDNL   = 0xdc
	markerDRI   = 0xdd
	markerAPP0  = 0xe0
	markerAPP1  = 0xe1
	markerAPP2  = 0xe2
	markerAPP14 = 0xee
)

// Header is what the segments of a JPEG say about it. No coded data are decoded for it.
type Header struct {
	W, H       int
	Process    byte // the marker of the frame, 0xc0…0xcf; 0 if there is none
	Precision  int  // bits of a sample
	Components []Component
	Scans      int  // passes over the picture
	EOI        bool // the marker of the end is there
	DNL        bool // the height follows after the first scan
	Complete   bool // the scans that begin bring every coefficient to its last bit

	jfif, adobe bool
	transform   byte // of Adobe's marker
}

// Component is one of the planes of a picture.
type Component struct {
	ID   byte
	H, V int // sampling factors, 1…4

	table byte // of quantisation
}

// Progressive reports that the coefficients come in several passes.
func (h *Header) Progressive() bool {
	return h.Process == markerSOF2 || h.Process == markerSOF10
}

// RGB reports that three planes are red, green and blue: Adobe's marker or their names say so.
func (h *Header) RGB() bool {
	c := h.Components
	switch {
	case len(c) != 3 || h.jfif:
		return false
	case h.adobe:
		return h.transform == 0
	}
	return c[0].ID == 'R' && c[1].ID == 'G' && c[2].ID == 'B'
}

// Unsupported names what [Decode] does not read, or returns "".
func (h *Header) Unsupported() string {
	switch {
	case h.Process == 0:
		return ""
	case h.Process == markerSOF9 || h.Process == markerSOF10:
		return "arithmetic coding"
	case h.Process == 0xc3 || h.Process == 0xcb:
		return "lossless coding"
	case h.Process > markerSOF2:
		return "hierarchical coding"
	case h.Precision != 8:
		return fmt.Sprintf("%d bits a sample", h.Precision)
	case h.H == 0 && h.DNL:
		return "a height that only follows the picture (DNL)"
	}
	return ""
}

// Samples returns how many samples all planes have, with those that fill whole blocks.
func (h *Header) Samples() int64 {
	hMax, vMax := maxFactors(h.Components)
	if hMax == 0 || vMax == 0 {
		return 0
	}
	across, down := ceil(h.W, 8*hMax), ceil(h.H, 8*vMax)
	n := 0
	for _, c := range h.Components {
		n += c.H * c.V
	}
	return int64(across) * int64(down) * int64(n) * 64
}

func maxFactors(components []Component) (h, v int) {
	for _, c := range components {
		h, v = max(h, c.H), max(v, c.V)
	}
	return h, v
}

func ceil(a, b int) int { return (a + b - 1) / b }

// Exif returns the first block of EXIF data, which has the form of a TIFF file, or nil.
func Exif(data []byte) []byte {
	for w := newWalk(data); ; {
		marker, body, ok := w.next()
		if !ok || marker == markerSOS || marker == markerEOI {
			return nil
		}
		if block, is := bytes.CutPrefix(body, []byte("Exif\x00\x00")); is && marker == markerAPP1 {
			return block
		}
	}
}

// ICC returns the colour profile, or nil if there is none or a part of it is missing. It comes
// in pieces, each in a segment APP2 with its number, from 1, and how many there are. Source: ICC.1,
// annex B.4.
func ICC(data []byte) []byte {
	var pieces [256][]byte
	most := 0
	for w := newWalk(data); ; {
		marker, body, ok := w.next()
		if !ok || marker == markerSOS || marker == markerEOI {
			break
		}
		if piece, is := bytes.CutPrefix(body, []byte("ICC_PROFILE\x00")); is && marker == markerAPP2 && len(piece) > 2 {
			pieces[piece[0]] = piece[2:]
			most = int(piece[1])
		}
	}
	for _, piece := range pieces[1 : most+1] {
		if piece == nil {
			return nil
		}
	}
	if most == 0 {
		return nil
	}
	return bytes.Join(pieces[1:most+1], nil)
}

// ReadHeader walks over the segments of a JPEG. It skips each by its length, because a
// segment may hold a thumbnail with scans of its own. It reads a damaged file as far as
// it is a JPEG, and leaves the errors to the decoder.
func ReadHeader(data []byte) Header {
	var h Header
	var left [4][64]int8 // bits of each coefficient that are still to come; −1: not begun
	for c := range left {
		for k := range left[c] {
			left[c][k] = -1
		}
	}
	for w := newWalk(data); ; {
		marker, body, ok := w.next()
		if !ok {
			break
		}
		if marker == markerEOI {
			h.EOI = true
			break
		}
		switch {
		case isFrame(marker) && h.Process == 0 && len(body) >= 6:
			h.Process, h.Precision = marker, int(body[0])
			h.H, h.W = int(body[1])<<8|int(body[2]), int(body[3])<<8|int(body[4])
			for c := body[6:]; len(c) >= 3 && len(h.Components) < min(int(body[5]), 4); c = c[3:] {
				h.Components = append(h.Components, Component{c[0], int(c[1] >> 4), int(c[1] & 15), c[2]})
			}
		case marker == markerAPP0 && bytes.HasPrefix(body, []byte("JFIF\x00")):
			h.jfif = true
		case marker == markerAPP14 && len(body) >= 12 && bytes.HasPrefix(body, []byte("Adobe")):
			h.adobe, h.transform = true, body[11]
		case marker == markerDNL:
			h.DNL = true
		case marker == markerSOS:
			h.Scans++
			s, ok := parseScan(body)
			if !ok {
				continue
			}
			if !h.Progressive() {
				s.from, s.to, s.low = 0, 63, 0
			}
			for i, c := range h.Components {
				for _, of := range s.components {
					for k := s.from; k <= s.to && of.id == c.ID; k++ {
						left[i][k] = int8(s.low)
					}
				}
			}
		}
	}
	h.Complete = len(h.Components) > 0
	for i := range h.Components {
		for _, bits := range left[i] {
			h.Complete = h.Complete && bits == 0
		}
	}
	return h
}

func isFrame(marker byte) bool {
	return marker >= markerSOF0 && marker <= markerSOF15 && marker != markerDHT && marker != markerJPG && marker != markerDAC
}

// scan is the header of a scan.
type scan struct {
	components []scanComponent
	from, to   int // the coefficients, in zigzag order
	high, low  int // of progressive pictures: the bit of the pass before, and of this one
}

type scanComponent struct{ id, dc, ac byte }

func parseScan(body []byte) (s scan, ok bool) {
	if len(body) < 1 {
		return s, false
	}
	n := int(body[0])
	if n < 1 || n > 4 || len(body) < 4+2*n {
		return s, false
	}
	for i := range n {
		c := body[1+2*i:]
		s.components = append(s.components, scanComponent{c[0], c[1] >> 4, c[1] & 15})
	}
	rest := body[1+2*n:]
	s.from, s.to, s.high, s.low = int(rest[0]), int(rest[1]), int(rest[2]>>4), int(rest[2]&15)
	return s, s.from <= s.to && s.to < 64
}

// walk finds the segments of a JPEG one after the other.
type walk struct {
	data []byte
	pos  int
}

func newWalk(data []byte) *walk { return &walk{data: data, pos: 2} }

// next returns the next marker and what its segment holds. Bytes between segments, such as
// the coded data of a scan, are skipped: in them, 0 or a restart marker follows 0xff.
func (w *walk) next() (marker byte, body []byte, ok bool) {
	for w.pos+2 <= len(w.data) {
		m := w.data[w.pos+1]
		switch {
		case w.data[w.pos] != 0xff || m == 0xff: // data or padding
			w.pos++
		case m == 0 || m == markerTEM || m >= markerRST0 && m <= markerSOI: // no segment
			w.pos += 2
		case m == markerEOI:
			w.pos += 2
			return m, nil, true
		case w.pos+4 > len(w.data):
			return 0, nil, false
		default:
			end := w.pos + 2 + (int(w.data[w.pos+2])<<8 | int(w.data[w.pos+3]))
			from := w.pos + 4
			if end < from || end > len(w.data) {
				return 0, nil, false
			}
			w.pos = end
			return m, w.data[from:end], true
		}
	}
	return 0, nil, false
}

// Subsampled reports that a plane has fewer samples than another.
func (h *Header) Subsampled() bool {
	for _, c := range h.Components {
		if c.H != h.Components[0].H || c.V != h.Components[0].V {
			return true
		}
	}
	return false
}

// Unusual reports sampling that few JPEGs have: [Decode] may be needed for it.
func (h *Header) Unusual() bool {
	for i, c := range h.Components {
		if c.H == 3 || c.V == 3 || i > 0 && (c.H > 1 || c.V > 1) || i == 3 && h.Subsampled() {
			return true
		}
	}
	return false
}
