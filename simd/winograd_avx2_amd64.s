//go:build !noasm

#include "textflag.h"

DATA winograd256<>+0(SB)/4, $0.7071067811865476   // a
DATA winograd256<>+4(SB)/4, $1.4142135623730951   // b
DATA winograd256<>+8(SB)/4, $0.5                  // a²
DATA winograd256<>+12(SB)/4, $2.0                 // b²
DATA winograd256<>+16(SB)/4, $2.5                 // a²+b²
DATA winograd256<>+20(SB)/4, $0.3535533905932738  // a³
DATA winograd256<>+24(SB)/4, $2.8284271247461903  // b³
GLOBL winograd256<>(SB), RODATA|NOPTR, $28

DATA firstPixels<>+0(SB)/8, $-1
DATA firstPixels<>+8(SB)/8, $-1
DATA firstPixels<>+16(SB)/8, $-1
DATA firstPixels<>+24(SB)/8, $-1
DATA firstPixels<>+32(SB)/8, $0
DATA firstPixels<>+40(SB)/8, $0
DATA firstPixels<>+48(SB)/8, $0
DATA firstPixels<>+56(SB)/8, $0
GLOBL firstPixels<>(SB), RODATA|NOPTR, $64

#define A Y11
#define B Y12
#define HALF Y13
#define TWO Y14
#define TWO5 Y15

#define CONSTANTS \
	VBROADCASTSS winograd256<>+0(SB), A; \
	VBROADCASTSS winograd256<>+4(SB), B; \
	VBROADCASTSS winograd256<>+8(SB), HALF; \
	VBROADCASTSS winograd256<>+12(SB), TWO; \
	VBROADCASTSS winograd256<>+16(SB), TWO5

// For products with Aᵀ, 2 and a²+b² give way to a³ and b³.
#define A3 Y14
#define B3 Y15

#define CONSTANTS_AT \
	VBROADCASTSS winograd256<>+0(SB), A; \
	VBROADCASTSS winograd256<>+4(SB), B; \
	VBROADCASTSS winograd256<>+8(SB), HALF; \
	VBROADCASTSS winograd256<>+20(SB), A3; \
	VBROADCASTSS winograd256<>+24(SB), B3

// 32 pixels at p: four of the first 16 in the lower half of each of Y4…Y7, four of the others in
// the upper one. With a dilation of 4 these are the pixels 0, 1, 2 and 3 of eight tiles.
#define PIXELS(p) \
	VMOVUPS (p), X4; \
	VMOVUPS 16(p), X5; \
	VMOVUPS 32(p), X6; \
	VMOVUPS 48(p), X7; \
	VINSERTF128 $1, 64(p), Y4, Y4; \
	VINSERTF128 $1, 80(p), Y5, Y5; \
	VINSERTF128 $1, 96(p), Y6, Y6; \
	VINSERTF128 $1, 112(p), Y7, Y7

// The same from addresses of their own.
#define PIXELS4(p0, p1, p2, p3, q0, q1, q2, q3) \
	VMOVUPS p0, X4; \
	VMOVUPS p1, X5; \
	VMOVUPS p2, X6; \
	VMOVUPS p3, X7; \
	VINSERTF128 $1, q0, Y4, Y4; \
	VINSERTF128 $1, q1, Y5, Y5; \
	VINSERTF128 $1, q2, Y6, Y6; \
	VINSERTF128 $1, q3, Y7, Y7

#define PIXELS2(p0, p1, q0, q1) \
	VMOVUPS p0, X8; \
	VMOVUPS p1, X9; \
	VINSERTF128 $1, q0, Y8, Y8; \
	VINSERTF128 $1, q1, Y9, Y9

// The same pixels of Y4…Y7 in Y0…Y3, for a dilation of 4, 2 and 1.
#define TILES4 \
	VMOVAPS Y4, Y0; \
	VMOVAPS Y5, Y1; \
	VMOVAPS Y6, Y2; \
	VMOVAPS Y7, Y3

