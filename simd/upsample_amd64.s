//go:build !noasm

#include "textflag.h"

// The weights of bilinear interpolation half-way between two pixels' centres and edges.
DATA upsampleWeights<>+0(SB)/4, $0.75
DATA upsampleWeights<>+4(SB)/4, $0.25
GLOBL upsampleWeights<>(SB), RODATA|NOPTR, $8

// Orders of the 64-bit halves of 128-bit lanes. VUNPCKLPS and VUNPCKHPS interleave
// within each lane: with l and h theirs, the result is l0 h0 l1 h1 and l2 h2 l3 h3.
// Numbers from 8 on choose from the second operand.
DATA interleaveLow<>+0(SB)/8, $0
DATA interleaveLow<>+8(SB)/8, $1
DATA interleaveLow<>+16(SB)/8, $8
DATA interleaveLow<>+24(SB)/8, $9
DATA interleaveLow<>+32(SB)/8, $2
DATA interleaveLow<>+40(SB)/8, $3
DATA interleaveLow<>+48(SB)/8, $10
DATA interleaveLow<>+56(SB)/8, $11
GLOBL interleaveLow<>(SB), RODATA|NOPTR, $64
DATA interleaveHigh<>+0(SB)/8, $4
DATA interleaveHigh<>+8(SB)/8, $5
DATA interleaveHigh<>+16(SB)/8, $12
DATA interleaveHigh<>+24(SB)/8, $13
DATA interleaveHigh<>+32(SB)/8, $6
DATA interleaveHigh<>+40(SB)/8, $7
DATA interleaveHigh<>+48(SB)/8, $14
DATA interleaveHigh<>+56(SB)/8, $15
GLOBL interleaveHigh<>(SB), RODATA|NOPTR, $64
// VSHUFPS leaves, in each lane, two results of the first eight pairs and two of the second.
DATA pairsInOrder<>+0(SB)/8, $0
DATA pairsInOrder<>+8(SB)/8, $2
DATA pairsInOrder<>+16(SB)/8, $4
DATA pairsInOrder<>+24(SB)/8, $6
DATA pairsInOrder<>+32(SB)/8, $1
DATA pairsInOrder<>+40(SB)/8, $3
DATA pairsInOrder<>+48(SB)/8, $5
DATA pairsInOrder<>+56(SB)/8, $7
GLOBL pairsInOrder<>(SB), RODATA|NOPTR, $64

// func upsampleBlendAVX2(dst, near, far *float32, n int)
//
//	for each i: dst[i] = ¾·near[i] + ¼·far[i]
TEXT ·upsampleBlendAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ near+8(FP), SI
	MOVQ far+16(FP), DX
	MOVQ n+24(FP), CX
	VBROADCASTSS upsampleWeights<>+0(SB), Y14
	VBROADCASTSS upsampleWeights<>+4(SB), Y15
	XORL AX, AX

loop:
	VMULPS (SI)(AX*4), Y14, Y0
	VFMADD231PS (DX)(AX*4), Y15, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func upsampleBlendAVX512(dst, near, far *float32, n int)
//
//	for each i: dst[i] = ¾·near[i] + ¼·far[i]
TEXT ·upsampleBlendAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ near+8(FP), SI
	MOVQ far+16(FP), DX
	MOVQ n+24(FP), CX
	VBROADCASTSS upsampleWeights<>+0(SB), Z14
	VBROADCASTSS upsampleWeights<>+4(SB), Z15
	XORL AX, AX

loop:
	VMULPS (SI)(AX*4), Z14, Z0
	VFMADD231PS (DX)(AX*4), Z15, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func upsampleBlendBackwardAVX2(dst, near0, near1, far0, far1 *float32, n int)
//
//	for each i: dst[i] = ¾·(near0[i] + near1[i]) + ¼·(far0[i] + far1[i])
TEXT ·upsampleBlendBackwardAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ near0+8(FP), SI
	MOVQ near1+16(FP), DX
	MOVQ far0+24(FP), BX
	MOVQ far1+32(FP), R9
	MOVQ n+40(FP), CX
	VBROADCASTSS upsampleWeights<>+0(SB), Y14
	VBROADCASTSS upsampleWeights<>+4(SB), Y15
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Y0
	VADDPS (DX)(AX*4), Y0, Y0
	VMOVUPS (BX)(AX*4), Y1
	VADDPS (R9)(AX*4), Y1, Y1
	VMULPS Y14, Y0, Y0
	VFMADD231PS Y1, Y15, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func upsampleBlendBackwardAVX512(dst, near0, near1, far0, far1 *float32, n int)
