//go:build !noasm

#include "textflag.h"

// func weightGradTileNEON(c *float32, ldc int, x *float32, off *int32, grad *float32, n, groups int)
//
//	for each group of 6 taps:
//	    acc[6][16] = c[group]                        // V0…V23, four registers a tap
//	    for each q < n:
//	        v = grad[q]                               // V24…V27
//	        for each t < 6: acc[t] += x[off[t]+q] · v // x[…] is V28 or V29
//	    c[group] = acc
//
// The six rows of x, R8…R13, are walked with one index that counts from -n up to 0.
TEXT ·weightGradTileNEON(SB), NOSPLIT, $0-56
	MOVD c+0(FP), R0
	MOVD ldc+8(FP), R1
	MOVD x+16(FP), R2
	MOVD off+24(FP), R3
	MOVD grad+32(FP), R4
	MOVD n+40(FP), R5
	MOVD groups+48(FP), R7
	ADD  R5<<2, R2, R6         // x + n
	LSL  $2, R1                // ldc in bytes

group:
	MOVW.P 4(R3), R8
	ADD  R8<<2, R6, R8
	MOVW.P 4(R3), R9
	ADD  R9<<2, R6, R9
	MOVW.P 4(R3), R10
	ADD  R10<<2, R6, R10
	MOVW.P 4(R3), R11
	ADD  R11<<2, R6, R11
	MOVW.P 4(R3), R12
	ADD  R12<<2, R6, R12
	MOVW.P 4(R3), R13
	ADD  R13<<2, R6, R13
	MOVD R0, R15
	FLDPQ (R15), (F0, F1)
	FLDPQ 32(R15), (F2, F3)
	ADD R1, R15
	FLDPQ (R15), (F4, F5)
	FLDPQ 32(R15), (F6, F7)
	ADD R1, R15
	FLDPQ (R15), (F8, F9)
	FLDPQ 32(R15), (F10, F11)
	ADD R1, R15
	FLDPQ (R15), (F12, F13)
	FLDPQ 32(R15), (F14, F15)
	ADD R1, R15
	FLDPQ (R15), (F16, F17)
	FLDPQ 32(R15), (F18, F19)
	ADD R1, R15
	FLDPQ (R15), (F20, F21)
	FLDPQ 32(R15), (F22, F23)
	MOVD R4, R15
	NEG  R5, R14

loop:
	FLDPQ.P 32(R15), (F24, F25)
	FLDPQ.P 32(R15), (F26, F27)
	FMOVS (R8)(R14<<2), F28
	WORD $0x4F9C1300 // FMLA V0.4S, V24.4S, V28.S[0]
	WORD $0x4F9C1321 // FMLA V1.4S, V25.4S, V28.S[0]
	WORD $0x4F9C1342 // FMLA V2.4S, V26.4S, V28.S[0]
	WORD $0x4F9C1363 // FMLA V3.4S, V27.4S, V28.S[0]
	FMOVS (R9)(R14<<2), F29
	WORD $0x4F9D1304 // FMLA V4.4S, V24.4S, V29.S[0]
	WORD $0x4F9D1325 // FMLA V5.4S, V25.4S, V29.S[0]
	WORD $0x4F9D1346 // FMLA V6.4S, V26.4S, V29.S[0]
	WORD $0x4F9D1367 // FMLA V7.4S, V27.4S, V29.S[0]
	FMOVS (R10)(R14<<2), F28
	WORD $0x4F9C1308 // FMLA V8.4S, V24.4S, V28.S[0]
	WORD $0x4F9C1329 // FMLA V9.4S, V25.4S, V28.S[0]
	WORD $0x4F9C134A // FMLA V10.4S, V26.4S, V28.S[0]
	WORD $0x4F9C136B // FMLA V11.4S, V27.4S, V28.S[0]
	FMOVS (R11)(R14<<2), F29
	WORD $0x4F9D130C // FMLA V12.4S, V24.4S, V29.S[0]
	WORD $0x4F9D132D // FMLA V13.4S, V25.4S, V29.S[0]
	WORD $0x4F9D134E // FMLA V14.4S, V26.4S, V29.S[0]
	WORD $0x4F9D136F // FMLA V15.4S, V27.4S, V29.S[0]
	FMOVS (R12)(R14<<2), F28
	WORD $0x4F9C1310 // FMLA V16.4S, V24.4S, V28.S[0]
	WORD $0x4F9C1331 // FMLA V17.4S, V25.4S, V28.S[0]
	WORD $0x4F9C1352 // FMLA V18.4S, V26.4S, V28.S[0]
	WORD $0x4F9C1373 // FMLA V19.4S, V27.4S, V28.S[0]
	FMOVS (R13)(R14<<2), F29
	WORD $0x4F9D1314 // FMLA V20.4S, V24.4S, V29.S[0]
	WORD $0x4F9D1335 // FMLA V21.4S, V25.4S, V29.S[0]
	WORD $0x4F9D1356 // FMLA V22.4S, V26.4S, V29.S[0]
	WORD $0x4F9D1377 // FMLA V23.4S, V27.4S, V29.S[0]
	ADD  $1, R14
	CBNZ R14, loop

	FSTPQ (F0, F1), (R0)
	FSTPQ (F2, F3), 32(R0)
	ADD R1, R0
	FSTPQ (F4, F5), (R0)
	FSTPQ (F6, F7), 32(R0)
	ADD R1, R0
	FSTPQ (F8, F9), (R0)
	FSTPQ (F10, F11), 32(R0)
	ADD R1, R0
	FSTPQ (F12, F13), (R0)
	FSTPQ (F14, F15), 32(R0)
	ADD R1, R0
	FSTPQ (F16, F17), (R0)
	FSTPQ (F18, F19), 32(R0)
	ADD R1, R0
	FSTPQ (F20, F21), (R0)
	FSTPQ (F22, F23), 32(R0)
	ADD R1, R0
	SUB  $1, R7
	CBNZ R7, group
	RET

