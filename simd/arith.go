package simd

// Add writes the sum of two slices: dst[i] = a[i] + b[i].
func Add(dst, a, b []float32) {
	checkLengths("Add", len(dst), len(a), len(b))
	for len(dst) > maxCall {
		add(dst[:maxCall], a[:maxCall], b[:maxCall])
		dst, a, b = dst[maxCall:], a[maxCall:], b[maxCall:]
	}
	add(dst, a, b)
}

func addGeneric(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

// Mul writes the elementwise product of two slices: dst[i] = a[i]·b[i].
func Mul(dst, a, b []float32) {
	checkLengths("Mul", len(dst), len(a), len(b))
	for len(dst) > maxCall {
		mul(dst[:maxCall], a[:maxCall], b[:maxCall])
		dst, a, b = dst[maxCall:], a[maxCall:], b[maxCall:]
	}
	mul(dst, a, b)
}

func mulGeneric(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

// Scale writes a multiple of a slice: dst[i] = alpha·x[i].
func Scale(dst []float32, alpha float32, x []float32) {
	checkLengths("Scale", len(dst), len(x))
	for len(dst) > maxCall {
		scale(dst[:maxCall], alpha, x[:maxCall])
		dst, x = dst[maxCall:], x[maxCall:]
	}
	scale(dst, alpha, x)
}

func scaleGeneric(dst []float32, alpha float32, x []float32) {
	for i := range dst {
		dst[i] = alpha * x[i]
	}
}

// Axpy adds a multiple of a slice: dst[i] += alpha·x[i].
func Axpy(dst []float32, alpha float32, x []float32) {
	checkLengths("Axpy", len(dst), len(x))
	for len(dst) > maxCall {
		axpy(dst[:maxCall], alpha, x[:maxCall])
		dst, x = dst[maxCall:], x[maxCall:]
	}
	axpy(dst, alpha, x)
}

func axpyGeneric(dst []float32, alpha float32, x []float32) {
	for i := range dst {
		dst[i] += alpha * x[i]
	}
}

// ScaledDiff writes a multiple of a difference: dst[i] = alpha·(a[i]-b[i]). With
// alpha = 2/n it is the gradient of the mean squared error with respect to a.
func ScaledDiff(dst []float32, alpha float32, a, b []float32) {
	checkLengths("ScaledDiff", len(dst), len(a), len(b))
	for len(dst) > maxCall {
		scaledDiff(dst[:maxCall], alpha, a[:maxCall], b[:maxCall])
		dst, a, b = dst[maxCall:], a[maxCall:], b[maxCall:]
	}
	scaledDiff(dst, alpha, a, b)
}

func scaledDiffGeneric(dst []float32, alpha float32, a, b []float32) {
	for i := range dst {
		dst[i] = alpha * (a[i] - b[i])
	}
}
