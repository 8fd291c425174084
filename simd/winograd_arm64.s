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

// Pointers to four tiles of the image go to R8…R11, from the offsets at R4.
#define OFFSETS(image) \
	MOVW.P 4(R4), R8; \
	MOVW.P 4(R4), R9; \
	MOVW.P 4(R4), R10; \
	MOVW.P 4(R4), R11; \
	ADD R8<<2, image, R8; \
	ADD R9<<2, image, R9; \
	ADD R10<<2, image, R10; \
	ADD R11<<2, image, R11

// The tiles' next rows, R3 bytes on.
#define NEXT_ROW \
	ADD R3, R8; \
	ADD R3, R9; \
	ADD R3, R10; \
	ADD R3, R11

// Four tiles' pixels in a register each become four pixels, a lane a tile, or back.
#define TRANSPOSE(r0, r1, r2, r3) \
	VTRN1 r1.S4, r0.S4, V24.S4; \
	VTRN2 r1.S4, r0.S4, V25.S4; \
	VTRN1 r3.S4, r2.S4, V26.S4; \
	VTRN2 r3.S4, r2.S4, V27.S4; \
	VTRN1 V26.D2, V24.D2, r0.D2; \
	VTRN1 V27.D2, V25.D2, r1.D2; \
	VTRN2 V26.D2, V24.D2, r2.D2; \
	VTRN2 V27.D2, V25.D2, r3.D2

// The products with Bᵀ of V0…V5 go to V18…V23.
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

