//go:build !noasm

#include "textflag.h"

// Constants of gelu, one a lane of a broadcast.
DATA geluConst<>+0(SB)/4, $-86.0                // exp(-86) ≈ 4.5e-38, the smallest that keeps 2ⁿ a normal number
DATA geluConst<>+4(SB)/4, $1.4426950408889634   // 1/ln 2
DATA geluConst<>+8(SB)/4, $0.693359375          // ln 2 = this, exact in 9 bits, …
DATA geluConst<>+12(SB)/4, $-2.12194440e-4      // … + this
DATA geluConst<>+16(SB)/4, $1.9841269841e-4     // 1/7!
DATA geluConst<>+20(SB)/4, $1.3888888889e-3     // 1/6!
DATA geluConst<>+24(SB)/4, $8.3333333333e-3     // 1/5!
DATA geluConst<>+28(SB)/4, $4.1666666667e-2     // 1/4!
DATA geluConst<>+32(SB)/4, $1.6666666667e-1     // 1/3!
DATA geluConst<>+36(SB)/4, $0.5                 // 1/2!
DATA geluConst<>+40(SB)/4, $1.0
DATA geluConst<>+44(SB)/4, $0x7fffffff          // all bits but the sign
DATA geluConst<>+48(SB)/4, $-0.5
DATA geluConst<>+52(SB)/4, $0.2316418883        // 0.3275911/√2, and half of the coefficients of 7.1.26:
DATA geluConst<>+56(SB)/4, $0.127414796         // b1
DATA geluConst<>+60(SB)/4, $-0.142248368        // b2
DATA geluConst<>+64(SB)/4, $0.7107068705        // b3
DATA geluConst<>+68(SB)/4, $-0.7265760135       // b4
DATA geluConst<>+72(SB)/4, $0.5307027145        // b5
GLOBL geluConst<>(SB), RODATA|NOPTR, $76

// func geluAVX2(dst, x *float32, n int)
//
//	for each i:
//	    z = max(-x[i]²/2, -86)                           // never overflows; NaN stays
//	    n = round(z / ln 2); r = z - n·ln 2              // |r| <= ln 2 / 2
//	    e = 2ⁿ · (1 + r + r²/2! + … + r⁷/7!)             // exp(z); 2ⁿ is added to the exponent bits
//	    t = 1 / (1 + 0.3275911/√2·|x[i]|)
//	    q = e·t · (b1 + t·(b2 + t·(b3 + t·(b4 + t·b5)))) // Φ(-|x[i]|)
//	    dst[i] = x[i] · (x[i] < 0 ? q : 1 - q)
TEXT ·geluAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS geluConst<>+4(SB), Y15
	VBROADCASTSS geluConst<>+8(SB), Y14
	VBROADCASTSS geluConst<>+12(SB), Y13
	VBROADCASTSS geluConst<>+16(SB), Y12
	VBROADCASTSS geluConst<>+20(SB), Y11
	VBROADCASTSS geluConst<>+24(SB), Y10
	VBROADCASTSS geluConst<>+28(SB), Y9
	VBROADCASTSS geluConst<>+32(SB), Y8
	VBROADCASTSS geluConst<>+36(SB), Y7
	VBROADCASTSS geluConst<>+40(SB), Y6
	VBROADCASTSS geluConst<>+44(SB), Y5
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Y0
	VBROADCASTSS geluConst<>+48(SB), Y4
	VMULPS Y4, Y0, Y1
	VMULPS Y1, Y0, Y1
	VBROADCASTSS geluConst<>+0(SB), Y4
	VMAXPS Y1, Y4, Y1
	VMULPS Y15, Y1, Y2
	VROUNDPS $8, Y2, Y2
	VFNMADD231PS Y14, Y2, Y1
	VFNMADD231PS Y13, Y2, Y1
	VMOVAPS Y12, Y3
	VFMADD213PS Y11, Y1, Y3
	VFMADD213PS Y10, Y1, Y3
	VFMADD213PS Y9, Y1, Y3
	VFMADD213PS Y8, Y1, Y3
	VFMADD213PS Y7, Y1, Y3
	VFMADD213PS Y6, Y1, Y3
	VFMADD213PS Y6, Y1, Y3
	VCVTPS2DQ Y2, Y2
	VPSLLD $23, Y2, Y2
	VPADDD Y2, Y3, Y3
	VANDPS Y5, Y0, Y1
	VBROADCASTSS geluConst<>+52(SB), Y4
	VFMADD213PS Y6, Y4, Y1
	VDIVPS Y1, Y6, Y1
	VMULPS Y1, Y3, Y3
	VBROADCASTSS geluConst<>+72(SB), Y2
	VBROADCASTSS geluConst<>+68(SB), Y4
	VFMADD213PS Y4, Y1, Y2
	VBROADCASTSS geluConst<>+64(SB), Y4
	VFMADD213PS Y4, Y1, Y2
	VBROADCASTSS geluConst<>+60(SB), Y4
	VFMADD213PS Y4, Y1, Y2
	VBROADCASTSS geluConst<>+56(SB), Y4
	VFMADD213PS Y4, Y1, Y2
	VMULPS Y2, Y3, Y3
	VSUBPS Y3, Y6, Y1
	VBLENDVPS Y0, Y3, Y1, Y1
	VMULPS Y1, Y0, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func geluAVX512(dst, x *float32, n int)
