//go:build !noasm

#include "textflag.h"

DATA winograd512<>+0(SB)/4, $0.7071067811865476   // a
DATA winograd512<>+4(SB)/4, $1.4142135623730951   // b
DATA winograd512<>+8(SB)/4, $0.5                  // a²
DATA winograd512<>+12(SB)/4, $2.0                 // b²
DATA winograd512<>+16(SB)/4, $2.5                 // a²+b²
DATA winograd512<>+20(SB)/4, $0.3535533905932738  // a³
DATA winograd512<>+24(SB)/4, $2.8284271247461903  // b³
GLOBL winograd512<>(SB), RODATA|NOPTR, $28

// Which of 32 pixels are the pixels 0, and then 1, of eight tiles; for a dilation of 1, 2 and 4.
DATA tilePixels<>+0(SB)/8, $0x0000000400000000
DATA tilePixels<>+8(SB)/8, $0x0000000C00000008
DATA tilePixels<>+16(SB)/8, $0x0000001400000010
DATA tilePixels<>+24(SB)/8, $0x0000001C00000018
DATA tilePixels<>+32(SB)/8, $0x0000000500000001
DATA tilePixels<>+40(SB)/8, $0x0000000D00000009
DATA tilePixels<>+48(SB)/8, $0x0000001500000011
DATA tilePixels<>+56(SB)/8, $0x0000001D00000019
DATA tilePixels<>+64(SB)/8, $0x0000000100000000
DATA tilePixels<>+72(SB)/8, $0x0000000900000008
DATA tilePixels<>+80(SB)/8, $0x0000001100000010
DATA tilePixels<>+88(SB)/8, $0x0000001900000018
DATA tilePixels<>+96(SB)/8, $0x0000000300000002
DATA tilePixels<>+104(SB)/8, $0x0000000B0000000A
DATA tilePixels<>+112(SB)/8, $0x0000001300000012
DATA tilePixels<>+120(SB)/8, $0x0000001B0000001A
DATA tilePixels<>+128(SB)/8, $0x0000000100000000
DATA tilePixels<>+136(SB)/8, $0x0000000300000002
DATA tilePixels<>+144(SB)/8, $0x0000001100000010
DATA tilePixels<>+152(SB)/8, $0x0000001300000012
DATA tilePixels<>+160(SB)/8, $0x0000000500000004
DATA tilePixels<>+168(SB)/8, $0x0000000700000006
DATA tilePixels<>+176(SB)/8, $0x0000001500000014
DATA tilePixels<>+184(SB)/8, $0x0000001700000016
GLOBL tilePixels<>(SB), RODATA|NOPTR, $192

// The inverse: where the first 16 of 32 pixels lie among the pixels 0, 1, 2 and 3 of eight tiles.
DATA pixelPlaces<>+0(SB)/8, $0x0000000800000000
DATA pixelPlaces<>+8(SB)/8, $0x0000001800000010
DATA pixelPlaces<>+16(SB)/8, $0x0000000900000001
DATA pixelPlaces<>+24(SB)/8, $0x0000001900000011
DATA pixelPlaces<>+32(SB)/8, $0x0000000A00000002
DATA pixelPlaces<>+40(SB)/8, $0x0000001A00000012
DATA pixelPlaces<>+48(SB)/8, $0x0000000B00000003
DATA pixelPlaces<>+56(SB)/8, $0x0000001B00000013
DATA pixelPlaces<>+64(SB)/8, $0x0000000100000000
DATA pixelPlaces<>+72(SB)/8, $0x0000000900000008
DATA pixelPlaces<>+80(SB)/8, $0x0000001100000010
DATA pixelPlaces<>+88(SB)/8, $0x0000001900000018
DATA pixelPlaces<>+96(SB)/8, $0x0000000300000002
DATA pixelPlaces<>+104(SB)/8, $0x0000000B0000000A
DATA pixelPlaces<>+112(SB)/8, $0x0000001300000012
DATA pixelPlaces<>+120(SB)/8, $0x0000001B0000001A
DATA pixelPlaces<>+128(SB)/8, $0x0000000100000000
DATA pixelPlaces<>+136(SB)/8, $0x0000000300000002
DATA pixelPlaces<>+144(SB)/8, $0x0000000900000008
DATA pixelPlaces<>+152(SB)/8, $0x0000000B0000000A
DATA pixelPlaces<>+160(SB)/8, $0x0000001100000010
DATA pixelPlaces<>+168(SB)/8, $0x0000001300000012
DATA pixelPlaces<>+176(SB)/8, $0x0000001900000018
DATA pixelPlaces<>+184(SB)/8, $0x0000001B0000001A
GLOBL pixelPlaces<>(SB), RODATA|NOPTR, $192