// func transpose8NEON(dst *float32, ldd int, src *float32, lds int, n int)
//
//	for each q < n, in steps of 4:
//	    V0…V7 = src[i][q : q+4]                      // for i < 8
//	    interleave by ones, then by pairs: two squares of 4×4
//	    dst[q+j][0 : 8] = column j of them           // for j < 4
TEXT ·transpose8NEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD ldd+8(FP), R1
	MOVD src+16(FP), R2
	MOVD lds+24(FP), R3
	MOVD n+32(FP), R4
	LSL  $2, R1
	LSL  $2, R3

loop:
	MOVD R2, R5
	VLD1.P (R5)(R3), [V0.S4]
	VLD1.P (R5)(R3), [V1.S4]
	VLD1.P (R5)(R3), [V2.S4]
	VLD1.P (R5)(R3), [V3.S4]
	VLD1.P (R5)(R3), [V4.S4]
	VLD1.P (R5)(R3), [V5.S4]
	VLD1.P (R5)(R3), [V6.S4]
	VLD1 (R5), [V7.S4]
	VTRN1 V1.S4, V0.S4, V16.S4
	VTRN2 V1.S4, V0.S4, V17.S4
	VTRN1 V3.S4, V2.S4, V18.S4
	VTRN2 V3.S4, V2.S4, V19.S4
	VTRN1 V5.S4, V4.S4, V20.S4
	VTRN2 V5.S4, V4.S4, V21.S4
	VTRN1 V7.S4, V6.S4, V22.S4
	VTRN2 V7.S4, V6.S4, V23.S4
	VTRN1 V18.D2, V16.D2, V0.D2
	VTRN1 V22.D2, V20.D2, V1.D2
	VTRN1 V19.D2, V17.D2, V2.D2
	VTRN1 V23.D2, V21.D2, V3.D2
	VTRN2 V18.D2, V16.D2, V4.D2
	VTRN2 V22.D2, V20.D2, V5.D2
	VTRN2 V19.D2, V17.D2, V6.D2
	VTRN2 V23.D2, V21.D2, V7.D2
	FSTPQ (F0, F1), (R0)
	ADD  R1, R0
	FSTPQ (F2, F3), (R0)
	ADD  R1, R0
	FSTPQ (F4, F5), (R0)
	ADD  R1, R0
	FSTPQ (F6, F7), (R0)
	ADD  R1, R0
	ADD  $16, R2
	SUB  $4, R4
	CBNZ R4, loop
	RET
