//go:build !noasm

package simd

//go:noescape
func upsampleBlendAVX2(dst, near, far *float32, n int)

//go:noescape
func upsampleBlendAVX512(dst, near, far *float32, n int)

//go:noescape
func upsampleBlendBackwardAVX2(dst, near0, near1, far0, far1 *float32, n int)

//go:noescape
func upsampleBlendBackwardAVX512(dst, near0, near1, far0, far1 *float32, n int)

func upsampleBlend(dst, near, far []float32) {
	i := 0
	if useAVX512 && len(dst) >= 16 {
		i = len(dst) &^ 15
		upsampleBlendAVX512(&dst[0], &near[0], &far[0], i)
	}
	if n := (len(dst) - i) &^ 7; useAVX2 && n > 0 {
		upsampleBlendAVX2(&dst[i], &near[i], &far[i], n)
		i += n
	}
	upsampleBlendGeneric(dst[i:], near[i:], far[i:])
}

func upsampleBlendBackward(dst, near0, near1, far0, far1 []float32) {
	i := 0
	if useAVX512 && len(dst) >= 16 {
		i = len(dst) &^ 15
		upsampleBlendBackwardAVX512(&dst[0], &near0[0], &near1[0], &far0[0], &far1[0], i)
	}
	if n := (len(dst) - i) &^ 7; useAVX2 && n > 0 {
		upsampleBlendBackwardAVX2(&dst[i], &near0[i], &near1[i], &far0[i], &far1[i], n)
		i += n
	}
	upsampleBlendBackwardGeneric(dst[i:], near0[i:], near1[i:], far0[i:], far1[i:])
}

//go:noescape
func upsampleExpandAVX2(dst, src *float32, n int)

//go:noescape
func upsampleExpandAVX512(dst, src *float32, n int)

func upsampleExpand(dst, src []float32) {
	i, w := 0, len(src)-2
	if useAVX512 && w >= 16 {
		i = w &^ 15
		upsampleExpandAVX512(&dst[0], &src[0], i)
	}
	if n := (w - i) &^ 7; useAVX2 && n > 0 {
		upsampleExpandAVX2(&dst[2*i], &src[i], n)
		i += n
	}
	upsampleExpandGeneric(dst[2*i:], src[i:])
}

//go:noescape
func upsampleExpandBackwardAVX2(dx, dy *float32, n int)

//go:noescape
func upsampleExpandBackwardAVX512(dx, dy *float32, n int)

func upsampleExpandBackward(dx, dy []float32) {
	i, w := 0, len(dx)
	if useAVX512 && w >= 16 {
		i = w &^ 15
		upsampleExpandBackwardAVX512(&dx[0], &dy[0], i)
	}
	if n := (w - i) &^ 7; useAVX2 && n > 0 {
		upsampleExpandBackwardAVX2(&dx[i], &dy[2*i], n)
		i += n
	}
	upsampleExpandBackwardGeneric(dx[i:], dy[2*i:])
}
