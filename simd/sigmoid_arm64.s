//go:build !noasm

#include "textflag.h"

// Constants of sigmoid, broadcast to V16…V27 in this order.
DATA sigmoidConst<>+0(SB)/4, $-86.0 // exp(-86) ≈ 4.5e-38, the smallest that keeps 2ⁿ a normal number
DATA sigmoidConst<>+4(SB)/4, $1.4426950408889634 // 1/ln 2
DATA sigmoidConst<>+8(SB)/4, $0.693359375 // ln 2 = this, exact in 9 bits, …
DATA sigmoidConst<>+12(SB)/4, $-2.12194440e-4 // … + this
DATA sigmoidConst<>+16(SB)/4, $1.9841269841e-4 // 1/7!
DATA sigmoidConst<>+20(SB)/4, $1.3888888889e-3 // 1/6!
DATA sigmoidConst<>+24(SB)/4, $8.3333333333e-3 // 1/5!
DATA sigmoidConst<>+28(SB)/4, $4.1666666667e-2 // 1/4!
DATA sigmoidConst<>+32(SB)/4, $1.6666666667e-1 // 1/3!
DATA sigmoidConst<>+36(SB)/4, $0.5 // 1/2!
DATA sigmoidConst<>+40(SB)/4, $1.0
DATA sigmoidConst<>+44(SB)/4, $0x80000000 // the sign bit
GLOBL sigmoidConst<>(SB), RODATA|NOPTR, $48

// func sigmoidNEON(dst, x *float32, n int)
//
//	for each i:
//	    z = max(-|x[i]|, -86)                           // never overflows; NaN stays
//	    n = round(z / ln 2); r = z - n·ln 2             // |r| <= ln 2 / 2
//	    e = 2ⁿ · (1 + r + r²/2! + … + r⁷/7!)            // exp(z); 2ⁿ is added to the exponent bits
//	    dst[i] = (x[i] < 0 ? e : 1) / (1 + e)
TEXT ·sigmoidNEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD n+16(FP), R3
	MOVD $sigmoidConst<>(SB), R4
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
	VLD1R.P 4(R4), [V26.S4]
	VLD1R.P 4(R4), [V27.S4]

loop:
	FMOVQ.P 16(R1), F5
	VORR V27.B16, V5.B16, V0.B16
	WORD $0x4E30F400 // FMAX V0.4S, V0.4S, V16.4S
	WORD $0x6E31DC01 // FMUL V1.4S, V0.4S, V17.4S
	WORD $0x4E218821 // FRINTN V1.4S, V1.4S
	VFMLS V18.S4, V1.S4, V0.S4
	VFMLS V19.S4, V1.S4, V0.S4
	VMOV V20.B16, V3.B16
	VMOV V21.B16, V2.B16
	VFMLA V0.S4, V3.S4, V2.S4
	VMOV V22.B16, V3.B16
	VFMLA V0.S4, V2.S4, V3.S4
	VMOV V23.B16, V2.B16
	VFMLA V0.S4, V3.S4, V2.S4
	VMOV V24.B16, V3.B16
	VFMLA V0.S4, V2.S4, V3.S4
	VMOV V25.B16, V2.B16
	VFMLA V0.S4, V3.S4, V2.S4
	VMOV V26.B16, V3.B16
	VFMLA V0.S4, V2.S4, V3.S4
	VMOV V26.B16, V2.B16
	VFMLA V0.S4, V3.S4, V2.S4
	WORD $0x4E21A821 // FCVTNS V1.4S, V1.4S
	VSHL $23, V1.S4, V1.S4
	VADD V1.S4, V2.S4, V2.S4
	WORD $0x4E3AD443 // FADD V3.4S, V2.4S, V26.4S
	WORD $0x4EA0E8A5 // FCMLT V5.4S, V5.4S, #0.0
	VBSL V26.B16, V2.B16, V5.B16    // the mask's bits choose V2 or V26
	WORD $0x6E23FCA5 // FDIV V5.4S, V5.4S, V3.4S
	FMOVQ.P F5, 16(R0)
	SUB  $4, R3
	CBNZ R3, loop
	RET

// func sigmoidBackwardNEON(dst, dy, y *float32, n int)
//
//	for each i: dst[i] = dy[i] · y[i] · (1 - y[i])
TEXT ·sigmoidBackwardNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD dy+8(FP), R1
	MOVD y+16(FP), R2
	MOVD n+24(FP), R3
	WORD $0x4F03F607 // FMOV V7.4S, #1.0

loop:
	FMOVQ.P 16(R1), F0
	FMOVQ.P 16(R2), F1
	WORD $0x4EA1D4E2 // FSUB V2.4S, V7.4S, V1.4S
	WORD $0x6E22DC21 // FMUL V1.4S, V1.4S, V2.4S
	WORD $0x6E21DC00 // FMUL V0.4S, V0.4S, V1.4S
	FMOVQ.P F0, 16(R0)
	SUB  $4, R3
	CBNZ R3, loop
	RET
