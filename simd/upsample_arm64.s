//go:build !noasm

#include "textflag.h"

// The weights of bilinear interpolation half-way between two pixels' centres and edges,
// which wait in the first two lanes of V7.
DATA upsampleWeights<>+0(SB)/4, $0.75
DATA upsampleWeights<>+4(SB)/4, $0.25
GLOBL upsampleWeights<>(SB), RODATA|NOPTR, $8

// func upsampleBlendNEON(dst, near, far *float32, n int)
//
//	for each i: dst[i] = ¾·near[i] + ¼·far[i]
TEXT ·upsampleBlendNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD near+8(FP), R1
	MOVD far+16(FP), R2
	MOVD n+24(FP), R3
	FMOVD upsampleWeights<>(SB), F7

loop:
	FLDPQ.P 32(R1), (F0, F1)
	FLDPQ.P 32(R2), (F2, F3)
	WORD $0x4F879000 // FMUL V0.4S, V0.4S, V7.S[0]
	WORD $0x4F879021 // FMUL V1.4S, V1.4S, V7.S[0]
	WORD $0x4FA71040 // FMLA V0.4S, V2.4S, V7.S[1]
	WORD $0x4FA71061 // FMLA V1.4S, V3.4S, V7.S[1]
	FSTPQ.P (F0, F1), 32(R0)
	SUB  $8, R3
	CBNZ R3, loop
	RET

// func upsampleBlendBackwardNEON(dst, near0, near1, far0, far1 *float32, n int)
//
//	for each i: dst[i] = ¾·(near0[i] + near1[i]) + ¼·(far0[i] + far1[i])
TEXT ·upsampleBlendBackwardNEON(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD near0+8(FP), R1
	MOVD near1+16(FP), R2
	MOVD far0+24(FP), R4
	MOVD far1+32(FP), R5
	MOVD n+40(FP), R3
	FMOVD upsampleWeights<>(SB), F7

loop:
	FLDPQ.P 32(R1), (F0, F1)
	FLDPQ.P 32(R2), (F2, F3)
	FLDPQ.P 32(R4), (F16, F17)
	FLDPQ.P 32(R5), (F18, F19)
	WORD $0x4E22D400 // FADD V0.4S, V0.4S, V2.4S
	WORD $0x4E23D421 // FADD V1.4S, V1.4S, V3.4S
	WORD $0x4E32D610 // FADD V16.4S, V16.4S, V18.4S
	WORD $0x4E33D631 // FADD V17.4S, V17.4S, V19.4S
	WORD $0x4F879000 // FMUL V0.4S, V0.4S, V7.S[0]
	WORD $0x4F879021 // FMUL V1.4S, V1.4S, V7.S[0]
	WORD $0x4FA71200 // FMLA V0.4S, V16.4S, V7.S[1]
	WORD $0x4FA71221 // FMLA V1.4S, V17.4S, V7.S[1]
	FSTPQ.P (F0, F1), 32(R0)
	SUB  $8, R3
	CBNZ R3, loop
	RET

// func upsampleExpandNEON(dst, src *float32, n int)
//
//	for each i < n:
//	    dst[2i]   = ¼·src[i]   + ¾·src[i+1]          // V0
//	    dst[2i+1] = ¾·src[i+1] + ¼·src[i+2]          // V1
TEXT ·upsampleExpandNEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R3
	FMOVD upsampleWeights<>(SB), F7

loop:
	FMOVQ (R1), F2
	FMOVQ 4(R1), F3
	FMOVQ 8(R1), F4
	ADD  $16, R1
	WORD $0x4F879060 // FMUL V0.4S, V3.4S, V7.S[0]
	WORD $0x4F879061 // FMUL V1.4S, V3.4S, V7.S[0]
	WORD $0x4FA71040 // FMLA V0.4S, V2.4S, V7.S[1]
	WORD $0x4FA71081 // FMLA V1.4S, V4.4S, V7.S[1]
	VST2.P [V0.S4, V1.S4], 32(R0)   // one of V0, one of V1, and so on
	SUB  $4, R3
	CBNZ R3, loop
	RET

// func upsampleExpandBackwardNEON(dx, dy *float32, n int)
//
//	for each i < n: dx[i] = ¾·(dy[2i+1] + dy[2i+2]) + ¼·(dy[2i] + dy[2i+3])
TEXT ·upsampleExpandBackwardNEON(SB), NOSPLIT, $0-24
	MOVD dx+0(FP), R0
	MOVD dy+8(FP), R1
	MOVD n+16(FP), R3
	FMOVD upsampleWeights<>(SB), F7
	ADD  $8, R1, R2

loop:
	VLD2.P 32(R1), [V0.S4, V1.S4]   // dy[2i], dy[2i+1]
	VLD2.P 32(R2), [V2.S4, V3.S4]   // dy[2i+2], dy[2i+3]
	WORD $0x4E22D421 // FADD V1.4S, V1.4S, V2.4S
	WORD $0x4E23D400 // FADD V0.4S, V0.4S, V3.4S
	WORD $0x4F879021 // FMUL V1.4S, V1.4S, V7.S[0]
	WORD $0x4FA71001 // FMLA V1.4S, V0.4S, V7.S[1]
	FMOVQ.P F1, 16(R0)
	SUB  $4, R3
	CBNZ R3, loop
	RET
