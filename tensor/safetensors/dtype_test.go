package safetensors

import (
	"encoding/binary"
	"math"
	"strings"
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
	}{{F32, 1, 3}, {F16, 2, 2}, {"I64", 1, 4}, {"C64", 1, 8}, {"F4", 2, 1}, {"F6_E2M3", 4, 3}, {"F6_E3M2", 4, 3}, {"", 0, 0}} {
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

// Every integer that float32 has is read, whatever its size; the first that it has not is
// named.
func TestDecodeIntegers(t *testing.T) {
	le := binary.LittleEndian
	for _, c := range []struct {
		d    DType
		src  []byte
		want float32
		err  string
	}{
		{"I64", le.AppendUint64(nil, 1<<24), 1 << 24, ""},
		{"I64", le.AppendUint64(nil, 1<<24+1), 0, "the integer 16777217 is none of float32's"},
		{"I64", le.AppendUint64(nil, 1<<24+2), 1<<24 + 2, ""},
		{"I64", le.AppendUint64(nil, ^uint64(1<<24)), 0, "the integer -16777217 is none"},
		{"I64", le.AppendUint64(nil, math.MaxInt64), 0, "the integer 9223372036854775807 is none"},
		{"I64", le.AppendUint64(nil, 1<<63), math.MinInt64, ""},
		{"U64", le.AppendUint64(nil, 1<<63), 1 << 63, ""},
		{"U64", le.AppendUint64(nil, math.MaxUint64), 0, "the integer 18446744073709551615 is none"},
		{"I32", le.AppendUint32(nil, ^uint32(0)), -1, ""},
		{"I32", le.AppendUint32(nil, math.MaxInt32), 0, "the integer 2147483647 is none"},
		{"U32", le.AppendUint32(nil, math.MaxUint32), 0, "the integer 4294967295 is none"},
		{"U32", le.AppendUint32(nil, 1<<31), 1 << 31, ""},
		{"I16", le.AppendUint16(nil, 1<<15), -32768, ""},
		{"U16", le.AppendUint16(nil, 1<<15), 32768, ""},
		{"I8", []byte{0x80}, -128, ""},
		{"U8", []byte{0x80}, 128, ""},
		{"BOOL", []byte{1}, 1, ""},
		{"BOOL", []byte{0}, 0, ""},
	} {
		dst := []float32{0}
		err := c.d.Decode(dst, c.src)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s % x: error %v, want one with %q", c.d, c.src, err, c.err)
			}
		} else if err != nil || dst[0] != c.want {
			t.Errorf("%s % x: %v, %v; want %v", c.d, c.src, dst[0], err, c.want)
		}
	}
}

func TestReadErrorsOfTypes(t *testing.T) {
	f, err := openBytes(build(`{"c":{"dtype":"C64","shape":[1],"data_offsets":[0,8]},"f4":{"dtype":"F4","shape":[2],"data_offsets":[8,9]},"i":{"dtype":"I32","shape":[1],"data_offsets":[9,13]}}`, 13))
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Tensor("c")
	wantError(t, "complex numbers", err, `test.safetensors: tensor "c" has dtype C64; complex numbers and packed floats`)
	_, err = f.Tensor("f4")
	wantError(t, "packed floats", err, `tensor "f4" has dtype F4; complex`)
	_, err = f.Tensor("i")
	wantError(t, "a large integer", err, `tensor "i": test.safetensors: the integer 202050057 is none`)
}
