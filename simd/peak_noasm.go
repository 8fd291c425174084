//go:build noasm || (!amd64 && !arm64)

package simd

func fmaPeak(rounds int) float64 { return fmaPeakGeneric(rounds) }
