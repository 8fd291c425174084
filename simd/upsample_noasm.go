//go:build noasm || (!amd64 && !arm64)

package simd

func upsampleBlend(dst, near, far []float32) {
	upsampleBlendGeneric(dst, near, far)
}

func upsampleBlendBackward(dst, near0, near1, far0, far1 []float32) {
	upsampleBlendBackwardGeneric(dst, near0, near1, far0, far1)
}

func upsampleExpand(dst, src []float32) {
	upsampleExpandGeneric(dst, src)
}

func upsampleExpandBackward(dx, dy []float32) {
	upsampleExpandBackwardGeneric(dx, dy)
}
