package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
)

// DType is an element type, by its name in the format.
type DType string

// The element types of floats that weights usually have.
const (
	F16  DType = "F16"  // IEEE 754 binary16
	BF16 DType = "BF16" // the upper half of a float32
	F32  DType = "F32"  // IEEE 754 binary32
	F64  DType = "F64"  // IEEE 754 binary64
)

// dtypes lists every element type of the format with its size, in the official order. A
// header's entry stores an index into it.
var dtypes = [...]sized{
	{"BOOL", 8},
	{"F4", 4}, {"F6_E2M3", 6}, {"F6_E3M2", 6},
	{"U8", 8}, {"I8", 8},
	{"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
	{"I16", 16}, {"U16", 16}, {F16, 16}, {BF16, 16},
	{"I32", 32}, {"U32", 32}, {F32, 32},
	{"C64", 64}, {F64, 64}, {"I64", 64}, {"U64", 64},
}

type sized struct {
	name DType
	bits int
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

// index returns the place of a type in dtypes.
func (d DType) index() uint8 {
	return uint8(slices.IndexFunc(dtypes[:], func(t sized) bool { return t.name == d }))
}

// Readable reports whether elements of this type can be converted to float32: all floats
// of whole bytes, integers and booleans can. C64, F4, F6_E2M3 and F6_E3M2 cannot.
func (d DType) Readable() bool {
	return d.Bits() >= 8 && d != "C64"
}

// Float reports whether this is a type of floats, real or complex, and not of integers or
// booleans.
func (d DType) Float() bool {
	return d == BF16 || strings.HasPrefix(string(d), "F") || strings.HasPrefix(string(d), "C")
}

// unreadable lists what Readable refuses, for error messages.
const unreadable = "complex numbers and packed floats (C64, F4, F6) cannot be read"

// Decode converts little-endian elements to float32: dst[i] = float32(src[i]).
//
// The conversion of F16, BF16 and the types of 8 bits is exact, including the NaN payloads
// of the first two. F64 is rounded to nearest even, and to ±Inf beyond float32's range.
// BOOL becomes 0 or 1. Integers must be the same as float32, as all up to 2^24 are; the
// error names the first that is not.
//
// Numbers of 8 bits are what the bits mean. If a file has scales for them, these are
// tensors of their own.
//
// Decode panics if the type is not Readable, or if len(src) is not the size of len(dst)
// elements.
func (d DType) Decode(dst []float32, src []byte) error {
	if !d.Readable() || len(src) != len(dst)*d.Bits()/8 {
		panic(fmt.Sprintf("safetensors: Decode %s: %d bytes for %d elements", d, len(src), len(dst)))
	}
	le := binary.LittleEndian
	switch d {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(src[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = fromF16(le.Uint16(src[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(le.Uint16(src[2*i:])) << 16)
		}
	case F64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(le.Uint64(src[8*i:])))
		}
	case "I64":
		return integers(dst, func(i int) int64 { return int64(le.Uint64(src[8*i:])) })
	case "U64":
		return integers(dst, func(i int) uint64 { return le.Uint64(src[8*i:]) })
	case "I32":
		return integers(dst, func(i int) int32 { return int32(le.Uint32(src[4*i:])) })
	case "U32":
		return integers(dst, func(i int) uint32 { return le.Uint32(src[4*i:]) })
	case "I16":
		return integers(dst, func(i int) int16 { return int16(le.Uint16(src[2*i:])) })
	case "U16":
		return integers(dst, func(i int) uint16 { return le.Uint16(src[2*i:]) })
	case "I8":
		return integers(dst, func(i int) int8 { return int8(src[i]) })
	case "U8":
		return integers(dst, func(i int) uint8 { return src[i] })
	case "BOOL":
		for i, b := range src {
			dst[i] = 0
			if b != 0 {
				dst[i] = 1
			}
		}
	default:
		table := float8(d)
		for i, b := range src {
			dst[i] = table[b]
		}
	}
	return nil
}

// integers converts integers. A float32 has 24 binary digits: an integer is exact if all of
// its digits but for zeros at the end fit in.
func integers[T int64 | uint64 | int32 | uint32 | int16 | uint16 | int8 | uint8](dst []float32, at func(i int) T) error {
	for i := range dst {
		v := at(i)
		size := uint64(v)
		if v < 0 {
			size = -size
		}
		if bits.Len64(size)-bits.TrailingZeros64(size) > 24 {
			return fmt.Errorf("the integer %d is none of float32's numbers, which have every integer up to 2^24 = 16777216", v)
		}
		dst[i] = float32(v)
	}
	return nil
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
