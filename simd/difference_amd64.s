//go:build !noasm

#include "textflag.h"

DATA absMask<>+0(SB)/4, $0x7fffffff
GLOBL absMask<>(SB), RODATA|NOPTR, $4

DATA signMask<>+0(SB)/4, $0x80000000
GLOBL signMask<>(SB), RODATA|NOPTR, $4

// func sumAbsDiffAVX2(a, b *float32, n int) float32
//
//	s[4][8] = 0                              // Y0…Y3
//	for each i: s[i/8 mod 4][i mod 8] += |a[i] - b[i]|
//	return the sum of all of s
TEXT ·sumAbsDiffAVX2(SB), NOSPLIT, $0-28
	VBROADCASTSS absMask<>(SB), Y8
	MOVQ a+0(FP), SI
	MOVQ b+8(FP), DX
	MOVQ n+16(FP), CX
	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	VXORPS X2, X2, X2
	VXORPS X3, X3, X3
	XORL AX, AX
	SUBQ $32, CX
	JLT  rest

loop:
	VMOVUPS (SI)(AX*4), Y4
	VSUBPS (DX)(AX*4), Y4, Y4
	VANDPS Y8, Y4, Y4
	VADDPS Y4, Y0, Y0
	VMOVUPS 32(SI)(AX*4), Y5
	VSUBPS 32(DX)(AX*4), Y5, Y5
	VANDPS Y8, Y5, Y5
	VADDPS Y5, Y1, Y1
	VMOVUPS 64(SI)(AX*4), Y6
	VSUBPS 64(DX)(AX*4), Y6, Y6
	VANDPS Y8, Y6, Y6
	VADDPS Y6, Y2, Y2
	VMOVUPS 96(SI)(AX*4), Y7
	VSUBPS 96(DX)(AX*4), Y7, Y7
	VANDPS Y8, Y7, Y7
	VADDPS Y7, Y3, Y3
	ADDQ $32, AX
	CMPQ AX, CX
	JLE  loop

rest:
	ADDQ $32, CX
	JMP  check

single:
	VMOVUPS (SI)(AX*4), Y4
	VSUBPS (DX)(AX*4), Y4, Y4
	VANDPS Y8, Y4, Y4
	VADDPS Y4, Y0, Y0
	ADDQ $8, AX

check:
	CMPQ AX, CX
	JLT  single

	VADDPS Y1, Y0, Y0
	VADDPS Y3, Y2, Y2
	VADDPS Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS X1, X0, X0
	VHADDPS X0, X0, X0
	VHADDPS X0, X0, X0
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func sumRootDiffAVX2(eps2 float32, a, b *float32, n int) float32
//
//	s[4][8] = 0                              // Y0…Y3
//	for each i: s[i/8 mod 4][i mod 8] += √((a[i] - b[i])² + eps2)
//	return the sum of all of s
TEXT ·sumRootDiffAVX2(SB), NOSPLIT, $0-36
	VBROADCASTSS eps2+0(FP), Y8
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ n+24(FP), CX
	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	VXORPS X2, X2, X2
	VXORPS X3, X3, X3
	XORL AX, AX
	SUBQ $32, CX
	JLT  rest

loop:
	VMOVUPS (SI)(AX*4), Y4
	VSUBPS (DX)(AX*4), Y4, Y4
	VFMADD213PS Y8, Y4, Y4
	VSQRTPS Y4, Y4
	VADDPS Y4, Y0, Y0
	VMOVUPS 32(SI)(AX*4), Y5
	VSUBPS 32(DX)(AX*4), Y5, Y5
	VFMADD213PS Y8, Y5, Y5
	VSQRTPS Y5, Y5
	VADDPS Y5, Y1, Y1
	VMOVUPS 64(SI)(AX*4), Y6
	VSUBPS 64(DX)(AX*4), Y6, Y6
	VFMADD213PS Y8, Y6, Y6
	VSQRTPS Y6, Y6
	VADDPS Y6, Y2, Y2
	VMOVUPS 96(SI)(AX*4), Y7
	VSUBPS 96(DX)(AX*4), Y7, Y7
	VFMADD213PS Y8, Y7, Y7
	VSQRTPS Y7, Y7
	VADDPS Y7, Y3, Y3
	ADDQ $32, AX
	CMPQ AX, CX
	JLE  loop

rest:
	ADDQ $32, CX
	JMP  check

