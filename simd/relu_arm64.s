//go:build !noasm

#include "textflag.h"

// func addBiasNEON(dst, x *float32, bias float32, n int)
//
//	for each i: dst[i] = x[i] + bias
TEXT ·addBiasNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	FMOVS bias+16(FP), F7
	MOVD n+24(FP), R3
	VDUP V7.S[0], V7.S4

loop:
	FLDPQ.P 32(R1), (F0, F1)
	WORD $0x4E27D400 // FADD V0.4S, V0.4S, V7.4S
	WORD $0x4E27D421 // FADD V1.4S, V1.4S, V7.4S
	FSTPQ.P (F0, F1), 32(R0)
	SUB  $8, R3
	CBNZ R3, loop
	RET

// func addBiasReLUNEON(dst, x *float32, bias float32, n int)
//
//	for each i: dst[i] = max(x[i] + bias, 0)            // NaN stays: FMAX returns it, as FMAXNM would not
TEXT ·addBiasReLUNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	FMOVS bias+16(FP), F7
	MOVD n+24(FP), R3
	VDUP V7.S[0], V7.S4
	VMOVI $0, V6.B16

loop:
	FLDPQ.P 32(R1), (F0, F1)
	WORD $0x4E27D400 // FADD V0.4S, V0.4S, V7.4S
	WORD $0x4E27D421 // FADD V1.4S, V1.4S, V7.4S
	WORD $0x4E26F400 // FMAX V0.4S, V0.4S, V6.4S
	WORD $0x4E26F421 // FMAX V1.4S, V1.4S, V6.4S
	FSTPQ.P (F0, F1), 32(R0)
	SUB  $8, R3
	CBNZ R3, loop
	RET

// func reluBackwardNEON(dst, dy, y *float32, n int)
//
//	for each i: dst[i] = y[i] <= 0 ? 0 : dy[i]             // y[i] <= 0 is false for NaN
TEXT ·reluBackwardNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD dy+8(FP), R1
	MOVD y+16(FP), R2
	MOVD n+24(FP), R3

loop:
	FLDPQ.P 32(R1), (F0, F1)
	FLDPQ.P 32(R2), (F2, F3)
	WORD $0x6EA0D842 // FCMLE V2.4S, V2.4S, #0.0
	WORD $0x6EA0D863 // FCMLE V3.4S, V3.4S, #0.0
	WORD $0x4E621C00 // BIC V0.16B, V0.16B, V2.16B; all bits of dy, but where the mask has ones
	WORD $0x4E631C21 // BIC V1.16B, V1.16B, V3.16B
	FSTPQ.P (F0, F1), 32(R0)
	SUB  $8, R3
	CBNZ R3, loop
	RET