#define TILES2 \
	VUNPCKLPD Y6, Y4, Y0; \
	VUNPCKHPD Y6, Y4, Y1; \
	VUNPCKLPD Y7, Y5, Y2; \
	VUNPCKHPD Y7, Y5, Y3

#define TILES1 \
	VUNPCKLPS Y5, Y4, Y8; \
	VUNPCKHPS Y5, Y4, Y9; \
	VUNPCKLPS Y7, Y6, Y4; \
	VUNPCKHPS Y7, Y6, Y5; \
	VUNPCKLPD Y4, Y8, Y0; \
	VUNPCKHPD Y4, Y8, Y1; \
	VUNPCKLPD Y5, Y9, Y2; \
	VUNPCKHPD Y5, Y9, Y3

// The inverse: Y4…Y7 as PIXELS reads them, from Y0…Y3.
#define PLACE2 \
	VUNPCKLPD Y1, Y0, Y4; \
	VUNPCKHPD Y1, Y0, Y6; \
	VUNPCKLPD Y3, Y2, Y5; \
	VUNPCKHPD Y3, Y2, Y7

#define PLACE1 \
	VUNPCKLPS Y1, Y0, Y8; \
	VUNPCKHPS Y1, Y0, Y9; \
	VUNPCKLPS Y3, Y2, Y0; \
	VUNPCKHPS Y3, Y2, Y1; \
	VUNPCKLPD Y0, Y8, Y4; \
	VUNPCKHPD Y0, Y8, Y5; \
	VUNPCKLPD Y1, Y9, Y6; \
	VUNPCKHPD Y1, Y9, Y7

#define PLACE4 \
	VMOVAPS Y0, Y4; \
	VMOVAPS Y1, Y5; \
	VMOVAPS Y2, Y6; \
	VMOVAPS Y3, Y7

// m masks the first of eight pixels, of left that are left, or none.
#define MASK(left, t, u, m) \
	MOVQ left, t; \
	XORL u, u; \
	CMPQ t, $0; \
	CMOVQLT u, t; \
	NEGQ t; \
	LEAQ firstPixels<>+32(SB), u; \
	VMOVUPS (u)(t*4), m

// The products with Bᵀ of Y0…Y5 go to Y6 (0), Y9 (1), Y7 (2), Y10 (3), Y4 (4), Y5 (5).
#define MULTIPLY_BT \
	VADDPS Y0, Y4, Y6; \
	VFNMADD231PS TWO5, Y2, Y6; \
	VMOVAPS Y4, Y7; \
	VFNMADD231PS TWO, Y2, Y7; \
	VMOVAPS Y3, Y8; \
	VFNMADD231PS TWO, Y1, Y8; \
	VMOVAPS Y7, Y9; \
	VFMADD231PS A, Y8, Y9; \
	VFNMADD231PS A, Y8, Y7; \
	VFNMADD231PS HALF, Y2, Y4; \
	VMOVAPS Y3, Y8; \
	VFNMADD231PS HALF, Y1, Y8; \
	VMOVAPS Y4, Y10; \
	VFMADD231PS B, Y8, Y10; \
	VFNMADD231PS B, Y8, Y4; \
	VADDPS Y1, Y5, Y5; \
	VFNMADD231PS TWO5, Y3, Y5

// They go to memory at p, ld bytes apart; three times as many are ld3.
#define STORE_BT(p, ld, ld3, t) \
	VMOVUPS Y6, (p); \
	VMOVUPS Y9, (p)(ld*1); \
	VMOVUPS Y7, (p)(ld*2); \
	VMOVUPS Y10, (p)(ld3*1); \
	VMOVUPS Y4, (p)(ld*4); \
	LEAQ (p)(ld*4), t; \
	VMOVUPS Y5, (t)(ld*1)