// func winogradInputNEON(dst *float32, ldd int, src *float32, stride int, off *int32, n int)
//
//	for t = 0; t < n; t += 4:
//	    for each row i < 6 of the tiles t … t+3:
//	        V0…V5 = their six pixels                    // a register a column, a lane a tile
//	        dst[6i … 6i+5][t … t+3] = products with Bᵀ
//	    for each column j < 6:
//	        the same with dst[j, 6+j, … 30+j], in place
TEXT ·winogradInputNEON(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD ldd+8(FP), R1
	MOVD src+16(FP), R2
	MOVD stride+24(FP), R3
	MOVD off+32(FP), R4
	MOVD n+40(FP), R5
	LSL  $2, R1
	LSL  $2, R3
	ADD  R1<<1, R1, R6
	LSL  $1, R6                // six rows of dst
	MOVD $winogradConst<>(SB), R7
	FLDPQ (R7), (F16, F17)

tiles:
	OFFSETS(R2)
	MOVD R0, R12               // dst[6i]
	MOVD $6, R13

row:
	FMOVQ (R8), F0
	FMOVQ (R9), F1
	FMOVQ (R10), F2
	FMOVQ (R11), F3
	FMOVD 16(R8), F4
	FMOVD 16(R9), F5
	FMOVD 16(R10), F6
	FMOVD 16(R11), F7
	NEXT_ROW
	TRANSPOSE(V0, V1, V2, V3)
	TRANSPOSE(V4, V5, V6, V7)  // two columns and two of zeros
	MULTIPLY_BT
	VST1.P [V18.S4], (R12)(R1)
	VST1.P [V19.S4], (R12)(R1)
	VST1.P [V20.S4], (R12)(R1)
	VST1.P [V21.S4], (R12)(R1)
	VST1.P [V22.S4], (R12)(R1)
	VST1.P [V23.S4], (R12)(R1)
	SUB  $1, R13
	CBNZ R13, row

	MOVD R0, R14               // dst[j]
	MOVD $6, R13

column:
	MOVD R14, R12
	VLD1.P (R12)(R6), [V0.S4]
	VLD1.P (R12)(R6), [V1.S4]
	VLD1.P (R12)(R6), [V2.S4]
	VLD1.P (R12)(R6), [V3.S4]
	VLD1.P (R12)(R6), [V4.S4]
	VLD1.P (R12)(R6), [V5.S4]
	MULTIPLY_BT
	MOVD R14, R12
	VST1.P [V18.S4], (R12)(R6)
	VST1.P [V19.S4], (R12)(R6)
	VST1.P [V20.S4], (R12)(R6)
	VST1.P [V21.S4], (R12)(R6)
	VST1.P [V22.S4], (R12)(R6)
	VST1.P [V23.S4], (R12)(R6)
	ADD  R1, R14
	SUB  $1, R13
	CBNZ R13, column

	ADD  $16, R0
	SUB  $4, R5
	CBNZ R5, tiles
	RET

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

// func winogradGradientNEON(dst *float32, ldd int, src *float32, stride int, off *int32, n int)
//
//	for t = 0; t < n; t += 4:
//	    for each row i < 4 of the tiles t … t+3:
//	        V0…V3 = their four pixels                   // a register a column, a lane a tile
//	        dst[6i … 6i+5][t … t+3] = products with A
//	    for each column j < 6:
//	        dst[j, 6+j, … 30+j] = products of the first four with A
TEXT ·winogradGradientNEON(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD ldd+8(FP), R1
	MOVD src+16(FP), R2
	MOVD stride+24(FP), R3
	MOVD off+32(FP), R4
	MOVD n+40(FP), R5
	LSL  $2, R1
	LSL  $2, R3
	ADD  R1<<1, R1, R6
	LSL  $1, R6                // six rows of dst
	MOVD $winogradConst<>(SB), R7
	FLDPQ (R7), (F16, F17)

tiles:
	OFFSETS(R2)
	MOVD R0, R12               // dst[6i]
	MOVD $4, R13

row:
	FMOVQ (R8), F0
	FMOVQ (R9), F1
	FMOVQ (R10), F2
	FMOVQ (R11), F3
	NEXT_ROW
	TRANSPOSE(V0, V1, V2, V3)
	MULTIPLY_A
	VST1.P [V18.S4], (R12)(R1)
	VST1.P [V19.S4], (R12)(R1)
	VST1.P [V20.S4], (R12)(R1)
	VST1.P [V21.S4], (R12)(R1)
	VST1.P [V22.S4], (R12)(R1)
	VST1.P [V23.S4], (R12)(R1)
	SUB  $1, R13
	CBNZ R13, row

	MOVD R0, R14               // dst[j]
	MOVD $6, R13

column:
	MOVD R14, R12
	VLD1.P (R12)(R6), [V0.S4]
	VLD1.P (R12)(R6), [V1.S4]
	VLD1.P (R12)(R6), [V2.S4]
	VLD1.P (R12)(R6), [V3.S4]
	MULTIPLY_A
	MOVD R14, R12
	VST1.P [V18.S4], (R12)(R6)
	VST1.P [V19.S4], (R12)(R6)
	VST1.P [V20.S4], (R12)(R6)
	VST1.P [V21.S4], (R12)(R6)
	VST1.P [V22.S4], (R12)(R6)
	VST1.P [V23.S4], (R12)(R6)
	ADD  R1, R14
	SUB  $1, R13
	CBNZ R13, column

	ADD  $16, R0
	SUB  $4, R5
	CBNZ R5, tiles
	RET

// The products with Aᵀ of V0…V5 go to V18…V21.
#define MULTIPLY_AT \
	WORD $0x4E22D426 /* FADD V6.4S, V1.4S, V2.4S */; \
	WORD $0x4EA2D427 /* FSUB V7.4S, V1.4S, V2.4S */; \
	WORD $0x4E24D476 /* FADD V22.4S, V3.4S, V4.4S */; \
	WORD $0x4EA4D477 /* FSUB V23.4S, V3.4S, V4.4S */; \
	WORD $0x4E26D412 /* FADD V18.4S, V0.4S, V6.4S */; \
	WORD $0x4E36D652 /* FADD V18.4S, V18.4S, V22.4S */; \
	WORD $0x4F9090F3 /* FMUL V19.4S, V7.4S, V16.S[0] */; \
	WORD $0x4FB012F3 /* FMLA V19.4S, V23.4S, V16.S[1] */; \
	WORD $0x4E36D6D4 /* FADD V20.4S, V22.4S, V22.4S */; \
	WORD $0x4F9018D4 /* FMLA V20.4S, V6.4S, V16.S[2] */; \
	VMOV V5.B16, V21.B16; \
	WORD $0x4FB110F5 /* FMLA V21.4S, V7.4S, V17.S[1] */; \
	WORD $0x4F911AF5 /* FMLA V21.4S, V23.4S, V17.S[2] */

// func winogradOutputNEON(dst *float32, stride int, off *int32, src *float32, lds, n int, bias, least float32, masked bool)
//
//	for t = 0; t < n; t += 4:
//	    for each column j < 6:
//	        src[j, 6+j, 12+j, 18+j] = products of src[j, 6+j, … 30+j] with Aᵀ
//	    for each row i < 4:
//	        V18…V21 = products of src[6i … 6i+5] with Aᵀ // a register a column, a lane a tile
//	        dst[off + i·stride] = max(V18…V21 + bias, least), transposed
//	                              // masked: 0 where dst was not above 0
TEXT ·winogradOutputNEON(SB), NOSPLIT, $0-57
	MOVD dst+0(FP), R2
	MOVD stride+8(FP), R3
	MOVD off+16(FP), R4
	MOVD src+24(FP), R0
	MOVD lds+32(FP), R1
	MOVD n+40(FP), R5
	FMOVS bias+48(FP), F30
	FMOVS least+52(FP), F31
	MOVBU masked+56(FP), R15
	VDUP V30.S[0], V30.S4
	VDUP V31.S[0], V31.S4
	LSL  $2, R1
	LSL  $2, R3
	ADD  R1<<1, R1, R6
	LSL  $1, R6                // six rows of src
	MOVD $winogradConst<>(SB), R7
	FLDPQ (R7), (F16, F17)

tiles:
	MOVD R0, R14               // src[j]
	MOVD $6, R13

column:
	MOVD R14, R12
	VLD1.P (R12)(R6), [V0.S4]
	VLD1.P (R12)(R6), [V1.S4]
	VLD1.P (R12)(R6), [V2.S4]
	VLD1.P (R12)(R6), [V3.S4]
	VLD1.P (R12)(R6), [V4.S4]
	VLD1.P (R12)(R6), [V5.S4]
	MULTIPLY_AT
	MOVD R14, R12
	VST1.P [V18.S4], (R12)(R6)
	VST1.P [V19.S4], (R12)(R6)
	VST1.P [V20.S4], (R12)(R6)
	VST1.P [V21.S4], (R12)(R6)
	ADD  R1, R14
	SUB  $1, R13
	CBNZ R13, column

	OFFSETS(R2)
	MOVD R0, R12               // src[6i]
	MOVD $4, R13

row:
	VLD1.P (R12)(R1), [V0.S4]
	VLD1.P (R12)(R1), [V1.S4]
	VLD1.P (R12)(R1), [V2.S4]
	VLD1.P (R12)(R1), [V3.S4]
	VLD1.P (R12)(R1), [V4.S4]
	VLD1.P (R12)(R1), [V5.S4]
	MULTIPLY_AT
	WORD $0x4E3ED652 // FADD V18.4S, V18.4S, V30.4S
	WORD $0x4E3ED673 // FADD V19.4S, V19.4S, V30.4S
	WORD $0x4E3ED694 // FADD V20.4S, V20.4S, V30.4S
	WORD $0x4E3ED6B5 // FADD V21.4S, V21.4S, V30.4S
	WORD $0x4E3FF652 // FMAX V18.4S, V18.4S, V31.4S
	WORD $0x4E3FF673 // FMAX V19.4S, V19.4S, V31.4S
	WORD $0x4E3FF694 // FMAX V20.4S, V20.4S, V31.4S
	WORD $0x4E3FF6B5 // FMAX V21.4S, V21.4S, V31.4S
	TRANSPOSE(V18, V19, V20, V21)
	CBZ  R15, store
	FMOVQ (R8), F0
	FMOVQ (R9), F1
	FMOVQ (R10), F2
	FMOVQ (R11), F3
	WORD $0x6EA0D800 // FCMLE V0.4S, V0.4S, #0.0
	WORD $0x6EA0D821 // FCMLE V1.4S, V1.4S, #0.0
	WORD $0x6EA0D842 // FCMLE V2.4S, V2.4S, #0.0
	WORD $0x6EA0D863 // FCMLE V3.4S, V3.4S, #0.0
	WORD $0x4E601E52 // BIC V18.16B, V18.16B, V0.16B
	WORD $0x4E611E73 // BIC V19.16B, V19.16B, V1.16B
	WORD $0x4E621E94 // BIC V20.16B, V20.16B, V2.16B
	WORD $0x4E631EB5 // BIC V21.16B, V21.16B, V3.16B

store:
	FMOVQ F18, (R8)
	FMOVQ F19, (R9)
	FMOVQ F20, (R10)
	FMOVQ F21, (R11)
	NEXT_ROW
	SUB  $1, R13
	CBNZ R13, row

	ADD  $16, R0
	SUB  $4, R5
	CBNZ R5, tiles
	RET
