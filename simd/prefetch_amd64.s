//go:build !noasm

#include "textflag.h"

// func prefetchT1(src *float32, n int)
//
//	one request for each line of the cache, 64 bytes
TEXT ·prefetchT1(SB), NOSPLIT, $0-16
	MOVQ src+0(FP), SI
	MOVQ n+8(FP), CX
	LEAQ -4(SI)(CX*4), DX          // the last number
	ANDQ $~63, SI

line:
	PREFETCHT1 (SI)
	ADDQ $64, SI
	CMPQ SI, DX
	JLS  line
	RET
