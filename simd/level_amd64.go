//go:build !noasm

package simd

import "github.com/klauspost/cpuid/v2"

// detect asks the processor for its instructions, and whether the operating system saves
// its wide registers.
func detect() []Level {
	levels := []Level{Generic}
	if cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3) {
		levels = append(levels, AVX2)
		if cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL) {
			levels = append(levels, AVX512)
		}
	}
	return levels
}
