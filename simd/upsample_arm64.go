//go:build !noasm

package simd

//go:noescape
func upsampleBlendNEON(dst, near, far *float32, n int)

//go:noescape
func upsampleBlendBackwardNEON(dst, near0, near1, far0, far1 *float32, n int)

//go:noescape
func upsampleExpandNEON(dst, src *float32, n int)

//go:noescape
func upsampleExpandBackwardNEON(dx, dy *float32, n int)

func upsampleBlend(dst, near, far []float32) {
	n := neonPart(len(dst), 8)
	if n > 0 {
		upsampleBlendNEON(&dst[0], &near[0], &far[0], n)
	}
	upsampleBlendGeneric(dst[n:], near[n:], far[n:])
}

func upsampleBlendBackward(dst, near0, near1, far0, far1 []float32) {
	n := neonPart(len(dst), 8)
	if n > 0 {
		upsampleBlendBackwardNEON(&dst[0], &near0[0], &near1[0], &far0[0], &far1[0], n)
	}
	upsampleBlendBackwardGeneric(dst[n:], near0[n:], near1[n:], far0[n:], far1[n:])
}

func upsampleExpand(dst, src []float32) {
	n := neonPart(len(src)-2, 4)
	if n > 0 {
		upsampleExpandNEON(&dst[0], &src[0], n)
	}
	upsampleExpandGeneric(dst[2*n:], src[n:])
}

func upsampleExpandBackward(dx, dy []float32) {
	n := neonPart(len(dx), 4)
	if n > 0 {
		upsampleExpandBackwardNEON(&dx[0], &dy[0], n)
	}
	upsampleExpandBackwardGeneric(dx[n:], dy[2*n:])
}
