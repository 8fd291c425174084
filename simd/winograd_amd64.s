//go:build !noasm

#include "funcdata.h"
#include "textflag.h"

DATA winogradConst<>+0(SB)/4, $0.7071067811865476   // a
DATA winogradConst<>+4(SB)/4, $1.4142135623730951   // b
DATA winogradConst<>+8(SB)/4, $0.5                  // a²
DATA winogradConst<>+12(SB)/4, $2.0                 // b²
DATA winogradConst<>+16(SB)/4, $2.5                 // a²+b²
DATA winogradConst<>+20(SB)/4, $0.3535533905932738  // a³
DATA winogradConst<>+24(SB)/4, $2.8284271247461903  // b³
GLOBL winogradConst<>(SB), RODATA|NOPTR, $28

#define A Y11
#define B Y12
#define HALF Y13
#define TWO Y14
#define TWO5 Y15

#define CONSTANTS \
	VBROADCASTSS winogradConst<>+0(SB), A; \
	VBROADCASTSS winogradConst<>+4(SB), B; \
	VBROADCASTSS winogradConst<>+8(SB), HALF; \
	VBROADCASTSS winogradConst<>+12(SB), TWO; \
	VBROADCASTSS winogradConst<>+16(SB), TWO5

#define A_512 Z16
#define B_512 Z17
#define HALF_512 Z18
#define TWO_512 Z19
#define TWO5_512 Z20
#define A3_512 Z21
#define B3_512 Z22

#define CONSTANTS512 \
	VBROADCASTSS winogradConst<>+0(SB), A_512; \
	VBROADCASTSS winogradConst<>+4(SB), B_512; \
	VBROADCASTSS winogradConst<>+8(SB), HALF_512; \
	VBROADCASTSS winogradConst<>+12(SB), TWO_512; \
	VBROADCASTSS winogradConst<>+16(SB), TWO5_512; \
	VBROADCASTSS winogradConst<>+20(SB), A3_512; \
	VBROADCASTSS winogradConst<>+24(SB), B3_512

// Eight tiles' places in the image, in bytes, go to R8…R15.
#define OFFSETS(p) \
	MOVLQSX (p), R8; \
	MOVLQSX 4(p), R9; \
	MOVLQSX 8(p), R10; \
	MOVLQSX 12(p), R11; \
	MOVLQSX 16(p), R12; \
	MOVLQSX 20(p), R13; \
	MOVLQSX 24(p), R14; \
	MOVLQSX 28(p), R15; \
	SHLQ $2, R8; \
	SHLQ $2, R9; \
	SHLQ $2, R10; \
	SHLQ $2, R11; \
	SHLQ $2, R12; \
	SHLQ $2, R13; \
	SHLQ $2, R14; \
	SHLQ $2, R15

// Four pixels at p of each of eight tiles: tile i's in the lower half of the i-th
// register, tile i+4's in the upper one.
#define PIXELS(p, r0, r1, r2, r3) \
	VMOVUPS p(SI)(R8*1), X0; \
	VMOVUPS p(SI)(R9*1), X1; \
	VMOVUPS p(SI)(R10*1), X2; \
	VMOVUPS p(SI)(R11*1), X3; \
	VINSERTF128 $1, p(SI)(R12*1), Y0, r0; \
	VINSERTF128 $1, p(SI)(R13*1), Y1, r1; \
	VINSERTF128 $1, p(SI)(R14*1), Y2, r2; \
	VINSERTF128 $1, p(SI)(R15*1), Y3, r3

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

