package simd

// SumAbsDiff returns Σ |a[i]-b[i]|.
func SumAbsDiff(a, b []float32) float64 {
	checkLengths("SumAbsDiff", len(a), len(b))
	s := 0.0
	for len(a) > sumBlock {
		s += float64(sumAbsDiff(a[:sumBlock], b[:sumBlock]))
		a, b = a[sumBlock:], b[sumBlock:]
	}
	return s + float64(sumAbsDiff(a, b))
}

func sumAbsDiffGeneric(a, b []float32) float32 {
	var s [8]float32
	for i := range a {
		s[i%8] += max(a[i]-b[i], b[i]-a[i])
	}
	return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]))
}

// SignDiff writes a multiple of the sign of a difference: dst[i] = alpha·sign(a[i]-b[i]). The
// sign of 0 is 0, and NaN stays. With alpha = 1/n it is the gradient of the mean absolute error
// with respect to a.
func SignDiff(dst []float32, alpha float32, a, b []float32) {
	checkLengths("SignDiff", len(dst), len(a), len(b))
	for len(dst) > maxCall {
		signDiff(dst[:maxCall], alpha, a[:maxCall], b[:maxCall])
		dst, a, b = dst[maxCall:], a[maxCall:], b[maxCall:]
	}
	signDiff(dst, alpha, a, b)
}

func signDiffGeneric(dst []float32, alpha float32, a, b []float32) {
	for i := range dst {
		switch d := a[i] - b[i]; {
		case d > 0:
			dst[i] = alpha
		case d < 0:
			dst[i] = -alpha
		default: // 0 or NaN
			dst[i] = d
		}
	}
}

// SumRootDiff returns Σ √((a[i]-b[i])²+eps²).
func SumRootDiff(eps float32, a, b []float32) float64 {
	checkLengths("SumRootDiff", len(a), len(b))
	s := 0.0
	for len(a) > sumBlock {
		s += float64(sumRootDiff(eps*eps, a[:sumBlock], b[:sumBlock]))
		a, b = a[sumBlock:], b[sumBlock:]
	}
	return s + float64(sumRootDiff(eps*eps, a, b))
}

func sumRootDiffGeneric(eps2 float32, a, b []float32) float32 {
	var s [8]float32
	for i := range a {
		d := a[i] - b[i]
		s[i%8] += sqrt(d*d + eps2)
	}
	return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]))
}

// RootDiff writes dst[i] = alpha·(a[i]-b[i])/√((a[i]-b[i])²+eps²). With alpha = 1/n it is the
// gradient of the mean of √((a[i]-b[i])²+eps²) with respect to a.
func RootDiff(dst []float32, alpha, eps float32, a, b []float32) {
	checkLengths("RootDiff", len(dst), len(a), len(b))
	for len(dst) > maxCall {
		rootDiff(dst[:maxCall], alpha, eps*eps, a[:maxCall], b[:maxCall])
		dst, a, b = dst[maxCall:], a[maxCall:], b[maxCall:]
	}
	rootDiff(dst, alpha, eps*eps, a, b)
}

func rootDiffGeneric(dst []float32, alpha, eps2 float32, a, b []float32) {
	for i := range dst {
		d := a[i] - b[i]
		dst[i] = alpha * d / sqrt(d*d+eps2)
	}
}
