//go:build !noasm

#include "textflag.h"

// func sumAVX2(x *float32, n int) float32
//
//	s[4][8] = 0                              // Y0…Y3
//	for each i: s[i/8 mod 4][i mod 8] += x[i]
//	return the sum of all of s
TEXT ·sumAVX2(SB), NOSPLIT, $0-20
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	VXORPS X2, X2, X2
	VXORPS X3, X3, X3
	XORL AX, AX
	SUBQ $32, CX
	JLT  rest

loop:
	VADDPS (SI)(AX*4), Y0, Y0
	VADDPS 32(SI)(AX*4), Y1, Y1
	VADDPS 64(SI)(AX*4), Y2, Y2
	VADDPS 96(SI)(AX*4), Y3, Y3
	ADDQ $32, AX
	CMPQ AX, CX
	JLE  loop

rest:
	ADDQ $32, CX
	JMP  check

single:
	VADDPS (SI)(AX*4), Y0, Y0
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
	VMOVSS X0, ret+16(FP)
	VZEROUPPER
	RET

// func sumAVX512(x *float32, n int) float32
//
//	s[4][16] = 0                              // Z0…Z3
//	for each i: s[i/16 mod 4][i mod 16] += x[i]
//	return the sum of all of s
TEXT ·sumAVX512(SB), NOSPLIT, $0-20
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	VXORPS X0, X0, X0
	VXORPS X1, X1, X1
	VXORPS X2, X2, X2
	VXORPS X3, X3, X3
	XORL AX, AX
	SUBQ $64, CX
	JLT  rest

loop:
	VADDPS (SI)(AX*4), Z0, Z0
	VADDPS 64(SI)(AX*4), Z1, Z1
	VADDPS 128(SI)(AX*4), Z2, Z2
	VADDPS 192(SI)(AX*4), Z3, Z3
	ADDQ $64, AX
	CMPQ AX, CX
	JLE  loop

rest:
	ADDQ $64, CX
	JMP  check

single:
	VADDPS (SI)(AX*4), Z0, Z0
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
	VMOVSS X0, ret+16(FP)
	VZEROUPPER
	RET

// func sumSquaredDiffAVX2(a, b *float32, n int) float32
//
//	s[4][8] = 0                              // Y0…Y3
//	for each i: s[i/8 mod 4][i mod 8] += (a[i] - b[i])²
//	return the sum of all of s
TEXT ·sumSquaredDiffAVX2(SB), NOSPLIT, $0-28
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
	VFMADD231PS Y4, Y4, Y0
	VMOVUPS 32(SI)(AX*4), Y5
	VSUBPS 32(DX)(AX*4), Y5, Y5
	VFMADD231PS Y5, Y5, Y1
	VMOVUPS 64(SI)(AX*4), Y6
	VSUBPS 64(DX)(AX*4), Y6, Y6
	VFMADD231PS Y6, Y6, Y2
	VMOVUPS 96(SI)(AX*4), Y7
	VSUBPS 96(DX)(AX*4), Y7, Y7
	VFMADD231PS Y7, Y7, Y3
	ADDQ $32, AX
	CMPQ AX, CX
	JLE  loop

rest:
	ADDQ $32, CX
	JMP  check

single:
	VMOVUPS (SI)(AX*4), Y4
	VSUBPS (DX)(AX*4), Y4, Y4
	VFMADD231PS Y4, Y4, Y0
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

// func sumSquaredDiffAVX512(a, b *float32, n int) float32
//
//	s[4][16] = 0                              // Z0…Z3
//	for each i: s[i/16 mod 4][i mod 16] += (a[i] - b[i])²
//	return the sum of all of s
TEXT ·sumSquaredDiffAVX512(SB), NOSPLIT, $0-28
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
	VFMADD231PS Z4, Z4, Z0
	VMOVUPS 64(SI)(AX*4), Z5
	VSUBPS 64(DX)(AX*4), Z5, Z5
	VFMADD231PS Z5, Z5, Z1
	VMOVUPS 128(SI)(AX*4), Z6
	VSUBPS 128(DX)(AX*4), Z6, Z6
	VFMADD231PS Z6, Z6, Z2
	VMOVUPS 192(SI)(AX*4), Z7
	VSUBPS 192(DX)(AX*4), Z7, Z7
	VFMADD231PS Z7, Z7, Z3
	ADDQ $64, AX
	CMPQ AX, CX
	JLE  loop

rest:
	ADDQ $64, CX
	JMP  check

single:
	VMOVUPS (SI)(AX*4), Z4
	VSUBPS (DX)(AX*4), Z4, Z4
	VFMADD231PS Z4, Z4, Z0
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

