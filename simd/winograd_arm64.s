//go:build !noasm

#include "textflag.h"

// The numbers of the transformations, which V16 and V17 hold.
DATA winogradConst<>+0(SB)/4, $0.7071067811865476   // V16.S[0]: a
DATA winogradConst<>+4(SB)/4, $1.4142135623730951   // V16.S[1]: b
DATA winogradConst<>+8(SB)/4, $0.5                  // V16.S[2]: a²
DATA winogradConst<>+12(SB)/4, $2.0                 // V16.S[3]: b²
DATA winogradConst<>+16(SB)/4, $2.5                 // V17.S[0]: a²+b²
DATA winogradConst<>+20(SB)/4, $0.3535533905932738  // V17.S[1]: a³
DATA winogradConst<>+24(SB)/4, $2.8284271247461903  // V17.S[2]: b³
DATA winogradConst<>+28(SB)/4, $0.0                 // fills V17
GLOBL winogradConst<>(SB), RODATA|NOPTR, $32

#define CONSTANTS(t) \
	MOVD $winogradConst<>(SB), t; \
	FLDPQ (t), (F16, F17)

// 16 pixels at p go to V24…V27. With a dilation of 4 these are the pixels 0, 1, 2 and 3 of four
// tiles.
#define PIXELS(p) \
	FLDPQ (p), (F24, F25); \
	FLDPQ 32(p), (F26, F27)

// The same pixels of V24…V27 in r0…r3, for a dilation of 4, 2 and 1.
#define TILES4(r0, r1, r2, r3) \
	VMOV V24.B16, r0.B16; \
	VMOV V25.B16, r1.B16; \
	VMOV V26.B16, r2.B16; \
	VMOV V27.B16, r3.B16

#define TILES2(r0, r1, r2, r3) \
	VZIP1 V26.D2, V24.D2, r0.D2; \
	VZIP2 V26.D2, V24.D2, r1.D2; \
	VZIP1 V27.D2, V25.D2, r2.D2; \
	VZIP2 V27.D2, V25.D2, r3.D2

#define TILES1(r0, r1, r2, r3) \
	VTRN1 V25.S4, V24.S4, V18.S4; \
	VTRN2 V25.S4, V24.S4, V19.S4; \
	VTRN1 V27.S4, V26.S4, V20.S4; \
	VTRN2 V27.S4, V26.S4, V21.S4; \
	VTRN1 V20.D2, V18.D2, r0.D2; \
	VTRN1 V21.D2, V19.D2, r1.D2; \
	VTRN2 V20.D2, V18.D2, r2.D2; \
	VTRN2 V21.D2, V19.D2, r3.D2

// The inverse of TILES2. The other two are their own inverses.
#define PLACE2(r0, r1, r2, r3) \
	VZIP1 V25.D2, V24.D2, r0.D2; \
	VZIP1 V27.D2, V26.D2, r1.D2; \
	VZIP2 V25.D2, V24.D2, r2.D2; \
	VZIP2 V27.D2, V26.D2, r3.D2

#define LOAD6(p, ld) \
	VLD1.P (p)(ld), [V0.S4]; \
	VLD1.P (p)(ld), [V1.S4]; \
	VLD1.P (p)(ld), [V2.S4]; \
	VLD1.P (p)(ld), [V3.S4]; \
	VLD1.P (p)(ld), [V4.S4]; \
	VLD1.P (p)(ld), [V5.S4]

#define STORE6(p, ld) \
	VST1.P [V18.S4], (p)(ld); \
	VST1.P [V19.S4], (p)(ld); \
	VST1.P [V20.S4], (p)(ld); \
	VST1.P [V21.S4], (p)(ld); \
	VST1.P [V22.S4], (p)(ld); \
	VST1.P [V23.S4], (p)(ld)

