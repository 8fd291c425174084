package safetensors

import (
	"math"
	"sync"
)

// A format8 is a float of 8 bits: one of sign, then the exponent e, then a fraction f of
// some bits.
//
//	value = (−1)^s · 2^(e−bias) · 1.f      e > 0
//	value = (−1)^s · 2^(1−bias) · 0.f      e = 0
//
// Sources: Micikevicius et al. 2022, FP8 Formats for Deep Learning, table 1 (E4M3, E5M2);
// Noune et al. 2022, 8-bit Numerical Formats for Deep Neural Networks (the FNUZ types);
// Open Compute Project, Microscaling Formats 1.0, section 5.4.1 (E8M0).
type format8 struct {
	fraction, bias int
	special        func(b byte) (v float64, ok bool) // the patterns that mean something else
}

var nan = math.NaN()

var formats8 = map[DType]format8{
	// "FN": finite, the largest pattern of both signs is NaN.
	"F8_E4M3": {3, 7, func(b byte) (float64, bool) { return nan, b&0x7f == 0x7f }},
	// Like IEEE 754: the largest exponent means Inf and NaN.
	"F8_E5M2": {2, 15, func(b byte) (float64, bool) {
		if b&0x7f == 0x7c {
			return math.Inf(1 - int(b>>7)*2), true
		}
		return nan, b&0x7f > 0x7c
	}},
	// "FNUZ": finite, and what would be −0 is the only NaN.
	"F8_E4M3FNUZ": {3, 8, func(b byte) (float64, bool) { return nan, b == 0x80 }},
	"F8_E5M2FNUZ": {2, 16, func(b byte) (float64, bool) { return nan, b == 0x80 }},
	// A scale: only an exponent, without a sign. 255 is NaN.
	"F8_E8M0": {0, 0, func(b byte) (float64, bool) {
		if b == 255 {
			return nan, true
		}
		return math.Ldexp(1, int(b)-127), true
	}},
}

// value returns the number of a pattern.
func (f format8) value(b byte) float64 {
	if v, ok := f.special(b); ok {
		return v
	}
	e, fraction := int(b&0x7f)>>f.fraction, math.Ldexp(float64(int(b)&(1<<f.fraction-1)), -f.fraction)
	v := math.Ldexp(1+fraction, e-f.bias)
	if e == 0 {
		v = math.Ldexp(fraction, 1-f.bias)
	}
	return math.Copysign(v, 1-2*float64(b>>7))
}

// tables8 has the numbers of all patterns of each type.
var tables8 = sync.OnceValue(func() map[DType]*[256]float32 {
	tables := map[DType]*[256]float32{}
	for d, f := range formats8 {
		t := new([256]float32)
		for b := range t {
			t[b] = float32(f.value(byte(b)))
		}
		tables[d] = t
	}
	return tables
})

// float8 returns the numbers of all patterns of a type.
func float8(d DType) *[256]float32 { return tables8()[d] }
