//go:build !noasm

#include "textflag.h"

// STEPAVX2 is a step k of the loop below: off is 4 times its distance from AX, w that of its
// numbers of a from R12, in bytes.
#define STEPAVX2(off, w) \
	MOVLQSX off(DX)(AX*4), R13; \
	VMOVUPS (BX)(R13*4), Y12; \
	VMOVUPS 32(BX)(R13*4), Y13; \
	VMOVUPS 64(BX)(R13*4), Y14; \
	VBROADCASTSS w(R12), Y15; \
	VFMADD231PS Y12, Y15, Y0; \
	VFMADD231PS Y13, Y15, Y1; \
	VFMADD231PS Y14, Y15, Y2; \
	VBROADCASTSS w+4(R12), Y15; \
	VFMADD231PS Y12, Y15, Y3; \
	VFMADD231PS Y13, Y15, Y4; \
	VFMADD231PS Y14, Y15, Y5; \
	VBROADCASTSS w+8(R12), Y15; \
	VFMADD231PS Y12, Y15, Y6; \
	VFMADD231PS Y13, Y15, Y7; \
	VFMADD231PS Y14, Y15, Y8; \
	VBROADCASTSS w+12(R12), Y15; \
	VFMADD231PS Y12, Y15, Y9; \
	VFMADD231PS Y13, Y15, Y10; \
	VFMADD231PS Y14, Y15, Y11

// func gemmTileAVX2(c *float32, ldc int, a *float32, lda int, b *float32, off *int32, k, panels int, accumulate bool, next *float32, lines, burst int)
//
//	for each panel p:
//	    acc[4][24] = accumulate ? c[p] : 0             // Y0…Y11, three registers a row
//	    for each k:                                     // four at a time
//	        v = b[off[k] : off[k]+24]                   // Y12 Y13 Y14
//	        for each i < 4: acc[i] += a[p][k][i] · v
//	    before every fourth k: prefetch burst lines of next, if any are left   // into the second level of cache
//	    c[p] = acc
TEXT ·gemmTileAVX2(SB), NOSPLIT, $0-96
	MOVQ c+0(FP), DI
	MOVQ ldc+8(FP), R8
	MOVQ a+16(FP), SI
	MOVQ lda+24(FP), R9
	MOVQ b+32(FP), BX
	MOVQ off+40(FP), DX
	MOVQ k+48(FP), CX
	MOVQ panels+56(FP), R10
	MOVQ next+72(FP), R14
	MOVQ lines+80(FP), R15
	SHLQ $2, R8                // ldc and lda in bytes
	SHLQ $2, R9
	SHLQ $6, R15               // a line has 64 bytes
	SHLQ $6, burst+88(FP)
	ADDQ R14, R15              // the end of next

panel:
	CMPB accumulate+64(FP), $0
	JNE  load

	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	VXORPS X2, X2, X2
	VXORPS X3, X3, X3
	VXORPS X4, X4, X4
	VXORPS X5, X5, X5
	VXORPS X6, X6, X6
	VXORPS X7, X7, X7
	VXORPS X8, X8, X8
	VXORPS X9, X9, X9
	VXORPS X10, X10, X10
	VXORPS X11, X11, X11
	JMP  start

load:
	MOVQ DI, R11
	VMOVUPS (R11), Y0
	VMOVUPS 32(R11), Y1
	VMOVUPS 64(R11), Y2
	ADDQ R8, R11
	VMOVUPS (R11), Y3
	VMOVUPS 32(R11), Y4
	VMOVUPS 64(R11), Y5
	ADDQ R8, R11
	VMOVUPS (R11), Y6
	VMOVUPS 32(R11), Y7
	VMOVUPS 64(R11), Y8
	ADDQ R8, R11
	VMOVUPS (R11), Y9
	VMOVUPS 32(R11), Y10
	VMOVUPS 64(R11), Y11

start:
	MOVQ SI, R12               // a[p][k]
	XORL AX, AX                // k
	MOVQ CX, R11               // steps that are left, minus 4
	SUBQ $4, R11
	JLT  rest

loop:
	CMPQ R14, R15
	JGE  near
	MOVQ burst+88(FP), R13
	ADDQ R14, R13

fetch:
	PREFETCHT1 (R14)
	ADDQ $64, R14
	CMPQ R14, R13
	JLT  fetch

near:
	STEPAVX2(0, 0)
	STEPAVX2(4, 16)
	STEPAVX2(8, 32)
	STEPAVX2(12, 48)
	ADDQ $64, R12
	ADDQ $4, AX
	SUBQ $4, R11
	JGE  loop

rest:
	ADDQ $4, R11
	JZ   store

single:
	STEPAVX2(0, 0)
	ADDQ $16, R12
	INCQ AX
	DECQ R11
	JNZ  single