//
//	for each i:
//	    z = max(-x[i]²/2, -86)                           // never overflows; NaN stays
//	    n = round(z / ln 2); r = z - n·ln 2              // |r| <= ln 2 / 2
//	    e = 2ⁿ · (1 + r + r²/2! + … + r⁷/7!)             // exp(z); 2ⁿ is added to the exponent bits
//	    t = 1 / (1 + 0.3275911/√2·|x[i]|)
//	    q = e·t · (b1 + t·(b2 + t·(b3 + t·(b4 + t·b5)))) // Φ(-|x[i]|)
//	    dst[i] = x[i] · (x[i] < 0 ? q : 1 - q)
TEXT ·geluAVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS geluConst<>+4(SB), Z15
	VBROADCASTSS geluConst<>+8(SB), Z14
	VBROADCASTSS geluConst<>+12(SB), Z13
	VBROADCASTSS geluConst<>+16(SB), Z12
	VBROADCASTSS geluConst<>+20(SB), Z11
	VBROADCASTSS geluConst<>+24(SB), Z10
	VBROADCASTSS geluConst<>+28(SB), Z9
	VBROADCASTSS geluConst<>+32(SB), Z8
	VBROADCASTSS geluConst<>+36(SB), Z7
	VBROADCASTSS geluConst<>+40(SB), Z6
	VBROADCASTSS geluConst<>+44(SB), Z5
	VBROADCASTSS geluConst<>+48(SB), Z16
	VBROADCASTSS geluConst<>+0(SB), Z17
	VBROADCASTSS geluConst<>+52(SB), Z18
	VBROADCASTSS geluConst<>+72(SB), Z19
	VBROADCASTSS geluConst<>+68(SB), Z20
	VBROADCASTSS geluConst<>+64(SB), Z21
	VBROADCASTSS geluConst<>+60(SB), Z22
	VBROADCASTSS geluConst<>+56(SB), Z23
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Z0
	VMULPS Z16, Z0, Z1
	VMULPS Z1, Z0, Z1
	VMAXPS Z1, Z17, Z1
	VMULPS Z15, Z1, Z2
	VRNDSCALEPS $8, Z2, Z2
	VFNMADD231PS Z14, Z2, Z1
	VFNMADD231PS Z13, Z2, Z1
	VMOVAPS Z12, Z3
	VFMADD213PS Z11, Z1, Z3
	VFMADD213PS Z10, Z1, Z3
	VFMADD213PS Z9, Z1, Z3
	VFMADD213PS Z8, Z1, Z3
	VFMADD213PS Z7, Z1, Z3
	VFMADD213PS Z6, Z1, Z3
	VFMADD213PS Z6, Z1, Z3
	VCVTPS2DQ Z2, Z2
	VPSLLD $23, Z2, Z2
	VPADDD Z2, Z3, Z3
	VPANDD Z5, Z0, Z1
	VFMADD213PS Z6, Z18, Z1
	VDIVPS Z1, Z6, Z1
	VMULPS Z1, Z3, Z3
	VMOVAPS Z19, Z2
	VFMADD213PS Z20, Z1, Z2
	VFMADD213PS Z21, Z1, Z2
	VFMADD213PS Z22, Z1, Z2
	VFMADD213PS Z23, Z1, Z2
	VMULPS Z2, Z3, Z3
	VSUBPS Z3, Z6, Z1
	VPMOVD2M Z0, K1
	VBLENDMPS Z3, Z1, K1, Z1
	VMULPS Z1, Z0, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET
