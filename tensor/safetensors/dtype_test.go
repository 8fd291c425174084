package safetensors

import (
	"encoding/binary"
	"math"
	"testing"
)

// halfValue is the definition of half precision, in float64 and without bit
// tricks.
func halfValue(h uint16) float64 {
	sign, exp, frac := 1.0, int(h>>10&31), float64(h&1023)/1024
	if h>>15 == 1 {
		sign = -1
	}
	switch {
	case exp == 31 && frac == 0:
		return math.Inf(int(sign))
	case exp == 31:
		return math.NaN()
	case exp == 0:
		return math.Copysign(math.Ldexp(frac, -14), sign)
	}
	return sign * math.Ldexp(1+frac, exp-15)
}

func TestFromF16(t *testing.T) {
	for h := range 1 << 16 {
		got, want := fromF16(uint16(h)), halfValue(uint16(h))
		if math.IsNaN(want) {
			// The payload moves to the upper bits of the fraction.
			if bits := uint32(h&0x8000)<<16 | 0x7f800000 | uint32(h&1023)<<13; math.Float32bits(got) != bits {
				t.Fatalf("fromF16(%#04x) = %#08x, want the NaN %#08x", h, math.Float32bits(got), bits)
			}
			continue
		}
		if math.Float64bits(float64(got)) != math.Float64bits(want) {
			t.Fatalf("fromF16(%#04x) = %g, want %g", h, got, want)
		}
	}
}

// Every half-precision number, every point halfway to the next, and the float32
// numbers beside both must round to the nearest, ties to the even pattern.
func TestToF16(t *testing.T) {
	check := func(v float32, want uint16) {
		t.Helper()
		for _, sign := range []uint16{0, 0x8000} {
			if got := toF16(math.Float32frombits(math.Float32bits(v) | uint32(sign)<<16)); got != want|sign {
				t.Fatalf("toF16(%g, sign %#x) = %#04x, want %#04x", v, sign, got, want|sign)
			}
		}
	}
	for h := uint16(0); h < 0x7c00; h++ {
		v := halfValue(h)
		next := halfValue(h + 1)
		if h == 0x7bff {
			next = 65536 // where the next number would be, if the exponent went on
		}
		mid := float32((v + next) / 2) // exact: one bit more than half precision
		even := h + h&1
		check(float32(v), h)
		check(mid, even)
		check(math.Nextafter32(mid, 0), h)
		check(math.Nextafter32(mid, math.MaxFloat32), h+1)
		check(math.Nextafter32(float32(v), math.MaxFloat32), h)
	}
	check(65536, 0x7c00)
	check(math.MaxFloat32, 0x7c00)
	check(float32(math.Inf(1)), 0x7c00)
	check(math.SmallestNonzeroFloat32, 0)
	for _, payload := range []uint32{1, 1 << 13, 1 << 22, 1<<23 - 1, 0x155555} {
		got := toF16(math.Float32frombits(0x7f800000 | payload))
		if got&0x7e00 != 0x7e00 || got&0x3ff != 0x200|uint16(payload>>13) {
			t.Errorf("toF16(NaN with payload %#x) = %#04x", payload, got)
		}
	}
}

func TestF16RoundTrip(t *testing.T) {
	for h := range 1 << 16 {
		want := uint16(h)
		if want&0x7fff > 0x7c00 {
			want |= 0x200 // a signalling NaN becomes a quiet one
		}
		if got := toF16(fromF16(uint16(h))); got != want {
			t.Fatalf("%#04x became %#04x by way of float32", h, got)
		}
	}
}

// A BF16 number is the float32 with the same upper half, by definition.
func TestDecodeBF16(t *testing.T) {
	src := make([]byte, 2<<16)
	for h := range 1 << 16 {
		binary.LittleEndian.PutUint16(src[2*h:], uint16(h))
	}
	dst := make([]float32, 1<<16)
	BF16.Decode(dst, src)
	for h, v := range dst {
		exp, frac := h>>7&255, float64(h&127)/128
		var want float64
		switch {
		case exp == 255 && frac != 0:
			if math.Float32bits(v) != uint32(h)<<16 {
				t.Fatalf("BF16 %#04x: NaN %#08x", h, math.Float32bits(v))
			}
			continue
		case exp == 255:
			want = math.Inf(1)
		case exp == 0:
			want = math.Ldexp(frac, -126)
		default:
			want = math.Ldexp(1+frac, exp-127)
		}
		if h>>15 == 1 {
			want = -want
		}
		if math.Float64bits(float64(v)) != math.Float64bits(want) {
			t.Fatalf("BF16 %#04x = %g, want %g", h, v, want)
		}
	}
}

func TestDecodePanics(t *testing.T) {
	for _, c := range []struct {
		d    DType
		n, b int
	}{{F32, 1, 3}, {F16, 2, 2}, {"I64", 1, 8}, {"", 0, 0}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s.Decode of %d bytes to %d elements did not panic", c.d, c.b, c.n)
				}
			}()
			c.d.Decode(make([]float32, c.n), make([]byte, c.b))
		}()
	}
}
