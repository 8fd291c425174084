package jpegplanes

// transform makes samples of coefficients.
func (c *component) transform() {
	c.Stride = 8 * c.across
	c.Pix = make([]uint8, c.Stride*8*c.down)
	var q [64]int32
	for k, v := range c.quant {
		q[zigzag[k]] = int32(v)
	}
	var block [64]int32
	for n := range c.coefficients {
		for i, v := range &c.coefficients[n] {
			block[i] = int32(v) * q[i]
		}
		inverse(&block)
		dst := c.Pix[n/c.across*8*c.Stride+n%c.across*8:]
		for i, v := range block {
			dst[i/8*c.Stride+i%8] = uint8(min(max(v+128, 0), 255))
		}
	}
}

// inverse is the inverse cosine transform of a block, in place:
//
//	out(x,y) = ¼ Σᵤ Σᵥ c(u)·c(v)·in(u,v)·cos((2x+1)uπ/16)·cos((2y+1)vπ/16)   c(0) = 1/√2, else 1
//
// columns first, then rows. The order of the operations and the rounding are those of
// libjpeg's jidctint.c, so that the samples are the same to the bit: constants have 13
// fractional bits, and two bits more are kept between the passes. Source: C. Loeffler,
// A. Ligtenberg, G. Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications",
// ICASSP 1989, figure 1.
func inverse(b *[64]int32) {
	const constBits, pass1Bits = 13, 2
	for x := range 8 {
		inverse8(b[x:], 8, constBits-pass1Bits)
	}
	for y := range 8 {
		inverse8(b[8*y:], 1, constBits+pass1Bits+3)
	}
}

// inverse8 transforms the eight numbers b[0], b[step], … and divides by 2^shift, to nearest.
func inverse8(b []int32, step int, shift uint) {
	at := func(i int) int32 { return b[i*step] }

	// The even coefficients. A constant is round(2¹³·x).
	z := (at(2) + at(6)) * 4433 // 0.541196100
	e2 := z - at(6)*15137       // 1.847759065
	e3 := z + at(2)*6270        // 0.765366865
	e0, e1 := (at(0)+at(4))<<13, (at(0)-at(4))<<13
	even := [4]int32{e0 + e3, e1 + e2, e1 - e2, e0 - e3}

	// The odd ones.
	a, c, d, f := at(7), at(5), at(3), at(1)
	z1, z2, z3, z4 := a+f, c+d, a+d, c+f
	z5 := (z3 + z4) * 9633 // 1.175875602
	z1 *= -7373            // 0.899976223
	z2 *= -20995           // 2.562915447
	z3 = z3*-16069 + z5    // 1.961570560
	z4 = z4*-3196 + z5     // 0.390180644
	odd := [4]int32{
		f*12299 + z1 + z4, // 1.501321110
		d*25172 + z2 + z3, // 3.072711026
		c*16819 + z2 + z4, // 2.053119869
		a*2446 + z1 + z3,  // 0.298631336
	}
	half := int32(1) << (shift - 1)
	for i := range 4 {
		b[i*step] = (even[i] + odd[i] + half) >> shift
		b[(7-i)*step] = (even[i] - odd[i] + half) >> shift
	}
}
