//go:build !noasm

#include "textflag.h"

// func addBiasPReLUNEON(dst, x *float32, bias, slope float32, n int)
//
//	for each i: v = x[i] + bias; dst[i] = v < 0 ? slope*v : v
TEXT ·addBiasPReLUNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	FMOVS bias+16(FP), F7
	FMOVS slope+20(FP), F6
	MOVD n+24(FP), R3
	VDUP V7.S[0], V7.S4
	VDUP V6.S[0], V6.S4

loop:
	FLDPQ.P 32(R1), (F0, F1)
	WORD $0x4E27D400 // FADD V0.4S, V0.4S, V7.4S
	WORD $0x4E27D421 // FADD V1.4S, V1.4S, V7.4S
	WORD $0x6E26DC02 // FMUL V2.4S, V0.4S, V6.4S
	WORD $0x6E26DC23 // FMUL V3.4S, V1.4S, V6.4S
	WORD $0x4EA0E804 // FCMLT V4.4S, V0.4S, #0.0; false for NaN
	WORD $0x4EA0E825 // FCMLT V5.4S, V1.4S, #0.0; false for NaN
	WORD $0x6EA41C40 // BIT V0.16B, V2.16B, V4.16B; slope*v where the mask has ones
	WORD $0x6EA51C61 // BIT V1.16B, V3.16B, V5.16B; slope*v where the mask has ones
	FSTPQ.P (F0, F1), 32(R0)
	SUB  $8, R3
	CBNZ R3, loop
	RET

// func preluBackwardNEON(dst, dy, x *float32, slope float32, n int)
//
//	for each i: dst[i] = x[i] > 0 ? dy[i] : slope*dy[i]
TEXT ·preluBackwardNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD dy+8(FP), R1
	MOVD x+16(FP), R2
	FMOVS slope+24(FP), F6
	MOVD n+32(FP), R3
	VDUP V6.S[0], V6.S4

loop:
	FLDPQ.P 32(R1), (F0, F1)
	FLDPQ.P 32(R2), (F4, F5)
	WORD $0x6E26DC02 // FMUL V2.4S, V0.4S, V6.4S
	WORD $0x6E26DC23 // FMUL V3.4S, V1.4S, V6.4S
	WORD $0x4EA0C884 // FCMGT V4.4S, V4.4S, #0.0; false for NaN
	WORD $0x4EA0C8A5 // FCMGT V5.4S, V5.4S, #0.0; false for NaN
	WORD $0x6EE41C40 // BIF V0.16B, V2.16B, V4.16B; slope*dy where the mask has zeros
	WORD $0x6EE51C61 // BIF V1.16B, V3.16B, V5.16B; slope*dy where the mask has zeros
	FSTPQ.P (F0, F1), 32(R0)
	SUB  $8, R3
	CBNZ R3, loop
	RET
