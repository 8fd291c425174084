package simd

// sumBlock is the number of elements that are summed in float32, in the lanes of a few
// registers. The sums of the blocks are added in float64. For slices of any length, the
// error stays below that of rounding the result to float32 once.
const sumBlock = 1 << 12

// Sum returns Σ x[i].
func Sum(x []float32) float64 {
	s := 0.0
	for len(x) > sumBlock {
		s += float64(sum(x[:sumBlock]))
		x = x[sumBlock:]
	}
	return s + float64(sum(x))
}

// SumSquaredDiff returns Σ (a[i]-b[i])².
func SumSquaredDiff(a, b []float32) float64 {
	checkLengths("SumSquaredDiff", len(a), len(b))
	s := 0.0
	for len(a) > sumBlock {
		s += float64(sumSquaredDiff(a[:sumBlock], b[:sumBlock]))
		a, b = a[sumBlock:], b[sumBlock:]
	}
	return s + float64(sumSquaredDiff(a, b))
}

// sumGeneric keeps eight sums, like a vector register. A single sum would lose a bit of
// precision for each doubling of the length.
func sumGeneric(x []float32) float32 {
	var s [8]float32
	for i, v := range x {
		s[i%8] += v
	}
	return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]))
}

func sumSquaredDiffGeneric(a, b []float32) float32 {
	var s [8]float32
	for i := range a {
		d := a[i] - b[i]
		s[i%8] += d * d
	}
	return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]))
}