// A row of eight tiles, times B: the six columns go to memory at CX, step bytes apart. The
// pixels are read twice, at 0 and at 2: first Y4 and Y5 have the pixels 0 0 1 1 and 2 2 3 3
// of tiles 0 and 1, Y6 and Y7 those of tiles 2 and 3, then Y8 and Y9 the pixels 4 4 5 5.
#define INPUT_ROW(step) \
	PIXELS(0, Y0, Y1, Y2, Y3); \
	VUNPCKLPS Y1, Y0, Y4; \
	VUNPCKHPS Y1, Y0, Y5; \
	VUNPCKLPS Y3, Y2, Y6; \
	VUNPCKHPS Y3, Y2, Y7; \
	PIXELS(8, Y0, Y1, Y2, Y3); \
	VUNPCKHPS Y1, Y0, Y8; \
	VUNPCKHPS Y3, Y2, Y9; \
	VUNPCKLPD Y6, Y4, Y0; \
	VUNPCKHPD Y6, Y4, Y1; \
	VUNPCKLPD Y7, Y5, Y2; \
	VUNPCKHPD Y7, Y5, Y3; \
	VUNPCKLPD Y9, Y8, Y4; \
	VUNPCKHPD Y9, Y8, Y5; \
	MULTIPLY_BT; \
	VMOVUPS Y6, (CX); \
	VMOVUPS Y9, (1*step)(CX); \
	VMOVUPS Y7, (2*step)(CX); \
	VMOVUPS Y10, (3*step)(CX); \
	VMOVUPS Y4, (4*step)(CX); \
	VMOVUPS Y5, (5*step)(CX)

// DX bytes lie between rows of the 36: six of them are R8, eighteen R9 and thirty R10.
#define ROW_DISTANCES \
	LEAQ (DX)(DX*2), R8; \
	SHLQ $1, R8; \
	LEAQ (R8)(R8*2), R9; \
	LEAQ (R8)(R8*4), R10

// func winogradInputAVX2(dst *float32, ldd int, src *float32, stride int, off *int32, n int)
//
//	for t = 0; t < n; t += 8:
//	    for each row i < 6 of the tiles t … t+7:
//	        Y0…Y5 = their six pixels                    // a register a column, a lane a tile
//	        frame[6i … 6i+5] = products with Bᵀ         // so that dst is written to once
//	    for each column j < 6:
//	        dst[j, 6+j, … 30+j][t … t+7] = the same of frame[j, 6+j, … 30+j]
TEXT ·winogradInputAVX2(SB), 0, $1152-48
	NO_LOCAL_POINTERS
	MOVQ dst+0(FP), DI
	MOVQ ldd+8(FP), DX
	MOVQ off+32(FP), BX
	SHLQ $2, DX
	SHLQ $2, stride+24(FP)
	CONSTANTS

tiles:
	OFFSETS(BX)
	MOVQ src+16(FP), SI
	LEAQ frame-1152(SP), CX
	MOVL $6, AX

row:
	INPUT_ROW(32)
	ADDQ $192, CX
	ADDQ stride+24(FP), SI
	DECL AX
	JNZ  row

	ROW_DISTANCES
	LEAQ frame-1152(SP), SI
	MOVQ DI, CX
	MOVL $6, AX

column:
	VMOVUPS (SI), Y0
	VMOVUPS 192(SI), Y1
	VMOVUPS 384(SI), Y2
	VMOVUPS 576(SI), Y3
	VMOVUPS 768(SI), Y4
	VMOVUPS 960(SI), Y5
	MULTIPLY_BT
	VMOVUPS Y6, (CX)
	VMOVUPS Y9, (CX)(R8*1)
	VMOVUPS Y7, (CX)(R8*2)
	VMOVUPS Y10, (CX)(R9*1)
	VMOVUPS Y4, (CX)(R8*4)
	VMOVUPS Y5, (CX)(R10*1)
	ADDQ $32, SI
	ADDQ DX, CX
	DECL AX
	JNZ  column

	ADDQ $32, DI
	ADDQ $32, BX
	SUBQ $8, n+40(FP)
	JNZ  tiles
	VZEROUPPER
	RET

// func winogradInputAVX512(dst *float32, ldd int, src *float32, stride int, off *int32, n int)
//
// The same with sixteen tiles at a time: their rows by AVX2, in two halves, and their
// columns with a lane for each.
TEXT ·winogradInputAVX512(SB), 0, $2304-48
	NO_LOCAL_POINTERS
	MOVQ dst+0(FP), DI
	MOVQ ldd+8(FP), DX
	MOVQ off+32(FP), BX
	SHLQ $2, DX
	SHLQ $2, stride+24(FP)
	CONSTANTS
	CONSTANTS512

tiles:
	OFFSETS(BX)
	MOVQ src+16(FP), SI
	LEAQ frame-2304(SP), CX
	MOVL $6, AX

rowLow:
	INPUT_ROW(64)
	ADDQ $384, CX
	ADDQ stride+24(FP), SI
	DECL AX
	JNZ  rowLow

	ADDQ $32, BX
	OFFSETS(BX)
	MOVQ src+16(FP), SI
	LEAQ frame-2272(SP), CX
	MOVL $6, AX

