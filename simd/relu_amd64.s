//go:build !noasm

#include "textflag.h"

// func addBiasAVX2(dst, x *float32, bias float32, n int)
//
//	for each i: dst[i] = x[i] + bias
TEXT ·addBiasAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	VBROADCASTSS bias+16(FP), Y7
	MOVQ n+24(FP), CX
	XORL AX, AX

loop:
	VADDPS (SI)(AX*4), Y7, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func addBiasAVX512(dst, x *float32, bias float32, n int)
//
//	for each i: dst[i] = x[i] + bias
TEXT ·addBiasAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	VBROADCASTSS bias+16(FP), Z7
	MOVQ n+24(FP), CX
	XORL AX, AX

loop:
	VADDPS (SI)(AX*4), Z7, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func addBiasReLUAVX2(dst, x *float32, bias float32, n int)
//
//	for each i: dst[i] = max(x[i] + bias, 0)            // NaN stays: MAXPS returns its first operand here
TEXT ·addBiasReLUAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	VBROADCASTSS bias+16(FP), Y7
	MOVQ n+24(FP), CX
	VXORPS Y6, Y6, Y6
	XORL AX, AX

loop:
	VADDPS (SI)(AX*4), Y7, Y0
	VMAXPS Y0, Y6, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func addBiasReLUAVX512(dst, x *float32, bias float32, n int)
//
//	for each i: dst[i] = max(x[i] + bias, 0)            // NaN stays: MAXPS returns its first operand here
TEXT ·addBiasReLUAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	VBROADCASTSS bias+16(FP), Z7
	MOVQ n+24(FP), CX
	VPXORD Z6, Z6, Z6
	XORL AX, AX

loop:
	VADDPS (SI)(AX*4), Z7, Z0
	VMAXPS Z0, Z6, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func reluBackwardAVX2(dst, dy, y *float32, n int)
//
//	for each i: dst[i] = y[i] <= 0 ? 0 : dy[i]             // predicate 6: not (y <= 0), true for NaN
TEXT ·reluBackwardAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ dy+8(FP), SI
	MOVQ y+16(FP), DX
	MOVQ n+24(FP), CX
	VXORPS Y6, Y6, Y6
	XORL AX, AX

loop:
	VMOVUPS (DX)(AX*4), Y0
	VCMPPS $6, Y6, Y0, Y0
	VANDPS (SI)(AX*4), Y0, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func reluBackwardAVX512(dst, dy, y *float32, n int)
//
//	for each i: dst[i] = y[i] <= 0 ? 0 : dy[i]             // predicate 6: not (y <= 0), true for NaN
TEXT ·reluBackwardAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ dy+8(FP), SI
	MOVQ y+16(FP), DX
	MOVQ n+24(FP), CX
	VPXORD Z6, Z6, Z6
	XORL AX, AX

loop:
	VMOVUPS (DX)(AX*4), Z0
	VCMPPS $6, Z6, Z0, K1
	VMOVUPS.Z (SI)(AX*4), K1, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

