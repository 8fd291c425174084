//go:build !noasm

#include "textflag.h"

// Constants of sigmoid, one a lane of a broadcast.
DATA sigmoidConst<>+0(SB)/4, $-86.0             // exp(-86) ≈ 4.5e-38, the smallest that keeps 2ⁿ a normal number
DATA sigmoidConst<>+4(SB)/4, $1.4426950408889634 // 1/ln 2
DATA sigmoidConst<>+8(SB)/4, $0.693359375       // ln 2 = this, exact in 9 bits, …
DATA sigmoidConst<>+12(SB)/4, $-2.12194440e-4   // … + this
DATA sigmoidConst<>+16(SB)/4, $1.9841269841e-4  // 1/7!
DATA sigmoidConst<>+20(SB)/4, $1.3888888889e-3  // 1/6!
DATA sigmoidConst<>+24(SB)/4, $8.3333333333e-3  // 1/5!
DATA sigmoidConst<>+28(SB)/4, $4.1666666667e-2  // 1/4!
DATA sigmoidConst<>+32(SB)/4, $1.6666666667e-1  // 1/3!
DATA sigmoidConst<>+36(SB)/4, $0.5              // 1/2!
DATA sigmoidConst<>+40(SB)/4, $1.0
DATA sigmoidConst<>+44(SB)/4, $0x80000000       // the sign bit
GLOBL sigmoidConst<>(SB), RODATA|NOPTR, $48

// func sigmoidAVX2(dst, x *float32, n int)
//
//	for each i:
//	    z = max(-|x[i]|, -86)                           // never overflows; NaN stays
//	    n = round(z / ln 2); r = z - n·ln 2             // |r| <= ln 2 / 2
//	    e = 2ⁿ · (1 + r + r²/2! + … + r⁷/7!)            // exp(z); 2ⁿ is added to the exponent bits
//	    dst[i] = (x[i] < 0 ? e : 1) / (1 + e)
TEXT ·sigmoidAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS sigmoidConst<>+44(SB), Y15
	VBROADCASTSS sigmoidConst<>+0(SB), Y14
	VBROADCASTSS sigmoidConst<>+4(SB), Y13
	VBROADCASTSS sigmoidConst<>+8(SB), Y12
	VBROADCASTSS sigmoidConst<>+12(SB), Y11
	VBROADCASTSS sigmoidConst<>+16(SB), Y10
	VBROADCASTSS sigmoidConst<>+20(SB), Y9
	VBROADCASTSS sigmoidConst<>+24(SB), Y8
	VBROADCASTSS sigmoidConst<>+28(SB), Y7
	VBROADCASTSS sigmoidConst<>+32(SB), Y6
	VBROADCASTSS sigmoidConst<>+36(SB), Y5
	VBROADCASTSS sigmoidConst<>+40(SB), Y4
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Y0
	VORPS Y15, Y0, Y1
	VMAXPS Y1, Y14, Y1
	VMULPS Y13, Y1, Y2
	VROUNDPS $8, Y2, Y2
	VFNMADD231PS Y12, Y2, Y1
	VFNMADD231PS Y11, Y2, Y1
	VMOVAPS Y10, Y3
	VFMADD213PS Y9, Y1, Y3
	VFMADD213PS Y8, Y1, Y3
	VFMADD213PS Y7, Y1, Y3
	VFMADD213PS Y6, Y1, Y3
	VFMADD213PS Y5, Y1, Y3
	VFMADD213PS Y4, Y1, Y3
	VFMADD213PS Y4, Y1, Y3
	VCVTPS2DQ Y2, Y2
	VPSLLD $23, Y2, Y2
	VPADDD Y2, Y3, Y3
	VADDPS Y4, Y3, Y1
	VBLENDVPS Y0, Y3, Y4, Y0
	VDIVPS Y1, Y0, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func sigmoidAVX512(dst, x *float32, n int)
//
//	for each i:
//	    z = max(-|x[i]|, -86)                           // never overflows; NaN stays
//	    n = round(z / ln 2); r = z - n·ln 2             // |r| <= ln 2 / 2
//	    e = 2ⁿ · (1 + r + r²/2! + … + r⁷/7!)            // exp(z); 2ⁿ is added to the exponent bits
//	    dst[i] = (x[i] < 0 ? e : 1) / (1 + e)
TEXT ·sigmoidAVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS sigmoidConst<>+44(SB), Z15
	VBROADCASTSS sigmoidConst<>+0(SB), Z14
	VBROADCASTSS sigmoidConst<>+4(SB), Z13
	VBROADCASTSS sigmoidConst<>+8(SB), Z12
	VBROADCASTSS sigmoidConst<>+12(SB), Z11
	VBROADCASTSS sigmoidConst<>+16(SB), Z10
	VBROADCASTSS sigmoidConst<>+20(SB), Z9
	VBROADCASTSS sigmoidConst<>+24(SB), Z8
	VBROADCASTSS sigmoidConst<>+28(SB), Z7
	VBROADCASTSS sigmoidConst<>+32(SB), Z6
	VBROADCASTSS sigmoidConst<>+36(SB), Z5
	VBROADCASTSS sigmoidConst<>+40(SB), Z4
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Z0
	VORPS Z15, Z0, Z1
	VMAXPS Z1, Z14, Z1
	VMULPS Z13, Z1, Z2
	VRNDSCALEPS $8, Z2, Z2
	VFNMADD231PS Z12, Z2, Z1
	VFNMADD231PS Z11, Z2, Z1
	VMOVAPS Z10, Z3
	VFMADD213PS Z9, Z1, Z3
	VFMADD213PS Z8, Z1, Z3
	VFMADD213PS Z7, Z1, Z3
	VFMADD213PS Z6, Z1, Z3
	VFMADD213PS Z5, Z1, Z3
	VFMADD213PS Z4, Z1, Z3
	VFMADD213PS Z4, Z1, Z3
	VCVTPS2DQ Z2, Z2
	VPSLLD $23, Z2, Z2
	VPADDD Z2, Z3, Z3
	VADDPS Z4, Z3, Z1
	VPMOVD2M Z0, K1
	VBLENDMPS Z3, Z4, K1, Z0
	VDIVPS Z1, Z0, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func sigmoidBackwardAVX2(dst, dy, y *float32, n int)
//
//	for each i: dst[i] = dy[i] · y[i] · (1 - y[i])
TEXT ·sigmoidBackwardAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ dy+8(FP), SI
	MOVQ y+16(FP), DX
	MOVQ n+24(FP), CX
	VBROADCASTSS sigmoidConst<>+40(SB), Y4
	XORL AX, AX

loop:
	VMOVUPS (DX)(AX*4), Y0
	VSUBPS Y0, Y4, Y1
	VMULPS Y1, Y0, Y0
	VMULPS (SI)(AX*4), Y0, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func sigmoidBackwardAVX512(dst, dy, y *float32, n int)
//
//	for each i: dst[i] = dy[i] · y[i] · (1 - y[i])
TEXT ·sigmoidBackwardAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ dy+8(FP), SI
	MOVQ y+16(FP), DX
	MOVQ n+24(FP), CX
	VBROADCASTSS sigmoidConst<>+40(SB), Z4
	XORL AX, AX

loop:
	VMOVUPS (DX)(AX*4), Z0
	VSUBPS Z0, Z4, Z1
	VMULPS Z1, Z0, Z0
	VMULPS (SI)(AX*4), Z0, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