rowHigh:
	INPUT_ROW(64)
	ADDQ $384, CX
	ADDQ stride+24(FP), SI
	DECL AX
	JNZ  rowHigh

	ROW_DISTANCES
	LEAQ frame-2304(SP), SI
	MOVQ DI, CX
	MOVL $6, AX

column:
	VMOVUPS (SI), Z0
	VMOVUPS 384(SI), Z1
	VMOVUPS 768(SI), Z2
	VMOVUPS 1152(SI), Z3
	VMOVUPS 1536(SI), Z4
	VMOVUPS 1920(SI), Z5
	VADDPS Z0, Z4, Z6
	VFNMADD231PS TWO5_512, Z2, Z6
	VMOVAPS Z4, Z7
	VFNMADD231PS TWO_512, Z2, Z7
	VMOVAPS Z3, Z8
	VFNMADD231PS TWO_512, Z1, Z8
	VMOVAPS Z7, Z9
	VFMADD231PS A_512, Z8, Z9
	VFNMADD231PS A_512, Z8, Z7
	VFNMADD231PS HALF_512, Z2, Z4
	VMOVAPS Z3, Z8
	VFNMADD231PS HALF_512, Z1, Z8
	VMOVAPS Z4, Z10
	VFMADD231PS B_512, Z8, Z10
	VFNMADD231PS B_512, Z8, Z4
	VADDPS Z1, Z5, Z5
	VFNMADD231PS TWO5_512, Z3, Z5
	VMOVUPS Z6, (CX)
	VMOVUPS Z9, (CX)(R8*1)
	VMOVUPS Z7, (CX)(R8*2)
	VMOVUPS Z10, (CX)(R9*1)
	VMOVUPS Z4, (CX)(R8*4)
	VMOVUPS Z5, (CX)(R10*1)
	ADDQ $64, SI
	ADDQ DX, CX
	DECL AX
	JNZ  column

	ADDQ $64, DI
	ADDQ $32, BX
	SUBQ $16, n+40(FP)
	JNZ  tiles
	VZEROUPPER
	RET

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

// A row of eight tiles, times Aᵀ: the six columns go to memory at CX, step bytes apart. Pixels
// become columns as in INPUT_ROW.
#define GRADIENT_ROW(step) \
	PIXELS(0, Y0, Y1, Y2, Y3); \
	VUNPCKLPS Y1, Y0, Y4; \
	VUNPCKHPS Y1, Y0, Y5; \
	VUNPCKLPS Y3, Y2, Y6; \
	VUNPCKHPS Y3, Y2, Y7; \
	VUNPCKLPD Y6, Y4, Y0; \
	VUNPCKHPD Y6, Y4, Y1; \
	VUNPCKLPD Y7, Y5, Y2; \
	VUNPCKHPD Y7, Y5, Y3; \
	MULTIPLY_A; \
	VMOVUPS Y0, (CX); \
	VMOVUPS Y6, (1*step)(CX); \
	VMOVUPS Y4, (2*step)(CX); \
	VMOVUPS Y7, (3*step)(CX); \
	VMOVUPS Y5, (4*step)(CX); \
	VMOVUPS Y3, (5*step)(CX)

// func winogradGradientAVX2(dst *float32, ldd int, src *float32, stride int, off *int32, n int)
//
//	for t = 0; t < n; t += 8:
//	    for each row i < 4 of the tiles t … t+7:
//	        Y0…Y3 = their four pixels                   // a register a column, a lane a tile
//	        frame[6i … 6i+5] = products with A          // so that dst is written to once
//	    for each column j < 6:
//	        dst[j, 6+j, … 30+j][t … t+7] = the same of frame[j, 6+j, 12+j, 18+j]
TEXT ·winogradGradientAVX2(SB), 0, $768-48
	NO_LOCAL_POINTERS
	MOVQ dst+0(FP), DI
	MOVQ ldd+8(FP), DX
	MOVQ off+32(FP), BX
	SHLQ $2, DX
	SHLQ $2, stride+24(FP)
	CONSTANTS

tiles:
	OFFSETS(BX)
	MOVQ src+16(FP), SI
	LEAQ frame-768(SP), CX
	MOVL $4, AX