single:
	VMOVUPS (SI)(AX*4), Y4
	VSUBPS (DX)(AX*4), Y4, Y4
	VFMADD213PS Y8, Y4, Y4
	VSQRTPS Y4, Y4
	VADDPS Y4, Y0, Y0
	ADDQ $8, AX

check:
	CMPQ AX, CX
	JLT  single

	VADDPS Y1, Y0, Y0
	VADDPS Y3, Y2, Y2
	VADDPS Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS X1, X0, X0
	VHADDPS X0, X0, X0
	VHADDPS X0, X0, X0
	VMOVSS X0, ret+32(FP)
	VZEROUPPER
	RET

// func signDiffAVX2(dst *float32, alpha float32, a, b *float32, n int)
//
//	for each i: dst[i] = alpha · sign(a[i] - b[i])
TEXT ·signDiffAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	VBROADCASTSS alpha+8(FP), Y7
	MOVQ a+16(FP), SI
	MOVQ b+24(FP), DX
	MOVQ n+32(FP), CX
	VBROADCASTSS signMask<>(SB), Y6
	VXORPS X5, X5, X5
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Y0
	VSUBPS (DX)(AX*4), Y0, Y0
	VANDPS Y6, Y0, Y1
	VXORPS Y7, Y1, Y1             // ±alpha
	VCMPPS $4, Y5, Y0, Y2         // not 0
	VANDPS Y2, Y1, Y1
	VCMPPS $3, Y0, Y0, Y3         // NaN
	VBLENDVPS Y3, Y0, Y1, Y1
	VMOVUPS Y1, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func rootDiffAVX2(dst *float32, alpha, eps2 float32, a, b *float32, n int)
//
//	for each i: dst[i] = alpha · (a[i] - b[i]) / √((a[i] - b[i])² + eps2)
TEXT ·rootDiffAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	VBROADCASTSS alpha+8(FP), Y7
	VBROADCASTSS eps2+12(FP), Y6
	MOVQ a+16(FP), SI
	MOVQ b+24(FP), DX
	MOVQ n+32(FP), CX
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Y0
	VSUBPS (DX)(AX*4), Y0, Y0
	VMULPS Y7, Y0, Y1
	VFMADD213PS Y6, Y0, Y0
	VSQRTPS Y0, Y0
	VDIVPS Y0, Y1, Y1
	VMOVUPS Y1, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func sumAbsDiffAVX512(a, b *float32, n int) float32
//
//	s[4][16] = 0                              // Z0…Z3
//	for each i: s[i/16 mod 4][i mod 16] += |a[i] - b[i]|
//	return the sum of all of s
TEXT ·sumAbsDiffAVX512(SB), NOSPLIT, $0-28
	VBROADCASTSS absMask<>(SB), Z8
	MOVQ a+0(FP), SI
	MOVQ b+8(FP), DX
	MOVQ n+16(FP), CX
	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	VXORPS X2, X2, X2
	VXORPS X3, X3, X3
	XORL AX, AX
	SUBQ $64, CX
	JLT  rest

loop:
	VMOVUPS (SI)(AX*4), Z4
	VSUBPS (DX)(AX*4), Z4, Z4
	VPANDD Z8, Z4, Z4
	VADDPS Z4, Z0, Z0
	VMOVUPS 64(SI)(AX*4), Z5
	VSUBPS 64(DX)(AX*4), Z5, Z5
	VPANDD Z8, Z5, Z5
	VADDPS Z5, Z1, Z1
	VMOVUPS 128(SI)(AX*4), Z6
	VSUBPS 128(DX)(AX*4), Z6, Z6
	VPANDD Z8, Z6, Z6
	VADDPS Z6, Z2, Z2
	VMOVUPS 192(SI)(AX*4), Z7
	VSUBPS 192(DX)(AX*4), Z7, Z7
	VPANDD Z8, Z7, Z7
	VADDPS Z7, Z3, Z3
	ADDQ $64, AX
	CMPQ AX, CX
	JLE  loop

rest:
	ADDQ $64, CX
	JMP  check

single:
	VMOVUPS (SI)(AX*4), Z4
	VSUBPS (DX)(AX*4), Z4, Z4
	VPANDD Z8, Z4, Z4
	VADDPS Z4, Z0, Z0
	ADDQ $16, AX

check:
	CMPQ AX, CX
	JLT  single

	VADDPS Z1, Z0, Z0
	VADDPS Z3, Z2, Z2
	VADDPS Z2, Z0, Z0
	VEXTRACTF64X4 $1, Z0, Y1
	VADDPS Y1, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS X1, X0, X0
	VHADDPS X0, X0, X0
	VHADDPS X0, X0, X0
	VMOVSS X0, ret+24(FP)
	VZEROUPPER
	RET

