// Package jpegplanes decodes the JPEGs that image/jpeg of Go 1.26 calls unsupported although
// every viewer shows them: pictures whose planes have unequal sampling, a sampling factor
// of 3, colours that are finer than the brightness, or four components without Adobe's
// marker. It returns the planes as they are stored, each with its own number of samples;
// package vision enlarges them and makes colours of them.
//
// It reads 8-bit pictures with Huffman coding, sequential and progressive, and rounds like
// libjpeg, to the bit. It exists because no library serves: see ARCHITECTURE.md. It can
// go when image/jpeg reads all of these.
//
// Source: ITU-T recommendation T.81 (1992).
package jpegplanes

import (
	"fmt"
	"io"
)

// Picture is a decoded picture before its planes are enlarged.
type Picture struct {
	W, H   int
	Planes []Plane

	JFIF      bool // there is a JFIF marker: three planes are Y, Cb, Cr
	Adobe     bool // there is an Adobe marker
	Transform byte // that marker's: 0 none, 1 YCbCr, 2 YCCK
}

// Plane holds the samples of a component. A sample stands for Across×Down pixels.
type Plane struct {
	ID           byte
	W, H         int
	Across, Down int
	Stride       int
	Pix          []uint8
}

// UnsupportedError names a kind of JPEG that [Decode] does not read.
type UnsupportedError string

func (e UnsupportedError) Error() string { return string(e) }

// Decode decodes a JPEG. Each coefficient needs two bytes, each sample one more; the
// caller compares [Header.Samples] with its memory first. A picture that ends too early
// gives an error that wraps [io.ErrUnexpectedEOF]; Decode never returns a part of one.
func Decode(data []byte) (*Picture, error) {
	head := ReadHeader(data)
	if what := head.Unsupported(); what != "" {
		return nil, UnsupportedError(what)
	}
	d := &decoder{walk: newWalk(data)}
	for {
		marker, body, ok := d.next()
		if !ok || marker == markerEOI {
			break
		}
		if err := d.segment(marker, body); err != nil {
			return nil, err
		}
	}
	if !head.Complete || len(d.components) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	for i := range d.components {
		c := &d.components[i]
		c.transform()
		c.coefficients = nil
		d.Planes = append(d.Planes, c.Plane)
	}
	return &d.Picture, nil
}

type decoder struct {
	*walk
	Picture

	frame        bool
	progressive  bool
	quant        [4]*[64]uint16 // in zigzag order
	dc, ac       [4]*huffman
	components   []component
	hMax, vMax   int
	restartEvery int // units, 0: never

	bits   bits
	eobRun int // blocks that have no more coefficients in this pass
}

type component struct {
	Component
	Plane
	across, down int         // whole blocks, with those that only fill the last unit
	coefficients [][64]int16 // natural order
	quant        *[64]uint16 // the table that held when the first scan began
	pred         int32       // the last block's first coefficient
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("damaged JPEG: "+format, args...)
}

func (d *decoder) segment(marker byte, body []byte) error {
	switch {
	case isFrame(marker):
		return d.readFrame(marker, body)
	case marker == markerDQT:
		return d.readQuantisation(body)
	case marker == markerDHT:
		return d.readHuffman(body)
	case marker == markerDRI:
		if len(body) < 2 {
			return damaged("a restart interval of %d bytes", len(body))
		}
		d.restartEvery = int(body[0])<<8 | int(body[1])
	case marker == markerSOS:
		s, ok := parseScan(body)
		if !ok {
			return damaged("the header of a scan has %d bytes", len(body))
		}
		return d.readScan(s)
	case marker == markerAPP0 && len(body) >= 5 && string(body[:5]) == "JFIF\x00":
		d.JFIF = true
	case marker == markerAPP14 && len(body) >= 12 && string(body[:5]) == "Adobe":
		d.Adobe, d.Transform = true, body[11]
	}
	return nil
}

