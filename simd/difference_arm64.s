//go:build !noasm

#include "textflag.h"

// func sumAbsDiffNEON(a, b *float32, n int) float32
//
//	s[2][4] = 0                              // V0, V1
//	for each i: s[i/4 mod 2][i mod 4] += |a[i] - b[i]|
//	return the sum of all of s
TEXT ·sumAbsDiffNEON(SB), NOSPLIT, $0-28
	MOVD a+0(FP), R1
	MOVD b+8(FP), R2
	MOVD n+16(FP), R3
	VMOVI $0, V0.B16
	VMOVI $0, V1.B16

loop:
	FLDPQ.P 32(R1), (F2, F3)
	FLDPQ.P 32(R2), (F4, F5)
	WORD $0x6EA4D442 // FABD V2.4S, V2.4S, V4.4S
	WORD $0x6EA5D463 // FABD V3.4S, V3.4S, V5.4S
	WORD $0x4E22D400 // FADD V0.4S, V0.4S, V2.4S
	WORD $0x4E23D421 // FADD V1.4S, V1.4S, V3.4S
	SUB  $8, R3
	CBNZ R3, loop

	WORD $0x4E21D400 // FADD V0.4S, V0.4S, V1.4S
	WORD $0x6E20D400 // FADDP V0.4S, V0.4S, V0.4S; neighbours …
	WORD $0x6E20D400 // FADDP V0.4S, V0.4S, V0.4S; … and both halves
	FMOVS F0, ret+24(FP)
	RET

// func sumRootDiffNEON(eps2 float32, a, b *float32, n int) float32
//
//	s[2][4] = 0                              // V0, V1
//	for each i: s[i/4 mod 2][i mod 4] += √((a[i] - b[i])² + eps2)
//	return the sum of all of s
TEXT ·sumRootDiffNEON(SB), NOSPLIT, $0-36
	FMOVS eps2+0(FP), F6
	VDUP V6.S[0], V6.S4
	MOVD a+8(FP), R1
	MOVD b+16(FP), R2
	MOVD n+24(FP), R3
	VMOVI $0, V0.B16
	VMOVI $0, V1.B16

loop:
	FLDPQ.P 32(R1), (F2, F3)
	FLDPQ.P 32(R2), (F4, F5)
	WORD $0x4EA4D444 // FSUB V4.4S, V2.4S, V4.4S
	WORD $0x4EA5D465 // FSUB V5.4S, V3.4S, V5.4S
	VMOV V6.B16, V2.B16
	VMOV V6.B16, V3.B16
	VFMLA V4.S4, V4.S4, V2.S4
	VFMLA V5.S4, V5.S4, V3.S4
	WORD $0x6EA1F842 // FSQRT V2.4S, V2.4S
	WORD $0x6EA1F863 // FSQRT V3.4S, V3.4S
	WORD $0x4E22D400 // FADD V0.4S, V0.4S, V2.4S
	WORD $0x4E23D421 // FADD V1.4S, V1.4S, V3.4S
	SUB  $8, R3
	CBNZ R3, loop

	WORD $0x4E21D400 // FADD V0.4S, V0.4S, V1.4S
	WORD $0x6E20D400 // FADDP V0.4S, V0.4S, V0.4S; neighbours …
	WORD $0x6E20D400 // FADDP V0.4S, V0.4S, V0.4S; … and both halves
	FMOVS F0, ret+32(FP)
	RET

// func signDiffNEON(dst *float32, alpha float32, a, b *float32, n int)
//
//	for each i: dst[i] = alpha · sign(a[i] - b[i])
TEXT ·signDiffNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	FMOVS alpha+8(FP), F7
	VDUP V7.S[0], V7.S4
	MOVD a+16(FP), R1
	MOVD b+24(FP), R2
	MOVD n+32(FP), R3
	MOVD $0x80000000, R4
	VDUP R4, V6.S4

loop:
	FLDPQ.P 32(R1), (F0, F1)
	FLDPQ.P 32(R2), (F2, F3)
	WORD $0x4EA2D400 // FSUB V0.4S, V0.4S, V2.4S
	WORD $0x4EA3D421 // FSUB V1.4S, V1.4S, V3.4S
	VAND V6.B16, V0.B16, V2.B16
	VAND V6.B16, V1.B16, V3.B16
	VEOR V7.B16, V2.B16, V2.B16   // ±alpha
	VEOR V7.B16, V3.B16, V3.B16
	WORD $0x4EA0D804 // FCMEQ V4.4S, V0.4S, #0; 0 …
	WORD $0x4EA0D825 // FCMEQ V5.4S, V1.4S, #0; …
	WORD $0x4E641C42 // BIC V2.16B, V2.16B, V4.16B
	WORD $0x4E651C63 // BIC V3.16B, V3.16B, V5.16B
	WORD $0x4E20E404 // FCMEQ V4.4S, V0.4S, V0.4S; … and NaN, which is not equal to itself
	WORD $0x4E21E425 // FCMEQ V5.4S, V1.4S, V1.4S; …
	WORD $0x6EE41C02 // BIF V2.16B, V0.16B, V4.16B
	WORD $0x6EE51C23 // BIF V3.16B, V1.16B, V5.16B
	FSTPQ.P (F2, F3), 32(R0)
	SUB  $8, R3
	CBNZ R3, loop
	RET

// func rootDiffNEON(dst *float32, alpha, eps2 float32, a, b *float32, n int)
//
//	for each i: dst[i] = alpha · (a[i] - b[i]) / √((a[i] - b[i])² + eps2)
TEXT ·rootDiffNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	FMOVS alpha+8(FP), F7
	VDUP V7.S[0], V7.S4
	FMOVS eps2+12(FP), F6
	VDUP V6.S[0], V6.S4
	MOVD a+16(FP), R1
	MOVD b+24(FP), R2
	MOVD n+32(FP), R3

loop:
	FLDPQ.P 32(R1), (F0, F1)
	FLDPQ.P 32(R2), (F2, F3)
	WORD $0x4EA2D400 // FSUB V0.4S, V0.4S, V2.4S
	WORD $0x4EA3D421 // FSUB V1.4S, V1.4S, V3.4S
	VMOV V6.B16, V2.B16
	VMOV V6.B16, V3.B16
	VFMLA V0.S4, V0.S4, V2.S4
	VFMLA V1.S4, V1.S4, V3.S4
	WORD $0x6EA1F842 // FSQRT V2.4S, V2.4S
	WORD $0x6EA1F863 // FSQRT V3.4S, V3.4S
	WORD $0x6E27DC00 // FMUL V0.4S, V0.4S, V7.4S
	WORD $0x6E27DC21 // FMUL V1.4S, V1.4S, V7.4S
	WORD $0x6E22FC00 // FDIV V0.4S, V0.4S, V2.4S
	WORD $0x6E23FC21 // FDIV V1.4S, V1.4S, V3.4S
	FSTPQ.P (F0, F1), 32(R0)
	SUB  $8, R3
	CBNZ R3, loop
	RET