#define A Z16
#define B Z17
#define HALF Z18
#define TWO Z19
#define TWO5 Z20
#define A3 Z21
#define B3 Z22

// Indices of pixels for permutations.
#define FIRST Z23
#define SECOND Z24

#define ZERO Z25

#define CONSTANTS \
	VBROADCASTSS winograd512<>+0(SB), A; \
	VBROADCASTSS winograd512<>+4(SB), B; \
	VBROADCASTSS winograd512<>+8(SB), HALF; \
	VBROADCASTSS winograd512<>+12(SB), TWO; \
	VBROADCASTSS winograd512<>+16(SB), TWO5; \
	VBROADCASTSS winograd512<>+20(SB), A3; \
	VBROADCASTSS winograd512<>+24(SB), B3; \
	VPXORD ZERO, ZERO, ZERO

// FIRST = the table's indices for dilation d, and SECOND = those plus another number, in AX.
// The table's rows are 0, 64 and 128 bytes from its beginning, for a dilation of 1, 2 and 4.
#define INDICES(table, d, t) \
	MOVQ d, t; \
	SHRQ $1, t; \
	SHLQ $6, t; \
	LEAQ table<>(SB), CX; \
	VMOVDQU32 (CX)(t*1), FIRST; \
	VPBROADCASTD AX, SECOND; \
	VPADDD FIRST, SECOND, SECOND

// K1 masks what there is of 16 pixels, of left that are left, or none.
#define MASK(left, t, u) \
	MOVQ left, t; \
	XORL u, u; \
	CMPQ t, $0; \
	CMOVQLT u, t; \
	MOVL $16, u; \
	CMPQ t, u; \
	CMOVQGT u, t; \
	MOVL $-1, u; \
	BZHIL t, u, u; \
	KMOVW u, K1

// 64 pixels become the pixels 0, 1, 2 and 3 of sixteen tiles, in Z0…Z3.
#define TILES(p0, p1, p2, p3) \
	VMOVUPS p0, Z6; \
	VMOVUPS p1, Z7; \
	VMOVUPS p2, Z8; \
	VMOVUPS p3, Z9; \
	VMOVAPS Z6, Z10; \
	VMOVAPS Z8, Z11; \
	VPERMT2PS Z7, FIRST, Z6; \
	VPERMT2PS Z7, SECOND, Z10; \
	VPERMT2PS Z9, FIRST, Z8; \
	VPERMT2PS Z9, SECOND, Z11; \
	VSHUFF64X2 $0x44, Z8, Z6, Z0; \
	VSHUFF64X2 $0xEE, Z8, Z6, Z1; \
	VSHUFF64X2 $0x44, Z11, Z10, Z2; \
	VSHUFF64X2 $0xEE, Z11, Z10, Z3

// The inverse, to Z6, Z7, Z8 and Z9.
#define PIXELS \
	VSHUFF64X2 $0x44, Z1, Z0, Z6; \
	VSHUFF64X2 $0xEE, Z1, Z0, Z8; \
	VSHUFF64X2 $0x44, Z3, Z2, Z10; \
	VSHUFF64X2 $0xEE, Z3, Z2, Z11; \
	VMOVAPS Z6, Z7; \
	VMOVAPS Z8, Z9; \
	VPERMT2PS Z10, FIRST, Z6; \
	VPERMT2PS Z10, SECOND, Z7; \
	VPERMT2PS Z11, FIRST, Z8; \
	VPERMT2PS Z11, SECOND, Z9