func (d *decoder) readFrame(marker byte, body []byte) error {
	if d.frame {
		return damaged("a second frame")
	}
	d.frame, d.progressive = true, marker == markerSOF2
	if len(body) < 6 || len(body) != 6+3*int(body[5]) || body[5] < 1 || body[5] > 4 {
		return damaged("the header of the frame has %d bytes", len(body))
	}
	d.H, d.W = int(body[1])<<8|int(body[2]), int(body[3])<<8|int(body[4])
	if d.W == 0 || d.H == 0 {
		return damaged("%d×%d pixels", d.W, d.H)
	}
	var list []Component
	for c := body[6:]; len(c) > 0; c = c[3:] {
		n := Component{c[0], int(c[1] >> 4), int(c[1] & 15), c[2]}
		if n.H < 1 || n.H > 4 || n.V < 1 || n.V > 4 || n.table > 3 {
			return damaged("sampling factors %d×%d, table %d", n.H, n.V, n.table)
		}
		for _, other := range list {
			if other.ID == n.ID {
				return damaged("two planes %d", n.ID)
			}
		}
		list = append(list, n)
	}
	d.hMax, d.vMax = maxFactors(list)
	for _, n := range list {
		if d.hMax%n.H != 0 || d.vMax%n.V != 0 {
			return UnsupportedError("sampling factors that do not divide each other") // nor does libjpeg
		}
		c := component{Component: n}
		c.Plane = Plane{
			ID: n.ID, W: ceil(d.W*n.H, d.hMax), H: ceil(d.H*n.V, d.vMax),
			Across: d.hMax / n.H, Down: d.vMax / n.V,
		}
		c.across = ceil(d.W, 8*d.hMax) * n.H
		c.down = ceil(d.H, 8*d.vMax) * n.V
		c.coefficients = make([][64]int16, c.across*c.down)
		d.components = append(d.components, c)
	}
	return nil
}

func (d *decoder) readQuantisation(body []byte) error {
	for len(body) > 0 {
		wide, table := int(body[0]>>4), body[0]&15
		if body = body[1:]; wide > 1 || table > 3 || len(body) < 64*(wide+1) {
			return damaged("a quantisation table")
		}
		q := new([64]uint16)
		for k := range q {
			if q[k] = uint16(body[k]); wide == 1 {
				q[k] = uint16(body[2*k])<<8 | uint16(body[2*k+1])
			}
		}
		d.quant[table] = q
		body = body[64*(wide+1):]
	}
	return nil
}

// readScan decodes a pass. Where several components take part, a unit holds H×V blocks of
// each, and fills the picture with blocks at its edges; where one takes part alone, a unit
// is a block, and the blocks that only fill are left out.
func (d *decoder) readScan(s scan) error {
	var parts []part
	blocks := 0
	for _, of := range s.components {
		at := -1
		for i := range d.components {
			if d.components[i].Component.ID == of.id {
				at = i
			}
		}
		if at < 0 || of.dc > 3 || of.ac > 3 {
			return damaged("a scan of the plane %d with the tables %d and %d", of.id, of.dc, of.ac)
		}
		for _, p := range parts {
			if p.component == &d.components[at] {
				return damaged("a scan has the plane %d twice", of.id)
			}
		}
		c := &d.components[at]
		if c.pred = 0; c.quant == nil {
			c.quant = d.quant[c.table]
		}
		if c.quant == nil {
			return damaged("the plane %d without its quantisation table", of.id)
		}
		blocks += c.Component.H * c.V
		parts = append(parts, part{c, d.dc[of.dc], d.ac[of.ac]})
	}
	if len(parts) > 1 && blocks > 10 {
		return damaged("a scan of %d blocks a unit", blocks)
	}
	block, err := d.method(s, parts)
	if err != nil {
		return err
	}
	d.bits = bits{data: d.data, pos: d.pos}
	d.eobRun = 0
	first := parts[0].component
	across, down := ceil(d.W, 8*d.hMax), ceil(d.H, 8*d.vMax)
	if len(parts) == 1 {
		across, down = ceil(first.Plane.W, 8), ceil(first.Plane.H, 8)
	}
	restart := byte(0)
	for unit := range across * down {
		if d.restartEvery > 0 && unit > 0 && unit%d.restartEvery == 0 {
			if !d.bits.restart(markerRST0 + restart) {
				return io.ErrUnexpectedEOF
			}
			restart = (restart + 1) & 7
			d.eobRun = 0
			for _, p := range parts {
				p.pred = 0
			}
		}
		x, y := unit%across, unit/across
		if len(parts) == 1 {
			err = block(&parts[0], &first.coefficients[y*first.across+x])
		} else {
			for i := range parts {
				p := &parts[i]
				for n := range p.Component.H * p.V {
					at := (y*p.V+n/p.Component.H)*p.across + x*p.Component.H + n%p.Component.H
					if err = block(p, &p.coefficients[at]); err != nil {
						return err
					}
				}
			}
		}
		if err != nil {
			return err
		}
		if d.bits.short {
			return io.ErrUnexpectedEOF
		}
	}
	d.pos = d.bits.end()
	return nil
}

// part is a component in a scan.
type part struct {
	*component
	dc, ac *huffman
}
