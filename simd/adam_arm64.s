//go:build !noasm

#include "textflag.h"

// func adamNEON(w, grad, m, v *float32, s *AdamStep, n int)
//
//	for each i:
//	    m[i] = beta1·m[i] + (1-beta1)·grad[i]
//	    v[i] = beta2·v[i] + (1-beta2)·grad[i]²
//	    w[i] -= rate · m[i] / (√v[i]·correction + eps)
TEXT ·adamNEON(SB), NOSPLIT, $0-48
	MOVD w+0(FP), R0
	MOVD grad+8(FP), R1
	MOVD m+16(FP), R2
	MOVD v+24(FP), R4
	MOVD s+32(FP), R5
	MOVD n+40(FP), R3
	FMOVQ (R5), F16                 // beta1, 1-beta1, beta2, 1-beta2
	FMOVD 16(R5), F17               // rate, correction
	ADD  $24, R5
	VLD1R (R5), [V18.S4]            // eps

loop:
	FMOVQ.P 16(R1), F0
	FMOVQ (R2), F1
	FMOVQ (R4), F2
	WORD $0x4F909021 // FMUL V1.4S, V1.4S, V16.S[0]
	WORD $0x4FB01001 // FMLA V1.4S, V0.4S, V16.S[1]
	WORD $0x4F909842 // FMUL V2.4S, V2.4S, V16.S[2]
	WORD $0x6E20DC00 // FMUL V0.4S, V0.4S, V0.4S
	WORD $0x4FB01802 // FMLA V2.4S, V0.4S, V16.S[3]
	FMOVQ.P F1, 16(R2)
	FMOVQ.P F2, 16(R4)
	WORD $0x6EA1F842 // FSQRT V2.4S, V2.4S
	VMOV V18.B16, V3.B16
	WORD $0x4FB11043 // FMLA V3.4S, V2.4S, V17.S[1]
	WORD $0x4F919021 // FMUL V1.4S, V1.4S, V17.S[0]
	WORD $0x6E23FC21 // FDIV V1.4S, V1.4S, V3.4S
	FMOVQ (R0), F0
	WORD $0x4EA1D400 // FSUB V0.4S, V0.4S, V1.4S
	FMOVQ.P F0, 16(R0)
	SUB  $4, R3
	CBNZ R3, loop
	RET