// The products with Bᵀ of Z0…Z5 go to Z6 (0), Z9 (1), Z7 (2), Z10 (3), Z4 (4), Z5 (5).
#define MULTIPLY_BT \
	VADDPS Z0, Z4, Z6; \
	VFNMADD231PS TWO5, Z2, Z6; \
	VMOVAPS Z4, Z7; \
	VFNMADD231PS TWO, Z2, Z7; \
	VMOVAPS Z3, Z8; \
	VFNMADD231PS TWO, Z1, Z8; \
	VMOVAPS Z7, Z9; \
	VFMADD231PS A, Z8, Z9; \
	VFNMADD231PS A, Z8, Z7; \
	VFNMADD231PS HALF, Z2, Z4; \
	VMOVAPS Z3, Z8; \
	VFNMADD231PS HALF, Z1, Z8; \
	VMOVAPS Z4, Z10; \
	VFMADD231PS B, Z8, Z10; \
	VFNMADD231PS B, Z8, Z4; \
	VADDPS Z1, Z5, Z5; \
	VFNMADD231PS TWO5, Z3, Z5

// They go to memory at p, ld bytes apart; three times as many are ld3.
#define STORE_BT(p, ld, ld3, t) \
	VMOVUPS Z6, (p); \
	VMOVUPS Z9, (p)(ld*1); \
	VMOVUPS Z7, (p)(ld*2); \
	VMOVUPS Z10, (p)(ld3*1); \
	VMOVUPS Z4, (p)(ld*4); \
	LEAQ (p)(ld*4), t; \
	VMOVUPS Z5, (t)(ld*1)

// The products with A of Z0…Z3 go to Z0 (0), Z6 (1), Z4 (2), Z7 (3), Z5 (4), Z3 (5).
#define MULTIPLY_A \
	VMOVAPS Z0, Z4; \
	VFMADD231PS HALF, Z2, Z4; \
	VMOVAPS Z1, Z8; \
	VFMADD231PS HALF, Z3, Z8; \
	VMOVAPS Z4, Z6; \
	VFMADD231PS A, Z8, Z6; \
	VFNMADD231PS A, Z8, Z4; \
	VMOVAPS Z0, Z5; \
	VFMADD231PS TWO, Z2, Z5; \
	VFMADD231PS TWO, Z3, Z1; \
	VMOVAPS Z5, Z7; \
	VFMADD231PS B, Z1, Z7; \
	VFNMADD231PS B, Z1, Z5

#define STORE_A(p, ld, ld3, t) \
	VMOVUPS Z0, (p); \
	VMOVUPS Z6, (p)(ld*1); \
	VMOVUPS Z4, (p)(ld*2); \
	VMOVUPS Z7, (p)(ld3*1); \
	VMOVUPS Z5, (p)(ld*4); \
	LEAQ (p)(ld*4), t; \
	VMOVUPS Z3, (t)(ld*1)

// The products with Aᵀ of Z0…Z5 go to Z0…Z3.
#define MULTIPLY_AT \
	VADDPS Z1, Z2, Z6; \
	VSUBPS Z2, Z1, Z7; \
	VADDPS Z3, Z4, Z8; \
	VSUBPS Z4, Z3, Z9; \
	VADDPS Z0, Z6, Z0; \
	VADDPS Z0, Z8, Z0; \
	VMULPS A, Z7, Z1; \
	VFMADD231PS B, Z9, Z1; \
	VADDPS Z8, Z8, Z2; \
	VFMADD231PS HALF, Z6, Z2; \
	VMOVAPS Z5, Z3; \
	VFMADD231PS A3, Z7, Z3; \
	VFMADD231PS B3, Z9, Z3

#define LOAD6(p, ld, ld3, t) \
	VMOVUPS (p), Z0; \
	VMOVUPS (p)(ld*1), Z1; \
	VMOVUPS (p)(ld*2), Z2; \
	VMOVUPS (p)(ld3*1), Z3; \
	VMOVUPS (p)(ld*4), Z4; \
	LEAQ (p)(ld*4), t; \
	VMOVUPS (t)(ld*1), Z5

// r = 0 where the pixels at p are not above 0; NaN is.
#define MASKED(p, r) \
	VMOVUPS.Z p, K1, Z10; \
	VCMPPS $6, ZERO, Z10, K2; \
	VMOVAPS.Z r, K2, r

// r += what is at p.
#define ADD_IMAGE(p, r) \
	VMOVUPS.Z p, K1, Z10; \
	VADDPS Z10, r, r

// r is multiplied with the slope where it is negative.
#define PRELU(r) \
	VCMPPS $1, ZERO, r, K2; \
	VMULPS Z28, r, K2, r

