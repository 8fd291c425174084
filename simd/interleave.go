package simd

// Deinterleave2 splits a row into its even and odd elements: even[i] = src[2i],
// odd[i] = src[2i+1]. Lengths: len(even) = ⌈len(src)/2⌉, len(odd) = ⌊len(src)/2⌋. The
// slices must not overlap.
func Deinterleave2(even, odd, src []float32) {
	checkHalves("Deinterleave2", len(src), len(even), len(odd))
	for len(src) > maxCall {
		deinterleave2(even[:maxCall/2], odd[:maxCall/2], src[:maxCall])
		even, odd, src = even[maxCall/2:], odd[maxCall/2:], src[maxCall:]
	}
	deinterleave2(even, odd, src)
}

func deinterleave2Generic(even, odd, src []float32) {
	for i, v := range src {
		if i%2 == 0 {
			even[i/2] = v
		} else {
			odd[i/2] = v
		}
	}
}

// Interleave2 is the inverse of Deinterleave2: dst[2i] = even[i], dst[2i+1] = odd[i].
func Interleave2(dst, even, odd []float32) {
	checkHalves("Interleave2", len(dst), len(even), len(odd))
	for len(dst) > maxCall {
		interleave2(dst[:maxCall], even[:maxCall/2], odd[:maxCall/2])
		even, odd, dst = even[maxCall/2:], odd[maxCall/2:], dst[maxCall:]
	}
	interleave2(dst, even, odd)
}

func interleave2Generic(dst, even, odd []float32) {
	for i := range dst {
		if i%2 == 0 {
			dst[i] = even[i/2]
		} else {
			dst[i] = odd[i/2]
		}
	}
}

// checkHalves panics unless even and odd are the lengths of the two halves of n elements.
func checkHalves(kernel string, n, even, odd int) {
	checkLengths(kernel, (n+1)/2, even)
	checkLengths(kernel, n/2, odd)
}
