//go:build !noasm

#include "textflag.h"

// func deinterleave2NEON(even, odd, src *float32, n int)
//
//	for each group of 8: even, odd = src[0,2,4,6], src[1,3,5,7]
TEXT ·deinterleave2NEON(SB), NOSPLIT, $0-32
	MOVD even+0(FP), R0
	MOVD odd+8(FP), R1
	MOVD src+16(FP), R2
	MOVD n+24(FP), R3

loop:
	VLD2.P 32(R2), [V0.S4, V1.S4]
	FMOVQ.P F0, 16(R0)
	FMOVQ.P F1, 16(R1)
	SUB  $8, R3
	CBNZ R3, loop
	RET

// func interleave2NEON(dst, even, odd *float32, n int)
//
//	for each group of 8: dst[0,2,4,6], dst[1,3,5,7] = even, odd
TEXT ·interleave2NEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD even+8(FP), R1
	MOVD odd+16(FP), R2
	MOVD n+24(FP), R3

loop:
	FMOVQ.P 16(R1), F0
	FMOVQ.P 16(R2), F1
	VST2.P [V0.S4, V1.S4], 32(R0)
	SUB  $8, R3
	CBNZ R3, loop
	RET