// The products with A of Y0…Y3 go to Y0 (0), Y6 (1), Y4 (2), Y7 (3), Y5 (4), Y3 (5).
#define MULTIPLY_A \
	VMOVAPS Y0, Y4; \
	VFMADD231PS HALF, Y2, Y4; \
	VMOVAPS Y1, Y8; \
	VFMADD231PS HALF, Y3, Y8; \
	VMOVAPS Y4, Y6; \
	VFMADD231PS A, Y8, Y6; \
	VFNMADD231PS A, Y8, Y4; \
	VMOVAPS Y0, Y5; \
	VFMADD231PS TWO, Y2, Y5; \
	VFMADD231PS TWO, Y3, Y1; \
	VMOVAPS Y5, Y7; \
	VFMADD231PS B, Y1, Y7; \
	VFNMADD231PS B, Y1, Y5

#define STORE_A(p, ld, ld3, t) \
	VMOVUPS Y0, (p); \
	VMOVUPS Y6, (p)(ld*1); \
	VMOVUPS Y4, (p)(ld*2); \
	VMOVUPS Y7, (p)(ld3*1); \
	VMOVUPS Y5, (p)(ld*4); \
	LEAQ (p)(ld*4), t; \
	VMOVUPS Y3, (t)(ld*1)

// The products with Aᵀ of Y0…Y5 go to Y0…Y3.
#define MULTIPLY_AT \
	VADDPS Y1, Y2, Y6; \
	VSUBPS Y2, Y1, Y7; \
	VADDPS Y3, Y4, Y8; \
	VSUBPS Y4, Y3, Y9; \
	VADDPS Y0, Y6, Y0; \
	VADDPS Y0, Y8, Y0; \
	VMULPS A, Y7, Y1; \
	VFMADD231PS B, Y9, Y1; \
	VADDPS Y8, Y8, Y2; \
	VFMADD231PS HALF, Y6, Y2; \
	VMOVAPS Y5, Y3; \
	VFMADD231PS A3, Y7, Y3; \
	VFMADD231PS B3, Y9, Y3

#define LOAD6(p, ld, ld3, t) \
	VMOVUPS (p), Y0; \
	VMOVUPS (p)(ld*1), Y1; \
	VMOVUPS (p)(ld*2), Y2; \
	VMOVUPS (p)(ld3*1), Y3; \
	VMOVUPS (p)(ld*4), Y4; \
	LEAQ (p)(ld*4), t; \
	VMOVUPS (t)(ld*1), Y5

// r = 0 where the pixels at p are not above 0 (Y8); NaN is.
#define MASKED(p, r) \
	VMOVUPS p, Y10; \
	VCMPPS $6, Y8, Y10, Y10; \
	VANDPS Y10, r, r

// The same, and the sum, of pixels under the mask Y7.
#define MASKED_FEW(p, r) \
	VMASKMOVPS p, Y7, Y10; \
	VCMPPS $6, Y8, Y10, Y10; \
	VANDPS Y10, r, r

#define ADD_FEW(p, r) \
	VMASKMOVPS p, Y7, Y10; \
	VADDPS Y10, r, r

// r is multiplied with the slope where it is negative.
#define PRELU(r) \
	VBROADCASTSS slope+56(FP), Y9; \
	VMULPS Y9, r, Y10; \
	VXORPS Y8, Y8, Y8; \
	VCMPPS $1, Y8, r, Y9; \
	VBLENDVPS Y9, Y10, r, r

// func winogradInputRowsAVX2(dst *float32, ldd int, src *float32, rows *int32, n, count int)
//
//	for x = 0; x < count; x += 8:
//	    Y0…Y5 = src[rows[r]+x], r < 6                  // 0 outside of the image, and from n on
//	    dst[i·ldd+x] = products with Bᵀ, i < 6
TEXT ·winogradInputRowsAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ ldd+8(FP), R14
	MOVQ src+16(FP), SI
	MOVQ rows+24(FP), BX
	CONSTANTS
	SHLQ $2, R14
	LEAQ (R14)(R14*2), R15
	LEAQ ·winogradZeros(SB), DX
	MOVLQSX (BX), R8
	MOVQ R8, CX
	LEAQ (SI)(R8*4), R8
	TESTQ CX, CX
	CMOVQLT DX, R8
	MOVLQSX 4(BX), R9
	MOVQ R9, CX
	LEAQ (SI)(R9*4), R9
	TESTQ CX, CX
	CMOVQLT DX, R9
	MOVLQSX 8(BX), R10
	MOVQ R10, CX
	LEAQ (SI)(R10*4), R10
	TESTQ CX, CX
	CMOVQLT DX, R10
	MOVLQSX 12(BX), R11
	MOVQ R11, CX
	LEAQ (SI)(R11*4), R11
	TESTQ CX, CX
	CMOVQLT DX, R11
	MOVLQSX 16(BX), R12
	MOVQ R12, CX
	LEAQ (SI)(R12*4), R12
	TESTQ CX, CX
	CMOVQLT DX, R12
	MOVLQSX 20(BX), R13
	MOVQ R13, CX
	LEAQ (SI)(R13*4), R13
	TESTQ CX, CX
	CMOVQLT DX, R13
	MOVQ n+32(FP), CX
	MOVQ count+40(FP), DX
	XORL AX, AX

pixels:
	CMPQ CX, $8
	JLT  few
	VMOVUPS (R8)(AX*1), Y0
	VMOVUPS (R9)(AX*1), Y1
	VMOVUPS (R10)(AX*1), Y2
	VMOVUPS (R11)(AX*1), Y3
	VMOVUPS (R12)(AX*1), Y4
	VMOVUPS (R13)(AX*1), Y5

multiply:
	MULTIPLY_BT
	STORE_BT(DI, R14, R15, BX)
	ADDQ $32, AX
	ADDQ $32, DI
	SUBQ $8, CX
	SUBQ $8, DX
	JGT  pixels
	VZEROUPPER
	RET

few:                                // CX pixels are left, or none
	MASK(CX, BX, SI, Y10)
	VMASKMOVPS (R8)(AX*1), Y10, Y0
	VMASKMOVPS (R9)(AX*1), Y10, Y1
	VMASKMOVPS (R10)(AX*1), Y10, Y2
	VMASKMOVPS (R11)(AX*1), Y10, Y3
	VMASKMOVPS (R12)(AX*1), Y10, Y4
	VMASKMOVPS (R13)(AX*1), Y10, Y5
	JMP  multiply

// func winogradInputTilesAVX2(dst *float32, ldd int, src *float32, lds int, left, right *int32, n, d int)
//
//	for i < 6, for q = 0; q < n; q += 8:
//	    Y0…Y3 = pixels 0…3 of the tiles, from src[i·lds+4q]
//	    Y4 Y5 = their pixels 4 and 5, which are 2 and 3 from 2·d pixels further on
//	    Y0 &= left[q], Y5 &= right[q]
//	    dst[(6i+j)·ldd+q] = products with B, j < 6
TEXT ·winogradInputTilesAVX2(SB), NOSPLIT, $0-64
	CONSTANTS
	MOVQ d+56(FP), R13
	MOVQ dst+0(FP), DI
	MOVQ ldd+8(FP), R14
	MOVQ src+16(FP), SI
	MOVQ lds+24(FP), DX
	MOVQ left+32(FP), R10
	MOVQ right+40(FP), R11
	SHLQ $2, DX
	SHLQ $2, R14
	LEAQ (R14)(R14*2), R15
	MOVL $6, CX

row:
	MOVQ SI, R8
	MOVQ DI, R9
	XORL AX, AX                     // q

tiles:
	PIXELS(R8)
	CMPQ R13, $2
	JEQ  two
	JGT  four
	TILES1
	PIXELS4(8(R8), 24(R8), 40(R8), 56(R8), 72(R8), 88(R8), 104(R8), 120(R8))
	VUNPCKHPS Y5, Y4, Y8
	VUNPCKHPS Y7, Y6, Y9
	VUNPCKLPD Y9, Y8, Y4
	VUNPCKHPD Y9, Y8, Y5
	JMP  multiply

