package simd

import "fmt"

// Bilinear enlargement by two, with half-pixel centres, puts two new pixels into each old
// one. Their centres lie a quarter of a pixel left and right of the old centre. A new
// pixel is ¾ of the old pixel plus ¼ of the neighbour on its side. At the edge, the
// neighbour is the old pixel itself. Two rows are blended first, and then the blended row
// is expanded.
//
// ¼ of a number is exact. The plain loops round ¾ of it by itself, where Go might fuse it with the
// addition: so all levels have the same bits, and so has a pixel wherever its row is cut.

// UpsampleBlend blends two rows of pixels into a new row that lies between them:
// dst[i] = ¾·near[i] + ¼·far[i].
func UpsampleBlend(dst, near, far []float32) {
	checkLengths("UpsampleBlend", len(dst), len(near), len(far))
	for len(dst) > maxCall {
		upsampleBlend(dst[:maxCall], near[:maxCall], far[:maxCall])
		dst, near, far = dst[maxCall:], near[maxCall:], far[maxCall:]
	}
	upsampleBlend(dst, near, far)
}

func upsampleBlendGeneric(dst, near, far []float32) {
	for i := range dst {
		dst[i] = float32(0.75*near[i]) + 0.25*far[i]
	}
}

// UpsampleBlendBackward writes the gradient of a row that was blended into four new rows:
// dst[i] = ¾·(near0[i]+near1[i]) + ¼·(far0[i]+far1[i]). The operands are the gradients of
// the four new rows.
func UpsampleBlendBackward(dst, near0, near1, far0, far1 []float32) {
	checkLengths("UpsampleBlendBackward", len(dst), len(near0), len(near1), len(far0), len(far1))
	for len(dst) > maxCall {
		upsampleBlendBackward(dst[:maxCall], near0[:maxCall], near1[:maxCall], far0[:maxCall], far1[:maxCall])
		dst, near0, near1, far0, far1 = dst[maxCall:], near0[maxCall:], near1[maxCall:], far0[maxCall:], far1[maxCall:]
	}
	upsampleBlendBackward(dst, near0, near1, far0, far1)
}

func upsampleBlendBackwardGeneric(dst, near0, near1, far0, far1 []float32) {
	for i := range dst {
		dst[i] = float32(0.75*(near0[i]+near1[i])) + 0.25*(far0[i]+far1[i])
	}
}

// UpsampleExpand doubles the width of a row of n pixels. src is the row with one more
// pixel on either side, n+2 pixels in total. dst has 2n pixels:
//
//	dst[2i]   = ¼·src[i]   + ¾·src[i+1]
//	dst[2i+1] = ¾·src[i+1] + ¼·src[i+2]
//
// dst and src must not overlap.
func UpsampleExpand(dst, src []float32) {
	if len(src) < 2 || len(dst) != 2*(len(src)-2) {
		panic(fmt.Sprintf("simd: UpsampleExpand: dst has %d elements, src %d", len(dst), len(src)))
	}
	for len(src)-2 > maxCall {
		upsampleExpand(dst[:2*maxCall], src[:maxCall+2])
		dst, src = dst[2*maxCall:], src[maxCall:]
	}
	upsampleExpand(dst, src)
}

func upsampleExpandGeneric(dst, src []float32) {
	for i := range len(dst) / 2 {
		dst[2*i] = float32(0.75*src[i+1]) + 0.25*src[i]
		dst[2*i+1] = float32(0.75*src[i+1]) + 0.25*src[i+2]
	}
}

// UpsampleExpandBackward writes the gradient dx of a row of n pixels. dy is the gradient
// of the expanded row with one more pixel on either side, 2n+2 pixels in total:
//
//	dx[i] = ¾·(dy[2i+1]+dy[2i+2]) + ¼·(dy[2i]+dy[2i+3])
//
// dx and dy must not overlap.
func UpsampleExpandBackward(dx, dy []float32) {
	if len(dy) != 2*len(dx)+2 {
		panic(fmt.Sprintf("simd: UpsampleExpandBackward: dx has %d elements, dy %d", len(dx), len(dy)))
	}
	for len(dx) > maxCall {
		upsampleExpandBackward(dx[:maxCall], dy[:2*maxCall+2])
		dx, dy = dx[maxCall:], dy[2*maxCall:]
	}
	upsampleExpandBackward(dx, dy)
}

func upsampleExpandBackwardGeneric(dx, dy []float32) {
	for i := range dx {
		dx[i] = float32(0.75*(dy[2*i+1]+dy[2*i+2])) + 0.25*(dy[2*i]+dy[2*i+3])
	}
}
