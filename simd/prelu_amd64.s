//go:build !noasm

#include "textflag.h"

// func addBiasPReLUAVX2(dst, x *float32, bias, slope float32, n int)
//
//	for each i: v = x[i] + bias; dst[i] = v < 0 ? slope*v : v      // predicate 1: <, false for NaN
TEXT ·addBiasPReLUAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	VBROADCASTSS bias+16(FP), Y7
	VBROADCASTSS slope+20(FP), Y5
	MOVQ n+24(FP), CX
	VXORPS Y6, Y6, Y6
	XORL AX, AX
	MOVQ CX, R8
	ANDQ $-8, R8
	JZ   rest

loop:
	VADDPS (SI)(AX*4), Y7, Y0
	VMULPS Y0, Y5, Y1
	VCMPPS $1, Y6, Y0, Y2
	VBLENDVPS Y2, Y1, Y0, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, R8
	JLT  loop

rest:
	CMPQ AX, CX
	JGE  done
	VADDSS (SI)(AX*4), X7, X0
	VMULSS X0, X5, X1
	VCMPSS $1, X6, X0, X2
	VBLENDVPS X2, X1, X0, X0
	VMOVSS X0, (DI)(AX*4)
	INCQ AX
	JMP  rest

done:
	VZEROUPPER
	RET

// func addBiasPReLUAVX512(dst, x *float32, bias, slope float32, n int)
//
//	for each i: v = x[i] + bias; dst[i] = v < 0 ? slope*v : v      // predicate 1: <, false for NaN
TEXT ·addBiasPReLUAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	VBROADCASTSS bias+16(FP), Z7
	VBROADCASTSS slope+20(FP), Z5
	MOVQ n+24(FP), CX
	VPXORD Z6, Z6, Z6
	XORL AX, AX
	MOVQ CX, R8
	ANDQ $-16, R8
	JZ   rest

loop:
	VADDPS (SI)(AX*4), Z7, Z0
	VCMPPS $1, Z6, Z0, K1
	VMULPS Z0, Z5, K1, Z0          // the other lanes keep v
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
	VCMPPS $1, Z6, Z0, K1
	VMULPS Z0, Z5, K1, Z0
	VMOVUPS Z0, K2, (DI)(AX*4)

done:
	VZEROUPPER
	RET

// func preluBackwardAVX2(dst, dy, x *float32, slope float32, n int)
//
//	for each i: dst[i] = x[i] > 0 ? dy[i] : slope*dy[i]    // predicate 14: >, false for NaN
TEXT ·preluBackwardAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ dy+8(FP), SI
	MOVQ x+16(FP), DX
	VBROADCASTSS slope+24(FP), Y5
	MOVQ n+32(FP), CX
	VXORPS Y6, Y6, Y6
	XORL AX, AX
	MOVQ CX, R8
	ANDQ $-8, R8
	JZ   rest

loop:
	VMOVUPS (DX)(AX*4), Y2
	VCMPPS $14, Y6, Y2, Y2
	VMOVUPS (SI)(AX*4), Y0
	VMULPS Y0, Y5, Y1
	VBLENDVPS Y2, Y0, Y1, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, R8
	JLT  loop

rest:
	CMPQ AX, CX
	JGE  done
	VMOVSS (DX)(AX*4), X2
	VCMPSS $14, X6, X2, X2
	VMOVSS (SI)(AX*4), X0
	VMULSS X0, X5, X1
	VBLENDVPS X2, X0, X1, X0
	VMOVSS X0, (DI)(AX*4)
	INCQ AX
	JMP  rest

done:
	VZEROUPPER
	RET

// func preluBackwardAVX512(dst, dy, x *float32, slope float32, n int)
//
//	for each i: dst[i] = x[i] > 0 ? dy[i] : slope*dy[i]    // predicate 10: not >, true for NaN
TEXT ·preluBackwardAVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ dy+8(FP), SI
	MOVQ x+16(FP), DX
	VBROADCASTSS slope+24(FP), Z5
	MOVQ n+32(FP), CX
	VPXORD Z6, Z6, Z6
	XORL AX, AX
	MOVQ CX, R8
	ANDQ $-16, R8
	JZ   rest

loop:
	VMOVUPS (DX)(AX*4), Z2
	VCMPPS $10, Z6, Z2, K1
	VMOVUPS (SI)(AX*4), Z0
	VMULPS Z0, Z5, K1, Z0          // the other lanes keep dy
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
	VMOVUPS.Z (DX)(AX*4), K2, Z2
	VCMPPS $10, Z6, Z2, K1
	VMOVUPS.Z (SI)(AX*4), K2, Z0
	VMULPS Z0, Z5, K1, Z0
	VMOVUPS Z0, K2, (DI)(AX*4)

done:
	VZEROUPPER
	RET
