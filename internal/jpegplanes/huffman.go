package jpegplanes

// huffman is a table of codes of 1…16 bits.
type huffman struct {
	values []byte
	fast   [256]uint16 // for the next 8 bits: length<<8 | value; 0 for longer codes
	last   [17]int32   // the largest code of each length, −1 for none
	offset [17]int32   // what to add to a code of this length to find its value
}

func (d *decoder) readHuffman(body []byte) error {
	for len(body) > 0 {
		if len(body) < 17 {
			return damaged("a Huffman table of %d bytes", len(body))
		}
		class, table := body[0]>>4, body[0]&15
		counts, n := body[1:17], 0
		for _, c := range counts {
			n += int(c)
		}
		if body = body[17:]; class > 1 || table > 3 || n > 256 || len(body) < n {
			return damaged("a Huffman table of %d codes", n)
		}
		h := &huffman{values: body[:n]}
		code, at := int32(0), int32(0)
		for length := 1; length <= 16; length++ {
			h.last[length], h.offset[length] = -1, at-code
			for range counts[length-1] {
				if code >= 1<<length {
					return damaged("a Huffman table with too many codes of %d bits", length)
				}
				if length <= 8 {
					first := code << (8 - length)
					for i := range int32(1) << (8 - length) {
						h.fast[first+i] = uint16(length)<<8 | uint16(h.values[at])
					}
				}
				h.last[length] = code
				code++
				at++
			}
			code <<= 1
		}
		if body = body[n:]; class == 0 {
			d.dc[table] = h
		} else {
			d.ac[table] = h
		}
	}
	return nil
}

// bits reads the coded data of a scan. After their end it gives zeros and sets short.
type bits struct {
	data  []byte
	pos   int
	acc   uint64
	n     int // valid bits in acc
	short bool
}

// fill takes bytes until n bits are there. In coded data 0xff is written as 0xff 0.
func (b *bits) fill(n int) {
	for b.n < n {
		v := byte(0)
		switch {
		case b.pos >= len(b.data):
			b.short = true
		case b.data[b.pos] != 0xff:
			v = b.data[b.pos]
			b.pos++
		case b.pos+1 < len(b.data) && b.data[b.pos+1] == 0:
			v = 0xff
			b.pos += 2
		default: // a marker
			b.short = true
		}
		b.acc = b.acc<<8 | uint64(v)
		b.n += 8
	}
}

// read returns the next n ≤ 16 bits.
func (b *bits) read(n int) int32 {
	b.fill(n)
	b.n -= n
	return int32(b.acc>>b.n) & (1<<n - 1)
}

// restart goes on behind a restart marker, and reports whether it is there.
func (b *bits) restart(marker byte) bool {
	b.acc, b.n = 0, 0
	for b.pos+1 < len(b.data) && b.data[b.pos] == 0xff && b.data[b.pos+1] == 0xff {
		b.pos++
	}
	if b.pos+1 >= len(b.data) || b.data[b.pos] != 0xff || b.data[b.pos+1] != marker {
		return false
	}
	b.pos += 2
	return true
}

// end returns where the coded data end.
func (b *bits) end() int { return b.pos }

// code reads a Huffman code and returns its value. At the end of the data, where 8 bits may
// not be there, it reads a bit at a time.
func (b *bits) code(h *huffman) (byte, bool) {
	if b.n < 8 && b.pos < len(b.data) && b.data[b.pos] != 0xff {
		b.fill(8)
	}
	code := int32(0)
	if b.n >= 8 {
		if f := h.fast[byte(b.acc>>(b.n-8))]; f != 0 {
			b.n -= int(f >> 8)
			return byte(f), true
		}
	}
	for length := 1; length <= 16; length++ {
		code = code<<1 | b.read(1)
		if code <= h.last[length] {
			return h.values[code+h.offset[length]], true
		}
	}
	return 0, false
}

// signed reads a number of n bits. Its first bit is 0 if it is negative (T.81, F.12).
func (b *bits) signed(n int) int32 {
	if n == 0 {
		return 0
	}
	v := b.read(n)
	if v < 1<<(n-1) {
		v += -1<<n + 1
	}
	return v
}