// func winogradInputRowsAVX512(dst *float32, ldd int, src *float32, rows *int32, n, count int)
//
//	for x = 0; x < count; x += 16:
//	    Z0…Z5 = src[rows[r]+x], r < 6                  // 0 outside of the image, and from n on
//	    dst[i·ldd+x] = products with Bᵀ, i < 6
TEXT ·winogradInputRowsAVX512(SB), NOSPLIT, $0-48
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
	MASK(CX, BX, SI)
	VMOVUPS.Z (R8)(AX*1), K1, Z0
	VMOVUPS.Z (R9)(AX*1), K1, Z1
	VMOVUPS.Z (R10)(AX*1), K1, Z2
	VMOVUPS.Z (R11)(AX*1), K1, Z3
	VMOVUPS.Z (R12)(AX*1), K1, Z4
	VMOVUPS.Z (R13)(AX*1), K1, Z5
	MULTIPLY_BT
	STORE_BT(DI, R14, R15, BX)
	ADDQ $64, AX
	ADDQ $64, DI
	SUBQ $16, CX
	SUBQ $16, DX
	JGT  pixels
	VZEROUPPER
	RET

// func winogradInputTilesAVX512(dst *float32, ldd int, src *float32, lds int, left, right *int32, n, d int)
//
//	for i < 6, for q = 0; q < n; q += 16:
//	    Z0…Z3 = pixels 0…3 of the tiles, from src[i·lds+4q]
//	    Z4 Z5 = their pixels 4 and 5, which are 2 and 3 from 2·d pixels further on
//	    Z0 &= left[q], Z5 &= right[q]
//	    dst[(6i+j)·ldd+q] = products with B, j < 6
TEXT ·winogradInputTilesAVX512(SB), NOSPLIT, $0-64
	CONSTANTS
	MOVQ d+56(FP), R12
	LEAQ (R12)(R12*1), AX
	INDICES(tilePixels, R12, R8)
	SHLQ $3, R12                    // 2·d pixels
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
	TILES((R8), 64(R8), 128(R8), 192(R8))
	VMOVUPS (R8)(R12*1), Z6
	VMOVUPS 128(R8)(R12*1), Z8
	VPERMT2PS 64(R8)(R12*1), SECOND, Z6
	VPERMT2PS 192(R8)(R12*1), SECOND, Z8
	VSHUFF64X2 $0x44, Z8, Z6, Z4
	VSHUFF64X2 $0xEE, Z8, Z6, Z5
	VPANDD (R10)(AX*4), Z0, Z0
	VPANDD (R11)(AX*4), Z5, Z5
	MULTIPLY_BT
	STORE_BT(R9, R14, R15, BX)
	ADDQ $256, R8
	ADDQ $64, R9
	ADDQ $16, AX
	CMPQ AX, n+48(FP)
	JLT  tiles

	ADDQ DX, SI
	LEAQ (DI)(R15*2), DI
	DECL CX
	JNZ  row
	VZEROUPPER
	RET

// func winogradGradientRowsAVX512(dst *float32, ldd int, src *float32, rows *int32, n, count int)
//
//	for x = 0; x < count; x += 16:
//	    Z0…Z3 = src[rows[r]+x], r < 4                  // 0 outside of the image, and from n on
//	    dst[i·ldd+x] = products with A, i < 6
TEXT ·winogradGradientRowsAVX512(SB), NOSPLIT, $0-48
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
	MASK(CX, BX, SI)
	VMOVUPS.Z (R8)(AX*1), K1, Z0
	VMOVUPS.Z (R9)(AX*1), K1, Z1
	VMOVUPS.Z (R10)(AX*1), K1, Z2
	VMOVUPS.Z (R11)(AX*1), K1, Z3
	MULTIPLY_A
	STORE_A(DI, R14, R15, BX)
	ADDQ $64, AX
	ADDQ $64, DI
	SUBQ $16, CX
	SUBQ $16, DX
	JGT  pixels
	VZEROUPPER
	RET