store:
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	ADDQ R8, DI
	VMOVUPS Y3, (DI)
	VMOVUPS Y4, 32(DI)
	VMOVUPS Y5, 64(DI)
	ADDQ R8, DI
	VMOVUPS Y6, (DI)
	VMOVUPS Y7, 32(DI)
	VMOVUPS Y8, 64(DI)
	ADDQ R8, DI
	VMOVUPS Y9, (DI)
	VMOVUPS Y10, 32(DI)
	VMOVUPS Y11, 64(DI)
	ADDQ R8, DI
	ADDQ R9, SI
	DECQ R10
	JNZ  panel
	VZEROUPPER
	RET

// STEPAVX512 is a step k of the loop below: off is 4 times its distance from AX, w that of its
// numbers of a from R12, in bytes.
#define STEPAVX512(off, w) \
	MOVLQSX off(DX)(AX*4), R13; \
	VMOVUPS (BX)(R13*4), Z24; \
	VMOVUPS 64(BX)(R13*4), Z25; \
	VMOVUPS 128(BX)(R13*4), Z26; \
	VBROADCASTSS w(R12), Z27; \
	VFMADD231PS Z24, Z27, Z0; \
	VFMADD231PS Z25, Z27, Z1; \
	VFMADD231PS Z26, Z27, Z2; \
	VBROADCASTSS w+4(R12), Z28; \
	VFMADD231PS Z24, Z28, Z3; \
	VFMADD231PS Z25, Z28, Z4; \
	VFMADD231PS Z26, Z28, Z5; \
	VBROADCASTSS w+8(R12), Z27; \
	VFMADD231PS Z24, Z27, Z6; \
	VFMADD231PS Z25, Z27, Z7; \
	VFMADD231PS Z26, Z27, Z8; \
	VBROADCASTSS w+12(R12), Z28; \
	VFMADD231PS Z24, Z28, Z9; \
	VFMADD231PS Z25, Z28, Z10; \
	VFMADD231PS Z26, Z28, Z11; \
	VBROADCASTSS w+16(R12), Z27; \
	VFMADD231PS Z24, Z27, Z12; \
	VFMADD231PS Z25, Z27, Z13; \
	VFMADD231PS Z26, Z27, Z14; \
	VBROADCASTSS w+20(R12), Z28; \
	VFMADD231PS Z24, Z28, Z15; \
	VFMADD231PS Z25, Z28, Z16; \
	VFMADD231PS Z26, Z28, Z17; \
	VBROADCASTSS w+24(R12), Z27; \
	VFMADD231PS Z24, Z27, Z18; \
	VFMADD231PS Z25, Z27, Z19; \
	VFMADD231PS Z26, Z27, Z20; \
	VBROADCASTSS w+28(R12), Z28; \
	VFMADD231PS Z24, Z28, Z21; \
	VFMADD231PS Z25, Z28, Z22; \
	VFMADD231PS Z26, Z28, Z23

// func gemmTileAVX512(c *float32, ldc int, a *float32, lda int, b *float32, off *int32, k, panels int, accumulate bool, next *float32, lines, burst int)
//
//	for each panel p:
//	    acc[8][48] = accumulate ? c[p] : 0             // Z0…Z23, three registers a row
//	    for each k:                                     // four at a time
//	        v = b[off[k] : off[k]+48]                   // Z24 Z25 Z26
//	        for each i < 8: acc[i] += a[p][k][i] · v
//	    before every fourth k: prefetch burst lines of next, if any are left   // into the second level of cache
//	    c[p] = acc
TEXT ·gemmTileAVX512(SB), NOSPLIT, $0-96
	MOVQ c+0(FP), DI
	MOVQ ldc+8(FP), R8
	MOVQ a+16(FP), SI
	MOVQ lda+24(FP), R9
	MOVQ b+32(FP), BX
	MOVQ off+40(FP), DX
	MOVQ k+48(FP), CX
	MOVQ panels+56(FP), R10
	MOVQ next+72(FP), R14
	MOVQ lines+80(FP), R15
	SHLQ $2, R8                // ldc and lda in bytes
	SHLQ $2, R9
	SHLQ $6, R15               // a line has 64 bytes
	SHLQ $6, burst+88(FP)
	ADDQ R14, R15              // the end of next

panel:
	CMPB accumulate+64(FP), $0
	JNE  load

	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	VXORPS X2, X2, X2
	VXORPS X3, X3, X3
	VXORPS X4, X4, X4
	VXORPS X5, X5, X5
	VXORPS X6, X6, X6
	VXORPS X7, X7, X7
	VXORPS X8, X8, X8
	VXORPS X9, X9, X9
	VXORPS X10, X10, X10
	VXORPS X11, X11, X11
	VXORPS X12, X12, X12
	VXORPS X13, X13, X13
	VXORPS X14, X14, X14
	VXORPS X15, X15, X15
	VPXORD Z16, Z16, Z16
	VPXORD Z17, Z17, Z17
	VPXORD Z18, Z18, Z18
	VPXORD Z19, Z19, Z19
	VPXORD Z20, Z20, Z20
	VPXORD Z21, Z21, Z21
	VPXORD Z22, Z22, Z22
	VPXORD Z23, Z23, Z23
	JMP  start

