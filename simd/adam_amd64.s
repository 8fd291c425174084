//go:build !noasm

#include "textflag.h"

// func adamAVX2(w, grad, m, v *float32, s *AdamStep, n int)
//
//	for each i:
//	    m[i] = beta1·m[i] + (1-beta1)·grad[i]
//	    v[i] = beta2·v[i] + (1-beta2)·grad[i]²
//	    w[i] -= rate · m[i] / (√v[i]·correction + eps)
TEXT ·adamAVX2(SB), NOSPLIT, $0-48
	MOVQ w+0(FP), DI
	MOVQ grad+8(FP), SI
	MOVQ m+16(FP), DX
	MOVQ v+24(FP), BX
	MOVQ s+32(FP), R8
	MOVQ n+40(FP), CX
	VBROADCASTSS (R8), Y8
	VBROADCASTSS 4(R8), Y9
	VBROADCASTSS 8(R8), Y10
	VBROADCASTSS 12(R8), Y11
	VBROADCASTSS 16(R8), Y12
	VBROADCASTSS 20(R8), Y13
	VBROADCASTSS 24(R8), Y14
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Y0
	VMULPS (DX)(AX*4), Y8, Y1
	VFMADD231PS Y0, Y9, Y1
	VMOVUPS Y1, (DX)(AX*4)
	VMULPS (BX)(AX*4), Y10, Y2
	VMULPS Y0, Y0, Y0
	VFMADD231PS Y0, Y11, Y2
	VMOVUPS Y2, (BX)(AX*4)
	VSQRTPS Y2, Y2
	VMOVAPS Y14, Y3
	VFMADD231PS Y13, Y2, Y3
	VMULPS Y12, Y1, Y1
	VDIVPS Y3, Y1, Y1
	VMOVUPS (DI)(AX*4), Y0
	VSUBPS Y1, Y0, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func adamAVX512(w, grad, m, v *float32, s *AdamStep, n int)
//
//	for each i:
//	    m[i] = beta1·m[i] + (1-beta1)·grad[i]
//	    v[i] = beta2·v[i] + (1-beta2)·grad[i]²
//	    w[i] -= rate · m[i] / (√v[i]·correction + eps)
TEXT ·adamAVX512(SB), NOSPLIT, $0-48
	MOVQ w+0(FP), DI
	MOVQ grad+8(FP), SI
	MOVQ m+16(FP), DX
	MOVQ v+24(FP), BX
	MOVQ s+32(FP), R8
	MOVQ n+40(FP), CX
	VBROADCASTSS (R8), Z8
	VBROADCASTSS 4(R8), Z9
	VBROADCASTSS 8(R8), Z10
	VBROADCASTSS 12(R8), Z11
	VBROADCASTSS 16(R8), Z12
	VBROADCASTSS 20(R8), Z13
	VBROADCASTSS 24(R8), Z14
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Z0
	VMULPS (DX)(AX*4), Z8, Z1
	VFMADD231PS Z0, Z9, Z1
	VMOVUPS Z1, (DX)(AX*4)
	VMULPS (BX)(AX*4), Z10, Z2
	VMULPS Z0, Z0, Z0
	VFMADD231PS Z0, Z11, Z2
	VMOVUPS Z2, (BX)(AX*4)
	VSQRTPS Z2, Z2
	VMOVAPS Z14, Z3
	VFMADD231PS Z13, Z2, Z3
	VMULPS Z12, Z1, Z1
	VDIVPS Z3, Z1, Z1
	VMOVUPS (DI)(AX*4), Z0
	VSUBPS Z1, Z0, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