//
//	for each i: dst[i] = ¾·(near0[i] + near1[i]) + ¼·(far0[i] + far1[i])
TEXT ·upsampleBlendBackwardAVX512(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ near0+8(FP), SI
	MOVQ near1+16(FP), DX
	MOVQ far0+24(FP), BX
	MOVQ far1+32(FP), R9
	MOVQ n+40(FP), CX
	VBROADCASTSS upsampleWeights<>+0(SB), Z14
	VBROADCASTSS upsampleWeights<>+4(SB), Z15
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Z0
	VADDPS (DX)(AX*4), Z0, Z0
	VMOVUPS (BX)(AX*4), Z1
	VADDPS (R9)(AX*4), Z1, Z1
	VMULPS Z14, Z0, Z0
	VFMADD231PS Z1, Z15, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func upsampleExpandAVX2(dst, src *float32, n int)
//
//	for each i < n:
//	    dst[2i]   = ¼·src[i]   + ¾·src[i+1]          // Y0
//	    dst[2i+1] = ¾·src[i+1] + ¼·src[i+2]          // Y2
TEXT ·upsampleExpandAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS upsampleWeights<>+0(SB), Y14
	VBROADCASTSS upsampleWeights<>+4(SB), Y15
	XORL AX, AX

loop:
	VMULPS 4(SI)(AX*4), Y14, Y0
	VMOVAPS Y0, Y2
	VFMADD231PS (SI)(AX*4), Y15, Y0
	VFMADD231PS 8(SI)(AX*4), Y15, Y2
	VUNPCKLPS Y2, Y0, Y1
	VUNPCKHPS Y2, Y0, Y3
	VPERM2F128 $0x20, Y3, Y1, Y4
	VPERM2F128 $0x31, Y3, Y1, Y5
	VMOVUPS Y4, (DI)(AX*8)
	VMOVUPS Y5, 32(DI)(AX*8)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func upsampleExpandBackwardAVX2(dx, dy *float32, n int)
//
//	for each i < n: dx[i] = ¾·(dy[2i+1] + dy[2i+2]) + ¼·(dy[2i] + dy[2i+3])
TEXT ·upsampleExpandBackwardAVX2(SB), NOSPLIT, $0-24
	MOVQ dx+0(FP), DI
	MOVQ dy+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS upsampleWeights<>+0(SB), Y14
	VBROADCASTSS upsampleWeights<>+4(SB), Y15
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*8), Y0
	VMOVUPS 32(SI)(AX*8), Y1
	VSHUFPS $0x88, Y1, Y0, Y2      // dy[2i]
	VSHUFPS $0xDD, Y1, Y0, Y3      // dy[2i+1]
	VMOVUPS 8(SI)(AX*8), Y0
	VMOVUPS 40(SI)(AX*8), Y1
	VSHUFPS $0x88, Y1, Y0, Y4      // dy[2i+2]
	VSHUFPS $0xDD, Y1, Y0, Y5      // dy[2i+3]
	VADDPS Y4, Y3, Y3
	VADDPS Y5, Y2, Y2
	VMULPS Y14, Y3, Y3
	VFMADD231PS Y15, Y2, Y3
	VPERMPD $0xD8, Y3, Y3
	VMOVUPS Y3, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func upsampleExpandAVX512(dst, src *float32, n int)
//
//	for each i < n:
//	    dst[2i]   = ¼·src[i]   + ¾·src[i+1]          // Z0
//	    dst[2i+1] = ¾·src[i+1] + ¼·src[i+2]          // Z2
TEXT ·upsampleExpandAVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS upsampleWeights<>+0(SB), Z14
	VBROADCASTSS upsampleWeights<>+4(SB), Z15
	VMOVUPS interleaveLow<>(SB), Z12
	VMOVUPS interleaveHigh<>(SB), Z13
	XORL AX, AX

loop:
	VMULPS 4(SI)(AX*4), Z14, Z0
	VMOVAPS Z0, Z2
	VFMADD231PS (SI)(AX*4), Z15, Z0
	VFMADD231PS 8(SI)(AX*4), Z15, Z2
	VUNPCKLPS Z2, Z0, Z1
	VUNPCKHPS Z2, Z0, Z3
	VMOVAPS Z12, Z4
	VPERMI2PD Z3, Z1, Z4
	VMOVAPS Z13, Z5
	VPERMI2PD Z3, Z1, Z5
	VMOVUPS Z4, (DI)(AX*8)
	VMOVUPS Z5, 64(DI)(AX*8)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func upsampleExpandBackwardAVX512(dx, dy *float32, n int)
//
//	for each i < n: dx[i] = ¾·(dy[2i+1] + dy[2i+2]) + ¼·(dy[2i] + dy[2i+3])
TEXT ·upsampleExpandBackwardAVX512(SB), NOSPLIT, $0-24
	MOVQ dx+0(FP), DI
	MOVQ dy+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS upsampleWeights<>+0(SB), Z14
	VBROADCASTSS upsampleWeights<>+4(SB), Z15
	VMOVUPS pairsInOrder<>(SB), Z13
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*8), Z0
	VMOVUPS 64(SI)(AX*8), Z1
	VSHUFPS $0x88, Z1, Z0, Z2      // dy[2i]
	VSHUFPS $0xDD, Z1, Z0, Z3      // dy[2i+1]
	VMOVUPS 8(SI)(AX*8), Z0
	VMOVUPS 72(SI)(AX*8), Z1
	VSHUFPS $0x88, Z1, Z0, Z4      // dy[2i+2]
	VSHUFPS $0xDD, Z1, Z0, Z5      // dy[2i+3]
	VADDPS Z4, Z3, Z3
	VADDPS Z5, Z2, Z2
	VMULPS Z14, Z3, Z3
	VFMADD231PS Z15, Z2, Z3
	VPERMPD Z3, Z13, Z3
	VMOVUPS Z3, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