load:
	MOVQ DI, R11
	VMOVUPS (R11), Z0
	VMOVUPS 64(R11), Z1
	VMOVUPS 128(R11), Z2
	ADDQ R8, R11
	VMOVUPS (R11), Z3
	VMOVUPS 64(R11), Z4
	VMOVUPS 128(R11), Z5
	ADDQ R8, R11
	VMOVUPS (R11), Z6
	VMOVUPS 64(R11), Z7
	VMOVUPS 128(R11), Z8
	ADDQ R8, R11
	VMOVUPS (R11), Z9
	VMOVUPS 64(R11), Z10
	VMOVUPS 128(R11), Z11
	ADDQ R8, R11
	VMOVUPS (R11), Z12
	VMOVUPS 64(R11), Z13
	VMOVUPS 128(R11), Z14
	ADDQ R8, R11
	VMOVUPS (R11), Z15
	VMOVUPS 64(R11), Z16
	VMOVUPS 128(R11), Z17
	ADDQ R8, R11
	VMOVUPS (R11), Z18
	VMOVUPS 64(R11), Z19
	VMOVUPS 128(R11), Z20
	ADDQ R8, R11
	VMOVUPS (R11), Z21
	VMOVUPS 64(R11), Z22
	VMOVUPS 128(R11), Z23

start:
	MOVQ SI, R12               // a[p][k]
	XORL AX, AX                // k
	MOVQ CX, R11               // steps that are left, minus 4
	SUBQ $4, R11
	JLT  rest

loop:
	CMPQ R14, R15
	JGE  near
	MOVQ burst+88(FP), R13
	ADDQ R14, R13

fetch:
	PREFETCHT1 (R14)
	ADDQ $64, R14
	CMPQ R14, R13
	JLT  fetch

near:
	STEPAVX512(0, 0)
	STEPAVX512(4, 32)
	STEPAVX512(8, 64)
	STEPAVX512(12, 96)
	ADDQ $128, R12
	ADDQ $4, AX
	SUBQ $4, R11
	JGE  loop

rest:
	ADDQ $4, R11
	JZ   store

single:
	STEPAVX512(0, 0)
	ADDQ $32, R12
	INCQ AX
	DECQ R11
	JNZ  single

store:
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	VMOVUPS Z2, 128(DI)
	ADDQ R8, DI
	VMOVUPS Z3, (DI)
	VMOVUPS Z4, 64(DI)
	VMOVUPS Z5, 128(DI)
	ADDQ R8, DI
	VMOVUPS Z6, (DI)
	VMOVUPS Z7, 64(DI)
	VMOVUPS Z8, 128(DI)
	ADDQ R8, DI
	VMOVUPS Z9, (DI)
	VMOVUPS Z10, 64(DI)
	VMOVUPS Z11, 128(DI)
	ADDQ R8, DI
	VMOVUPS Z12, (DI)
	VMOVUPS Z13, 64(DI)
	VMOVUPS Z14, 128(DI)
	ADDQ R8, DI
	VMOVUPS Z15, (DI)
	VMOVUPS Z16, 64(DI)
	VMOVUPS Z17, 128(DI)
	ADDQ R8, DI
	VMOVUPS Z18, (DI)
	VMOVUPS Z19, 64(DI)
	VMOVUPS Z20, 128(DI)
	ADDQ R8, DI
	VMOVUPS Z21, (DI)
	VMOVUPS Z22, 64(DI)
	VMOVUPS Z23, 128(DI)
	ADDQ R8, DI
	ADDQ R9, SI
	DECQ R10
	JNZ  panel
	VZEROUPPER
	RET

// func maxOffsetAVX2(off *int32, n int) uint32
//
//	the largest off[i], as numbers without a sign; n is a multiple of 8 and not 0
TEXT ·maxOffsetAVX2(SB), NOSPLIT, $0-20
	MOVQ off+0(FP), SI
	MOVQ n+8(FP), CX
	VPXOR X0, X0, X0
	VPXOR X1, X1, X1
	VPXOR X2, X2, X2
	VPXOR X3, X3, X3

loop4:
	CMPQ CX, $32
	JLT  loop
	VPMAXUD (SI), Y0, Y0
	VPMAXUD 32(SI), Y1, Y1
	VPMAXUD 64(SI), Y2, Y2
	VPMAXUD 96(SI), Y3, Y3
	ADDQ $128, SI
	SUBQ $32, CX
	JMP  loop4

loop:
	CMPQ CX, $8
	JLT  done
	VPMAXUD (SI), Y0, Y0
	ADDQ $32, SI
	SUBQ $8, CX
	JMP  loop

done:
	VPMAXUD Y1, Y0, Y0
	VPMAXUD Y3, Y2, Y2
	VPMAXUD Y2, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPMAXUD X1, X0, X0
	VPSHUFD $0x4E, X0, X1
	VPMAXUD X1, X0, X0
	VPSHUFD $0xB1, X0, X1
	VPMAXUD X1, X0, X0
	VMOVD X0, AX
	MOVL AX, ret+16(FP)
	VZEROUPPER
	RET