two:
	TILES2
	PIXELS2(32(R8), 64(R8), 96(R8), 128(R8))
	VUNPCKLPD Y9, Y8, Y4
	VUNPCKHPD Y9, Y8, Y5
	JMP  multiply

four:
	TILES4
	PIXELS2(64(R8), 80(R8), 128(R8), 144(R8))
	VMOVAPS Y8, Y4
	VMOVAPS Y9, Y5

multiply:
	VANDPS (R10)(AX*4), Y0, Y0
	VANDPS (R11)(AX*4), Y5, Y5
	MULTIPLY_BT
	STORE_BT(R9, R14, R15, BX)
	ADDQ $128, R8
	ADDQ $32, R9
	ADDQ $8, AX
	CMPQ AX, n+48(FP)
	JLT  tiles

	ADDQ DX, SI
	LEAQ (DI)(R15*2), DI
	DECL CX
	JNZ  row
	VZEROUPPER
	RET

// func winogradGradientRowsAVX2(dst *float32, ldd int, src *float32, rows *int32, n, count int)
//
//	for x = 0; x < count; x += 8:
//	    Y0…Y3 = src[rows[r]+x], r < 4                  // 0 outside of the image, and from n on
//	    dst[i·ldd+x] = products with A, i < 6
TEXT ·winogradGradientRowsAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ ldd+8(FP), R14
	MOVQ src+16(FP), SI
	MOVQ rows+24(FP), BX
	CONSTANTS
	SHLQ $2, R14
	LEAQ (R14)(R14*2), R15
	LEAQ ·winogradZeros(SB), DX
	MOVLQSX (BX), R8
	MOVQ R8, CX
	LEAQ (SI)(R8*4), R8
	TESTQ CX, CX
	CMOVQLT DX, R8
	MOVLQSX 4(BX), R9
	MOVQ R9, CX
	LEAQ (SI)(R9*4), R9
	TESTQ CX, CX
	CMOVQLT DX, R9
	MOVLQSX 8(BX), R10
	MOVQ R10, CX
	LEAQ (SI)(R10*4), R10
	TESTQ CX, CX
	CMOVQLT DX, R10
	MOVLQSX 12(BX), R11
	MOVQ R11, CX
	LEAQ (SI)(R11*4), R11
	TESTQ CX, CX
	CMOVQLT DX, R11
	MOVQ n+32(FP), CX
	MOVQ count+40(FP), DX
	XORL AX, AX

pixels:
	CMPQ CX, $8
	JLT  few
	VMOVUPS (R8)(AX*1), Y0
	VMOVUPS (R9)(AX*1), Y1
	VMOVUPS (R10)(AX*1), Y2
	VMOVUPS (R11)(AX*1), Y3

multiply:
	MULTIPLY_A
	STORE_A(DI, R14, R15, BX)
	ADDQ $32, AX
	ADDQ $32, DI
	SUBQ $8, CX
	SUBQ $8, DX
	JGT  pixels
	VZEROUPPER
	RET

few:                                // CX pixels are left, or none
	MASK(CX, BX, SI, Y10)
	VMASKMOVPS (R8)(AX*1), Y10, Y0
	VMASKMOVPS (R9)(AX*1), Y10, Y1
	VMASKMOVPS (R10)(AX*1), Y10, Y2
	VMASKMOVPS (R11)(AX*1), Y10, Y3
	JMP  multiply

// func winogradGradientTilesAVX2(dst *float32, ldd int, src *float32, lds, n, d int)
//
//	for i < 6, for q = 0; q < n; q += 8:
//	    Y0…Y3 = pixels 0…3 of the tiles, from src[i·lds+4q]
//	    dst[(6i+j)·ldd+q] = products with Aᵀ, j < 6
TEXT ·winogradGradientTilesAVX2(SB), NOSPLIT, $0-48
	CONSTANTS
	MOVQ d+40(FP), R13
	MOVQ dst+0(FP), DI
	MOVQ ldd+8(FP), R14
	MOVQ src+16(FP), SI
	MOVQ lds+24(FP), DX
	SHLQ $2, DX
	SHLQ $2, R14
	LEAQ (R14)(R14*2), R15
	MOVL $6, CX

row:
	MOVQ SI, R8
	MOVQ DI, R9
	MOVQ n+32(FP), AX

tiles:
	PIXELS(R8)
	CMPQ R13, $2
	JEQ  two
	JGT  four
	TILES1
	JMP  multiply

two:
	TILES2
	JMP  multiply

four:
	TILES4

multiply:
	MULTIPLY_A
	STORE_A(R9, R14, R15, BX)
	ADDQ $128, R8
	ADDQ $32, R9
	SUBQ $8, AX
	JNZ  tiles

	ADDQ DX, SI
	LEAQ (DI)(R15*2), DI
	DECL CX
	JNZ  row
	VZEROUPPER
	RET

// func winogradOutputTilesAVX2(dst *float32, ldd int, src *float32, lds, n, d int)
//
//	for i < 6, for q = 0; q < n; q += 8:
//	    Y0…Y3 = products of src[(6i+r)·lds+q], r < 6, with A: pixels 0…3 of the tiles
//	    dst[i·ldd+4q …] = these pixels, in the image's order
TEXT ·winogradOutputTilesAVX2(SB), NOSPLIT, $0-48
	CONSTANTS_AT
	MOVQ d+40(FP), R12
	MOVQ dst+0(FP), DI
	MOVQ ldd+8(FP), DX
	MOVQ src+16(FP), SI
	MOVQ lds+24(FP), R14
	SHLQ $2, DX
	SHLQ $2, R14
	LEAQ (R14)(R14*2), R15
	MOVL $6, CX

row:
	MOVQ SI, R8
	MOVQ DI, R9
	MOVQ n+32(FP), AX

tiles:
	LOAD6(R8, R14, R15, BX)
	MULTIPLY_AT
	CMPQ R12, $2
	JEQ  two
	JGT  four
	PLACE1
	JMP  store

two:
	PLACE2
	JMP  store

four:
	PLACE4

store:
	VMOVUPS X4, (R9)
	VMOVUPS X5, 16(R9)
	VMOVUPS X6, 32(R9)
	VMOVUPS X7, 48(R9)
	VEXTRACTF128 $1, Y4, 64(R9)
	VEXTRACTF128 $1, Y5, 80(R9)
	VEXTRACTF128 $1, Y6, 96(R9)
	VEXTRACTF128 $1, Y7, 112(R9)
	ADDQ $32, R8
	ADDQ $128, R9
	SUBQ $8, AX
	JNZ  tiles

	ADDQ DX, DI
	LEAQ (SI)(R15*2), SI
	DECL CX
	JNZ  row
	VZEROUPPER
	RET

// func winogradOutputRowsAVX2(dst *float32, rows *int32, src *float32, lds int, add *float32, n int, bias, least, slope float32, mode int)
//
//	for x = 0; x < n; x += 8:
//	    Y0…Y3 = products with Aᵀ of src[r·lds+x], r < 6
//	    mode 0: max(· + bias + add, least); NaN stays: MAXPS returns its first operand here
//	    mode 1: PReLU(· + bias + add)
//	    mode 2: 0 where the image is not above 0
//	    dst[rows[i]+x] = Y0…Y3, as many as there are pixels
//
// Rows that are left out are written where the first one is, before it is.
TEXT ·winogradOutputRowsAVX2(SB), NOSPLIT, $0-72
	CONSTANTS_AT
	MOVQ dst+0(FP), DI
	MOVQ rows+8(FP), BX
	MOVLQSX (BX), R8
	LEAQ (DI)(R8*4), R8
	MOVLQSX 4(BX), R9
	MOVQ R9, CX
	LEAQ (DI)(R9*4), R9
	TESTQ CX, CX
	CMOVQLT R8, R9
	MOVLQSX 8(BX), R10
	ORQ  R10, CX
	LEAQ (DI)(R10*4), R10
	TESTQ CX, CX
	CMOVQLT R8, R10
	MOVLQSX 12(BX), R11
	ORQ  R11, CX
	LEAQ (DI)(R11*4), R11
	TESTQ CX, CX
	CMOVQLT R8, R11
	MOVQ src+16(FP), SI
	MOVQ lds+24(FP), R14
	SHLQ $2, R14
	LEAQ (R14)(R14*2), R15
	MOVQ add+32(FP), R12
	SUBQ DI, R12                    // from the image to what is added
	MOVQ n+40(FP), CX
	MOVQ mode+64(FP), DX