// func winogradGradientTilesAVX512(dst *float32, ldd int, src *float32, lds, n, d int)
//
//	for i < 6, for q = 0; q < n; q += 16:
//	    Z0…Z3 = pixels 0…3 of the tiles, from src[i·lds+4q]
//	    dst[(6i+j)·ldd+q] = products with Aᵀ, j < 6
TEXT ·winogradGradientTilesAVX512(SB), NOSPLIT, $0-48
	CONSTANTS
	MOVQ d+40(FP), R12
	LEAQ (R12)(R12*1), AX
	INDICES(tilePixels, R12, R8)
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
	TILES((R8), 64(R8), 128(R8), 192(R8))
	MULTIPLY_A
	STORE_A(R9, R14, R15, BX)
	ADDQ $256, R8
	ADDQ $64, R9
	SUBQ $16, AX
	JNZ  tiles

	ADDQ DX, SI
	LEAQ (DI)(R15*2), DI
	DECL CX
	JNZ  row
	VZEROUPPER
	RET

// func winogradOutputTilesAVX512(dst *float32, ldd int, src *float32, lds, n, d int)
//
//	for i < 6, for q = 0; q < n; q += 16:
//	    Z0…Z3 = products of src[(6i+r)·lds+q], r < 6, with A: pixels 0…3 of the tiles
//	    dst[i·ldd+4q …] = these pixels, in the image's order
TEXT ·winogradOutputTilesAVX512(SB), NOSPLIT, $0-48
	CONSTANTS
	MOVL $4, AX
	MOVQ d+40(FP), R12
	INDICES(pixelPlaces, R12, R8)
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
	PIXELS
	VMOVUPS Z6, (R9)
	VMOVUPS Z7, 64(R9)
	VMOVUPS Z8, 128(R9)
	VMOVUPS Z9, 192(R9)
	ADDQ $64, R8
	ADDQ $256, R9
	SUBQ $16, AX
	JNZ  tiles

	ADDQ DX, DI
	LEAQ (SI)(R15*2), SI
	DECL CX
	JNZ  row
	VZEROUPPER
	RET

// func winogradOutputRowsAVX512(dst *float32, rows *int32, src *float32, lds int, add *float32, n int, bias, least, slope float32, mode int)
//
//	for x = 0; x < n; x += 16:
//	    Z0…Z3 = products with Aᵀ of src[r·lds+x], r < 6
//	    mode 0: max(· + bias + add, least); NaN stays: MAXPS returns its first operand here
//	    mode 1: PReLU(· + bias + add)
//	    mode 2: 0 where the image is not above 0
//	    dst[rows[i]+x] = Z0…Z3, as many as there are pixels
//
// Rows that are left out are written where the first one is, before it is.
TEXT ·winogradOutputRowsAVX512(SB), NOSPLIT, $0-72
	CONSTANTS
	VBROADCASTSS bias+48(FP), Z26
	VBROADCASTSS least+52(FP), Z27
	VBROADCASTSS slope+56(FP), Z28
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
	MASK(CX, BX, AX)
	CMPQ DX, $2
	JEQ  masked
	VADDPS Z26, Z0, Z0
	VADDPS Z26, Z1, Z1
	VADDPS Z26, Z2, Z2
	VADDPS Z26, Z3, Z3
	CMPQ add+32(FP), $0
	JEQ  added
	ADD_IMAGE((R8)(R12*1), Z0)
	ADD_IMAGE((R9)(R12*1), Z1)
	ADD_IMAGE((R10)(R12*1), Z2)
	ADD_IMAGE((R11)(R12*1), Z3)

added:
	CMPQ DX, $1
	JEQ  prelu
	VMAXPS Z0, Z27, Z0
	VMAXPS Z1, Z27, Z1
	VMAXPS Z2, Z27, Z2
	VMAXPS Z3, Z27, Z3
	JMP  store

prelu:
	PRELU(Z0)
	PRELU(Z1)
	PRELU(Z2)
	PRELU(Z3)
	JMP  store

masked:
	MASKED((R8), Z0)
	MASKED((R9), Z1)
	MASKED((R10), Z2)
	MASKED((R11), Z3)

store:
	VMOVUPS Z3, K1, (R11)
	VMOVUPS Z2, K1, (R10)
	VMOVUPS Z1, K1, (R9)
	VMOVUPS Z0, K1, (R8)
	ADDQ $64, R8
	ADDQ $64, R9
	ADDQ $64, R10
	ADDQ $64, R11
	ADDQ $64, SI
	SUBQ $16, CX
	JGT  pixels
	VZEROUPPER
	RET
