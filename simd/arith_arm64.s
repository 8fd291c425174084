//go:build !noasm

#include "textflag.h"

// func addNEON(dst, a, b *float32, n int)
//
//	for each i: dst[i] = a[i] + b[i]
TEXT ·addNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD a+8(FP), R1
	MOVD b+16(FP), R2
	MOVD n+24(FP), R3

loop:
	FLDPQ.P 32(R1), (F0, F1)
	FLDPQ.P 32(R2), (F2, F3)
	WORD $0x4E22D400 // FADD V0.4S, V0.4S, V2.4S
	WORD $0x4E23D421 // FADD V1.4S, V1.4S, V3.4S
	FSTPQ.P (F0, F1), 32(R0)
	SUB  $8, R3
	CBNZ R3, loop
	RET

// func mulNEON(dst, a, b *float32, n int)
//
//	for each i: dst[i] = a[i] · b[i]
TEXT ·mulNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD a+8(FP), R1
	MOVD b+16(FP), R2
	MOVD n+24(FP), R3

loop:
	FLDPQ.P 32(R1), (F0, F1)
	FLDPQ.P 32(R2), (F2, F3)
	WORD $0x6E22DC00 // FMUL V0.4S, V0.4S, V2.4S
	WORD $0x6E23DC21 // FMUL V1.4S, V1.4S, V3.4S
	FSTPQ.P (F0, F1), 32(R0)
	SUB  $8, R3
	CBNZ R3, loop
	RET

// func scaleNEON(dst *float32, alpha float32, x *float32, n int)
//
//	for each i: dst[i] = alpha · x[i]
TEXT ·scaleNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	FMOVS alpha+8(FP), F7
	MOVD x+16(FP), R1
	MOVD n+24(FP), R3

loop:
	FLDPQ.P 32(R1), (F0, F1)
	WORD $0x4F879000 // FMUL V0.4S, V0.4S, V7.S[0]
	WORD $0x4F879021 // FMUL V1.4S, V1.4S, V7.S[0]
	FSTPQ.P (F0, F1), 32(R0)
	SUB  $8, R3
	CBNZ R3, loop
	RET

// func axpyNEON(dst *float32, alpha float32, x *float32, n int)
//
//	for each i: dst[i] += alpha · x[i]
TEXT ·axpyNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	FMOVS alpha+8(FP), F7
	MOVD x+16(FP), R1
	MOVD n+24(FP), R3

loop:
	FLDPQ.P 32(R1), (F0, F1)
	FLDPQ (R0), (F2, F3)
	WORD $0x4F871002 // FMLA V2.4S, V0.4S, V7.S[0]
	WORD $0x4F871023 // FMLA V3.4S, V1.4S, V7.S[0]
	FSTPQ.P (F2, F3), 32(R0)
	SUB  $8, R3
	CBNZ R3, loop
	RET

// func scaledDiffNEON(dst *float32, alpha float32, a, b *float32, n int)
//
//	for each i: dst[i] = alpha · (a[i] - b[i])
TEXT ·scaledDiffNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	FMOVS alpha+8(FP), F7
	MOVD a+16(FP), R1
	MOVD b+24(FP), R2
	MOVD n+32(FP), R3

loop:
	FLDPQ.P 32(R1), (F0, F1)
	FLDPQ.P 32(R2), (F2, F3)
	WORD $0x4EA2D400 // FSUB V0.4S, V0.4S, V2.4S
	WORD $0x4EA3D421 // FSUB V1.4S, V1.4S, V3.4S
	WORD $0x4F879000 // FMUL V0.4S, V0.4S, V7.S[0]
	WORD $0x4F879021 // FMUL V1.4S, V1.4S, V7.S[0]
	FSTPQ.P (F0, F1), 32(R0)
	SUB  $8, R3
	CBNZ R3, loop
	RET