pixels:
	LOAD6(SI, R14, R15, BX)
	MULTIPLY_AT
	CMPQ CX, $8
	JLT  few
	CMPQ DX, $2
	JEQ  masked
	VBROADCASTSS bias+48(FP), Y8
	VADDPS Y8, Y0, Y0
	VADDPS Y8, Y1, Y1
	VADDPS Y8, Y2, Y2
	VADDPS Y8, Y3, Y3
	CMPQ add+32(FP), $0
	JEQ  added
	VADDPS (R8)(R12*1), Y0, Y0
	VADDPS (R9)(R12*1), Y1, Y1
	VADDPS (R10)(R12*1), Y2, Y2
	VADDPS (R11)(R12*1), Y3, Y3

added:
	CMPQ DX, $1
	JEQ  prelu
	VBROADCASTSS least+52(FP), Y9
	VMAXPS Y0, Y9, Y0
	VMAXPS Y1, Y9, Y1
	VMAXPS Y2, Y9, Y2
	VMAXPS Y3, Y9, Y3
	JMP  store

prelu:
	PRELU(Y0)
	PRELU(Y1)
	PRELU(Y2)
	PRELU(Y3)
	JMP  store

masked:
	VXORPS Y8, Y8, Y8
	MASKED((R8), Y0)
	MASKED((R9), Y1)
	MASKED((R10), Y2)
	MASKED((R11), Y3)

store:
	VMOVUPS Y3, (R11)
	VMOVUPS Y2, (R10)
	VMOVUPS Y1, (R9)
	VMOVUPS Y0, (R8)
	ADDQ $32, R8
	ADDQ $32, R9
	ADDQ $32, R10
	ADDQ $32, R11
	ADDQ $32, SI
	SUBQ $8, CX
	JGT  pixels
	VZEROUPPER
	RET

few:                                // CX pixels are left: the same with masks
	MASK(CX, BX, AX, Y7)
	CMPQ DX, $2
	JEQ  fewMasked
	VBROADCASTSS bias+48(FP), Y8
	VADDPS Y8, Y0, Y0
	VADDPS Y8, Y1, Y1
	VADDPS Y8, Y2, Y2
	VADDPS Y8, Y3, Y3
	CMPQ add+32(FP), $0
	JEQ  fewAdded
	ADD_FEW((R8)(R12*1), Y0)
	ADD_FEW((R9)(R12*1), Y1)
	ADD_FEW((R10)(R12*1), Y2)
	ADD_FEW((R11)(R12*1), Y3)

fewAdded:
	CMPQ DX, $1
	JEQ  fewPReLU
	VBROADCASTSS least+52(FP), Y9
	VMAXPS Y0, Y9, Y0
	VMAXPS Y1, Y9, Y1
	VMAXPS Y2, Y9, Y2
	VMAXPS Y3, Y9, Y3
	JMP  fewStore

fewPReLU:
	PRELU(Y0)
	PRELU(Y1)
	PRELU(Y2)
	PRELU(Y3)
	JMP  fewStore

fewMasked:
	VXORPS Y8, Y8, Y8
	MASKED_FEW((R8), Y0)
	MASKED_FEW((R9), Y1)
	MASKED_FEW((R10), Y2)
	MASKED_FEW((R11), Y3)

fewStore:
	VMASKMOVPS Y3, Y7, (R11)
	VMASKMOVPS Y2, Y7, (R10)
	VMASKMOVPS Y1, Y7, (R9)
	VMASKMOVPS Y0, Y7, (R8)
	VZEROUPPER
	RET
