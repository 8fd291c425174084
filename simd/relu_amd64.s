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
	MOVQ CX, R8
	ANDQ $-8, R8
	JZ   rest

loop:
	VADDPS (SI)(AX*4), Y7, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, R8
	JLT  loop

rest:
	CMPQ AX, CX
	JGE  done
	VADDSS (SI)(AX*4), X7, X0
	VMOVSS X0, (DI)(AX*4)
	INCQ AX
	JMP  rest

done:
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
	MOVQ CX, R8
	ANDQ $-16, R8
	JZ   rest

loop:
	VADDPS (SI)(AX*4), Z7, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, R8
	JLT  loop

rest:                              // the lanes of K2
	ANDQ $15, CX
	JZ   done
	MOVL $1, R9
	SHLL CX, R9
	DECL R9
	KMOVW R9, K2
	VMOVUPS.Z (SI)(AX*4), K2, Z0
	VADDPS Z0, Z7, Z0
	VMOVUPS Z0, K2, (DI)(AX*4)

done:
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
	MOVQ CX, R8
	ANDQ $-8, R8
	JZ   rest

loop:
	VADDPS (SI)(AX*4), Y7, Y0
	VMAXPS Y0, Y6, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, R8
	JLT  loop

rest:
	CMPQ AX, CX
	JGE  done
	VADDSS (SI)(AX*4), X7, X0
	VMAXSS X0, X6, X0
	VMOVSS X0, (DI)(AX*4)
	INCQ AX
	JMP  rest

done:
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
	MOVQ CX, R8
	ANDQ $-16, R8
	JZ   rest

loop:
	VADDPS (SI)(AX*4), Z7, Z0
	VMAXPS Z0, Z6, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, R8
	JLT  loop

rest:                              // the lanes of K2
	ANDQ $15, CX
	JZ   done
	MOVL $1, R9
	SHLL CX, R9
	DECL R9
	KMOVW R9, K2
	VMOVUPS.Z (SI)(AX*4), K2, Z0
	VADDPS Z0, Z7, Z0
	VMAXPS Z0, Z6, Z0
	VMOVUPS Z0, K2, (DI)(AX*4)

done:
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
	MOVQ CX, R8
	ANDQ $-8, R8
	JZ   rest

loop:
	VMOVUPS (DX)(AX*4), Y0
	VCMPPS $6, Y6, Y0, Y0
	VANDPS (SI)(AX*4), Y0, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, R8
	JLT  loop

rest:
	CMPQ AX, CX
	JGE  done
	VMOVSS (DX)(AX*4), X0
	VCMPSS $6, X6, X0, X0
	VMOVSS (SI)(AX*4), X1
	VANDPS X1, X0, X0
	VMOVSS X0, (DI)(AX*4)
	INCQ AX
	JMP  rest

done:
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
	MOVQ CX, R8
	ANDQ $-16, R8
	JZ   rest

loop:
	VMOVUPS (DX)(AX*4), Z0
	VCMPPS $6, Z6, Z0, K1
	VMOVUPS.Z (SI)(AX*4), K1, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, R8
	JLT  loop

rest:                              // the lanes of K2
	ANDQ $15, CX
	JZ   done
	MOVL $1, R9
	SHLL CX, R9
	DECL R9
	KMOVW R9, K2
	VMOVUPS.Z (DX)(AX*4), K2, Z0
	VCMPPS $6, Z6, Z0, K2, K1      // K1 has no lanes beyond K2
	VMOVUPS.Z (SI)(AX*4), K1, Z0
	VMOVUPS Z0, K2, (DI)(AX*4)

done:
	VZEROUPPER
	RET

