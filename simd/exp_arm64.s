//go:build !noasm

#include "textflag.h"

// Constants of exp, broadcast to V16…V27 in this order.
DATA expConst<>+0(SB)/4, $89.0 // exp(89) is beyond the largest float32
DATA expConst<>+4(SB)/4, $-104.0 // exp(-104) is below the smallest
DATA expConst<>+8(SB)/4, $1.4426950408889634 // 1/ln 2
DATA expConst<>+12(SB)/4, $0.693359375 // ln 2 = this, exact in 9 bits, …
DATA expConst<>+16(SB)/4, $-2.12194440e-4 // … + this
DATA expConst<>+20(SB)/4, $1.9841269841e-4 // 1/7!
DATA expConst<>+24(SB)/4, $1.3888888889e-3 // 1/6!
DATA expConst<>+28(SB)/4, $8.3333333333e-3 // 1/5!
DATA expConst<>+32(SB)/4, $4.1666666667e-2 // 1/4!
DATA expConst<>+36(SB)/4, $1.6666666667e-1 // 1/3!
DATA expConst<>+40(SB)/4, $0.5 // 1/2!
DATA expConst<>+44(SB)/4, $1.0 // also the bits of 2⁰
GLOBL expConst<>(SB), RODATA|NOPTR, $48

// func expNEON(dst, x *float32, n int)
//
//	for each i:
//	    z = max(min(x[i], 89), -104)                    // NaN stays
//	    n = round(z / ln 2); r = z - n·ln 2             // |r| <= ln 2 / 2
//	    e = 1 + r + r²/2! + … + r⁷/7!
//	    dst[i] = e · 2^⌊n/2⌋ · 2^(n-⌊n/2⌋)              // each within range, also where n is not
TEXT ·expNEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD n+16(FP), R3
	MOVD $expConst<>(SB), R4
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
	FMOVQ.P 16(R1), F0
	WORD $0x4EB0F400 // FMIN V0.4S, V0.4S, V16.4S
	WORD $0x4E31F400 // FMAX V0.4S, V0.4S, V17.4S
	WORD $0x6E32DC01 // FMUL V1.4S, V0.4S, V18.4S
	WORD $0x4E218821 // FRINTN V1.4S, V1.4S
	VFMLS V19.S4, V1.S4, V0.S4
	VFMLS V20.S4, V1.S4, V0.S4
	VMOV V21.B16, V3.B16
	VMOV V22.B16, V2.B16
	VFMLA V0.S4, V3.S4, V2.S4
	VMOV V23.B16, V3.B16
	VFMLA V0.S4, V2.S4, V3.S4
	VMOV V24.B16, V2.B16
	VFMLA V0.S4, V3.S4, V2.S4
	VMOV V25.B16, V3.B16
	VFMLA V0.S4, V2.S4, V3.S4
	VMOV V26.B16, V2.B16
	VFMLA V0.S4, V3.S4, V2.S4
	VMOV V27.B16, V3.B16
	VFMLA V0.S4, V2.S4, V3.S4
	VMOV V27.B16, V2.B16
	VFMLA V0.S4, V3.S4, V2.S4
	WORD $0x4E21A821 // FCVTNS V1.4S, V1.4S
	WORD $0x4F3F0424 // SSHR V4.4S, V1.4S, #1
	VSUB V4.S4, V1.S4, V1.S4
	VSHL $23, V1.S4, V1.S4
	VADD V27.S4, V1.S4, V1.S4
	VSHL $23, V4.S4, V4.S4
	VADD V27.S4, V4.S4, V4.S4
	WORD $0x6E21DC42 // FMUL V2.4S, V2.4S, V1.4S
	WORD $0x6E24DC42 // FMUL V2.4S, V2.4S, V4.4S
	FMOVQ.P F2, 16(R0)
	SUB  $4, R3
	CBNZ R3, loop
	RET