row:
	GRADIENT_ROW(32)
	ADDQ $192, CX
	ADDQ stride+24(FP), SI
	DECL AX
	JNZ  row

	ROW_DISTANCES
	LEAQ frame-768(SP), SI
	MOVQ DI, CX
	MOVL $6, AX

column:
	VMOVUPS (SI), Y0
	VMOVUPS 192(SI), Y1
	VMOVUPS 384(SI), Y2
	VMOVUPS 576(SI), Y3
	MULTIPLY_A
	VMOVUPS Y0, (CX)
	VMOVUPS Y6, (CX)(R8*1)
	VMOVUPS Y4, (CX)(R8*2)
	VMOVUPS Y7, (CX)(R9*1)
	VMOVUPS Y5, (CX)(R8*4)
	VMOVUPS Y3, (CX)(R10*1)
	ADDQ $32, SI
	ADDQ DX, CX
	DECL AX
	JNZ  column

	ADDQ $32, DI
	ADDQ $32, BX
	SUBQ $8, n+40(FP)
	JNZ  tiles
	VZEROUPPER
	RET

// func winogradGradientAVX512(dst *float32, ldd int, src *float32, stride int, off *int32, n int)
//
// The same with sixteen tiles at a time, see winogradInputAVX512.
TEXT ·winogradGradientAVX512(SB), 0, $1536-48
	NO_LOCAL_POINTERS
	MOVQ dst+0(FP), DI
	MOVQ ldd+8(FP), DX
	MOVQ off+32(FP), BX
	SHLQ $2, DX
	SHLQ $2, stride+24(FP)
	CONSTANTS
	CONSTANTS512

tiles:
	OFFSETS(BX)
	MOVQ src+16(FP), SI
	LEAQ frame-1536(SP), CX
	MOVL $4, AX

rowLow:
	GRADIENT_ROW(64)
	ADDQ $384, CX
	ADDQ stride+24(FP), SI
	DECL AX
	JNZ  rowLow

	ADDQ $32, BX
	OFFSETS(BX)
	MOVQ src+16(FP), SI
	LEAQ frame-1504(SP), CX
	MOVL $4, AX

rowHigh:
	GRADIENT_ROW(64)
	ADDQ $384, CX
	ADDQ stride+24(FP), SI
	DECL AX
	JNZ  rowHigh

	ROW_DISTANCES
	LEAQ frame-1536(SP), SI
	MOVQ DI, CX
	MOVL $6, AX

column:
	VMOVUPS (SI), Z0
	VMOVUPS 384(SI), Z1
	VMOVUPS 768(SI), Z2
	VMOVUPS 1152(SI), Z3
	VMOVAPS Z0, Z4
	VFMADD231PS HALF_512, Z2, Z4
	VMOVAPS Z1, Z8
	VFMADD231PS HALF_512, Z3, Z8
	VMOVAPS Z4, Z6
	VFMADD231PS A_512, Z8, Z6
	VFNMADD231PS A_512, Z8, Z4
	VMOVAPS Z0, Z5
	VFMADD231PS TWO_512, Z2, Z5
	VFMADD231PS TWO_512, Z3, Z1
	VMOVAPS Z5, Z7
	VFMADD231PS B_512, Z1, Z7
	VFNMADD231PS B_512, Z1, Z5
	VMOVUPS Z0, (CX)
	VMOVUPS Z6, (CX)(R8*1)
	VMOVUPS Z4, (CX)(R8*2)
	VMOVUPS Z7, (CX)(R9*1)
	VMOVUPS Z5, (CX)(R8*4)
	VMOVUPS Z3, (CX)(R10*1)
	ADDQ $64, SI
	ADDQ DX, CX
	DECL AX
	JNZ  column

	ADDQ $64, DI
	ADDQ $32, BX
	SUBQ $16, n+40(FP)
	JNZ  tiles
	VZEROUPPER
	RET

#define A3 Y14
#define B3 Y15

// The products with Aᵀ of Y0…Y5 go to Y0…Y3. TWO and TWO5 give way to a³ and b³.
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

// r = 0 where the pixels that it will be written over are not above 0 (Y8); NaN is.
#define MASK(low, high, r) \
	VMOVUPS (DI)(low*1), X4; \
	VINSERTF128 $1, (DI)(high*1), Y4, Y4; \
	VCMPPS $6, Y8, Y4, Y4; \
	VANDPS Y4, r, r

