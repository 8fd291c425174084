//go:build noasm || (!amd64 && !arm64)

package simd

func sumAbsDiff(a, b []float32) float32 { return sumAbsDiffGeneric(a, b) }

func sumRootDiff(eps2 float32, a, b []float32) float32 { return sumRootDiffGeneric(eps2, a, b) }

func signDiff(dst []float32, alpha float32, a, b []float32) { signDiffGeneric(dst, alpha, a, b) }

func rootDiff(dst []float32, alpha, eps2 float32, a, b []float32) {
	rootDiffGeneric(dst, alpha, eps2, a, b)
}
