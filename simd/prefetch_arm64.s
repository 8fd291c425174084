//go:build !noasm

#include "textflag.h"

// func prefetchL2(src *float32, n int)
//
//	one request for each line of the cache, 64 bytes
TEXT ·prefetchL2(SB), NOSPLIT, $0-16
	MOVD src+0(FP), R0
	MOVD n+8(FP), R1
	ADD  R1<<2, R0, R1
	SUB  $4, R1, R1               // the last number
	AND  $~63, R0, R0

line:
	PRFM (R0), PLDL2KEEP
	ADD  $64, R0, R0
	CMP  R1, R0
	BLS  line
	RET