// Four pixels of each of eight tiles, from six columns at CX step bytes apart, times A,
// with bias and clipping (Y10, least), transposed: tile i's in the lower half of Yi, tile
// i+4's in the upper one. NaN stays: MAXPS returns its first operand here.
#define OUTPUT_ROW(step, least) \
	VMOVUPS (CX), Y0; \
	VMOVUPS (1*step)(CX), Y1; \
	VMOVUPS (2*step)(CX), Y2; \
	VMOVUPS (3*step)(CX), Y3; \
	VMOVUPS (4*step)(CX), Y4; \
	VMOVUPS (5*step)(CX), Y5; \
	MULTIPLY_AT; \
	VBROADCASTSS least, Y9; \
	VADDPS Y10, Y0, Y0; \
	VADDPS Y10, Y1, Y1; \
	VADDPS Y10, Y2, Y2; \
	VADDPS Y10, Y3, Y3; \
	VMAXPS Y0, Y9, Y0; \
	VMAXPS Y1, Y9, Y1; \
	VMAXPS Y2, Y9, Y2; \
	VMAXPS Y3, Y9, Y3; \
	VUNPCKLPS Y1, Y0, Y4; \
	VUNPCKHPS Y1, Y0, Y5; \
	VUNPCKLPS Y3, Y2, Y6; \
	VUNPCKHPS Y3, Y2, Y7; \
	VUNPCKLPD Y6, Y4, Y0; \
	VUNPCKHPD Y6, Y4, Y1; \
	VUNPCKLPD Y7, Y5, Y2; \
	VUNPCKHPD Y7, Y5, Y3

#define STORE_ROW \
	VMOVUPS X0, (DI)(R8*1); \
	VMOVUPS X1, (DI)(R9*1); \
	VMOVUPS X2, (DI)(R10*1); \
	VMOVUPS X3, (DI)(R11*1); \
	VEXTRACTF128 $1, Y0, (DI)(R12*1); \
	VEXTRACTF128 $1, Y1, (DI)(R13*1); \
	VEXTRACTF128 $1, Y2, (DI)(R14*1); \
	VEXTRACTF128 $1, Y3, (DI)(R15*1)

#define MASK_ROW \
	VXORPS Y8, Y8, Y8; \
	MASK(R8, R12, Y0); \
	MASK(R9, R13, Y1); \
	MASK(R10, R14, Y2); \
	MASK(R11, R15, Y3)

// func winogradOutputAVX2(dst *float32, stride int, off *int32, src *float32, lds, n int, bias, least float32, masked bool)
//
//	for t = 0; t < n; t += 8:
//	    for each column j < 6:
//	        frame[j, 6+j, 12+j, 18+j] = products of src[j, 6+j, … 30+j] with Aᵀ
//	    for each row i < 4:
//	        Y0…Y3 = products of frame[6i … 6i+5] with Aᵀ  // a register a column, a lane a tile
//	        dst[off + i·stride] = max(Y0…Y3 + bias, least), transposed
//	                              // masked: 0 where dst was not above 0
TEXT ·winogradOutputAVX2(SB), 0, $768-57
	NO_LOCAL_POINTERS
	MOVQ src+24(FP), SI
	MOVQ lds+32(FP), DX
	MOVQ off+16(FP), BX
	SHLQ $2, DX
	SHLQ $2, stride+8(FP)
	VBROADCASTSS winogradConst<>+0(SB), A
	VBROADCASTSS winogradConst<>+4(SB), B
	VBROADCASTSS winogradConst<>+8(SB), HALF
	VBROADCASTSS winogradConst<>+20(SB), A3
	VBROADCASTSS winogradConst<>+24(SB), B3

tiles:
	ROW_DISTANCES
	MOVQ SI, CX
	LEAQ frame-768(SP), DI
	MOVL $6, AX

