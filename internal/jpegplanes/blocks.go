package jpegplanes

// zigzag is the place of a coefficient in its block, row by row, in the order of the file.
var zigzag = func() (order [64]uint8) {
	x, y := 0, 0
	for k := range order {
		order[k] = uint8(8*y + x)
		switch up := (x+y)%2 == 0; {
		case up && x == 7:
			y++
		case up && y == 0:
			x++
		case up:
			x, y = x+1, y-1
		case y == 7:
			x++
		case x == 0:
			y++
		default:
			x, y = x-1, y+1
		}
	}
	return order
}()

// method returns the function that decodes a block of a scan.
func (d *decoder) method(s scan, parts []part) (func(*part, *[64]int16) error, error) {
	dc, ac := true, true // tables that are needed
	block := d.sequential
	if d.progressive {
		dc, ac = s.from == 0 && s.high == 0, s.from > 0
		switch {
		case s.from == 0 && s.to != 0, s.from > 0 && len(parts) > 1, s.low > 13, s.high > 0 && s.high != s.low+1:
			return nil, damaged("a pass over the coefficients %d to %d, bits %d to %d, of %d planes", s.from, s.to, s.high, s.low, len(parts))
		case s.from == 0 && s.high == 0:
			block = func(p *part, b *[64]int16) error { return d.firstDC(s, p, b) }
		case s.from == 0:
			block = func(_ *part, b *[64]int16) error {
				b[0] |= int16(d.bits.read(1) << s.low)
				return nil
			}
		case s.high == 0:
			block = func(p *part, b *[64]int16) error { return d.firstAC(s, p, b) }
		default:
			block = func(p *part, b *[64]int16) error { return d.refineAC(s, p, b) }
		}
	}
	for _, p := range parts {
		if dc && p.dc == nil || ac && p.ac == nil {
			return nil, damaged("a scan without its Huffman table")
		}
	}
	return block, nil
}

var errCode = damaged("a code that its Huffman table has not")

// difference reads by how much the first coefficient of a block differs from the last
// block's.
func (d *decoder) difference(p *part) error {
	n, ok := d.bits.code(p.dc)
	if !ok || n > 15 {
		return errCode
	}
	p.pred += d.bits.signed(int(n))
	return nil
}

// sequential decodes a whole block (T.81, F.2.2).
func (d *decoder) sequential(p *part, b *[64]int16) error {
	if err := d.difference(p); err != nil {
		return err
	}
	b[0] = int16(p.pred)
	for k := 1; k < 64; k++ {
		code, ok := d.bits.code(p.ac)
		if !ok {
			return errCode
		}
		zeros, n := int(code>>4), int(code&15)
		if n == 0 && zeros < 15 {
			break // the rest is zero
		}
		if k += zeros; k > 63 {
			return damaged("a block of more than 64 coefficients")
		}
		b[zigzag[k]] = int16(d.bits.signed(n))
	}
	return nil
}

// firstDC decodes the upper bits of a block's first coefficient (T.81, G.1.2.1).
func (d *decoder) firstDC(s scan, p *part, b *[64]int16) error {
	if err := d.difference(p); err != nil {
		return err
	}
	b[0] = int16(p.pred << s.low)
	return nil
}

// firstAC decodes the upper bits of a range of coefficients (T.81, G.1.2.2).
func (d *decoder) firstAC(s scan, p *part, b *[64]int16) error {
	if d.eobRun > 0 {
		d.eobRun--
		return nil
	}
	for k := s.from; k <= s.to; k++ {
		code, ok := d.bits.code(p.ac)
		if !ok {
			return errCode
		}
		zeros, n := int(code>>4), int(code&15)
		if n == 0 && zeros < 15 {
			d.eobRun = 1<<zeros - 1 + int(d.bits.read(zeros))
			return nil
		}
		if k += zeros; k > s.to {
			return damaged("a block of too many coefficients")
		}
		b[zigzag[k]] = int16(d.bits.signed(n) << s.low)
	}
	return nil
}

// refineAC decodes one more bit of a range of coefficients (T.81, G.1.2.3). Each that is not
// zero yet has a bit in between.
func (d *decoder) refineAC(s scan, p *part, b *[64]int16) error {
	bit := int16(1) << s.low
	refine := func(v *int16) {
		if d.bits.read(1) == 1 && *v&bit == 0 {
			if *v > 0 {
				*v += bit
			} else {
				*v -= bit
			}
		}
	}
	k := s.from
	for ; d.eobRun == 0 && k <= s.to; k++ {
		code, ok := d.bits.code(p.ac)
		if !ok {
			return errCode
		}
		zeros, value := int(code>>4), int16(0)
		switch code & 15 {
		case 0:
			if zeros < 15 {
				d.eobRun = 1<<zeros + int(d.bits.read(zeros))
			}
		case 1:
			if value = -bit; d.bits.read(1) == 1 {
				value = bit
			}
		default:
			return errCode
		}
		if d.eobRun > 0 {
			break
		}
		for ; k <= s.to; k++ {
			if v := &b[zigzag[k]]; *v != 0 {
				refine(v)
			} else if zeros == 0 {
				*v = value
				break
			} else {
				zeros--
			}
		}
		if k > s.to && value != 0 {
			return damaged("a block of too many coefficients")
		}
	}
	if d.eobRun > 0 {
		for ; k <= s.to; k++ {
			if v := &b[zigzag[k]]; *v != 0 {
				refine(v)
			}
		}
		d.eobRun--
	}
	return nil
}
