//go:build !noasm

#include "textflag.h"

// Constants of gelu, broadcast to V8…V25 in this order.
DATA geluConst<>+0(SB)/4, $-86.0 // exp(-86) ≈ 4.5e-38, the smallest that keeps 2ⁿ a normal number
DATA geluConst<>+4(SB)/4, $1.4426950408889634 // 1/ln 2
DATA geluConst<>+8(SB)/4, $0.693359375 // ln 2 = this, exact in 9 bits, …
DATA geluConst<>+12(SB)/4, $-2.12194440e-4 // … + this
DATA geluConst<>+16(SB)/4, $1.9841269841e-4 // 1/7!
DATA geluConst<>+20(SB)/4, $1.3888888889e-3 // 1/6!
DATA geluConst<>+24(SB)/4, $8.3333333333e-3 // 1/5!
DATA geluConst<>+28(SB)/4, $4.1666666667e-2 // 1/4!
DATA geluConst<>+32(SB)/4, $1.6666666667e-1 // 1/3!
DATA geluConst<>+36(SB)/4, $0.5 // 1/2!
DATA geluConst<>+40(SB)/4, $1.0
DATA geluConst<>+44(SB)/4, $-0.5
DATA geluConst<>+48(SB)/4, $0.2316418883 // 0.3275911/√2, and half of the coefficients of 7.1.26:
DATA geluConst<>+52(SB)/4, $0.5307027145 // b5
DATA geluConst<>+56(SB)/4, $-0.7265760135 // b4
DATA geluConst<>+60(SB)/4, $0.7107068705 // b3
DATA geluConst<>+64(SB)/4, $-0.142248368 // b2
DATA geluConst<>+68(SB)/4, $0.127414796 // b1
GLOBL geluConst<>(SB), RODATA|NOPTR, $72

// func geluNEON(dst, x *float32, n int)
//
//	for each i:
//	    z = max(-x[i]²/2, -86)                           // never overflows; NaN stays
//	    n = round(z / ln 2); r = z - n·ln 2              // |r| <= ln 2 / 2
//	    e = 2ⁿ · (1 + r + r²/2! + … + r⁷/7!)             // exp(z); 2ⁿ is added to the exponent bits
//	    t = 1 / (1 + 0.3275911/√2·|x[i]|)
//	    q = e·t · (b1 + t·(b2 + t·(b3 + t·(b4 + t·b5)))) // Φ(-|x[i]|)
//	    dst[i] = x[i] · (x[i] < 0 ? q : 1 - q)
TEXT ·geluNEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD n+16(FP), R3
	MOVD $geluConst<>(SB), R4
	VLD1R.P 4(R4), [V8.S4]
	VLD1R.P 4(R4), [V9.S4]
	VLD1R.P 4(R4), [V10.S4]
	VLD1R.P 4(R4), [V11.S4]
	VLD1R.P 4(R4), [V12.S4]
	VLD1R.P 4(R4), [V13.S4]
	VLD1R.P 4(R4), [V14.S4]
	VLD1R.P 4(R4), [V15.S4]
	VLD1R.P 4(R4), [V16.S4]
	VLD1R.P 4(R4), [V17.S4]
	VLD1R.P 4(R4), [V18.S4]
	VLD1R.P 4(R4), [V19.S4]
	VLD1R.P 4(R4), [V20.S4]
	VLD1R.P 4(R4), [V21.S4]
	VLD1R.P 4(R4), [V22.S4]
	VLD1R.P 4(R4), [V23.S4]
	VLD1R.P 4(R4), [V24.S4]
	VLD1R.P 4(R4), [V25.S4]

loop:
	FMOVQ.P 16(R1), F5
	WORD $0x6E33DCA0 // FMUL V0.4S, V5.4S, V19.4S
	WORD $0x6E25DC00 // FMUL V0.4S, V0.4S, V5.4S
	WORD $0x4E28F400 // FMAX V0.4S, V0.4S, V8.4S
	WORD $0x6E29DC01 // FMUL V1.4S, V0.4S, V9.4S
	WORD $0x4E218821 // FRINTN V1.4S, V1.4S
	VFMLS V10.S4, V1.S4, V0.S4
	VFMLS V11.S4, V1.S4, V0.S4
	VMOV V12.B16, V3.B16
	VMOV V13.B16, V2.B16
	VFMLA V0.S4, V3.S4, V2.S4
	VMOV V14.B16, V3.B16
	VFMLA V0.S4, V2.S4, V3.S4
	VMOV V15.B16, V2.B16
	VFMLA V0.S4, V3.S4, V2.S4
	VMOV V16.B16, V3.B16
	VFMLA V0.S4, V2.S4, V3.S4
	VMOV V17.B16, V2.B16
	VFMLA V0.S4, V3.S4, V2.S4
	VMOV V18.B16, V3.B16
	VFMLA V0.S4, V2.S4, V3.S4
	VMOV V18.B16, V2.B16
	VFMLA V0.S4, V3.S4, V2.S4
	WORD $0x4E21A821 // FCVTNS V1.4S, V1.4S
	VSHL $23, V1.S4, V1.S4
	VADD V1.S4, V2.S4, V4.S4        // this is e
	WORD $0x4EA0F8A1 // FABS V1.4S, V5.4S
	VMOV V18.B16, V0.B16
	VFMLA V20.S4, V1.S4, V0.S4
	WORD $0x6E20FE40 // FDIV V0.4S, V18.4S, V0.4S; this is t
	WORD $0x6E20DC84 // FMUL V4.4S, V4.4S, V0.4S
	VMOV V21.B16, V3.B16
	VMOV V22.B16, V2.B16
	VFMLA V0.S4, V3.S4, V2.S4
	VMOV V23.B16, V3.B16
	VFMLA V0.S4, V2.S4, V3.S4
	VMOV V24.B16, V2.B16
	VFMLA V0.S4, V3.S4, V2.S4
	VMOV V25.B16, V3.B16
	VFMLA V0.S4, V2.S4, V3.S4
	WORD $0x6E23DC84 // FMUL V4.4S, V4.4S, V3.4S; this is q
	WORD $0x4EA4D641 // FSUB V1.4S, V18.4S, V4.4S
	WORD $0x4EA0E8A6 // FCMLT V6.4S, V5.4S, #0.0
	VBSL V1.B16, V4.B16, V6.B16     // the mask's bits choose V4 or V1
	WORD $0x6E26DCA5 // FMUL V5.4S, V5.4S, V6.4S
	FMOVQ.P F5, 16(R0)
	SUB  $4, R3
	CBNZ R3, loop
	RET
