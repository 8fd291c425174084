//go:build noasm || (!amd64 && !arm64)

package simd

func sum(x []float32) float32 { return sumGeneric(x) }

func sumSquaredDiff(a, b []float32) float32 { return sumSquaredDiffGeneric(a, b) }