// func sumRootDiffAVX512(eps2 float32, a, b *float32, n int) float32
//
//	s[4][16] = 0                              // Z0…Z3
//	for each i: s[i/16 mod 4][i mod 16] += √((a[i] - b[i])² + eps2)
//	return the sum of all of s
TEXT ·sumRootDiffAVX512(SB), NOSPLIT, $0-36
	VBROADCASTSS eps2+0(FP), Z8
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ n+24(FP), CX
	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	VXORPS X2, X2, X2
	VXORPS X3, X3, X3
	XORL AX, AX
	SUBQ $64, CX
	JLT  rest

loop:
	VMOVUPS (SI)(AX*4), Z4
	VSUBPS (DX)(AX*4), Z4, Z4
	VFMADD213PS Z8, Z4, Z4
	VSQRTPS Z4, Z4
	VADDPS Z4, Z0, Z0
	VMOVUPS 64(SI)(AX*4), Z5
	VSUBPS 64(DX)(AX*4), Z5, Z5
	VFMADD213PS Z8, Z5, Z5
	VSQRTPS Z5, Z5
	VADDPS Z5, Z1, Z1
	VMOVUPS 128(SI)(AX*4), Z6
	VSUBPS 128(DX)(AX*4), Z6, Z6
	VFMADD213PS Z8, Z6, Z6
	VSQRTPS Z6, Z6
	VADDPS Z6, Z2, Z2
	VMOVUPS 192(SI)(AX*4), Z7
	VSUBPS 192(DX)(AX*4), Z7, Z7
	VFMADD213PS Z8, Z7, Z7
	VSQRTPS Z7, Z7
	VADDPS Z7, Z3, Z3
	ADDQ $64, AX
	CMPQ AX, CX
	JLE  loop

rest:
	ADDQ $64, CX
	JMP  check

single:
	VMOVUPS (SI)(AX*4), Z4
	VSUBPS (DX)(AX*4), Z4, Z4
	VFMADD213PS Z8, Z4, Z4
	VSQRTPS Z4, Z4
	VADDPS Z4, Z0, Z0
	ADDQ $16, AX

check:
	CMPQ AX, CX
	JLT  single

	VADDPS Z1, Z0, Z0
	VADDPS Z3, Z2, Z2
	VADDPS Z2, Z0, Z0
	VEXTRACTF64X4 $1, Z0, Y1
	VADDPS Y1, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS X1, X0, X0
	VHADDPS X0, X0, X0
	VHADDPS X0, X0, X0
	VMOVSS X0, ret+32(FP)
	VZEROUPPER
	RET

// func signDiffAVX512(dst *float32, alpha float32, a, b *float32, n int)
//
//	for each i: dst[i] = alpha · sign(a[i] - b[i])
TEXT ·signDiffAVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	VBROADCASTSS alpha+8(FP), Z7
	MOVQ a+16(FP), SI
	MOVQ b+24(FP), DX
	MOVQ n+32(FP), CX
	VBROADCASTSS signMask<>(SB), Z6
	VXORPS X5, X5, X5
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Z0
	VSUBPS (DX)(AX*4), Z0, Z0
	VPANDD Z6, Z0, Z1
	VPXORD Z7, Z1, Z1             // ±alpha
	VCMPPS $4, Z5, Z0, K1         // not 0
	VMOVUPS.Z Z1, K1, Z1
	VCMPPS $3, Z0, Z0, K2         // NaN
	VMOVUPS Z0, K2, Z1
	VMOVUPS Z1, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// func rootDiffAVX512(dst *float32, alpha, eps2 float32, a, b *float32, n int)
//
//	for each i: dst[i] = alpha · (a[i] - b[i]) / √((a[i] - b[i])² + eps2)
TEXT ·rootDiffAVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	VBROADCASTSS alpha+8(FP), Z7
	VBROADCASTSS eps2+12(FP), Z6
	MOVQ a+16(FP), SI
	MOVQ b+24(FP), DX
	MOVQ n+32(FP), CX
	XORL AX, AX

loop:
	VMOVUPS (SI)(AX*4), Z0
	VSUBPS (DX)(AX*4), Z0, Z0
	VMULPS Z7, Z0, Z1
	VFMADD213PS Z6, Z0, Z0
	VSQRTPS Z0, Z0
	VDIVPS Z0, Z1, Z1
	VMOVUPS Z1, (DI)(AX*4)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET
