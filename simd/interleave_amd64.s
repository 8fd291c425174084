//go:build !noasm

#include "textflag.h"

// func deinterleave2AVX2(even, odd, src *float32, n int)
//
//	for each group of 16: even, odd = src[0,2,…14], src[1,3,…15]
TEXT ·deinterleave2AVX2(SB), NOSPLIT, $0-32
	MOVQ even+0(FP), DI
	MOVQ odd+8(FP), DX
	MOVQ src+16(FP), SI
	MOVQ n+24(FP), CX

loop:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VSHUFPS $0x88, Y1, Y0, Y2  // 0 2 8 10 | 4 6 12 14
	VSHUFPS $0xDD, Y1, Y0, Y3
	VPERMPD $0xD8, Y2, Y2      // the middle two pairs change places
	VPERMPD $0xD8, Y3, Y3
	VMOVUPS Y2, (DI)
	VMOVUPS Y3, (DX)
	ADDQ $64, SI
	ADDQ $32, DI
	ADDQ $32, DX
	SUBQ $16, CX
	JNZ  loop
	VZEROUPPER
	RET

// func interleave2AVX2(dst, even, odd *float32, n int)
//
//	for each group of 16: dst[0,2,…14], dst[1,3,…15] = even, odd
TEXT ·interleave2AVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ even+8(FP), SI
	MOVQ odd+16(FP), DX
	MOVQ n+24(FP), CX

loop:
	VMOVUPS (SI), Y0
	VMOVUPS (DX), Y1
	VUNPCKLPS Y1, Y0, Y2       // 0 1 2 3 | 8 9 10 11
	VUNPCKHPS Y1, Y0, Y3       // 4 5 6 7 | 12 …
	VPERM2F128 $0x20, Y3, Y2, Y0
	VPERM2F128 $0x31, Y3, Y2, Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ $64, DI
	ADDQ $32, SI
	ADDQ $32, DX
	SUBQ $16, CX
	JNZ  loop
	VZEROUPPER
	RET
