//go:build !noasm

#include "textflag.h"

// func gemmTileNEON(c *float32, ldc int, a *float32, lda int, b *float32, off *int32, k, panels int, accumulate bool)
//
//	for each panel p:
//	    acc[4][24] = accumulate ? c[p] : 0             // V0…V23, six registers a row
//	    for each k:
//	        v = b[off[k] : off[k]+24]                   // V24…V29
//	        for each i < 4: acc[i] += a[p][k][i] · v    // a[p][k] is V30
//	    c[p] = acc
//
// An instruction multiplies by one lane of V30, so that nothing need be broadcast.
TEXT ·gemmTileNEON(SB), NOSPLIT, $0-65
	MOVD c+0(FP), R0
	MOVD ldc+8(FP), R1
	MOVD a+16(FP), R2
	MOVD lda+24(FP), R3
	MOVD b+32(FP), R4
	MOVD off+40(FP), R5
	MOVD k+48(FP), R6
	MOVD panels+56(FP), R7
	MOVBU accumulate+64(FP), R8
	LSL  $2, R1                // ldc and lda in bytes
	LSL  $2, R3

panel:
	CBNZ R8, load

	VMOVI $0, V0.B16
	VMOVI $0, V1.B16
	VMOVI $0, V2.B16
	VMOVI $0, V3.B16
	VMOVI $0, V4.B16
	VMOVI $0, V5.B16
	VMOVI $0, V6.B16
	VMOVI $0, V7.B16
	VMOVI $0, V8.B16
	VMOVI $0, V9.B16
	VMOVI $0, V10.B16
	VMOVI $0, V11.B16
	VMOVI $0, V12.B16
	VMOVI $0, V13.B16
	VMOVI $0, V14.B16
	VMOVI $0, V15.B16
	VMOVI $0, V16.B16
	VMOVI $0, V17.B16
	VMOVI $0, V18.B16
	VMOVI $0, V19.B16
	VMOVI $0, V20.B16
	VMOVI $0, V21.B16
	VMOVI $0, V22.B16
	VMOVI $0, V23.B16
	B    start

load:
	MOVD R0, R9
	FLDPQ (R9), (F0, F1)
	FLDPQ 32(R9), (F2, F3)
	FLDPQ 64(R9), (F4, F5)
	ADD R1, R9
	FLDPQ (R9), (F6, F7)
	FLDPQ 32(R9), (F8, F9)
	FLDPQ 64(R9), (F10, F11)
	ADD R1, R9
	FLDPQ (R9), (F12, F13)
	FLDPQ 32(R9), (F14, F15)
	FLDPQ 64(R9), (F16, F17)
	ADD R1, R9
	FLDPQ (R9), (F18, F19)
	FLDPQ 32(R9), (F20, F21)
	FLDPQ 64(R9), (F22, F23)

start:
	MOVD R2, R10               // a[p][k]
	MOVD R5, R11               // off[k]
	MOVD R6, R12               // how many are left

loop:
	MOVW.P 4(R11), R13
	ADD  R13<<2, R4, R13
	FLDPQ (R13), (F24, F25)
	FLDPQ 32(R13), (F26, F27)
	FLDPQ 64(R13), (F28, F29)
	FMOVQ.P 16(R10), F30
	WORD $0x4F9E1300 // FMLA V0.4S, V24.4S, V30.S[0]
	WORD $0x4F9E1321 // FMLA V1.4S, V25.4S, V30.S[0]
	WORD $0x4F9E1342 // FMLA V2.4S, V26.4S, V30.S[0]
	WORD $0x4F9E1363 // FMLA V3.4S, V27.4S, V30.S[0]
	WORD $0x4F9E1384 // FMLA V4.4S, V28.4S, V30.S[0]
	WORD $0x4F9E13A5 // FMLA V5.4S, V29.4S, V30.S[0]
	WORD $0x4FBE1306 // FMLA V6.4S, V24.4S, V30.S[1]
	WORD $0x4FBE1327 // FMLA V7.4S, V25.4S, V30.S[1]
	WORD $0x4FBE1348 // FMLA V8.4S, V26.4S, V30.S[1]
	WORD $0x4FBE1369 // FMLA V9.4S, V27.4S, V30.S[1]
	WORD $0x4FBE138A // FMLA V10.4S, V28.4S, V30.S[1]
	WORD $0x4FBE13AB // FMLA V11.4S, V29.4S, V30.S[1]
	WORD $0x4F9E1B0C // FMLA V12.4S, V24.4S, V30.S[2]
	WORD $0x4F9E1B2D // FMLA V13.4S, V25.4S, V30.S[2]
	WORD $0x4F9E1B4E // FMLA V14.4S, V26.4S, V30.S[2]
	WORD $0x4F9E1B6F // FMLA V15.4S, V27.4S, V30.S[2]
	WORD $0x4F9E1B90 // FMLA V16.4S, V28.4S, V30.S[2]
	WORD $0x4F9E1BB1 // FMLA V17.4S, V29.4S, V30.S[2]
	WORD $0x4FBE1B12 // FMLA V18.4S, V24.4S, V30.S[3]
	WORD $0x4FBE1B33 // FMLA V19.4S, V25.4S, V30.S[3]
	WORD $0x4FBE1B54 // FMLA V20.4S, V26.4S, V30.S[3]
	WORD $0x4FBE1B75 // FMLA V21.4S, V27.4S, V30.S[3]
	WORD $0x4FBE1B96 // FMLA V22.4S, V28.4S, V30.S[3]
	WORD $0x4FBE1BB7 // FMLA V23.4S, V29.4S, V30.S[3]
	SUB  $1, R12
	CBNZ R12, loop

	FSTPQ (F0, F1), (R0)
	FSTPQ (F2, F3), 32(R0)
	FSTPQ (F4, F5), 64(R0)
	ADD R1, R0
	FSTPQ (F6, F7), (R0)
	FSTPQ (F8, F9), 32(R0)
	FSTPQ (F10, F11), 64(R0)
	ADD R1, R0
	FSTPQ (F12, F13), (R0)
	FSTPQ (F14, F15), 32(R0)
	FSTPQ (F16, F17), 64(R0)
	ADD R1, R0
	FSTPQ (F18, F19), (R0)
	FSTPQ (F20, F21), 32(R0)
	FSTPQ (F22, F23), 64(R0)
	ADD R1, R0
	ADD  R3, R2
	SUB  $1, R7
	CBNZ R7, panel
	RET