// The products with Bᵀ of V0…V5, which stay, go to V18…V23.
#define MULTIPLY_BT \
	WORD $0x4E24D412 /* FADD V18.4S, V0.4S, V4.4S */; \
	WORD $0x4F915052 /* FMLS V18.4S, V2.4S, V17.S[0] */; \
	VMOV V4.B16, V20.B16; \
	WORD $0x4FB05854 /* FMLS V20.4S, V2.4S, V16.S[3] */; \
	VMOV V3.B16, V6.B16; \
	WORD $0x4FB05826 /* FMLS V6.4S, V1.4S, V16.S[3] */; \
	VMOV V20.B16, V19.B16; \
	WORD $0x4F9010D3 /* FMLA V19.4S, V6.4S, V16.S[0] */; \
	WORD $0x4F9050D4 /* FMLS V20.4S, V6.4S, V16.S[0] */; \
	VMOV V4.B16, V22.B16; \
	WORD $0x4F905856 /* FMLS V22.4S, V2.4S, V16.S[2] */; \
	VMOV V3.B16, V6.B16; \
	WORD $0x4F905826 /* FMLS V6.4S, V1.4S, V16.S[2] */; \
	VMOV V22.B16, V21.B16; \
	WORD $0x4FB010D5 /* FMLA V21.4S, V6.4S, V16.S[1] */; \
	WORD $0x4FB050D6 /* FMLS V22.4S, V6.4S, V16.S[1] */; \
	WORD $0x4E25D437 /* FADD V23.4S, V1.4S, V5.4S */; \
	WORD $0x4F915077 /* FMLS V23.4S, V3.4S, V17.S[0] */

// The products with A of V0…V3 go to V18…V23.
#define MULTIPLY_A \
	VMOV V0.B16, V18.B16; \
	VMOV V0.B16, V20.B16; \
	WORD $0x4F901854 /* FMLA V20.4S, V2.4S, V16.S[2] */; \
	VMOV V1.B16, V6.B16; \
	WORD $0x4F901866 /* FMLA V6.4S, V3.4S, V16.S[2] */; \
	VMOV V20.B16, V19.B16; \
	WORD $0x4F9010D3 /* FMLA V19.4S, V6.4S, V16.S[0] */; \
	WORD $0x4F9050D4 /* FMLS V20.4S, V6.4S, V16.S[0] */; \
	VMOV V0.B16, V22.B16; \
	WORD $0x4FB01856 /* FMLA V22.4S, V2.4S, V16.S[3] */; \
	WORD $0x4FB01861 /* FMLA V1.4S, V3.4S, V16.S[3] */; \
	VMOV V22.B16, V21.B16; \
	WORD $0x4FB01035 /* FMLA V21.4S, V1.4S, V16.S[1] */; \
	WORD $0x4FB05036 /* FMLS V22.4S, V1.4S, V16.S[1] */; \
	VMOV V3.B16, V23.B16

// The products with Aᵀ of V0…V5 go to V24…V27.
#define MULTIPLY_AT \
	WORD $0x4E22D426 /* FADD V6.4S, V1.4S, V2.4S */; \
	WORD $0x4EA2D427 /* FSUB V7.4S, V1.4S, V2.4S */; \
	WORD $0x4E24D476 /* FADD V22.4S, V3.4S, V4.4S */; \
	WORD $0x4EA4D477 /* FSUB V23.4S, V3.4S, V4.4S */; \
	WORD $0x4E26D418 /* FADD V24.4S, V0.4S, V6.4S */; \
	WORD $0x4E36D718 /* FADD V24.4S, V24.4S, V22.4S */; \
	WORD $0x4F9090F9 /* FMUL V25.4S, V7.4S, V16.S[0] */; \
	WORD $0x4FB012F9 /* FMLA V25.4S, V23.4S, V16.S[1] */; \
	WORD $0x4E36D6DA /* FADD V26.4S, V22.4S, V22.4S */; \
	WORD $0x4F9018DA /* FMLA V26.4S, V6.4S, V16.S[2] */; \
	VMOV V5.B16, V27.B16; \
	WORD $0x4FB110FB /* FMLA V27.4S, V7.4S, V17.S[1] */; \
	WORD $0x4F911AFB /* FMLA V27.4S, V23.4S, V17.S[2] */

// r = where the row of pixels begins whose number is at an offset from R3: in the image at R2, or,
// if it is outside of it, in the zeros at R6.
#define ROW(at, r) \
	MOVW at(R3), r; \
	CMP  $0, r; \
	ADD  r<<2, R2, r; \
	CSEL LT, R6, r, r

// The next pixel of each row goes to a lane of V0…V3, or of V0…V5.
#define LANE4(lane) \
	VLD1.P 4(R8), V0.S[lane]; \
	VLD1.P 4(R9), V1.S[lane]; \
	VLD1.P 4(R10), V2.S[lane]; \
	VLD1.P 4(R11), V3.S[lane]

#define LANE6(lane) \
	LANE4(lane); \
	VLD1.P 4(R12), V4.S[lane]; \
	VLD1.P 4(R13), V5.S[lane]

#define ZERO4 \
	VEOR V0.B16, V0.B16, V0.B16; \
	VEOR V1.B16, V1.B16, V1.B16; \
	VEOR V2.B16, V2.B16, V2.B16; \
	VEOR V3.B16, V3.B16, V3.B16

#define ZERO6 \
	ZERO4; \
	VEOR V4.B16, V4.B16, V4.B16; \
	VEOR V5.B16, V5.B16, V5.B16

// func winogradInputRowsNEON(dst *float32, ldd int, src *float32, rows *int32, n, count int)
//
//	for x = 0; x < count; x += 4:
//	    V0…V5 = src[rows[r]+x], r < 6                  // 0 outside of the image, and from n on
//	    dst[i·ldd+x] = products with Bᵀ, i < 6
TEXT ·winogradInputRowsNEON(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD ldd+8(FP), R1
	MOVD src+16(FP), R2
	MOVD rows+24(FP), R3
	MOVD n+32(FP), R4
	MOVD count+40(FP), R5
	MOVD $·winogradZeros(SB), R6
	CONSTANTS(R8)
	LSL  $2, R1
	ROW(0, R8)
	ROW(4, R9)
	ROW(8, R10)
	ROW(12, R11)
	ROW(16, R12)
	ROW(20, R13)

pixels:
	CMP  $4, R4
	BLT  few
	VLD1.P 16(R8), [V0.S4]
	VLD1.P 16(R9), [V1.S4]
	VLD1.P 16(R10), [V2.S4]
	VLD1.P 16(R11), [V3.S4]
	VLD1.P 16(R12), [V4.S4]
	VLD1.P 16(R13), [V5.S4]

multiply:
	MULTIPLY_BT
	MOVD R0, R15
	STORE6(R15, R1)
	ADD  $16, R0
	SUB  $4, R4
	SUBS $4, R5
	BGT  pixels
	RET

few:                           // R4 pixels are left, or none
	ZERO6
	CMP  $1, R4
	BLT  multiply
	LANE6(0)
	CMP  $2, R4
	BLT  multiply
	LANE6(1)
	CMP  $3, R4
	BLT  multiply
	LANE6(2)
	B    multiply

// func winogradInputTilesNEON(dst *float32, ldd int, src *float32, lds int, left, right *int32, n, d int)
//
//	for i < 6, for q = 0; q < n; q += 4:
//	    V0…V3 = pixels 0…3 of the tiles, from src[i·lds+4q]
//	    V4 V5 = their pixels 4 and 5: the others of V0 and V1, and the first d of the next tiles
//	    V0 &= left[q], V5 &= right[q]
//	    dst[(6i+j)·ldd+q] = products with B, j < 6
TEXT ·winogradInputTilesNEON(SB), NOSPLIT, $0-64
	MOVD dst+0(FP), R0
	MOVD ldd+8(FP), R1
	MOVD src+16(FP), R2
	MOVD lds+24(FP), R3
	MOVD d+56(FP), R14
	CONSTANTS(R8)
	LSL  $2, R1
	LSL  $2, R3
	ADD  R1<<1, R1, R6
	LSL  $1, R6                // six rows of dst
	MOVD $6, R13

row:
	MOVD R0, R8
	MOVD R2, R9
	MOVD left+32(FP), R10
	MOVD right+40(FP), R11
	MOVD n+48(FP), R12

tiles:
	PIXELS(R9)
	FLDPQ 64(R9), (F4, F5)     // with a dilation of 4 these are the pixels 4 and 5
	CMP  $2, R14
	BEQ  two
	BGT  four
	TILES1(V0, V1, V2, V3)
	VEXT $4, V4.B16, V4.B16, V5.B16
	VEXT $4, V5.B16, V1.B16, V5.B16
	VEXT $4, V4.B16, V0.B16, V4.B16
	B    multiply

two:
	TILES2(V0, V1, V2, V3)
	VZIP2 V4.D2, V1.D2, V5.D2
	VEXT $8, V4.B16, V0.B16, V4.B16
	B    multiply

four:
	TILES4(V0, V1, V2, V3)

multiply:
	VLD1.P 16(R10), [V6.S4]
	VLD1.P 16(R11), [V7.S4]
	VAND V6.B16, V0.B16, V0.B16
	VAND V7.B16, V5.B16, V5.B16
	MULTIPLY_BT
	MOVD R8, R15
	STORE6(R15, R1)
	ADD  $16, R8
	ADD  $64, R9
	SUBS $4, R12
	BGT  tiles

	ADD  R6, R0
	ADD  R3, R2
	SUB  $1, R13
	CBNZ R13, row
	RET

// func winogradGradientRowsNEON(dst *float32, ldd int, src *float32, rows *int32, n, count int)
//
//	for x = 0; x < count; x += 4:
//	    V0…V3 = src[rows[r]+x], r < 4                  // 0 outside of the image, and from n on
//	    dst[i·ldd+x] = products with A, i < 6
TEXT ·winogradGradientRowsNEON(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD ldd+8(FP), R1
	MOVD src+16(FP), R2
	MOVD rows+24(FP), R3
	MOVD n+32(FP), R4
	MOVD count+40(FP), R5
	MOVD $·winogradZeros(SB), R6
	CONSTANTS(R8)
	LSL  $2, R1
	ROW(0, R8)
	ROW(4, R9)
	ROW(8, R10)
	ROW(12, R11)

pixels:
	CMP  $4, R4
	BLT  few
	VLD1.P 16(R8), [V0.S4]
	VLD1.P 16(R9), [V1.S4]
	VLD1.P 16(R10), [V2.S4]
	VLD1.P 16(R11), [V3.S4]

multiply:
	MULTIPLY_A
	MOVD R0, R15
	STORE6(R15, R1)
	ADD  $16, R0
	SUB  $4, R4
	SUBS $4, R5
	BGT  pixels
	RET

few:                           // R4 pixels are left, or none
	ZERO4
	CMP  $1, R4
	BLT  multiply
	LANE4(0)
	CMP  $2, R4
	BLT  multiply
	LANE4(1)
	CMP  $3, R4
	BLT  multiply
	LANE4(2)
	B    multiply

// func winogradGradientTilesNEON(dst *float32, ldd int, src *float32, lds, n, d int)
//
//	for i < 6, for q = 0; q < n; q += 4:
//	    V0…V3 = pixels 0…3 of the tiles, from src[i·lds+4q]
//	    dst[(6i+j)·ldd+q] = products with Aᵀ, j < 6
TEXT ·winogradGradientTilesNEON(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD ldd+8(FP), R1
	MOVD src+16(FP), R2
	MOVD lds+24(FP), R3
	MOVD n+32(FP), R5
	MOVD d+40(FP), R14
	CONSTANTS(R8)
	LSL  $2, R1
	LSL  $2, R3
	ADD  R1<<1, R1, R6
	LSL  $1, R6                // six rows of dst
	MOVD $6, R13

row:
	MOVD R0, R8
	MOVD R2, R9
	MOVD R5, R12

tiles:
	PIXELS(R9)
	CMP  $2, R14
	BEQ  two
	BGT  four
	TILES1(V0, V1, V2, V3)
	B    multiply

two:
	TILES2(V0, V1, V2, V3)
	B    multiply

four:
	TILES4(V0, V1, V2, V3)

multiply:
	MULTIPLY_A
	MOVD R8, R15
	STORE6(R15, R1)
	ADD  $16, R8
	ADD  $64, R9
	SUBS $4, R12
	BGT  tiles

	ADD  R6, R0
	ADD  R3, R2
	SUB  $1, R13
	CBNZ R13, row
	RET

// func winogradOutputTilesNEON(dst *float32, ldd int, src *float32, lds, n, d int)
//
//	for i < 6, for q = 0; q < n; q += 4:
//	    V24…V27 = products of src[(6i+r)·lds+q], r < 6, with A: pixels 0…3 of the tiles
//	    dst[i·ldd+4q …] = these pixels, in the image's order
TEXT ·winogradOutputTilesNEON(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD ldd+8(FP), R1
	MOVD src+16(FP), R2
	MOVD lds+24(FP), R3
	MOVD n+32(FP), R5
	MOVD d+40(FP), R14
	CONSTANTS(R8)
	LSL  $2, R1
	LSL  $2, R3
	ADD  R3<<1, R3, R6
	LSL  $1, R6                // six rows of src
	MOVD $6, R13

row:
	MOVD R0, R8
	MOVD R2, R9
	MOVD R5, R12

tiles:
	MOVD R9, R15
	LOAD6(R15, R3)
	MULTIPLY_AT
	CMP  $2, R14
	BEQ  two
	BGT  four
	TILES1(V28, V29, V30, V31)
	B    store

two:
	PLACE2(V28, V29, V30, V31)
	B    store

four:
	TILES4(V28, V29, V30, V31)

store:
	FSTPQ (F28, F29), (R8)
	FSTPQ (F30, F31), 32(R8)
	ADD  $64, R8
	ADD  $16, R9
	SUBS $4, R12
	BGT  tiles

	ADD  R1, R0
	ADD  R6, R2
	SUB  $1, R13
	CBNZ R13, row
	RET

// r = where the row is stored whose number is at an offset from R2: in the image at R0, or, if it
// is left out, where the first one is, R8. R7 is negative from the first such row on.
#define STORED_ROW(at, r) \
	MOVW at(R2), r; \
	ORR  r, R7; \
	ADD  r<<2, R0, r; \
	CMP  $0, R7; \
	CSEL LT, R8, r, r

// func winogradOutputRowsNEON(dst *float32, rows *int32, src *float32, lds int, add *float32, n int, bias, least, slope float32, mode int)
//
//	for x = 0; x < n; x += 4:
//	    V24…V27 = products with Aᵀ of src[r·lds+x], r < 6
//	    mode 0: max(· + bias + add, least); NaN stays
//	    mode 1: PReLU(· + bias + add)
//	    mode 2: 0 where the image is not above 0; where it is NaN they stay
//	    dst[rows[i]+x] = V24…V27
//
// Fewer than four pixels that are left are taken one by one. Rows that are left out are written
// where the first one is, before it is.
TEXT ·winogradOutputRowsNEON(SB), NOSPLIT, $0-72
	MOVD dst+0(FP), R0
	MOVD rows+8(FP), R2
	MOVD src+16(FP), R3
	MOVD lds+24(FP), R1
	MOVD add+32(FP), R4
	MOVD n+40(FP), R6
	FMOVS bias+48(FP), F8
	FMOVS least+52(FP), F9
	FMOVS slope+56(FP), F10
	MOVD mode+64(FP), R13
	VDUP V8.S[0], V8.S4
	VDUP V9.S[0], V9.S4
	VDUP V10.S[0], V10.S4
	CONSTANTS(R8)
	LSL  $2, R1
	MOVD $0, R7
	STORED_ROW(0, R8)
	STORED_ROW(4, R9)
	STORED_ROW(8, R10)
	STORED_ROW(12, R11)
	CMP  $2, R13
	CSEL EQ, R0, R4, R4        // the image that is read: the mask, what is added, or none
	SUB  R0, R4, R7
	ADD  R7, R8, R19
	ADD  R7, R9, R20
	ADD  R7, R10, R21
	ADD  R7, R11, R22

pixels:
	MOVD R3, R15
	LOAD6(R15, R1)
	MULTIPLY_AT
	CBZ  R4, epilogue
	CMP  $4, R6
	BLT  readOne
	VLD1.P 16(R19), [V0.S4]
	VLD1.P 16(R20), [V1.S4]
	VLD1.P 16(R21), [V2.S4]
	VLD1.P 16(R22), [V3.S4]

epilogue:
	CMP  $2, R13
	BEQ  masked
	WORD $0x4E28D718 // FADD V24.4S, V24.4S, V8.4S
	WORD $0x4E28D739 // FADD V25.4S, V25.4S, V8.4S
	WORD $0x4E28D75A // FADD V26.4S, V26.4S, V8.4S
	WORD $0x4E28D77B // FADD V27.4S, V27.4S, V8.4S
	CBZ  R4, added
	WORD $0x4E20D718 // FADD V24.4S, V24.4S, V0.4S
	WORD $0x4E21D739 // FADD V25.4S, V25.4S, V1.4S
	WORD $0x4E22D75A // FADD V26.4S, V26.4S, V2.4S
	WORD $0x4E23D77B // FADD V27.4S, V27.4S, V3.4S

added:
	CBNZ R13, prelu
	WORD $0x4E29F718 // FMAX V24.4S, V24.4S, V9.4S
	WORD $0x4E29F739 // FMAX V25.4S, V25.4S, V9.4S
	WORD $0x4E29F75A // FMAX V26.4S, V26.4S, V9.4S
	WORD $0x4E29F77B // FMAX V27.4S, V27.4S, V9.4S
	B    store

prelu:
	WORD $0x6E2ADF00 // FMUL V0.4S, V24.4S, V10.4S
	WORD $0x6E2ADF21 // FMUL V1.4S, V25.4S, V10.4S
	WORD $0x6E2ADF42 // FMUL V2.4S, V26.4S, V10.4S
	WORD $0x6E2ADF63 // FMUL V3.4S, V27.4S, V10.4S
	WORD $0x4EA0EB04 // FCMLT V4.4S, V24.4S, #0.0; false for NaN
	WORD $0x4EA0EB25 // FCMLT V5.4S, V25.4S, #0.0; false for NaN
	WORD $0x4EA0EB46 // FCMLT V6.4S, V26.4S, #0.0; false for NaN
	WORD $0x4EA0EB67 // FCMLT V7.4S, V27.4S, #0.0; false for NaN
	WORD $0x6EA41C18 // BIT V24.16B, V0.16B, V4.16B; slope*v where the mask has ones
	WORD $0x6EA51C39 // BIT V25.16B, V1.16B, V5.16B; slope*v where the mask has ones
	WORD $0x6EA61C5A // BIT V26.16B, V2.16B, V6.16B; slope*v where the mask has ones
	WORD $0x6EA71C7B // BIT V27.16B, V3.16B, V7.16B; slope*v where the mask has ones
	B    store

masked:
	WORD $0x6EA0D800 // FCMLE V0.4S, V0.4S, #0.0; false for NaN
	WORD $0x6EA0D821 // FCMLE V1.4S, V1.4S, #0.0; false for NaN
	WORD $0x6EA0D842 // FCMLE V2.4S, V2.4S, #0.0; false for NaN
	WORD $0x6EA0D863 // FCMLE V3.4S, V3.4S, #0.0; false for NaN
	WORD $0x4E601F18 // BIC V24.16B, V24.16B, V0.16B
	WORD $0x4E611F39 // BIC V25.16B, V25.16B, V1.16B
	WORD $0x4E621F5A // BIC V26.16B, V26.16B, V2.16B
	WORD $0x4E631F7B // BIC V27.16B, V27.16B, V3.16B

store:
	CMP  $4, R6
	BLT  storeOne
	VST1.P [V27.S4], 16(R11)
	VST1.P [V26.S4], 16(R10)
	VST1.P [V25.S4], 16(R9)
	VST1.P [V24.S4], 16(R8)
	ADD  $16, R3
	SUBS $4, R6
	BGT  pixels
	RET

readOne:
	FMOVS.P 4(R19), F0
	FMOVS.P 4(R20), F1
	FMOVS.P 4(R21), F2
	FMOVS.P 4(R22), F3
	B    epilogue

storeOne:
	FMOVS.P F27, 4(R11)
	FMOVS.P F26, 4(R10)
	FMOVS.P F25, 4(R9)
	FMOVS.P F24, 4(R8)
	ADD  $4, R3
	SUBS $1, R6
	BGT  pixels
	RET
