//go:build !noasm

#include "textflag.h"

// Constants of exp, one a lane of a broadcast.
DATA expConst<>+0(SB)/4, $89.0                 // exp(89) is beyond the largest float32
DATA expConst<>+4(SB)/4, $-104.0               // exp(-104) is below the smallest
DATA expConst<>+8(SB)/4, $1.4426950408889634   // 1/ln 2
DATA expConst<>+12(SB)/4, $0.693359375         // ln 2 = this, exact in 9 bits, …
DATA expConst<>+16(SB)/4, $-2.12194440e-4      // … + this
DATA expConst<>+20(SB)/4, $1.9841269841e-4     // 1/7!
DATA expConst<>+24(SB)/4, $1.3888888889e-3     // 1/6!
DATA expConst<>+28(SB)/4, $8.3333333333e-3     // 1/5!
DATA expConst<>+32(SB)/4, $4.1666666667e-2     // 1/4!
DATA expConst<>+36(SB)/4, $1.6666666667e-1     // 1/3!
DATA expConst<>+40(SB)/4, $0.5                 // 1/2!
DATA expConst<>+44(SB)/4, $1.0                 // also the bits of 2⁰
GLOBL expConst<>(SB), RODATA|NOPTR, $48

// func expAVX2(dst, x *float32, n int)
//
//	for each i:
//	    z = max(min(x[i], 89), -104)                    // NaN stays
//	    n = round(z / ln 2); r = z - n·ln 2             // |r| <= ln 2 / 2
//	    e = 1 + r + r²/2! + … + r⁷/7!
//	    dst[i] = e · 2^⌊n/2⌋ · 2^(n-⌊n/2⌋)              // each within range, also where n is not
TEXT ·expAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS expConst<>+0(SB), Y15
	VBROADCASTSS expConst<>+4(SB), Y14
	VBROADCASTSS expConst<>+8(SB), Y13
	VBROADCASTSS expConst<>+12(SB), Y12
	VBROADCASTSS expConst<>+16(SB), Y11
	VBROADCASTSS expConst<>+20(SB), Y10
	VBROADCASTSS expConst<>+24(SB), Y9
	VBROADCASTSS expConst<>+28(SB), Y8
	VBROADCASTSS expConst<>+32(SB), Y7
	VBROADCASTSS expConst<>+36(SB), Y6
	VBROADCASTSS expConst<>+40(SB), Y5
	VBROADCASTSS expConst<>+44(SB), Y4
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Y0
	VMINPS Y0, Y15, Y0
	VMAXPS Y0, Y14, Y0
	VMULPS Y13, Y0, Y1
	VROUNDPS $8, Y1, Y1
	VFNMADD231PS Y12, Y1, Y0
	VFNMADD231PS Y11, Y1, Y0
	VMOVAPS Y10, Y3
	VFMADD213PS Y9, Y0, Y3
	VFMADD213PS Y8, Y0, Y3
	VFMADD213PS Y7, Y0, Y3
	VFMADD213PS Y6, Y0, Y3
	VFMADD213PS Y5, Y0, Y3
	VFMADD213PS Y4, Y0, Y3
	VFMADD213PS Y4, Y0, Y3
	VCVTPS2DQ Y1, Y1
	VPSRAD $1, Y1, Y2
	VPSUBD Y2, Y1, Y1
	VPSLLD $23, Y1, Y1
	VPADDD Y4, Y1, Y1
	VPSLLD $23, Y2, Y2
	VPADDD Y4, Y2, Y2
	VMULPS Y1, Y3, Y3
	VMULPS Y2, Y3, Y3
	VMOVUPS Y3, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func expAVX512(dst, x *float32, n int)
//
//	for each i:
//	    z = max(min(x[i], 89), -104)                    // NaN stays
//	    n = round(z / ln 2); r = z - n·ln 2             // |r| <= ln 2 / 2
//	    e = 1 + r + r²/2! + … + r⁷/7!
//	    dst[i] = e · 2^⌊n/2⌋ · 2^(n-⌊n/2⌋)              // each within range, also where n is not
TEXT ·expAVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS expConst<>+0(SB), Z15
	VBROADCASTSS expConst<>+4(SB), Z14
	VBROADCASTSS expConst<>+8(SB), Z13
	VBROADCASTSS expConst<>+12(SB), Z12
	VBROADCASTSS expConst<>+16(SB), Z11
	VBROADCASTSS expConst<>+20(SB), Z10
	VBROADCASTSS expConst<>+24(SB), Z9
	VBROADCASTSS expConst<>+28(SB), Z8
	VBROADCASTSS expConst<>+32(SB), Z7
	VBROADCASTSS expConst<>+36(SB), Z6
	VBROADCASTSS expConst<>+40(SB), Z5
	VBROADCASTSS expConst<>+44(SB), Z4
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Z0
	VMINPS Z0, Z15, Z0
	VMAXPS Z0, Z14, Z0
	VMULPS Z13, Z0, Z1
	VRNDSCALEPS $8, Z1, Z1
	VFNMADD231PS Z12, Z1, Z0
	VFNMADD231PS Z11, Z1, Z0
	VMOVAPS Z10, Z3
	VFMADD213PS Z9, Z0, Z3
	VFMADD213PS Z8, Z0, Z3
	VFMADD213PS Z7, Z0, Z3
	VFMADD213PS Z6, Z0, Z3
	VFMADD213PS Z5, Z0, Z3
	VFMADD213PS Z4, Z0, Z3
	VFMADD213PS Z4, Z0, Z3
	VCVTPS2DQ Z1, Z1
	VPSRAD $1, Z1, Z2
	VPSUBD Z2, Z1, Z1
	VPSLLD $23, Z1, Z1
	VPADDD Z4, Z1, Z1
	VPSLLD $23, Z2, Z2
	VPADDD Z4, Z2, Z2
	VMULPS Z1, Z3, Z3
	VMULPS Z2, Z3, Z3
	VMOVUPS Z3, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

