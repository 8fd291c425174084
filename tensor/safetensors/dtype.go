package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
)

// DType is an element type, by its name in the format.
type DType string

// The element types that can be read as float32.
const (
	F16  DType = "F16"  // IEEE 754 binary16
	BF16 DType = "BF16" // the upper half of a float32
	F32  DType = "F32"  // IEEE 754 binary32
	F64  DType = "F64"  // IEEE 754 binary64
)

// dtypes lists every element type of the format with its size. A header's entry
// stores an index into it.
var dtypes = [...]struct {
	name DType
	bits int
}{
	{"BOOL", 8},
	{"F4", 4}, {"F6_E2M3", 6}, {"F6_E3M2", 6},
	{"U8", 8}, {"I8", 8},
	{"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
	{"I16", 16}, {"U16", 16}, {F16, 16}, {BF16, 16},
	{"I32", 32}, {"U32", 32}, {F32, 32},
	{"C64", 64}, {F64, 64}, {"I64", 64}, {"U64", 64},
}

// Bits returns the size of an element in bits, or 0 if the format does not have the
// type. F4 and the F6 types are packed, so not every size is a multiple of 8.
func (d DType) Bits() int {
	for _, t := range &dtypes {
		if t.name == d {
			return t.bits
		}
	}
	return 0
}

// Readable reports whether elements of this type can be converted to float32:
// F32, F16, BF16 and F64 can.
func (d DType) Readable() bool { return d == F32 || d == F16 || d == BF16 || d == F64 }

// Decode converts little-endian elements to float32: dst[i] = float32(src[i]).
//
// The conversion of F16 and BF16 is exact, including NaN payloads. F64 is rounded to
// nearest even, and to ±Inf beyond float32's range. Decode panics if the type is not
// Readable, or if len(src) is not the size of len(dst) elements.
func (d DType) Decode(dst []float32, src []byte) {
	if !d.Readable() || len(src) != len(dst)*d.Bits()/8 {
		panic(fmt.Sprintf("safetensors: Decode %s: %d bytes for %d elements", d, len(src), len(dst)))
	}
	switch d {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = fromF16(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
		}
	case F64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
		}
	}
}

// fromF16 converts a half-precision number (1 sign, 5 exponent, 10 fraction
// bits) exactly.
//
//	value = (−1)^s · 2^(e−15) · 1.f    e = 1…30
//	value = (−1)^s · 2^−14 · 0.f       e = 0
//	±Inf (f = 0) or NaN                e = 31
//
// First the 15 lower bits move to the place of a float32's exponent and fraction.
// Then only the exponent's bias is wrong: 15 instead of 127. A multiplication by
// 2^112 corrects it without rounding, for subnormal numbers too.
func fromF16(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	rest := uint32(h&0x7fff) << 13
	if rest >= 31<<23 { // Inf and NaN keep an exponent of all ones
		return math.Float32frombits(sign | 0x7f800000 | rest)
	}
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(rest)*0x1p112))
}

// toF16 rounds to half precision, to nearest with ties to even, like PyTorch's
// Tensor.half. From 65520 on the result is Inf; up to 2^-25 it is 0. NaN stays NaN,
// with its sign and the upper bits of its payload.
func toF16(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000: // NaN; without the quiet bit the fraction could become 0, which means Inf
		return sign | 0x7e00 | uint16(b>>13&0x3ff)
	case b >= 0x47800000: // 65536 and more
		return sign | 0x7c00
	case b < 0x38800000: // below 2^-14 the results are subnormal, multiples of 2^-24.
		// The numbers of float32 near ½ have this spacing, so adding ½ rounds.
		return sign | uint16(math.Float32bits(math.Float32frombits(b)+0.5)-0x3f000000)
	}
	// Rebias the exponent and round: add just under half a unit, and 1 more if
	// the result would be odd. A carry runs into the exponent, up to Inf.
	b += 0xfff + b>>13&1 - (127-15)<<23
	return sign | uint16(b>>13)
}
