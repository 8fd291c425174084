//go:build !noasm

#include "textflag.h"

// func addAVX2(dst, a, b *float32, n int)
//
//	for each i: dst[i] = a[i] + b[i]
TEXT ·addAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ n+24(FP), CX
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Y0
	VADDPS (DX)(AX*4), Y0, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func addAVX512(dst, a, b *float32, n int)
//
//	for each i: dst[i] = a[i] + b[i]
TEXT ·addAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ n+24(FP), CX
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Z0
	VADDPS (DX)(AX*4), Z0, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func mulAVX2(dst, a, b *float32, n int)
//
//	for each i: dst[i] = a[i] · b[i]
TEXT ·mulAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ n+24(FP), CX
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Y0
	VMULPS (DX)(AX*4), Y0, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func mulAVX512(dst, a, b *float32, n int)
//
//	for each i: dst[i] = a[i] · b[i]
TEXT ·mulAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ n+24(FP), CX
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Z0
	VMULPS (DX)(AX*4), Z0, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func scaleAVX2(dst *float32, alpha float32, x *float32, n int)
//
//	for each i: dst[i] = alpha · x[i]
TEXT ·scaleAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	VBROADCASTSS alpha+8(FP), Y7
	MOVQ x+16(FP), SI
	MOVQ n+24(FP), CX
	XORL AX, AX

loop:
	VMULPS (SI)(AX*4), Y7, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func scaleAVX512(dst *float32, alpha float32, x *float32, n int)
//
//	for each i: dst[i] = alpha · x[i]
TEXT ·scaleAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	VBROADCASTSS alpha+8(FP), Z7
	MOVQ x+16(FP), SI
	MOVQ n+24(FP), CX
	XORL AX, AX

loop:
	VMULPS (SI)(AX*4), Z7, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func axpyAVX2(dst *float32, alpha float32, x *float32, n int)
//
//	for each i: dst[i] += alpha · x[i]
TEXT ·axpyAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	VBROADCASTSS alpha+8(FP), Y7
	MOVQ x+16(FP), SI
	MOVQ n+24(FP), CX
	XORL AX, AX

loop:
	VMOVUPS (DI)(AX*4), Y0
	VFMADD231PS (SI)(AX*4), Y7, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func axpyAVX512(dst *float32, alpha float32, x *float32, n int)
//
//	for each i: dst[i] += alpha · x[i]
TEXT ·axpyAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	VBROADCASTSS alpha+8(FP), Z7
	MOVQ x+16(FP), SI
	MOVQ n+24(FP), CX
	XORL AX, AX

loop:
	VMOVUPS (DI)(AX*4), Z0
	VFMADD231PS (SI)(AX*4), Z7, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func scaledDiffAVX2(dst *float32, alpha float32, a, b *float32, n int)
//
//	for each i: dst[i] = alpha · (a[i] - b[i])
TEXT ·scaledDiffAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	VBROADCASTSS alpha+8(FP), Y7
	MOVQ a+16(FP), SI
	MOVQ b+24(FP), DX
	MOVQ n+32(FP), CX
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Y0
	VSUBPS (DX)(AX*4), Y0, Y0
	VMULPS Y7, Y0, Y0
	VMOVUPS Y0, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func scaledDiffAVX512(dst *float32, alpha float32, a, b *float32, n int)
//
//	for each i: dst[i] = alpha · (a[i] - b[i])
TEXT ·scaledDiffAVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	VBROADCASTSS alpha+8(FP), Z7
	MOVQ a+16(FP), SI
	MOVQ b+24(FP), DX
	MOVQ n+32(FP), CX
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Z0
	VSUBPS (DX)(AX*4), Z0, Z0
	VMULPS Z7, Z0, Z0
	VMOVUPS Z0, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