column:
	VMOVUPS (CX), Y0
	VMOVUPS (CX)(R8*1), Y1
	VMOVUPS (CX)(R8*2), Y2
	VMOVUPS (CX)(R9*1), Y3
	VMOVUPS (CX)(R8*4), Y4
	VMOVUPS (CX)(R10*1), Y5
	MULTIPLY_AT
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 192(DI)
	VMOVUPS Y2, 384(DI)
	VMOVUPS Y3, 576(DI)
	ADDQ $32, DI
	ADDQ DX, CX
	DECL AX
	JNZ  column

	OFFSETS(BX)
	MOVQ dst+0(FP), DI
	LEAQ frame-768(SP), CX
	MOVL $4, AX
	VBROADCASTSS bias+48(FP), Y10

row:
	OUTPUT_ROW(32, least+52(FP))
	CMPB masked+56(FP), $0
	JEQ  store
	MASK_ROW

store:
	STORE_ROW
	ADDQ $192, CX
	ADDQ stride+8(FP), DI
	DECL AX
	JNZ  row

	ADDQ $32, SI
	ADDQ $32, BX
	SUBQ $8, n+40(FP)
	JNZ  tiles
	VZEROUPPER
	RET

// func winogradOutputAVX512(dst *float32, stride int, off *int32, src *float32, lds, n int, bias, least float32, masked bool)
//
// The same with sixteen tiles at a time: their columns with a lane for each, and their
// rows by AVX2, in two halves.
TEXT ·winogradOutputAVX512(SB), 0, $1536-57
	NO_LOCAL_POINTERS
	MOVQ src+24(FP), SI
	MOVQ lds+32(FP), DX
	MOVQ off+16(FP), BX
	SHLQ $2, DX
	SHLQ $2, stride+8(FP)
	CONSTANTS512
	VBROADCASTSS winogradConst<>+0(SB), A
	VBROADCASTSS winogradConst<>+4(SB), B
	VBROADCASTSS winogradConst<>+8(SB), HALF
	VBROADCASTSS winogradConst<>+20(SB), A3
	VBROADCASTSS winogradConst<>+24(SB), B3

tiles:
	ROW_DISTANCES
	MOVQ SI, CX
	LEAQ frame-1536(SP), DI
	MOVL $6, AX

column:
	VMOVUPS (CX), Z0
	VMOVUPS (CX)(R8*1), Z1
	VMOVUPS (CX)(R8*2), Z2
	VMOVUPS (CX)(R9*1), Z3
	VMOVUPS (CX)(R8*4), Z4
	VMOVUPS (CX)(R10*1), Z5
	VADDPS Z1, Z2, Z6
	VSUBPS Z2, Z1, Z7
	VADDPS Z3, Z4, Z8
	VSUBPS Z4, Z3, Z9
	VADDPS Z0, Z6, Z0
	VADDPS Z0, Z8, Z0
	VMULPS A_512, Z7, Z1
	VFMADD231PS B_512, Z9, Z1
	VADDPS Z8, Z8, Z2
	VFMADD231PS HALF_512, Z6, Z2
	VFMADD231PS A3_512, Z7, Z5
	VFMADD231PS B3_512, Z9, Z5
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 384(DI)
	VMOVUPS Z2, 768(DI)
	VMOVUPS Z5, 1152(DI)
	ADDQ $64, DI
	ADDQ DX, CX
	DECL AX
	JNZ  column

	OFFSETS(BX)
	MOVQ dst+0(FP), DI
	LEAQ frame-1536(SP), CX
	MOVL $4, AX
	VBROADCASTSS bias+48(FP), Y10

rowLow:
	OUTPUT_ROW(64, least+52(FP))
	CMPB masked+56(FP), $0
	JEQ  storeLow
	MASK_ROW

storeLow:
	STORE_ROW
	ADDQ $384, CX
	ADDQ stride+8(FP), DI
	DECL AX
	JNZ  rowLow

	ADDQ $32, BX
	OFFSETS(BX)
	MOVQ dst+0(FP), DI
	LEAQ frame-1504(SP), CX
	MOVL $4, AX

rowHigh:
	OUTPUT_ROW(64, least+52(FP))
	CMPB masked+56(FP), $0
	JEQ  storeHigh
	MASK_ROW

storeHigh:
	STORE_ROW
	ADDQ $384, CX
	ADDQ stride+8(FP), DI
	DECL AX
	JNZ  rowHigh

	ADDQ $64, SI
	ADDQ $32, BX
	SUBQ $16, n+40(FP)
	JNZ  tiles
	VZEROUPPER
	RET
